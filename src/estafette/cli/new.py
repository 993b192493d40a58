"""`estafette new DRAFT --to ubl|cii|facturx|json`: an invoice made from a few lines, judged as it is handed over."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from estafette.invoice import Completion
    from estafette.invoice.drafts import Understood
    from estafette.rules.verdict import Verdict


class Target(StrEnum):
    """What can be written."""

    UBL = "ubl"
    CII = "cii"
    FACTURX = "facturx"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(new)


def new(
    draft: Annotated[Path, typer.Argument(help="YAML, CSV", exists=True, dir_okay=False)],
    to: Annotated[Target, typer.Option(help="Format.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Fichier. / File.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Explique chaque montant et chaque défaut. / Explain every figure.")
    ] = False,
    lang: Annotated[str, typer.Option(help="fr, en")] = "fr",
) -> None:
    """Fait une facture d'un brouillon. / Make an invoice from a draft: amounts computed, defaults told, rules checked.

    Code 0 : facture acceptée par les règles officielles ; 1 : écrite, mais rejetée par elles ; 2 : rien d'écrit.
    """
    from estafette.invoice import complete, drafts
    from estafette.invoice.mistakes import Mistaken

    try:
        understood = drafts.understand(drafts.parse(_bytes(draft)))
    except Mistaken as mistaken:
        for mistake in mistaken.mistakes:
            typer.echo(f"{draft}: {mistake.text(lang)}", err=True)
        raise typer.Exit(2) from None
    completion = complete(understood.invoice)
    if explain:
        _explain(understood, completion, lang)
    data = _written(completion, to)
    verdict = _verdict(completion, data, to)
    _hand_over(data, output)
    raise typer.Exit(_judged(verdict, lang))


def _bytes(file: Path) -> bytes:
    from estafette.values.limits import DRAFT_BYTES_MAX

    with file.open("rb") as opened:
        return opened.read(DRAFT_BYTES_MAX + 1)


def _explain(understood: "Understood", completion: "Completion", lang: str) -> None:
    for default in understood.defaults:
        typer.echo(default.text(lang), err=True)
    for figure in completion.figures:
        typer.echo(figure.text(lang), err=True)


def _written(completion: "Completion", to: Target) -> bytes:
    from estafette.readable.forms import Form, written

    return written(completion.invoice, Form(to))


def _verdict(completion: "Completion", data: bytes, to: Target) -> "Verdict":
    """Judge what is written; the JSON form, which has no rules, is judged by its UBL."""
    from estafette.rules import check

    judged = _written(completion, Target.UBL) if to is Target.JSON else data
    return check(judged, on=completion.invoice.issue_date)


def _hand_over(data: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        typer.echo(f"{output}: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    typer.echo(str(output))


def _judged(verdict: "Verdict", lang: str) -> int:
    """Say what the official rules find; give the code of the answer."""
    for finding in (*verdict.schema, *verdict.findings):
        remedy = finding.remedy_fr if lang == "fr" else finding.remedy_en
        terms = f" ({', '.join(finding.terms)})" if finding.terms else ""
        typer.echo(f"{finding.severity} {finding.id}{terms} : {remedy or finding.message}", err=True)
    return 0 if verdict.accepted else 1
