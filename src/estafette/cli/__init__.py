"""One command, `estafette`: start the system, send an invoice, answer it, check a file, replay the pilot's use cases.

Read first: `up` (serving), then one module per verb. Exit codes: 0 done, 1 done and the answer is no, 2 wrong usage or
nothing could be done.

Deliberately absent: business decisions. Heavy rooms are imported by the verb that needs them, so that help is instant.
"""

import typer

from estafette.cli import (
    account,
    answer,
    archive,
    audit,
    check,
    convert,
    diff,
    directory,
    facts,
    new,
    packages,
    pilot,
    report,
    rules,
    sample,
    send,
    show,
    up,
)

HELP = (
    """La facturation électronique française, entière, en un programme. / French e-invoicing, whole, in one program."""
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP)
for verb in (
    up,
    send,
    answer,
    report,
    pilot,
    check,
    rules,
    show,
    new,
    convert,
    diff,
    sample,
    account,
    audit,
    directory,
    facts,
    archive,
    packages,
):
    verb.register(app)


def main() -> None:
    """Run the command."""
    app()
