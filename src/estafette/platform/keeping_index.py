"""The index of a restitution package for people: what is in it by period and counterpart, and where each file is.

An HTML page in each language, and the lines of its CSV files.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import PurePosixPath
from typing import Any

from estafette.lifecycle import STATUSES

WORDS = {
    "fr": {
        "title": "Dossier de restitution", "company": "Entreprise", "period": "Période", "side": "Sens",
        "issued": "émise", "received": "reçue", "counterpart": "Tiers", "number": "Numéro", "date": "Date",
        "files": "Pièces", "count": "Factures", "original": "original", "readable": "lisible", "proof": "preuve",
        "how": "Vérifier : estafette archive verify-package FICHIER, ou sha256sum -c SHA256SUMS une fois extrait.",
    },
    "en": {
        "title": "Restitution package", "company": "Company", "period": "Period", "side": "Side",
        "issued": "issued", "received": "received", "counterpart": "Counterpart", "number": "Number", "date": "Date",
        "files": "Files", "count": "Invoices", "original": "original", "readable": "readable", "proof": "proof",
        "how": "Verify: estafette archive verify-package FILE, or sha256sum -c SHA256SUMS once extracted.",
    },
}  # fmt: skip
"""What the index says, by language."""

_AMOUNT = re.compile(r"-\d+([.,]\d+)?")
"""A number below zero begins as a formula does, and is none."""

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}"
)


def index_head(language: str, siren: str, name: str, asked: str, totals: Iterator[Sequence[Any]]) -> Iterator[str]:
    """Write the beginning of the index: what it is of, and the totals by period and counterpart."""
    say = WORDS[language]
    yield (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{say["title"]} {siren}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{say['title']}</h1>"
        f"<p>{say['company']} : {escape(name)} ({siren}) · {escape(asked)}</p><p>{say['how']}</p>"
        f"<table><thead><tr><th>{say['period']}</th><th>{say['side']}</th><th>{say['counterpart']}</th>"
        f"<th>{say['count']}</th></tr></thead><tbody>\n"
    )
    for period, side, other, number in totals:
        yield f"<tr><td>{period}</td><td>{say[side]}</td><td>{escape(other)}</td><td>{number}</td></tr>\n"
    yield (
        f"</tbody></table><table><thead><tr><th>{say['date']}</th><th>{say['number']}</th><th>{say['side']}</th>"
        f"<th>{say['counterpart']}</th><th>{say['files']}</th></tr></thead><tbody>\n"
    )


def index_line(language: str, lines: Sequence[dict[str, Any]]) -> str:
    """Write the line of one invoice: its number, and where each of its files is."""
    say, first = WORDS[language], lines[0]
    links = " · ".join(
        f'<a href="{escape(str(line["file"]))}">{escape(_word(language, str(line["kind"]), str(line["file"])))}</a>'
        for line in lines
    )
    return (
        f"<tr><td>{first['date']}</td><td>{escape(str(first['number']))}</td><td>{say.get(str(first['side']), '')}</td>"
        f"<td>{escape(str(first['counterpart']))}</td><td>{links}</td></tr>\n"
    )


INDEX_TAIL = "</tbody></table></main></body></html>\n"


def _word(language: str, kind: str, file: str) -> str:
    """Return what a link says: the status by its name, else the kind."""
    code = PurePosixPath(file).name.split("-")[1] if kind.startswith("status ") else ""
    if code in STATUSES:
        known = STATUSES[code]
        return f"{code} {known.label if language == 'fr' else known.name.replace('_', ' ').lower()}"
    return WORDS[language].get(kind, PurePosixPath(file).name)


def csv_line(values: Sequence[Any]) -> str:
    """Write a line of a CSV; a value that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\n").writerow([_inert(str(value)) for value in values])
    return text.getvalue()


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _AMOUNT.fullmatch(text) else text
