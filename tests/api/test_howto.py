"""What docs/howto.md shows of documents is what happens, line by line."""

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from typer.testing import CliRunner

from estafette.cli import app
from estafette.formats import json_form, read
from estafette.rules import check

Client = Any
HOWTO = (Path(__file__).parents[2] / "docs/howto.md").read_text()
SECTIONS = ("Make an invoice from a few lines", "Convert, show and compare documents", "The same by the API")


def blocks(kind: str) -> list[str]:
    """Give the examples of a kind in our sections, in their order."""
    texts = [HOWTO.partition(f"## {title}\n")[2].partition("\n## ")[0] for title in SECTIONS]
    return [block for text in texts for block in re.findall(rf"```{kind}\n(.*?)```", text, re.S)]


def sent(client: Client, line: str) -> Any:
    """Do what a line with curl asks, by the API itself; write the file it names."""
    words = shlex.split(line)
    given = {flag: [words[at + 1] for at, word in enumerate(words) if word == flag] for flag in ("-H", "-F", "-o")}
    headers = dict(each.split(": ", 1) for each in given["-H"] if "$TOKEN" not in each)
    where = urlsplit(next(word for word in words if word.startswith("http")))
    body = b"".join(Path(words[at + 1][1:]).read_bytes() for at, word in enumerate(words) if word == "--data-binary")
    for name, _, file in (each.partition("=@") for each in given["-F"]):
        head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'
        body += head.encode() + Path(file).read_bytes() + b"\r\n"
    if given["-F"]:
        body += b"--frontier--\r\n"
        headers["Content-Type"] = "multipart/form-data; boundary=frontier"
    about = {"siren": None} if "$TOKEN" not in line else {}
    method = "POST" if body else "GET"
    answer = client.call(method, where.path, query=where.query, body=body, headers=headers, **about)
    for name in given["-o"]:
        Path(name).write_bytes(answer.body)
    return answer


def test_the_examples(shared_client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command succeeds, each call is answered 200, and what they leave says the same invoice."""
    monkeypatch.chdir(tmp_path)
    (draft,) = blocks("yaml")
    Path("facture.yaml").write_text(draft)
    answers = {}
    for line in "".join(blocks("sh")).splitlines():
        if line.startswith("curl"):
            answer = answers[line] = sent(shared_client, line)
            assert answer.status == 200, (line, answer.body)
        else:
            verb = line.removeprefix("estafette ")
            done = CliRunner().invoke(app, shlex.split(verb))
            assert done.exit_code == 0, (line, done.output)
    invoice = read(Path("F2026-42.xml").read_bytes())
    assert str(invoice.totals.amount_due) == "1620.00"
    for name in ("F2026-42.cii.xml", "F2026-42.pdf", "converted.xml"):
        assert check(Path(name).read_bytes()).accepted
        assert read(Path(name).read_bytes()).totals == invoice.totals
    assert all(Path(name).read_bytes().startswith(b"%PDF-") for name in ("lisible.pdf", "shown.pdf"))
    told = {urlsplit(line.split("8401")[1].split('"')[0]).path: answer for line, answer in answers.items()}
    assert told["/v1/diff"].json == {"differences": []}
    assert told["/v1/check"].json["accepted"]
    schema = json.loads(Path("invoice.schema.json").read_bytes())
    assert schema == json.loads(msgspec.json.encode(json_form.schema()))
    assert json_form.read(Path("F2026-42.json").read_bytes()) == invoice
    assert told["/v1/complete"].json["invoice"].keys() <= schema["$defs"]["Invoice"]["properties"].keys()
