"""What Chorus Pro makes of the directory: public entities, what they ask of invoices, their services, their lines.

An establishment that Chorus Pro names has its line at 9999, and so has each of its open services; one that takes
invoices of works only has none any more. Its legal unit is public from then on, whatever the national register says.

Source: external specifications v3.2, general file §3.5.3 to 3.5.5; directory.md §5, §6 and §13.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from estafette.directory import RoutingCode
from estafette.formats.chorus_pro import PublicPlace, PublicService
from estafette.formats.sirene import Wrong
from estafette.portal.feed_files import Record
from estafette.portal.feeds import Effect
from estafette.portal.register import Register

_UNKNOWN = (
    "établissement inconnu ou fermé : chargez d'abord le registre national",
    "establishment unknown or closed: load the national register first",
)
_UNASKED = (
    "l'établissement d'abord : sa ligne vient avant celles de ses services",
    "the establishment first: its row comes before those of its services",
)


def apply(register: Register, records: Sequence[Record]) -> Effect:
    """The directory says what these rows say, one after the other; returns what they did."""
    effect = Effect()
    for one in records:
        content = one.content
        if isinstance(content, PublicPlace):
            done = _place(register, content)
        elif isinstance(content, PublicService):
            done = _service(register, content)
        else:
            assert isinstance(content, Wrong)  # noqa: S101 - this feed has no other rows
            done = content
        if isinstance(done, Wrong):
            effect.rejected.append((one.line, done))
        else:
            effect.changed += done
            effect.same += not done
    return effect


def _place(register: Register, told: PublicPlace) -> bool | Wrong:
    """The establishment asks what is told, and has its line; tell whether that is new."""
    siren = told.siret[:9]
    unit, held = register.legal_unit(siren), register.establishment(told.siret)
    if unit is None or held is None or held.status != "A":
        return Wrong("siret", told.siret, *_UNKNOWN)
    flags: dict[str, Any] = {**told.flags}
    new = [register.put_unit(replace(unit, entity_type="P")), register.put_establishment(replace(held, **flags))]
    if not told.flags["is_contracting_authority_only"]:
        new.append(register.restore(siren, told.siret))
    return any(new)


def _service(register: Register, told: PublicService) -> bool | Wrong:
    """The service is as told, and has its line while it is open; tell whether that is new."""
    place = register.establishment(told.siret)
    if place is None or place.status != "A":
        return Wrong("siret", told.siret, *_UNKNOWN)
    if place.commitment_required is None:
        return Wrong("siret", told.siret, *_UNASKED)
    held = register.routing_code(told.siret, told.code) or RoutingCode(siret=told.siret, code=told.code, name="")
    code = replace(held, name=told.name, status=told.status, commitment_required=told.commitment_required)
    new = [register.put_routing_code(code).instance != held.instance]
    if told.status == "A" and not place.is_contracting_authority_only:
        new.append(bool(register.restore(told.siret[:9], told.siret, told.code)))
    return any(new)
