"""Exports and updates of the directory follow the State's schemas, and are read back as they were written."""

import io
import resource
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from estafette.formats.directory import (
    Header,
    Presence,
    read,
    read_export,
    write,
    write_export,
)
from estafette.formats.directory_entries import (
    DirectoryLine,
    Entry,
    Establishment,
    LegalUnit,
    ReceivingPlatform,
    RoutingCode,
)
from estafette.formats.directory_update import Update, read_update, write_update
from estafette.formats.xml import Unreadable
from estafette.values.moments import second

SCHEMAS = Path(__file__).parents[2] / "../shared/schemas/dgfip-v3.2/0-Annuaire"
HEADER = Header(second("20260901010022"))


def schema(name: str) -> etree.XMLSchema:
    """A schema of the State."""
    return etree.XMLSchema(etree.parse(SCHEMAS / name))


def exported(entries: list[Presence], header: Header = HEADER) -> bytes:
    """An export as a file."""
    stream = io.BytesIO()
    write_export(stream, header, entries)
    return stream.getvalue()


def taken(data: bytes) -> tuple[Header, list[Presence]]:
    """What an export says."""
    header, entries = read_export(io.BytesIO(data))
    return header, list(entries)


texts = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=20)
absent = st.none()
sirens, sirets = st.from_regex(r"[1-9][0-9]{8}", fullmatch=True), st.from_regex(r"[1-9][0-9]{13}", fullmatch=True)
matricules = st.from_regex(r"[0-9]{4}", fullmatch=True)
days = st.dates(date(2000, 1, 1), date(2098, 1, 1))
instances = st.integers(0, 10**12)
flags = st.tuples(*[st.booleans()] * 6) | st.just((None,) * 6)
FLAGS = (
    "commitment_required",
    "service_required",
    "commitment_or_service_required",
    "is_contracting_authority",
    "is_contracting_authority_only",
    "manages_payment_status",
)
postal = dict.fromkeys(("line_1", "line_2", "line_3", "city", "postal_code", "subdivision", "country"), absent | texts)
schemes = st.sampled_from(["0224", "0088"])
components = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"siret": sirets}),
    st.fixed_dictionaries({"siret": sirets, "routing_code": texts, "routing_scheme": schemes}),
    st.fixed_dictionaries({"suffix": texts}),
)
units = st.builds(
    LegalUnit,
    siren=sirens,
    name=texts,
    entity_type=st.sampled_from("AP"),
    diffusion=st.sampled_from("OPM"),
    status=st.sampled_from("AI"),
    instance=instances,
)
establishments = st.builds(
    lambda flags, **known: Establishment(**known, **dict(zip(FLAGS, flags, strict=True))),
    flags,
    siret=sirets,
    name=texts,
    kind=st.sampled_from("PS"),
    instance=instances,
    **postal,
)
codes = st.builds(
    RoutingCode,
    siret=sirets,
    code=texts,
    name=texts,
    scheme=schemes,
    status=st.sampled_from("AI"),
    commitment_required=absent | st.booleans(),
    instance=instances,
    **postal,
)
platforms = st.builds(
    ReceivingPlatform,
    matricule=matricules,
    name=texts,
    siren=absent | sirens,
    trade_name=absent | texts,
    contact=absent | texts,
    registered_from=days,
    registered_until=absent | days,
    instance=instances,
)
lines = st.builds(
    lambda parts, **known: DirectoryLine(**known, **parts),
    components,
    siren=sirens,
    matricule=matricules,
    start=days,
    end=absent | days,
    effective_end=absent | days,
    nature=st.sampled_from("DM"),
    instance=instances,
)


def present(entries: st.SearchStrategy[Entry]) -> st.SearchStrategy[list[Presence]]:
    """Entries with their motives."""
    return st.lists(st.builds(Presence, entries, st.sampled_from("CVPSN")), max_size=3)


exports = st.tuples(*map(present, (units, establishments, codes, platforms, lines))).map(
    lambda blocks: [presence for block in blocks for presence in block]
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: second(f"{moment:%Y%m%d%H%M%S}")
)
headers = st.builds(Header, moments, absent | moments, st.booleans())


@settings(max_examples=40)
@given(exports, headers)
def test_exported_then_read(entries: list[Presence], header: Header) -> None:
    """Whatever an export holds, it is read back, entry by entry, with its header."""
    assert taken(exported(entries, header)) == (header, entries)


@pytest.mark.skipif(not SCHEMAS.exists(), reason="the schemas of the State are not beside the repository")
@settings(max_examples=40)
@given(exports, headers)
def test_exports_follow_the_schema_of_the_state(entries: list[Presence], header: Header) -> None:
    """Whatever an export holds, its elements follow the State's schema."""
    export_schema().assertValid(etree.fromstring(exported(entries, header)))


@pytest.mark.skipif(not SCHEMAS.exists(), reason="the schemas of the State are not beside the repository")
@given(st.lists(codes, max_size=3), st.lists(lines, min_size=1, max_size=3))
def test_updates_follow_the_schema_of_the_state(held: list[RoutingCode], changed: list[DirectoryLine]) -> None:
    """Whatever an update asks, its elements follow the State's schema."""
    update_schema().assertValid(etree.fromstring(write_update(Update(tuple(held), tuple(changed)))))


