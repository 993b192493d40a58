"""The registration file: its form, and whether it is complete.

Source: CGI annexe II, art. 242 nonies B I, documents 1° to 8°. The test reports of 7° may follow: without them a
complete file is registered with reservation (B V).
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

import msgspec

from estafette.administration.files import Finding
from estafette.administration.parameters import FOREIGN_EXTRACT_MONTHS, month_after
from estafette.values.identifiers import SIREN
from estafette.vat.forms import Text

ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=150)]


class Item(StrEnum):
    """The documents and commitments of the file, as article 242 nonies B numbers them."""

    IDENTITY = "1"
    TAX_CERTIFICATE = "2"
    DATA_PROTECTION = "3"
    SECNUMCLOUD = "4"
    ISO_27001 = "5"
    COMMITMENTS = "6"
    TECHNICAL = "7"
    CONTROL = "8"


class Target(StrEnum):
    """What interoperability is proved with (7°)."""

    DIRECTORY = "directory"
    CONCENTRATOR = "concentrator"
    PLATFORM = "platform"


class Hosting(StrEnum):
    """Where data are kept: in the cloud, SecNumCloud is asked for."""

    CLOUD = "cloud"
    OWN = "own"


class Operator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who applies."""

    legal_name: ShortText
    trade_name: Annotated[str, msgspec.Meta(min_length=1, max_length=99)]
    street: ShortText
    postal_code: ShortText
    town: ShortText
    website: ShortText
    contact_email: ShortText
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] = "FR"
    siren: str | None = None


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document or commitment of the file."""

    item: Item
    reference: ShortText
    issued_on: date | None = None
    valid_until: date | None = None


class TestReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The report of a successful interoperability test."""

    __test__ = False
    target: Target
    reference: ShortText
    passed_on: date


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the platform is reached and known: its application code in flow names, its address, its public key."""

    application_code: Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{6}$")]
    url: Annotated[str, msgspec.Meta(pattern="^https?://.+$", max_length=200)]
    public_key: ShortText


class RegistrationForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A registration file. `wanted_matricule` may be asked in a pilot: the number is the administration's to give."""

    operator: Operator
    hosting: Hosting
    pieces: tuple[Piece, ...]
    tests: tuple[TestReport, ...] = ()
    connection: Link | None = None
    wanted_matricule: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}$")] | None = None


_MISSING = {
    Item.IDENTITY: Text("l'identification (extrait de registre étranger)", "identification (foreign register extract)"),
    Item.TAX_CERTIFICATE: Text("l'attestation de régularité fiscale", "the certificate of tax compliance"),
    Item.DATA_PROTECTION: Text("le document de sécurité des données personnelles", "the data protection document"),
    Item.SECNUMCLOUD: Text("la qualification SecNumCloud de l'hébergement", "the SecNumCloud qualification"),
    Item.ISO_27001: Text("le certificat ISO/IEC 27001", "the ISO/IEC 27001 certificate"),
    Item.COMMITMENTS: Text("les engagements, dont les audits", "the commitments, among them the audits"),
    Item.TECHNICAL: Text("le dossier technique", "the technical file"),
    Item.CONTROL: Text("l'identité de qui contrôle l'opérateur", "the identity of who controls the operator"),
}


def findings(form: RegistrationForm, *, on: date) -> tuple[Finding, ...]:
    """Return what the file lacks on this day; an empty tuple when it is complete."""
    found = [_absent(item) for item in _required(form) if not any(piece.item is item for piece in form.pieces)]
    for place, piece in enumerate(form.pieces):
        found += _dates(piece, f"$.pieces[{place}]", on, foreign=form.operator.country != "FR")
    return (*_identity(form), *found)


def missing_tests(form: RegistrationForm) -> tuple[str, ...]:
    """Return the targets without a test report: until they come the registration is with reservation."""
    held = {report.target for report in form.tests}
    return tuple(target.value for target in Target if target not in held)


def _required(form: RegistrationForm) -> list[Item]:
    foreign = form.operator.country != "FR"
    excused = {
        Item.IDENTITY: not foreign,  # the SIREN is enough
        Item.TAX_CERTIFICATE: not foreign,  # the administration knows its own taxpayers
        Item.SECNUMCLOUD: form.hosting is not Hosting.CLOUD,
    }
    return [item for item in Item if not excused.get(item, False)]


def _identity(form: RegistrationForm) -> list[Finding]:
    siren = form.operator.siren
    if form.operator.country != "FR" and siren is None:
        return []
    if siren is not None and SIREN.is_valid(siren):
        return []
    fr, en = (
        "Attendu : un SIREN de neuf chiffres à clé valide.",
        "Expected: a SIREN of nine digits with a right check digit.",
    )
    return [Finding("1", "$.operator.siren", siren or "—", fr, en)]


def _absent(item: Item) -> Finding:
    fr, en = _MISSING[item]
    return Finding(item, "$.pieces", "—", f"Manque {fr} ({item}°).", f"Missing: {en} ({item}°).")


def _dates(piece: Piece, path: str, on: date, *, foreign: bool) -> list[Finding]:
    """Certificates are in force; what a foreign authority attests is recent."""
    found = []
    if piece.item in (Item.SECNUMCLOUD, Item.ISO_27001) and (piece.valid_until is None or piece.valid_until < on):
        seen = piece.valid_until.isoformat() if piece.valid_until else "—"
        fr, en = f"Attendu : en vigueur le {on.isoformat()}.", f"Expected: in force on {on.isoformat()}."
        found.append(Finding(piece.item, f"{path}.valid_until", seen, fr, en))
    recent = month_after(on, -int(FOREIGN_EXTRACT_MONTHS.on(on).value))
    attested = foreign and piece.item in (Item.IDENTITY, Item.TAX_CERTIFICATE)
    if attested and (piece.issued_on is None or piece.issued_on < recent):
        seen = piece.issued_on.isoformat() if piece.issued_on else "—"
        fr, en = f"Attendu : daté du {recent.isoformat()} ou après.", f"Expected: dated {recent.isoformat()} or later."
        found.append(Finding(piece.item, f"{path}.issued_on", seen, fr, en))
    return found
