"""The Directory Service: who can be sent an invoice and where, asked as clients of every edition ask."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.formats.directory import write
from estafette.formats.directory_entries import Entry
from estafette.platform.mirror import Mirror
from estafette.store import identity
from estafette.values.limits import DIRECTORY_PAGE_MAX, DIRECTORY_SEARCH_BYTES_MAX

Client = Any
NOW = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
MILL, HALL, SHOP, NOBODY = "300000007", "40000000600009", "200000008", "700000003"
SINCE, SOON, PAST = date(2024, 1, 1), date(2027, 9, 1), date(2026, 8, 1)
DESK = f"{HALL[:9]}_{HALL}_VOIRIE/2"

UNITS = (
    LegalUnit(siren=SHOP, name="Épicerie du Mail"),
    LegalUnit(siren=MILL, name="Moulin des Ormes", diffusion="P"),
    LegalUnit(siren=HALL[:9], name="Commune de Valbrune", entity_type="P"),
    LegalUnit(siren=NOBODY, name="Logiciels du Ponant", diffusion="M", status="A"),
)
SHOPS = (
    Establishment(siret="20000000800017", name="Épicerie", line_1="8 place Bellecour", city="Lyon", postal_code="69002",
                  country="FR"),
    Establishment(siret="20000000800025", name="Réserve 100 %", kind="S", line_1="1 rue du Mail", city="Lyon",
                  postal_code="69007"),
    Establishment(siret="30000000700017", name="Moulin", diffusion="P", line_1="1 chemin du Moulin", city="Thiers",
                  postal_code="63300"),
    Establishment(siret=HALL, name="Mairie", city="Valbrune", postal_code="05100", commitment_required=True,
                  service_required=False, commitment_or_service_required=False, is_contracting_authority=True,
                  is_contracting_authority_only=False, manages_payment_status=True),
)  # fmt: skip
CODES = (
    RoutingCode(siret="30000000700017", code="COUR", name="Cour", line_1="1 chemin du Moulin", city="Thiers"),
    RoutingCode(siret=HALL, code="VOIRIE/2", name="Voirie", commitment_required=True),
)
PLATFORMS = (
    ReceivingPlatform(matricule="0003", name="Relais", trade_name="R", registered_from=SINCE, contact="https://a.example"),
    ReceivingPlatform(matricule="9998", name="Aucune", platform_type="NA", registered_from=SINCE),
    ReceivingPlatform(matricule="9999", name="Chorus Pro", platform_type="AP", registered_from=SINCE),
)  # fmt: skip
LINES = (
    DirectoryLine(siren=SHOP, matricule="0003", start=SINCE, end=SOON, instance=1),
    DirectoryLine(siren=SHOP, matricule="0005", start=SOON, instance=2),
    DirectoryLine(siren=SHOP, suffix="COMPTA_1", matricule="0003", start=SOON, instance=3),
    DirectoryLine(siren=SHOP, siret="20000000800025", matricule="0003", start=SINCE, effective_end=PAST, instance=4),
    DirectoryLine(siren=NOBODY, matricule="9998", start=SINCE, instance=5),
    DirectoryLine(siren=HALL[:9], siret=HALL, matricule="9999", start=SINCE, instance=6),
    DirectoryLine(siren=HALL[:9], siret=HALL, routing_code="VOIRIE/2", matricule="9999", start=SINCE, instance=7),
    DirectoryLine(siren=HALL[:9], siret=HALL, routing_code="CLOSED", matricule="9999", start=SINCE, instance=8),
)
WHOLE: tuple[Entry, ...] = (*UNITS, *SHOPS, *CODES, *PLATFORMS, *LINES)


@pytest.fixture(scope="module")
def directory(shared_client: Client) -> Iterator[Client]:
    """Give a platform whose copy of the directory is the one above."""
    load(shared_client, *WHOLE)
    yield shared_client
    load(shared_client)


def load(client: Client, *entries: Entry) -> None:
    """The copy of the directory is these entries."""
    with client.running.actor.database.begin() as connection:
        Mirror().load(connection, write(entries, produced_at=NOW))


def search(client: Client, kind: str, body: Any, prefix: str = "") -> Any:
    """Search and return the answer, which is 200."""
    answer = post(client, kind, body, prefix)
    assert answer.status == 200, answer.body
    return answer.json


def post(client: Client, kind: str, body: Any, prefix: str = "", **rest: Any) -> Any:
    """Search and return the answer, whatever it is."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    return client.call("POST", f"{prefix}/v1/{kind}/search", body=raw, headers=headers, **rest)


