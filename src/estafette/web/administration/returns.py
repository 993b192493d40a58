"""The pages of VAT returns: from the list to the form, to the cell, to the invoice."""

from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from estafette.administration import pilot, returns
from estafette.administration.administration import Administration
from estafette.store.identity import Person
from estafette.vat.facts import DocumentKey
from estafette.vat.forms import Column, Line, NoForm, Section, Text
from estafette.vat.returns import Month, Return, month_of
from estafette.web.desk import Desk

SECTIONS = {
    Section.TAXED: Text("A · Opérations taxées, hors taxe", "A · Taxed operations, net of VAT"),
    Section.UNTAXED: Text("A · Opérations non taxées", "A · Operations not taxed"),
    Section.GROSS: Text("B · TVA brute", "B · Gross VAT"),
    Section.DEDUCTIBLE: Text("B · TVA déductible", "B · Deductible VAT"),
    Section.RESULT: Text("Résultat", "Result"),
}

RULES = {
    "X1": Text("opération déjà déclarée par ailleurs", "operation already reported elsewhere"),
    "X2": Text("acompte : à l'encaissement", "deposit: on receipt"),
    "X3": Text("biens : à la livraison", "goods: on delivery"),
    "X4": Text("service sur les débits : à la facture", "service on debits: on the invoice"),
    "X5": Text("service : à l'encaissement", "service: on receipt"),
    "X6": Text("facture déjà payée : date de paiement présumée", "invoice already paid: presumed date"),
    "X7": Text("facture mixte : part encaissée", "mixed invoice: the part received"),
    "X9": Text("avoir : à sa date", "credit note: on its date"),
    "X10": Text("facture rectificative : à sa date", "corrective invoice: on its date"),
    "X11": Text("vente à un non-assujetti : à sa date", "sale to a non-taxable person: on its date"),
    "X12": Text("vente à l'étranger", "sale abroad"),
    "X13": Text("achat à l'étranger", "purchase abroad"),
}
"""What each rule of exigibility means to a reader."""


class ReturnPages:
    """The pages of VAT returns."""

    def __init__(self, administration: Administration, desk: Desk) -> None:
        self._database = administration.actor.database
        self._desk = desk

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        one = "/returns/{siren:str}/{month:str}"
        return [
            Route("/returns", self._desk.signed_in(self.list)),
            Route(one, self._desk.signed_in(self.one)),
            Route(one + "/{line:str}/{column:str}", self._desk.signed_in(self.cell)),
            Route("/facts/{seller:str}/{year:row}/{number:path}", self._desk.signed_in(self.fact)),
        ]

    async def list(self, request: Request, _person: Person) -> Response:
        """Show the returns that have something in them, by month."""
        with self._database.read() as connection:
            rows = returns.summaries(connection, as_of=self._desk.today())
            names = pilot.names(connection)
        months = [(str(month), list(group)) for month, group in groupby(rows, key=lambda row: row.month)]
        return self._desk.render(request, "returns.html", months=months, names=names, whole=Decimal)

    async def one(self, request: Request, _person: Person) -> Response:
        """Show the form of a company and month."""
        prepared, names = self._prepared(request)
        sections = [(SECTIONS[section], rows(prepared, section)) for section in Section]
        return self._desk.render(
            request, "return.html", prepared=prepared, sections=sections, names=names, gross=SECTIONS[Section.GROSS]
        )

    async def cell(self, request: Request, _person: Person) -> Response:
        """Show the invoices behind a cell."""
        prepared, names = self._prepared(request)
        try:
            column = Column(request.path_params["column"])
            line = prepared.form.line(request.path_params["line"])
        except (KeyError, ValueError):
            raise HTTPException(404) from None
        cell = prepared.cell(line.code, column)
        values: dict[str, Any] = {"prepared": prepared, "line": line, "cell": cell, "names": names}
        return self._desk.render(request, "cell.html", **values, rules=RULES, whole=Decimal)

    async def fact(self, request: Request, _person: Person) -> Response:
        """Show what is known of one invoice."""
        params = request.path_params
        key = DocumentKey(params["seller"], params["number"], params["year"])
        with self._database.read() as connection:
            effect = returns.effect_of(connection, key, as_of=self._desk.today())
            names = pilot.names(connection)
        if effect is None:
            raise HTTPException(404)
        reading: dict[str, Any] = {"whole": Decimal, "when": datetime.fromisoformat, "rules": RULES}
        return self._desk.render(request, "fact.html", effect=effect, names=names, **reading)

    def _prepared(self, request: Request) -> tuple[Return, dict[str, str]]:
        siren, month = request.path_params["siren"], read_month(request.path_params["month"])
        with self._database.read() as connection:
            try:
                prepared = returns.prepare(connection, siren, month, as_of=self._desk.today())
            except NoForm:
                raise HTTPException(404) from None
            return prepared, pilot.names(connection)


def read_month(text: str) -> Month:
    """Read `yyyy-mm` from an address. Raises: HTTPException 404."""
    try:
        return month_of(text)
    except ValueError:
        raise HTTPException(404) from None


def rows(prepared: Return, section: Section) -> list[tuple[Line, list[tuple[Column, Decimal | None]]]]:
    """Return the lines of a section with their cells: those that hold something, and the amount of each or None."""
    held = {(cell.line, cell.column): Decimal(cell.amount) for cell in prepared.cells}
    shown = []
    for line in prepared.form.lines:
        columns = (Column.BASE, Column.TAX) if len(line.edi) == 2 else (Column.AMOUNT,)
        cells = [(column, held.get((line.code, column))) for column in columns]
        if line.section is section and any(amount is not None for _, amount in cells):
            shown.append((line, cells))
    return shown
