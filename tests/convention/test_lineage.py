"""What a purge takes, and how it ends, from its events alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.convention import Event
from passerelle.convention.lineage import purge_plan, purge_state
from passerelle.errors import UsageError

CONVENTIONS = st.dictionaries(st.sampled_from("ABCDEF"), st.sampled_from(("ended", "in_force")), min_size=1)


@given(CONVENTIONS)
def test_each_copy_follows_its_own_convention(standing: dict[str, str]) -> None:
    """Every convention's copy is purged or kept, never both, by that convention alone."""
    found = purge_plan(Event(kind, {"convention": name}) for name, kind in standing.items())
    assert set(found["purge"]) == {f"copy under {name}" for name, kind in standing.items() if kind == "ended"}
    assert set(found["keep"]) == {f"copy under {name}" for name, kind in standing.items() if kind == "in_force"}
    assert ("note" in found) == (bool(found["purge"]) and bool(found["keep"]))


@given(st.integers(0, 5))
def test_a_purge_resumes_as_often_as_it_died(deaths: int) -> None:
    """After any number of crashes, each followed by a restart, it is complete, once."""
    died = [Event("crash", {"after": 2}), Event("purge_restarted")] * deaths
    events = [Event("purge_started", {"objects": 5}), *died, *([] if deaths else [Event("purge_completed")])]
    assert purge_state(events) == {"status": "completed", "attempts": deaths + 1, "double_effects": 0}
    assert purge_state([*events, Event("crash")])["status"] == "interrupted"


def test_a_purge_that_only_began_is_not_complete() -> None:
    """A start without an end is a start."""
    assert purge_state([Event("purge_started", {"objects": 5})])["status"] == "started"


def test_a_backup_from_after_the_purge_brings_nothing_back() -> None:
    """Only what was copied before the purge is destroyed again."""
    done = Event("purge_completed", {"objects": ["object-7"]})
    after = purge_state([done, Event("backup_restored", {"taken": "after_purge"})])
    assert after == {"status": "completed", "restored_then_purged": []}


@pytest.mark.parametrize("question", [purge_plan, purge_state])
def test_without_events_there_is_no_answer(question: type) -> None:
    """Silence is not an answer."""
    with pytest.raises(UsageError, match="expected"):
        question([])
