"""A person at a desk, without eyes: asks for pages, keeps cookies, fills forms as they were drawn."""

import asyncio
import html
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from starlette.types import ASGIApp, Message

REDIRECTS_MAX = 5
BOUNDARY = "form-of-the-tests"


@dataclass(frozen=True)
class Page:
    """What came back, after redirections."""

    path: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def html(self) -> str:
        """The page as it was sent."""
        return self.body.decode()

    @property
    def text(self) -> str:
        """What a person reads: no tags, spaces folded."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.html)).split())

    def hidden(self, name: str) -> str:
        """Return the value of the first hidden field of that name."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.html)
        assert found, f"no field {name} on {self.path}"
        return html.unescape(found[1])

    def links(self, start: str) -> list[str]:
        """Return the addresses on the page that begin so."""
        return [address for address in re.findall(r'href="([^"]*)"', self.html) if address.startswith(start)]


@dataclass
class Visitor:
    """One person and one application."""

    application: ASGIApp
    language: str = "fr"
    cookies: dict[str, str] = field(default_factory=dict)
    scheme: str = "http"
    set_cookies: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Page:
        """Ask for a page."""
        return self._follow("GET", path, b"", "")

    def ask(self, path: str) -> Page:
        """Ask for a page, and stay where that leads."""
        return asyncio.run(self._ask("GET", path, b"", ""))

    def post(self, path: str, **fields: str) -> Page:
        """Send a form; `_` in a name stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        return self._follow("POST", path, urlencode(named).encode(), "application/x-www-form-urlencoded")

    def send_file(self, path: str, name: str, data: bytes, **fields: str) -> Page:
        """Send a form that carries a file."""
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        body = b"".join(parts) + head + data + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self._follow("POST", path, body, f"multipart/form-data; boundary={BOUNDARY}")

    def sign_in(self, login: str, password: str) -> Page:
        """Sign in."""
        return self.post("/sign-in", login=login, password=password)

    def deposit(self, name: str, data: bytes) -> Page:
        """Deposit a file through the form."""
        return self.send_file("/deposit", name, data, csrf=self.get("/deposit").hidden("csrf"))

    def answer(self, path: str, status: str, **fields: str) -> Page:
        """Send the form of a status, as the page of the invoice draws it."""
        drawn = self.get(path)
        return self.post(path, csrf=drawn.hidden("csrf"), ours=drawn.hidden("ours"), status=status, **fields)

    def _follow(self, method: str, path: str, body: bytes, kind: str) -> Page:
        for _ in range(REDIRECTS_MAX):
            page = asyncio.run(self._ask(method, path, body, kind))
            if page.status != 303:
                return page
            method, path, body, kind = "GET", page.headers["location"].partition("#")[0], b"", ""
        raise AssertionError(f"too many redirections to {path}")

    async def _ask(self, method: str, path: str, body: bytes, kind: str) -> Page:
        split = urlsplit(path)
        headers = {"host": "desk.example", "accept-language": self.language, "content-type": kind}
        headers |= self.headers | {"content-length": str(len(body))}
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": split.path,
            "raw_path": split.path.encode(),
            "query_string": split.query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value],
            "client": ("127.0.0.1", 1),
            "server": ("desk.example", 80),
        }
        heard: list[Message] = []
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            assert waiting, "the page waits for more than was sent: a browser would wait for ever"
            return waiting.pop(0)

        async def send(message: Message) -> None:
            heard.append(message)

        await self.application(scope, receive, send)
        return self._page(path, heard)

    def _page(self, path: str, heard: list[Message]) -> Page:
        start = next(message for message in heard if message["type"] == "http.response.start")
        headers = {}
        for name, value in start["headers"]:
            headers[name.decode()] = value.decode()
            if name == b"set-cookie":
                self.set_cookies.append(value.decode())
                kept, _, rest = value.decode().partition("=")
                self.cookies[kept] = rest.partition(";")[0].strip('"')
        body = b"".join(message.get("body", b"") for message in heard if message["type"] == "http.response.body")
        return Page(path, start["status"], headers, body)
