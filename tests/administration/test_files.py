"""The files people write: the shipped ones are right, wrong ones are answered with the place and both languages."""

import pytest

from estafette.administration.candidacy import ApplicationForm, Campaign
from estafette.administration.completeness import RegistrationForm
from estafette.administration.examples import example
from estafette.administration.files import Finding, WrongFile, read
from estafette.values.identifiers import SIREN
from estafette.values.limits import REGISTRATION_BYTES_MAX

FORMS = {
    "platform-a": RegistrationForm,
    "platform-b": RegistrationForm,
    "campaign": Campaign,
    "application": ApplicationForm,
}


@pytest.mark.parametrize("name", FORMS)
def test_a_shipped_file_is_read(name: str) -> None:
    """The examples are what the README says they are."""
    assert isinstance(read(example(name), FORMS[name]), FORMS[name])


def test_the_fictitious_companies_have_valid_numbers() -> None:
    """Every SIREN of the examples has a right check digit."""
    form = read(example("application"), ApplicationForm)
    assert [member.siren for member in form.members if not SIREN.is_valid(member.siren)] == []


@pytest.mark.parametrize(
    ("text", "path", "seen", "expected"),
    [
        ("", "$", "null", "object"),
        ("- a\n", "$", "array", "object"),
        ("hosting: nowhere\n", "$.hosting", "'nowhere'", "a value of the list"),
        ("operator: {legal_name: A}\n", "$.operator", "—", "the field trade_name"),
        ("favourite_colour: blue\n", "$", "favourite_colour", "a known field"),
        ("wanted_matricule: 0003\n", "$.wanted_matricule", "int", "str"),
        ("a: b: c\n", "ligne 1, colonne 5", "mapping values are not allowed here", "a YAML file"),
        ("a: &x [1]\nb: *x\n", "ligne 2, colonne 6", "alias", "without aliases"),
        ("a: !!python/object:os.system {}\n", "ligne 1, colonne 4", "could not determine a constructor", "a YAML file"),
        ("a: 2026-13-45\n", "$", "ValueError", "a plain YAML file"),
        ("[" * 20_000, "$", "RecursionError", "a plain YAML file"),
        ("#" * (REGISTRATION_BYTES_MAX + 1), "$", "262145 octets", "at most 262144 bytes"),
    ],
)
def test_a_wrong_file_is_answered_with_place_seen_and_expected(text: str, path: str, seen: str, expected: str) -> None:
    """Every way a file can be wrong ends in a finding in French and English, never in a traceback."""
    finding = wrong(text.encode())
    assert finding.path == path
    assert seen in finding.seen
    assert expected in finding.en
    assert finding.fr.startswith("Attendu : ")


def test_a_file_in_another_encoding_is_refused_at_its_byte() -> None:
    """Latin-1 accents are said to be no UTF-8, with the position."""
    finding = wrong("operator: é".encode("latin-1"))
    assert (finding.seen, finding.en) == ("octet 10", "Expected: text in UTF-8.")


def test_a_file_at_the_limit_is_read() -> None:
    """Exactly the limit is allowed."""
    padding = REGISTRATION_BYTES_MAX - len(example("campaign")) - 2
    assert read(example("campaign") + b"\n#" + b"-" * padding, Campaign)


def wrong(data: bytes) -> Finding:
    """Return the one finding of a wrong registration file."""
    with pytest.raises(WrongFile) as caught:
        read(data, RegistrationForm)
    [finding] = caught.value.findings
    return finding
