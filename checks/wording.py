"""Numbers as people write them, in French and English."""

from __future__ import annotations

from passerelle.profile import FEW, Count

NO_BREAK = "\u00a0"
NARROW = "\u202f"  # the space French puts between thousands and before %


def number_en(value: float) -> str:
    """``1234.5`` as ``1,234.5``; at most two decimals."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def number_fr(value: float) -> str:
    """``1234.5`` as ``1 234,5``, with a narrow no-break space; at most two decimals."""
    return number_en(value).translate({ord(","): NARROW, ord("."): ","})


def percent_en(share: float) -> str:
    """``0.052`` as ``5.2%``."""
    return f"{number_en(share * 100)}%"


def percent_fr(share: float) -> str:
    """``0.052`` as ``5,2 %``."""
    return f"{number_fr(share * 100)}{NARROW}%"


def rows_en(count: Count) -> str:
    """A count of rows, masked or not."""
    if isinstance(count, int):
        return plural_en(count, "row")
    return "fewer than 11 rows" if count == FEW else "all rows but fewer than 11"


def plural_fr(count: float, words: str) -> str:
    """``1 ligne lue``, ``2 lignes lues``: the plural starts at two in French."""
    return f"{number_fr(count)}{NO_BREAK}{agreed_fr(count, words)}"


def agreed_fr(count: float, words: str) -> str:
    """``words``, each with its mark of the plural when ``count`` is two or more."""
    return " ".join(f"{word}s" for word in words.split()) if count >= 2 else words  # noqa: PLR2004 -- the plural starts at two


def plural_en(count: float, word: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number_en(count)} {word}" + ("" if count == 1 else "s")


def rows_fr(count: Count) -> str:
    """Un nombre de lignes, masqué ou non."""
    if isinstance(count, int):
        return plural_fr(count, "ligne")
    return "moins de 11 lignes" if count == FEW else "toutes les lignes sauf moins de 11"


def spaced(text: str) -> str:
    """French text with no-break spaces where a line must not break: inside quotation marks, before double signs."""
    for plain, kept in (
        ("« ", f"«{NO_BREAK}"),
        (" »", f"{NO_BREAK}»"),
        (" : ", f"{NO_BREAK}: "),
        (" ; ", f"{NO_BREAK}; "),
    ):
        text = text.replace(plain, kept)
    return text