def found(client: Client, kind: str, key: str, **filters: tuple[str, str]) -> list[str]:
    """Return the keys of what meets the criteria, `(operator, value)` each."""
    asked = {name: {"op": op, "value": value} for name, (op, value) in filters.items()}
    page = search(client, kind, {"filters": asked})
    assert page["totalNumberOfResults"] == len(page["results"])
    return [one[key] for one in page["results"]]


def get(client: Client, path: str, query: str = "") -> Any:
    """Return the body of what is there."""
    answer = client.call("GET", f"/v1/{path}", query=query)
    assert answer.status == 200, answer.body
    return answer.json


# ------------------------------------------------------------------------------------------------------------- reading


def test_a_legal_unit(directory: Client) -> None:
    """A legal unit has its five fields; whoever refuses prospecting says so."""
    assert get(directory, f"siren/code-insee:{NOBODY}") == {
        "siren": NOBODY, "businessName": "Logiciels du Ponant", "entityType": "PrivateVatRegistered",
        "administrativeStatus": "A", "instructions": {"isSalesProspectingForbidden": True},
    }  # fmt: skip
    assert get(directory, f"siren/code-insee:{HALL[:9]}")["entityType"] == "Public"
    assert get(directory, f"siren/code-insee:{MILL}")["instructions"] == {"isSalesProspectingForbidden": False}


def test_an_establishment(directory: Client) -> None:
    """A public establishment says what it asks of invoices; a private one has no such data."""
    hall = get(directory, f"siret/code-insee:{HALL}", "include=siren")
    assert hall["b2gAdditionalData"] == {
        "pm": True, "pmOnly": False, "managesPaymentStatus": True, "managesLegalCommitmentCode": True,
        "managesLegalCommitmentOrServiceCode": False, "serviceCodeStatus": False,
    }  # fmt: skip
    assert hall["legalUnit"]["businessName"] == "Commune de Valbrune"
    shop = get(directory, "siret/code-insee:20000000800017")
    assert shop["address"] == {
        "addressLine1": "8 place Bellecour", "postalCode": "69002", "locality": "Lyon", "countryCode": "FR",
    }  # fmt: skip
    assert not {"b2gAdditionalData", "legalUnit"} & set(shop)
    assert shop["siretInstructions"] == shop["instructions"] == {"isSalesProspectingForbidden": False}


def test_a_street_that_is_withheld(directory: Client) -> None:
    """Of a partly diffusible establishment the town is told, not the street, by whatever way it is asked."""
    address = {"postalCode": "63300", "locality": "Thiers"}
    assert get(directory, "siret/code-insee:30000000700017")["address"] == address
    code = get(directory, "routing-code/siret:30000000700017/code:COUR", "include=siret")
    assert code["facility"]["address"] == address
    assert code["address"] == {"locality": "Thiers"}
    assert found(directory, "siret", "siret", addressLines=("contains", "moulin")) == []
    assert found(directory, "routing-code", "siret", addressLines=("contains", "moulin")) == []
    assert found(directory, "siret", "siret", addressLines=("contains", "BELLECOUR")) == ["20000000800017"]


def test_a_routing_code(directory: Client) -> None:
    """A routing code is had by its establishment and identifier, slash included; the commitment under both names."""
    code = get(directory, f"routing-code/siret:{HALL}/code:VOIRIE/2", "include=siren,siret")
    assert (code["routingIdentifier"], code["routingIdentifierType"], code["routingCodeName"]) == (
        "VOIRIE/2", "0224", "Voirie",
    )  # fmt: skip
    assert (code["managesLegalCommitmentCode"], code["managesLegalCommitment"]) == (True, True)
    assert (code["legalUnit"]["siren"], code["facility"]["siret"]) == (HALL[:9], HALL)


@pytest.mark.parametrize(
    ("address", "status", "platform_type"),
    [
        (SHOP, "Enabled", "WK"),
        (f"{SHOP}_COMPTA_1", "Disabled", "WK"),
        (f"{SHOP}_20000000800025", "Disabled", "WK"),
        (NOBODY, "Disabled", "DFH"),
        (DESK, "Enabled", "DFH"),
    ],
)
def test_an_address_now(directory: Client, address: str, status: str, platform_type: str) -> None:
    """By its code an address is enabled or not: one to come, closed early, or without a platform is not."""
    line = get(directory, f"directory-line/code:{address}")
    assert (line["directoryLineStatus"], line["platformType"]) == (status, platform_type)


