"""Numbers as people write them, in French and English."""

from __future__ import annotations

from passerelle.profile import FEW, Count

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
        return "1 row" if count == 1 else f"{number_en(count)} rows"
    return "fewer than 11 rows" if count == FEW else "all rows but fewer than 11"


def rows_fr(count: Count) -> str:
    """Un nombre de lignes, masqué ou non."""
    if isinstance(count, int):
        return f"{number_fr(count)} ligne" + ("s" if count >= 2 else "")  # noqa: PLR2004 -- French plural starts at two
    return "moins de 11 lignes" if count == FEW else "toutes les lignes sauf moins de 11"