def export_schema(cached: list[etree.XMLSchema] = []) -> etree.XMLSchema:  # noqa: B006 - read once
    """The schema of exports."""
    cached or cached.append(schema("consultation/Annuaire_Consultation_F14.xsd"))
    return cached[0]


def update_schema(cached: list[etree.XMLSchema] = []) -> etree.XMLSchema:  # noqa: B006 - read once
    """The schema of updates."""
    cached or cached.append(schema("actualisation/Annuaire_Actualisation_F12-F13.xsd"))
    return cached[0]


@given(st.lists(codes, max_size=3), st.lists(lines, min_size=1, max_size=3))
def test_updated_then_read(held: list[RoutingCode], changed: list[DirectoryLine]) -> None:
    """An update is read back in its order; it carries neither version nor effective end nor commitment."""
    asked = Update(
        tuple(replace(code, instance=0, commitment_required=None) for code in held),
        tuple(replace(line, instance=0, effective_end=None) for line in changed),
    )
    assert read_update(write_update(asked)).update() == asked


def test_sentinels_of_real_exports() -> None:
    """The portal writes an absent SIREN as zeros and an absent end as the last day of 9999: they are read as absent."""
    platform = ReceivingPlatform(
        matricule="0003",
        name="A",
        siren="100000009",
        registered_from=date(2026, 1, 1),
        registered_until=date(2027, 1, 1),
    )
    data = exported([Presence(platform)]).replace(b"100000009", b"000000000").replace(b"20270101", b"99991231")
    (presence,) = taken(data)[1]
    assert isinstance(presence.entry, ReceivingPlatform)
    assert (presence.entry.siren, presence.entry.registered_until) == (None, None)


def test_a_full_export_shows_what_counts() -> None:
    """What is inactive, ended or a mask is left out; what is in force has motive C, what is to come V."""
    unit = LegalUnit(siren="100000009", name="A")
    held = DirectoryLine(siren="100000009", matricule="0003", start=date(2026, 9, 1))
    ended = replace(held, start=date(2026, 1, 1), end=date(2026, 9, 1))
    coming = replace(held, suffix="B", start=date(2026, 9, 2))
    mask = replace(coming, nature="M")
    # It is already the first of September in Paris.
    data = write(
        [unit, replace(unit, status="I"), ended, held, coming, mask], produced_at=datetime(2026, 8, 31, 23, tzinfo=UTC)
    )
    assert list(read(data)) == [unit, held, coming]
    assert [presence.motive for presence in taken(data)[1]] == ["C", "C", "V"]


def test_blocks_keep_their_order() -> None:
    """An export whose lines would come before its legal units is not written."""
    unit = Presence(LegalUnit(siren="100000009", name="A"))
    line = Presence(DirectoryLine(siren="100000009", matricule="0003", start=date(2026, 9, 1)))
    with pytest.raises(ValueError, match="later block"):
        exported([line, unit])


def test_an_update_that_changes_nothing() -> None:
    """An empty update is neither written nor read."""
    with pytest.raises(ValueError, match="at least"):
        write_update(Update())
    with pytest.raises(Unreadable):
        read_update(b"<AnnuaireActualisation/>")


LINE = exported([Presence(DirectoryLine(siren="100000009", matricule="0003", start=date(2026, 9, 1)))])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "IRR_SYNTAX"),
        (b"<a/>", "IRR_TYPE_F"),
        (LINE[:-20], "IRR_SYNTAX"),
        (LINE.replace(b"20260901010022", b"20260931010022"), "IRR_SYNTAX"),
        (LINE.replace(b"<TypeFlux>C", b"<TypeFlux>X"), "IRR_SYNTAX"),
        (LINE.replace(b"<DateDebut>20260901", b"<DateDebut>20260231"), "IRR_SYNTAX"),
        (LINE.replace(b"<IdPlateforme>0003</IdPlateforme>", b""), "IRR_SYNTAX"),
        (LINE.replace(b"<IdInstance>0", b"<IdInstance>x"), "IRR_SYNTAX"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + LINE.partition(b"?>")[2].lstrip(), "IRR_TYPE_F"),
        (b"<AnnuaireConsultationF14>" + b"<a>" * 200, "IRR_TAILLE_F"),
    ],
)
def test_bad_exports(data: bytes, code: str) -> None:
    """Nothing, another kind, damage, an impossible date, a missing platform, a document type, a chasm: refused."""
    with pytest.raises(Unreadable) as refused:
        taken(data)
    assert refused.value.code == code
    assert refused.value.reason_fr != refused.value.reason_en


def test_a_public_entity_with_half_its_flags() -> None:
    """The flags of a public entity are all there or all absent."""
    with pytest.raises(ValueError, match="flags"):
        Establishment(siret="10000000900017", name="A", service_required=True)


def test_memory_does_not_grow_with_the_directory(tmp_path: Path) -> None:
    """Fifty thousand lines are written and read within 30 MB, where the tree of the whole takes more than 100."""
    path = tmp_path / "export.xml"

    def many() -> Iterator[Presence]:
        for at in range(50_000):
            yield Presence(DirectoryLine(siren=f"{at:09}", matricule="0003", start=date(2026, 9, 1), instance=at))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with path.open("wb") as stream:
        write_export(stream, HEADER, many())
    with path.open("rb") as stream:
        _, entries = read_export(stream)
        assert sum(1 for _ in entries) == 50_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 * 1024