def test_an_address_with_all_that_goes_with_it(directory: Client) -> None:
    """An address brings its unit, establishment and routing code when they are asked, and the platform as in 1.1."""
    line = get(directory, f"directory-line/code:{DESK}", "include=siren,siret,routingCode,platform")
    assert line["routingCode"]["routingCodeName"] == "Voirie"
    assert (line["routingIdentifier"], line["legalUnit"]["entityType"]) == ("VOIRIE/2", "Public")
    assert line["facility"]["b2gAdditionalData"]["pm"] is True
    assert line["platform"] == {"platformType": "DFH", "platformStatus": "Enabled"}
    bare = get(directory, f"directory-line/code:{SHOP}_COMPTA_1", "include=routingCode")
    assert set(bare) == {
        "addressingIdentifier", "platformType", "directoryLineStatus", "siren", "addressingSuffix",
    }  # fmt: skip


def test_a_code_that_the_directory_does_not_describe(directory: Client) -> None:
    """The routing code of a line is always an object with a name, since clients refuse the page otherwise."""
    line = get(directory, f"directory-line/code:{HALL[:9]}_{HALL}_CLOSED", "include=routingCode")
    assert line["routingCode"]["routingCodeName"] == line["routingCode"]["routingIdentifier"] == "CLOSED"


@pytest.mark.parametrize(
    "path",
    [
        "siren/code-insee:999999999", "siret/code-insee:99999999900000", f"routing-code/siret:{HALL}/code:NONE",
        f"directory-line/code:{SHOP}_NONE", "directory-line/code:no address at all",
    ],
)  # fmt: skip
def test_what_is_not_there(directory: Client, path: str) -> None:
    """404 is NOT_FOUND, which installed clients take for "not in the directory", in the words of every edition."""
    answer = directory.call("GET", f"/v1/{path}")
    assert answer.status == 404
    assert {"errorCode", "errorMessage", "message", "status", "type", "details", "instance"} <= set(answer.json)
    assert (answer.json["errorCode"], answer.json["status"]) == ("NOT_FOUND", 404)


@pytest.mark.parametrize("path", ["siren/code-insee:12", "siren/code-insee:12345678x", "siret/code-insee:123456789"])
def test_a_number_that_is_none(directory: Client, path: str) -> None:
    """A number of another length, or with letters, is said to be wrong rather than absent."""
    assert directory.call("GET", f"/v1/{path}").status == 400


# ----------------------------------------------------------------------------------------------------------- searching


def test_every_line_of_a_siren(directory: Client) -> None:
    """As an installed client asks: each address once, its status told, the total being what is there."""
    asked = {
        "filters": {"siren": {"op": "strict", "value": SHOP}}, "limit": 100, "ignore": 0, "include": ["routingCode"],
        "sorting": [{"field": "addressingIdentifier", "sortingOrder": "ascending"}],
    }  # fmt: skip
    page = search(directory, "directory-line", asked, "/afnor-directory")
    told = {line["addressingIdentifier"]: line["directoryLineStatus"] for line in page["results"]}
    assert told == {SHOP: "Enabled", f"{SHOP}_20000000800025": "Disabled", f"{SHOP}_COMPTA_1": "Upcoming"}
    assert list(told) == sorted(told)
    assert page["totalNumberOfResults"] == 3
    assert page["search"]["sorting"] == [{"field": "addressingIdentifier", "order": "ascending"}]


