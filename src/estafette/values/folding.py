"""Texts as one looks for them: without accents, case or doubled spaces.

>>> fold("  Épicerie  du Mail ")
'epicerie du mail'
>>> fold(None)
''
"""

import unicodedata


def fold(text: str | None) -> str:
    """Give the text as it is compared in a search: compatibility letters, no accent, lower case, single spaces."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text or "") if not unicodedata.combining(letter))
    return " ".join(plain.casefold().split())
