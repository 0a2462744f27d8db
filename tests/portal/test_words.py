"""What people read instead of codes."""

from __future__ import annotations

from passerelle.convention.event import LEGAL
from passerelle.handover.approval import REASON
from portal.bundle.words import EVENTS
from portal.words import REASONS, reason
from tests.convention.test_gate import CASES


def test_every_event_has_words() -> None:
    """Whatever is recorded on a convention is called by its words, in the trail's sentences too."""
    assert set(EVENTS) == LEGAL


def test_every_refusal_of_the_gate_has_words() -> None:
    """Each reason that the gate can give is told in words, with its code for those who search."""
    codes = {expected["reason"] for *_, expected in CASES if "reason" in expected} | {REASON}
    assert {code for code in codes if code.partition(":")[0] not in REASONS} == set()
    told = reason("missing_instrument:x")
    assert told
    assert told.fr == "pièce exigée absente du dossier (missing_instrument:x)"