@pytest.mark.parametrize(
    ("kind", "key", "filters", "expected"),
    [
        ("siren", "siren", {"businessName": ("contains", "EPICERIE")}, [SHOP]),
        ("siren", "siren", {"businessName": ("startWith", "épi")}, [SHOP]),
        ("siren", "siren", {"businessName": ("startWith", "mail")}, []),
        ("siren", "siren", {"businessName": ("strict", "epicerie du mail")}, [SHOP]),
        ("siren", "siren", {"entityType": ("strict", "Public")}, [HALL[:9]]),
        ("siren", "siren", {"siren": ("contains", SHOP)}, [SHOP]),
        ("siren", "siren", {"siren": ("contains", "0000000")}, [SHOP, MILL, HALL[:9], NOBODY]),
        ("siren", "siren", {"administrativeStatus": ("strict", "C")}, []),
        ("siret", "siret", {"siren": ("strict", SHOP), "facilityType": ("contains", "S")}, ["20000000800025"]),
        ("siret", "siret", {"postalCode": ("startWith", "69")}, ["20000000800017", "20000000800025"]),
        ("siret", "siret", {"postalCode": ("strict", "69007")}, ["20000000800025"]),
        ("siret", "siret", {"locality": ("strict", "LYON"), "name": ("contains", "0 %")}, ["20000000800025"]),
        ("siret", "siret", {"addressLines": ("startWith", "8 PLACE")}, ["20000000800017"]),
        ("siret", "siret", {"name": ("contains", "_")}, []),
        ("routing-code", "routingIdentifier", {"siret": ("strict", HALL)}, ["VOIRIE/2"]),
        ("routing-code", "routingIdentifier", {"routingIdentifier": ("contains", "voir")}, ["VOIRIE/2"]),
        ("routing-code", "routingIdentifier", {"routingCodeName": ("strict", "cour")}, ["COUR"]),
        ("directory-line", "addressingIdentifier", {"addressingSuffix": ("strict", "COMPTA_1")}, [f"{SHOP}_COMPTA_1"]),
        ("directory-line", "addressingIdentifier", {"addressingIdentifier": ("contains", "_COMPTA")},
         [f"{SHOP}_COMPTA_1"]),
        ("directory-line", "addressingIdentifier", {"routingIdentifier": ("strict", "VOIRIE/2")}, [DESK]),
        ("directory-line", "addressingIdentifier", {"siret": ("strict", "20000000800025")},
         [f"{SHOP}_20000000800025"]),
    ],
)  # fmt: skip
def test_a_criterion(
    directory: Client, kind: str, key: str, filters: dict[str, tuple[str, str]], expected: list[str]
) -> None:
    """Each criterion finds what it should with each of its operators, those of 1.1 too, and nothing else."""
    assert found(directory, kind, key, **filters) == expected


def test_pages(directory: Client) -> None:
    """Pages of one, each further than the one before, are all of it in order; past the end there is nothing."""
    order = {"sorting": [{"field": "businessName", "order": "descending"}], "limit": 1}
    pages = [search(directory, "siren", {**order, "ignore": number}) for number in range(5)]
    assert [page["totalNumberOfResults"] for page in pages] == [4] * 5
    names = [page["results"][0]["businessName"] for page in pages[:4]]
    assert names == ["Moulin des Ormes", "Logiciels du Ponant", "Épicerie du Mail", "Commune de Valbrune"]
    assert pages[4]["results"] == []
    assert search(directory, "siren", {"limit": 0})["totalNumberOfResults"] == 4


def test_a_page_at_its_limit(directory: Client) -> None:
    """A page of the published maximum is given; a longer one is refused, and the limit told."""
    assert search(directory, "siren", {"limit": DIRECTORY_PAGE_MAX})["search"]["limit"] == DIRECTORY_PAGE_MAX
    answer = post(directory, "siren", {"limit": DIRECTORY_PAGE_MAX + 1})
    assert answer.status == 400
    assert str(DIRECTORY_PAGE_MAX) in answer.json["errorMessage"]


def test_a_search_at_its_size(directory: Client) -> None:
    """A search that fills what may be read is answered; a byte more is refused."""
    body = json.dumps({"limit": 1}).encode()
    assert post(directory, "siren", body.ljust(DIRECTORY_SEARCH_BYTES_MAX)).status == 200
    assert post(directory, "siren", body.ljust(DIRECTORY_SEARCH_BYTES_MAX + 1)).status == 400


def test_words_of_older_editions(directory: Client) -> None:
    """The French words of the first clients and the order of 1.1 are understood; empty criteria count for nothing."""
    asked = {
        "filtres": {"siren": {"op": "contient", "valeur": SHOP}, "siret": {"op": "strict", "value": ""}},
        "tris": [{"champ": "siren", "sortingOrder": "descendant"}], "champs": ["siren"], "limite": 5, "include": None,
    }  # fmt: skip
    page = search(directory, "siret", asked)
    assert page["results"] == [{"siren": SHOP}, {"siren": SHOP}]
    assert search(directory, "siren", b"")["totalNumberOfResults"] == 4


