"""A visitor of the desk: asks the application itself, keeps its cookies, fills the forms it is shown."""

import asyncio
import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The page, its spaces made one."""
        return re.sub(r"\s+", " ", self.body.decode())


@dataclass(slots=True)
class Visitor:
    """Someone with a browser without scripts."""

    application: Starlette
    cookies: dict[str, str] = field(default_factory=dict)
    language: str = "fr"

    def get(self, address: str) -> Answer:
        """Ask for a page."""
        return self.ask("GET", address)

    def fill(self, address: str, **fields: str) -> Answer:
        """Send the form of this page with its token, and follow where it leads."""
        page = self.get(address)
        token = re.search(r'name="csrf" value="([^"]*)"', page.text)
        body = urlencode({**fields, "csrf": token[1] if token else ""}).encode()
        sent = self.ask("POST", address, body, "application/x-www-form-urlencoded")
        return self.get(sent.headers["location"]) if sent.status == 303 else sent

    def send_file(self, address: str, data: bytes, **fields: str) -> Answer:
        """Send the form of this page with a file, and follow where it leads."""
        token = re.search(r'name="csrf" value="([^"]*)"', self.get(address).text)
        sent = {**fields, "csrf": token[1] if token else ""}
        parts = [f'--part\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{sent[key]}\r\n' for key in sent]
        head = '--part\r\nContent-Disposition: form-data; name="file"; filename="f.yaml"\r\n\r\n'
        body = "".join((*parts, head)).encode() + data + b"\r\n--part--\r\n"
        answer = self.ask("POST", address, body, "multipart/form-data; boundary=part")
        return self.get(answer.headers["location"]) if answer.status == 303 else answer

    def ask(self, method: str, address: str, body: bytes = b"", media: str = "application/octet-stream") -> Answer:
        """Ask anything."""
        return asyncio.run(self._ask(method, address, body, media))

    async def _ask(self, method: str, address: str, body: bytes, media: str) -> Answer:
        where = urlsplit(address)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"host": "desk", "content-type": media, "accept-language": self.language, "cookie": cookie}
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": where.path, "raw_path": where.path.encode(), "query_string": where.query.encode(), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "server": ("desk", 80),
            "client": ("visitor", 1),
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        start = sent[0]
        received = [(name.decode(), value.decode()) for name, value in start["headers"]]
        for name, value in received:
            if name == "set-cookie":
                self.cookies |= {key: morsel.value for key, morsel in SimpleCookie(value).items()}
        return Answer(start["status"], dict(received), b"".join(part.get("body", b"") for part in sent[1:]))
