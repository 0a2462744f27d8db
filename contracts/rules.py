"""The rules a contract may declare: values, light to import, that say themselves in French and English.

``contracts.schema`` turns them into pandera checks, ``contracts.pages`` into pages and JSON Schema. A rule judges values that
are present; whether a value must be present is the column's ``required``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from contracts.identifiers import SCHEMES

if TYPE_CHECKING:
    import polars as pl

BETWEEN = ";"
"""Between the values of a list once accepted, whatever the sender's mark."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """Values are identifiers of ``scheme``; the rule bears the scheme's name."""

    column: str
    scheme: str

    @property
    def id(self) -> str:
        return self.scheme

    @property
    def fr(self) -> str:
        return SCHEMES[self.scheme].fr

    @property
    def en(self) -> str:
        return SCHEMES[self.scheme].en


@dataclass(frozen=True, slots=True)
class Pattern:
    """Values match ``pattern`` in full."""

    id: str
    column: str
    pattern: str
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """Values belong to a closed list."""

    column: str
    values: tuple[str, ...]
    id: str = "code_list"

    @property
    def fr(self) -> str:
        return f"une valeur parmi {', '.join(self.values)}"

    @property
    def en(self) -> str:
        return f"one of {', '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Length:
    """Texts have from ``low`` to ``high`` characters."""

    column: str
    low: int
    high: int
    id: str = "length"

    @property
    def fr(self) -> str:
        return f"de {self.low} à {self.high} caractères"

    @property
    def en(self) -> str:
        return f"{self.low} to {self.high} characters"


@dataclass(frozen=True, slots=True)
class Between:
    """Numbers or dates lie from ``low`` to ``high``, both included."""

    column: str
    low: float | date
    high: float | date
    id: str = "range"

    @property
    def fr(self) -> str:
        return f"de {_written(self.low)} à {_written(self.high)}"

    @property
    def en(self) -> str:
        return f"from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Happened:
    """Dates of what has happened: none lies after the day of the run."""

    column: str
    id: str = "happened"

    @property
    def fr(self) -> str:
        return "au plus tard le jour où le fichier est reçu"

    @property
    def en(self) -> str:
        return "on the day that the file comes in at the latest"


@dataclass(frozen=True, slots=True)
class Relation:
    """A condition between the columns of one row; ``column`` is the one that a report names.

    ``test`` gives a polars expression over the typed columns: true, false, or null where there is nothing to judge.
    """

    id: str
    column: str
    test: Callable[[], pl.Expr]
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of an accepted row whose number in ``column`` is at most ``at_most``; it rejects nothing.

    ``says`` holds one ``{}``, where the number goes: only for columns that say nothing of a person.
    """

    id: str
    column: str
    at_most: int
    says: str
    fr: str
    en: str


Rule = Identifier | Pattern | OneOf | Length | Between | Happened | Relation


def whole(pattern: str, *, many: bool = False) -> str:
    """``pattern`` matched in full, as a JSON Schema writes it; each value of a list where the column holds ``many``."""
    return f"^(?:{pattern})(?:{BETWEEN}(?:{pattern}))*$" if many else f"^(?:{pattern})$"


def _written(bound: float | date) -> str:
    return f"{bound:%d/%m/%Y}" if isinstance(bound, date) else f"{bound:g}".replace(".", ",")


KIND_RULES = {
    "required": ("la valeur est obligatoire", "a value is required"),
    "text": ("texte sans caractère de commande", "text without control characters"),
    "date": ("date existante, au format déclaré", "a date that exists, in the declared format"),
    "integer": ("nombre entier", "whole number"),
    "decimal": ("nombre, avec la marque décimale déclarée", "number, with the declared decimal mark"),
    "boolean": ("oui ou non (oui/non, O/N, true/false, 1/0)", "yes or no (oui/non, O/N, true/false, 1/0)"),
    "count": ("nombre entier ou marque du secret", "whole number or the secrecy mark"),
    "list": (
        "plusieurs valeurs séparées comme déclaré, aucune vide",
        "several values separated as declared, none of them empty",
    ),
    "unique": ("une seule ligne par clé ; la première est gardée", "one row for each key; the first is kept"),
}
"""Rules that follow from a column's kind, its ``required`` and the contract's ``unique``: French, English."""
