"""What is wrong in what a person asked or wrote: where, what was seen, what was expected, in French and in English."""

import msgspec


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to repair."""

    path: str
    """Where: a path in the draft (`lines[0].vat`), a line and column of the file, or an argument."""
    seen: str = ""
    fr: str
    en: str
    term: str | None = None
    """The business term that is meant, where there is one."""

    def text(self, language: str = "fr") -> str:
        """Say it in one line."""
        where = f"{self.path} ({self.term})" if self.term else self.path
        seen = f" [{self.seen}]" if self.seen else ""
        return f"{where} : {self.fr}{seen}" if language == "fr" else f"{where}: {self.en}{seen}"


class Mistaken(Exception):
    """The invoice cannot be made; `mistakes` says all that is to be repaired."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("; ".join(mistake.text("en") for mistake in mistakes))
        self.mistakes = mistakes
