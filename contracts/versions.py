"""What changes from one version of a dataset to the next, and whether those who read it must change too.

Compatible: nothing that a reader may rely on changes. Minor: something is added or loosened that a reader may ignore. Breaking:
a reader by name, or a sender who was valid before, is no longer served. The verdict is that of the worst change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any

from contracts.base import DataContract
from contracts.dialect_pages import SETTINGS
from contracts.registry import contract, contracts
from contracts.rules import Between, Happened, Identifier, Length, OneOf, Pattern, Relation, Rule
from passerelle.contract import Column, Dialect, PersonClass
from passerelle.errors import UsageError


class Level(IntEnum):
    """How much a change asks of others, from nothing to a new contract with a notice period."""

    COMPATIBLE = 0
    MINOR = 1
    BREAKING = 2

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what kind, on which column (None: the whole), in French and English."""

    level: Level
    kind: str
    column: str | None
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changes from ``old`` to ``new``; ``level`` is the worst of it."""

    old: str
    new: str
    changes: tuple[Change, ...]

    @property
    def level(self) -> Level:
        return max((change.level for change in self.changes), default=Level.COMPATIBLE)

    def as_json(self) -> dict[str, Any]:
        return {
            "old": self.old,
            "new": self.new,
            "verdict": self.level.word,
            "changes": [
                {"level": one.level.word, "kind": one.kind, "column": one.column, "fr": one.fr, "en": one.en}
                for one in self.changes
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What is compared: a version of a contract, or one sender's dialect of it (then with its headers and marks)."""

    name: str
    contract: DataContract
    dialect: Dialect | None = None

    def columns(self) -> dict[str, Column]:
        """By name, in the order in which they come."""
        by_name = {column.name: column for column in self.contract.columns}
        if self.dialect is None:
            return by_name
        return {name: by_name[name] for name in self.dialect.columns.values() if name is not None}

    def headers(self) -> dict[str, str]:
        """By column, the header that the dialect gives it."""
        columns = self.dialect.columns if self.dialect else {}
        return {name: header for header, name in columns.items() if name is not None}

    def meaning(self, column: Column) -> str:
        """What the sender means by ``column``, in English."""
        said = self.contract.meanings.get(self.dialect.id, {}) if self.dialect else {}
        return said[column.name][1] if column.name in said else column.en


def form(name: str) -> Form:
    """The version or dialect called ``name``: ``job_offers``, ``job_offers@1.0.0``, or a dialect such as ``pep-2021-03-03``.

    Raises:
        UsageError: there is none of that name, or several contracts have a dialect of that name.
    """
    known = contracts()
    if name.partition("@")[0] in {one.id for one in known}:
        found = contract(name)
        return Form(found.reference, found)
    latest = {one.id: one for one in reversed(known)}.values()
    forms = [Form(name, one, dialect) for one in latest for dialect in one.dialects if dialect.id == name]
    if len(forms) == 1:
        return forms[0]
    raise UsageError(
        "expected a dataset, dataset@version, or a dialect of one dataset",
        hint="passerelle contract list shows the datasets, contract show DATASET their dialects",
        fr="il faut un jeu de données, jeu@version, ou le format d'un seul jeu",
        hint_fr="passerelle contract list donne les jeux, contract show JEU leurs formats",
    )


def diff(old: Form, new: Form) -> Difference:
    """The changes from ``old`` to ``new``, worst first.

    Raises:
        UsageError: they are not of one dataset, or one is a dialect and the other a contract.
    """
    if old.contract.id != new.contract.id or (old.dialect is None) != (new.dialect is None):
        raise UsageError(
            "expected two versions, or two dialects, of one dataset",
            fr="il faut deux versions, ou deux formats, d'un même jeu de données",
        )
    found = (*_columns(old, new), *_keys(old.contract, new.contract), *_writing(old, new))
    return Difference(
        old.name, new.name, tuple(sorted(found, key=lambda change: (-change.level, change.kind, change.column or "")))
    )


def _columns(old: Form, new: Form) -> Iterator[Change]:
    before, after = old.columns(), new.columns()
    for name in before.keys() - after.keys():
        yield Change(Level.BREAKING, "removed", name, "colonne retirée", "column removed")
    for name in after.keys() - before.keys():
        if after[name].required and old.dialect is None:
            yield Change(Level.BREAKING, "new_required", name, "colonne obligatoire ajoutée", "required column added")
        else:
            yield Change(Level.MINOR, "added", name, "colonne ajoutée", "column added")
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        yield Change(Level.MINOR, "order", None, "ordre des colonnes changé", "order of the columns changed")
    for name in kept:
        yield from _column(before[name], after[name])
        yield from _said(old, new, name)
        yield from _rules(_about(old.contract, name), _about(new.contract, name), name)


