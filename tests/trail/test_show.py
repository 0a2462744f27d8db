"""The trail as a DPO reads it."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.trail import Entry, Recorded
from passerelle.trail.entry import KINDS
from passerelle.trail.show import SENTENCES, render
from tests.trail.test_entry import body_of

AT = "2026-03-01T09:00:00Z"
NAMES = {"region-paca": "la Région Provence-Alpes-Côte d'Azur"}


def sentence(kind: str, lang: Any, **body: Any) -> str:
    (row,) = render([Recorded(7, Entry(kind, AT, body))], lang, NAMES)
    assert (row.index, row.at, row.kind) == (7, AT, kind)
    return row.text


def test_a_delivery_in_french() -> None:
    """A delivery says to whom, how many rows, and under which article."""
    body = {"delivery": "p-1", "recipient": "region-paca", "counts": {"extracted": 1234}, "article": "art. 9"}
    assert sentence("delivered", "fr", **body) == (
        "Extrait livré à la Région Provence-Alpes-Côte d'Azur, 1\u202f234 lignes, art. 9"
    )


def test_what_is_not_known_is_left_out() -> None:
    """Optional parts of a sentence go with their fields."""
    assert sentence("delivered", "fr", delivery="p-1") == "Extrait livré"
    assert sentence("delivered", "en", delivery="p-1", recipient="unml") == "Extract delivered to unml"


def test_a_refusal_in_both_languages() -> None:
    """A decision says its outcome, its reason, the article and what that rests on."""
    body = {
        "convention": "csp-ft-2024", "convention_sha256": "ab" * 32, "exchange": "candidate-pools", "outcome": "block",
        "stage": "start", "reason": "missing_instrument:candidate-pool-agreement", "article": "art. 3", "basis": "stated",
    }  # fmt: skip
    assert sentence("decision", "fr", **body) == (
        "Refusé : csp-ft-2024/candidate-pools, au départ, motif missing_instrument:candidate-pool-agreement, art. 3"
        " (selon le texte)"
    )
    assert sentence("decision", "en", **body) == (
        "Refused: csp-ft-2024/candidate-pools, at the start, reason missing_instrument:candidate-pool-agreement, art. 3"
        " (as stated)"
    )


@pytest.mark.parametrize(
    ("rejected", "fr", "en"),
    [(0, "0 rejetée", "0 rejected"), (1, "1 rejetée", "1 rejected"), (2, "2 rejetées", "2 rejected")],
)
def test_numbers_agree(rejected: int, fr: str, en: str) -> None:
    """French counts zero and one in the singular, English only one."""
    body: dict[str, Any] = {"run": "r1", "accepted": rejected, "rejected": rejected, "by_rule": {}}
    assert fr in sentence("judged", "fr", **body)
    assert en in sentence("judged", "en", **body)
    assert ("lignes" in sentence("judged", "fr", **body)) == (rejected > 1)
    assert ("rows" in sentence("judged", "en", **body)) == (rejected != 1)


@pytest.mark.parametrize(("date", "fr"), [("2027-05-01", "1er mai 2027"), ("2027-08-11", "11 août 2027")])
def test_dates_are_written_out(date: str, fr: str) -> None:
    """Dates are written as a public servant writes them."""
    body = {name: value for name, value in body_of("delivery_intent").items() if name != "destroy_by"}
    assert sentence("delivery_intent", "fr", **body, destroy_by=date).endswith(f"à détruire au plus tard le {fr}")


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_sentence(kind: str, lang: Any) -> None:
    """Every kind of entry is told in both languages, with and without its optional fields."""
    assert set(SENTENCES) == set(KINDS)
    full = sentence(kind, lang, **body_of(kind))
    least = sentence(
        kind, lang, **{name: value for name, value in body_of(kind).items() if name in KINDS[kind].required}
    )
    for text in (full, least):
        assert not set("{}[]") & set(text)
        assert text[0].isupper()
    assert len(least) <= len(full)
