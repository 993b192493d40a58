"""The readable form as one HTML page that stands alone: no script, nothing fetched, and it prints on A4.

Every text is escaped by the template engine; the content is that of `sheet`.
"""

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from estafette.invoice.model import Invoice
from estafette.lifecycle.guards import StatusEvent
from estafette.readable.sheet import sheet


def html(invoice: Invoice, *, language: str = "fr", statuses: Sequence[StatusEvent] = ()) -> str:
    """Give the page that shows an invoice in French (`fr`) or English (`en`), with its life cycle when it is given.

    Raises: ValueError for another language.
    """
    return _template().render(sheet=sheet(invoice, language=language, statuses=statuses))


@cache
def _template() -> Template:
    loader = PackageLoader("estafette.readable", "")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("sheet.html")