@pytest.mark.parametrize(
    ("kind", "body", "status", "told"),
    [
        ("siren", {"filters": {"dateFrom": {"op": "strict", "value": "x"}}}, 400, "businessName"),
        ("siren", {"filters": {"siren": {"op": "like", "value": "1"}}}, 400, "strict"),
        ("siren", {"filters": {"siren": {"op": "strict", "value": "12A"}}}, 400, "filters.siren.value"),
        ("siren", {"filters": {"siren": {"op": "strict"}}}, 400, "value"),
        ("siren", {"filters": {"siren": {"op": "strict", "value": 5}}}, 400, "filters.siren.value"),
        ("siren", {"where": {}}, 400, "where"),
        ("siren", {"limit": -1}, 400, "limit"),
        ("siren", {"sorting": [{"field": "postalCode"}]}, 400, "sorting"),
        ("siret", {"sorting": [{"field": "address"}]}, 501, "siret"),
        ("directory-line", {"include": ["everything"]}, 400, "routingCode"),
        ("directory-line", b"{", 400, "JSON"),
        ("directory-line", b"[]", 400, "filters"),
        ("directory-line", b"\xff", 400, "JSON"),
        ("directory-line", b"[" * 5000, 400, "JSON"),
    ],
)
def test_what_cannot_be_answered(directory: Client, kind: str, body: Any, status: int, told: str) -> None:
    """What is not understood or not served is refused, saying where and what can be asked; it is never ignored."""
    answer = post(directory, kind, body)
    assert (answer.status, answer.json["status"]) == (status, status)
    assert told in answer.json["errorMessage"]


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        (f"siren/code-insee:{SHOP}", "siren,businessName", {"siren", "businessName"}),
        (f"siret/code-insee:{HALL}", "siret,pmStatus", {"siret", "b2gAdditionalData"}),
        (f"siret/code-insee:{HALL}", "businessName,siretInstructions", {"name", "siretInstructions", "instructions"}),
        (f"directory-line/code:{SHOP}", "siren", {"siren", "platformType", "directoryLineStatus"}),
    ],
)
def test_chosen_fields(directory: Client, path: str, fields: str, expected: set[str]) -> None:
    """Only what was chosen is answered, under the names of the answers; what an address is worth always is."""
    assert set(get(directory, path, f"fields={fields}")) == expected
    repeated = "&".join(f"fields={field}" for field in fields.split(","))
    assert set(get(directory, path, repeated)) == expected


def test_public_data_are_chosen_one_by_one(directory: Client) -> None:
    """A flag of a public entity is chosen by its name in the list of fields, and answered by its name in the data."""
    hall = get(directory, f"siret/code-insee:{HALL}", "fields=managesLegalCommitment")
    assert hall == {"b2gAdditionalData": {"managesLegalCommitmentCode": True}}
    refused = directory.call("GET", f"/v1/siret/code-insee:{HALL}", query="fields=secret")
    assert (refused.status, "siretInstructions" in refused.json["errorMessage"]) == (400, True)


# --------------------------------------------------------------------------------------------------- whoever may ask it


@pytest.mark.parametrize("prefix", ["", "/directory-service", "/afnor-directory"])
def test_prefixes(directory: Client, prefix: str) -> None:
    """The service is at the root and under each prefix that clients expect; how it is needs no token."""
    assert directory.call("GET", f"{prefix}/v1/siren/code-insee:{SHOP}").status == 200
    assert directory.call("GET", f"{prefix}/v1/healthcheck", siren=None).status == 200
    assert search(directory, "siret", {}, prefix)["totalNumberOfResults"] == 4


def test_who_may_not_ask(directory: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token, with a wrong one, or without the scope, nothing is told."""
    path, held = f"/v1/siren/code-insee:{SHOP}", identity.holder
    assert directory.call("GET", path, siren=None).status == 401
    assert directory.call("GET", path, siren=None, headers={"Authorization": "Bearer no"}).status == 401

    def narrowed(*asked: Any, **more: Any) -> Any:
        holder = held(*asked, **more)
        return holder and replace(holder, scopes=holder.scopes - {"directory.read"})

    monkeypatch.setattr(identity, "holder", narrowed)
    answer = directory.call("GET", path)
    assert (answer.status, answer.json["errorCode"]) == (403, "FORBIDDEN_ACCESS")
    assert post(directory, "siren", {}).status == 403


def test_what_is_for_platforms_only_is_told_to_nobody(directory: Client) -> None:
    """No answer of the service has a number of a platform, its name, where it is, or a date of effect."""
    told = [json.dumps(search(directory, kind, {})) for kind in ("siren", "siret", "routing-code")]
    everything = {"include": ["siren", "siret", "routingCode", "platform"]}
    told.append(json.dumps(search(directory, "directory-line", everything)))
    told += [json.dumps(get(directory, f"directory-line/code:{line.address}")) for line in LINES]
    secrets = ['"0003"', '"9998"', '"9999"', "Relais", "a.example", "2024-01-01", "20240101", "2027", "matricule"]
    assert [secret for secret in secrets if any(secret in one for one in told)] == []


def test_both_companies_are_told_the_same(directory: Client) -> None:
    """The directory is the same for every customer of the platform."""
    path = f"/v1/directory-line/code:{SHOP}"
    mine = directory.call("GET", path, query="include=siren")
    assert mine.json == directory.call("GET", path, siren="200000008", query="include=siren").json
