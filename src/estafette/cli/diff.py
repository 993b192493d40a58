"""`estafette diff A B`: what two invoices, or two folders of them, say otherwise, by business term."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from estafette.invoice import Invoice
    from estafette.invoice.comparison import Difference

SAME, DIFFERENT, UNREADABLE = 0, 1, 2
MANY = 20
"""Documents from which progress is worth showing."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(diff)


def diff(
    first: Annotated[Path, typer.Argument(help="Facture ou dossier. / Invoice or folder.", exists=True)],
    second: Annotated[Path, typer.Argument(help="Facture ou dossier. / Invoice or folder.", exists=True)],
    as_json: Annotated[bool, typer.Option("--json", help="Une ligne JSON par document. / A JSON line each.")] = False,
    lang: Annotated[str, typer.Option(help="fr, en")] = "fr",
) -> None:
    """Compare deux factures par terme métier. / Compare two invoices by business term, whatever their syntaxes.

    Dossiers : les mêmes noms de part et d'autre. / Folders: the same names on both sides.
    Code 0 : rien ne diffère ; 1 : quelque chose diffère ; 2 : illisible, ou mauvais usage.
    """
    if first.is_dir() != second.is_dir():
        typer.echo("Attendu : deux fichiers ou deux dossiers. / Expected: two files or two folders.", err=True)
        raise typer.Exit(UNREADABLE)
    pairs = list(_pairs(first, second)) if first.is_dir() else [(first.name, first, second)]
    if not pairs:
        typer.echo("Dossiers vides. / Empty folders.", err=True)
        raise typer.Exit(UNREADABLE)
    codes = []
    for number, (name, one, other) in enumerate(pairs, 1):
        if len(pairs) >= MANY and sys.stderr.isatty():
            typer.echo(f"\r{number}/{len(pairs)} ", nl=number == len(pairs), err=True)
        codes.append(_compared(name, one, other, as_json=as_json, lang=lang, alone=len(pairs) == 1))
    if len(pairs) > 1 and not as_json:
        counts = [codes.count(code) for code in (SAME, DIFFERENT, UNREADABLE)]
        typer.echo("{} = · {} ≠ · {} ?".format(*counts))
    raise typer.Exit(max(codes))


def _pairs(first: Path, second: Path) -> Iterator[tuple[str, Path | None, Path | None]]:
    """Pair the files of two folders by their name; one that a side lacks has None there."""
    names = [{file.relative_to(side): file for file in side.rglob("*") if file.is_file()} for side in (first, second)]
    for name in sorted({*names[0], *names[1]}):
        yield str(name), names[0].get(name), names[1].get(name)


def _compared(name: str, first: Path | None, second: Path | None, *, as_json: bool, lang: str, alone: bool) -> int:
    """Compare one pair and say what differs; give the code of the answer."""
    from estafette.formats import Unreadable
    from estafette.invoice.comparison import differences

    if first is None or second is None:
        _tell(name, as_json=as_json, error=f"{'A' if second is None else 'B'} : seul / only")
        return DIFFERENT
    read = []
    for file in (first, second):
        try:
            read.append(_read(file))
        except (Unreadable, OSError) as error:
            _tell(name, as_json=as_json, error=_reason(file, error, lang))
            return UNREADABLE
    found = differences(*read)
    _tell(name, as_json=as_json, found=found, invoices=read, lang=lang, alone=alone)
    return DIFFERENT if found else SAME


def _read(file: Path) -> "Invoice":
    from estafette.readable.forms import read
    from estafette.values.limits import FILE_BYTES_MAX

    with file.open("rb") as opened:
        return read(opened.read(FILE_BYTES_MAX + 1))


def _reason(file: Path, error: Exception, lang: str) -> str:
    return f"{file}: {getattr(error, 'reason_' + lang, None) or error}"


def _tell(
    name: str,
    *,
    as_json: bool,
    found: "tuple[Difference, ...]" = (),
    invoices: "list[Invoice] | None" = None,
    error: str = "",
    lang: str = "fr",
    alone: bool = True,
) -> None:
    unread = [len(invoice.unread) for invoice in invoices or ()]
    if as_json:
        import msgspec

        told = {"name": name, "differences": found, "unread": unread, "error": error or None}
        typer.echo(msgspec.json.encode(told).decode())
        return
    if error:
        typer.echo(f"{name} : {error}", err=True)
    if found and not alone:
        typer.echo(name)
    for each in found:
        label = each.name_fr if lang == "fr" else each.name_en
        typer.echo(f"{each.term:14} {label} ({each.place}) : {_shown(each.first)} ≠ {_shown(each.second)}")
    if any(unread):
        typer.echo(f"{name} : {' + '.join(map(str, unread))} éléments sans terme / elements without a term", err=True)


def _shown(value: str | None) -> str:
    return "—" if value is None else value
