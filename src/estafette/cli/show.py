"""`estafette show FILE`: an invoice as a person reads it, on the terminal, or as a PDF or an HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from estafette.values.limits import FILE_BYTES_MAX


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(show)


def show(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="UBL, CII, Factur-X, JSON.", exists=True, dir_okay=False)
    ],
    pdf: Annotated[Path | None, typer.Option(help="Écrit un PDF/A-3. / Write a PDF/A-3.")] = None,
    html: Annotated[Path | None, typer.Option(help="Écrit une page. / Write a page.")] = None,
    lang: Annotated[str, typer.Option(help="fr, en")] = "fr",
) -> None:
    """Montre une facture, lisible. / Show an invoice so that a person can read it.

    D'un PDF, dit aussi ce qui n'est pas PDF/A-3 ou Factur-X. / Of a PDF, also says what is not PDF/A-3 or Factur-X.
    Code 0 : montrée ; 2 : illisible, ou mauvais usage.
    """
    from estafette import readable
    from estafette.formats.xml import Unreadable, is_pdf
    from estafette.readable.forms import read

    if lang not in readable.LANGUAGES:
        typer.echo(f"--lang {lang}? → {', '.join(readable.LANGUAGES)}", err=True)
        raise typer.Exit(2)
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
        invoice = read(data)
        if pdf:
            pdf.write_bytes(readable.pdf(invoice, language=lang))
        if html:
            html.write_text(readable.html(invoice, language=lang), encoding="utf-8")
        for written in filter(None, (pdf, html)):
            typer.echo(str(written))
        if not (pdf or html):
            typer.echo(readable.text(invoice, language=lang), nl=False)
        if is_pdf(data):
            _tell_conformity(data, lang)
    except Unreadable as unreadable:
        reason = unreadable.reason_fr if lang == "fr" else unreadable.reason_en
        where = f" ({unreadable.where})" if unreadable.where else ""
        typer.echo(f"{path}: {unreadable.code}: {reason}{where}", err=True)
        raise typer.Exit(2) from unreadable
    except OSError as error:
        typer.echo(f"{error.filename or path}: {error.strerror}", err=True)
        raise typer.Exit(2) from error


def _tell_conformity(data: bytes, lang: str) -> None:
    """Say on the error stream what in the PDF is not as PDF/A-3 and Factur-X require."""
    from estafette.formats import pdf_conformity

    for finding in pdf_conformity.check(data):
        said = finding.fr if lang == "fr" else finding.en
        typer.echo(f"{finding.rule}: {said}" + (f" ({finding.seen})" if finding.seen else ""), err=True)