def _column(before: Column, after: Column) -> Iterator[Change]:
    name = before.name
    if before.kind is not after.kind:
        yield Change(Level.BREAKING, "type", name, "type changé", "type changed")
    if after.required and not before.required:
        yield Change(Level.BREAKING, "required", name, "devient obligatoire", "becomes required")
    if before.required and not after.required:
        yield Change(Level.MINOR, "optional", name, "peut être vide désormais", "may be empty from now on")
    if before.identifier != after.identifier:
        yield Change(Level.BREAKING, "identifier", name, "type d'identifiant changé", "kind of identifier changed")
    classes = list(PersonClass)
    if classes.index(after.person) > classes.index(before.person):
        yield Change(Level.BREAKING, "person", name, "en dit plus d'une personne", "says more of a person")
    if classes.index(after.person) < classes.index(before.person):
        yield Change(Level.MINOR, "person", name, "en dit moins d'une personne", "says less of a person")
    if before.codes != after.codes:
        yield Change(
            Level.BREAKING, "codes", name, "édition de la liste de codes changée", "edition of the code list changed"
        )


def _said(old: Form, new: Form, name: str) -> Iterator[Change]:
    """A reworded meaning; of an identifier or a key it is another thing: joins on it are no longer valid."""
    before, after = old.contract.column(name), new.contract.column(name)
    if old.meaning(before) != new.meaning(after):
        if before.identifier or any(name in key for key in old.contract.unique):
            yield Change(
                Level.BREAKING,
                "meaning",
                name,
                "l'identifiant désigne autre chose",
                "the identifier names another thing",
            )
        else:
            yield Change(Level.COMPATIBLE, "wording", name, "sens reformulé", "meaning reworded")
    was, now = old.headers().get(name), new.headers().get(name)
    if was != now:
        yield Change(Level.BREAKING, "renamed", name, f"en-tête {was} devenu {now}", f"header {was} became {now}")


def _about(judging: DataContract, name: str) -> dict[str, Rule]:
    return {rule.id: rule for rule in judging.rules if rule.column == name}


def _rules(before: Mapping[str, Rule], after: Mapping[str, Rule], name: str) -> Iterator[Change]:
    for rule in before.keys() - after.keys():
        yield Change(Level.MINOR, "rule_removed", name, f"règle {rule} retirée", f"rule {rule} removed")
    for rule in after.keys() - before.keys():
        yield Change(Level.BREAKING, "rule_added", name, f"règle {rule} ajoutée", f"rule {rule} added")
    for rule in before.keys() & after.keys():
        if (level := _stricter(before[rule], after[rule])) is Level.BREAKING:
            yield Change(level, "narrowed", name, f"règle {rule} resserrée", f"rule {rule} narrowed")
        elif level is Level.MINOR:
            yield Change(level, "widened", name, f"règle {rule} élargie", f"rule {rule} widened")


def _stricter(old: Rule, new: Rule) -> Level:
    """Breaking when a value that passed may fail now; what cannot be compared is taken for narrower."""
    match old, new:
        case (OneOf(), OneOf()):
            same, within = set(old.values) == set(new.values), set(old.values) <= set(new.values)
        case (Length(), Length()):
            same = (old.low, old.high) == (new.low, new.high)
            within = new.low <= old.low and old.high <= new.high
        case (Between(), Between()):
            same = (old.low, old.high) == (new.low, new.high)
            within = _below(new.low, old.low) and _below(old.high, new.high)
        case (Pattern(), Pattern()):
            same = within = old.pattern == new.pattern
        case (Identifier(), Identifier()):
            same = within = old.scheme == new.scheme
        case (Happened(), Happened()):
            same = within = True
        case (Relation(), Relation()):
            same = within = old.test == new.test or (old.fr, old.en) == (new.fr, new.en)
        case _:
            same = within = False
    if same:
        return Level.COMPATIBLE
    return Level.MINOR if within else Level.BREAKING


def _below(low: float | date, high: float | date) -> bool:
    if isinstance(low, date) and isinstance(high, date):
        return low <= high
    return not isinstance(low, date) and not isinstance(high, date) and low <= high


def _keys(old: DataContract, new: DataContract) -> Iterator[Change]:
    before, after = ({frozenset(key) for key in one.unique} for one in (old, new))
    for key in before ^ after:
        said = ", ".join(sorted(key))
        fr = f"clé ajoutée : {said}" if key in after else f"clé retirée : {said}"
        en = f"key added: {said}" if key in after else f"key removed: {said}"
        yield Change(Level.BREAKING, "key", None, fr, en)


_LOOSE = frozenset(
    {"line_end", "packings", "beside", "optional", "blank_lines", "short_rows", "nbsp", "trim", "zero_fill"}
)
"""Settings that change what is tolerated or repaired, not what a sender must write."""


def _writing(old: Form, new: Form) -> Iterator[Change]:
    if old.dialect is None or new.dialect is None:
        return
    for name, (fr, en) in SETTINGS.items():
        if getattr(old.dialect, name) != getattr(new.dialect, name):
            level = Level.MINOR if name in _LOOSE else Level.BREAKING
            yield Change(level, name, None, f"{fr} : changement", f"{en}: changed")
