"""How a platform keeps: the file `keeping.yaml` of its folder, where there is one, and the law for the rest.

retention_months: {accounting: 132, irreceivable: 6}   # a duration of the law may be lengthened, never shortened
accounting_year_end: "06-30"                           # of most customers; 12-31 unless said otherwise
purge: true                                            # false: nothing is purged by itself
"""

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from estafette.values.retention import Kind, Retention, TooShort

_YEAR_END = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file may say."""

    retention_months: dict[Kind, int] = {}
    accounting_year_end: str = "12-31"
    purge: bool = True

    @property
    def retention(self) -> Retention:
        """Return the durations as this platform applies them. Raises: TooShort."""
        month, _, day = self.accounting_year_end.partition("-")
        return Retention(self.retention_months, (int(month), int(day)))


class WrongSettings(OSError):
    """The file is there and cannot be used: nothing is guessed, the actor does not start."""


def settings_of(folder: Path) -> Settings:
    """Return the settings kept in this actor's folder. Raises: WrongSettings."""
    file = folder / "keeping.yaml"
    if not file.exists():
        return Settings()
    try:
        read: Any = yaml.safe_load(file.read_text())
        settings = msgspec.convert({} if read is None else read, Settings)
        if not _YEAR_END.fullmatch(settings.accounting_year_end):
            raise WrongSettings(f"{file.name}: accounting_year_end: {settings.accounting_year_end!r} ≠ MM-JJ / MM-DD")
        settings.retention  # noqa: B018 — a duration that is too short is said at once
    except TooShort as wrong:
        raise WrongSettings(f"{file.name}: retention_months: {wrong}") from None
    except (ValueError, yaml.YAMLError) as wrong:
        raise WrongSettings(f"{file.name}: {' '.join(str(wrong).split())}") from None
    return settings
