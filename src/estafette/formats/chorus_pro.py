"""The register of public entities, as this system reads it: what their establishments ask of invoices, their services.

Chorus Pro feeds the directory as things happen (external specifications v3.2 §3.5.3) in a form that is published
nowhere. This one is ours: CSV, UTF-8, comma or semicolon, a row an establishment or one of its services, which come
after it; O or N for what is asked (annex 3, DT-4-13 and DT-5-13), A or I for a service that is open or closed:

    siret,code,nom,etat,engagement,service,engagement_ou_service,moa,moa_uniquement,mise_en_paiement
    40000000600009,,,,N,O,N,N,N,O
    40000000600009,VOIRIE,Service de la voirie,A,O,,,,,
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from estafette.formats.sirene import Wrong, WrongHeader

FLAGS = {
    "engagement": "commitment_required",
    "service": "service_required",
    "engagement_ou_service": "commitment_or_service_required",
    "moa": "is_contracting_authority",
    "moa_uniquement": "is_contracting_authority_only",
    "mise_en_paiement": "manages_payment_status",
}
"""The columns of what is asked, and what the directory calls each."""
COLUMNS = ("siret", "code", "nom", "etat", *FLAGS)

_SIRET, _CODE = re.compile("[0-9]{14}"), re.compile("[A-Za-z0-9_-]{1,100}")
_SAID = {"O": True, "N": False}
_NAME_MAX = 100


@dataclass(frozen=True, slots=True)
class PublicPlace:
    """What an establishment of a public entity asks of the invoices that it receives."""

    siret: str
    flags: dict[str, bool]


@dataclass(frozen=True, slots=True)
class PublicService:
    """A service of such an establishment, that invoices can be addressed to."""

    siret: str
    code: str
    name: str
    status: str
    commitment_required: bool


Read = PublicPlace | PublicService | Wrong


def reader_of(header: Sequence[str]) -> Callable[[Sequence[str]], Read]:
    """Return what reads the rows under this header. Raises: WrongHeader."""
    places = {name.strip().lower(): place for place, name in enumerate(header)}
    if missing := [name for name in COLUMNS if name not in places]:
        raise WrongHeader(f"colonnes absentes / missing columns: {', '.join(missing)} → {', '.join(COLUMNS)}")
    width, pick = len(header), itemgetter(*(places[name] for name in COLUMNS))

    def row(cells: Sequence[str]) -> Read:
        if len(cells) != width:
            return Wrong("*", f"{len(cells)}", f"{width} colonnes attendues", f"{width} columns expected")
        return _read(dict(zip(COLUMNS, (cell.strip() for cell in pick(cells)), strict=True)))

    return row


def _read(cells: dict[str, str]) -> Read:
    if not _SIRET.fullmatch(cells["siret"]):
        return Wrong("siret", cells["siret"][:100], "14 chiffres attendus", "14 digits expected")
    return _service(cells) if cells["code"] else _place(cells)


def _place(cells: dict[str, str]) -> PublicPlace | Wrong:
    if cells["etat"] not in ("", "A"):
        fr, en = "vide : un établissement ferme par SIRENE", "empty: an establishment closes through SIRENE"
        return Wrong("etat", cells["etat"][:100], fr, en)
    if wrong := next((name for name in FLAGS if cells[name] not in _SAID), None):
        return Wrong(wrong, cells[wrong][:100], "attendu : O, N", "expected: O, N")
    return PublicPlace(cells["siret"], {said: _SAID[cells[name]] for name, said in FLAGS.items()})


def _service(cells: dict[str, str]) -> PublicService | Wrong:
    code, name, status, commitment = (cells[one] for one in ("code", "nom", "etat", "engagement"))
    if not _CODE.fullmatch(code):
        fr, en = "lettres, chiffres, - et _, 100 au plus", "letters, digits, - and _, 100 at most"
        return Wrong("code", code[:100], fr, en)
    if not 0 < len(name) <= _NAME_MAX:
        return Wrong("nom", name[:100], "1 à 100 caractères", "1 to 100 characters")
    if status not in ("A", "I"):
        return Wrong("etat", status[:100], "attendu : A, I", "expected: A, I")
    if commitment not in _SAID:
        return Wrong("engagement", commitment[:100], "attendu : O, N", "expected: O, N")
    if more := next((one for one in FLAGS if one != "engagement" and cells[one]), None):
        fr, en = "vide : demandé par l'établissement", "empty: asked by the establishment"
        return Wrong(more, cells[more][:100], fr, en)
    return PublicService(cells["siret"], code, name, status, _SAID[commitment])
