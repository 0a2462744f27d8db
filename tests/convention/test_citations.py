"""The clauses that the convention files cite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from passerelle.convention import Convention
from passerelle.convention.blocks import Clause
from passerelle.trail.entry import _PATTERNS
from passerelle.trail.fsck.entries import _article

# The words of a citation: articles and parts by number, headings of the texts without numbers, what stands in no article.
CITED = re.compile(
    r"art\. (\[?(?!1\b)\d+\]?|1er)( \([\w ]+\))?( §§ \d à \d| § \d)?(, (point \d|dernier point|dernier alinéa))?"
    r"|partie I{1,3}(, (Employeur|OCE)(, points? \d( et \d)?(, (1er|[2-9]e) tiret)?)?)?"
    r"|rubrique (Engagements|Actions innovantes)(, dernier alinéa)?"
    r"|(Engagements (d'AMILAURA|du comité régional|des parties)|Objectifs communs)(, point \d( de chaque liste)?)?"
    r"|Les axes du partenariat|Suivi de la charte|Signature de la convention|Communication"
    r"|chapeau|préambule|fin du texte|dernière page"
)


def _clauses(value: Any) -> Iterator[Clause]:
    if isinstance(value, Clause):
        yield value
    elif hasattr(type(value), "model_fields"):
        for name in type(value).model_fields:
            yield from _clauses(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _clauses(item)


@pytest.fixture(scope="module")
def references(conventions: dict[str, Convention]) -> set[str]:
    """Every reference to a clause of the five conventions."""
    found = {clause.ref for convention in conventions.values() for clause in _clauses(convention)}
    assert len(found) > 70
    return found


def test_references_are_written_as_a_french_reader_cites(references: set[str]) -> None:
    """Each reference is one citation, or two joined by "et", in the one French form of the files."""
    odd = [ref for ref in references if not all(CITED.fullmatch(one) for one in re.split(r",? et (?=art\.)", ref))]
    assert odd == []


def test_references_fit_the_trail(references: set[str]) -> None:
    """The trail's writer and its checker both accept each reference as it stands."""
    assert [ref for ref in references if not re.fullmatch(_PATTERNS["article"], ref) or not _article(ref)] == []
