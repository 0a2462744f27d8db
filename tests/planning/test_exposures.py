"""A late event rewrites nothing: it lists the deliveries that should not have happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.handover.exposures import Exposure, exposures
from passerelle.handover.recording import Recorded, record_event
from tests.gateway import OUTCOMES, STUDIES, Gateway, studies, trail_holds

PACA = "paca-pe-2016"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Studies delivered on 3 June and on 10 June 2019."""
    made = studies(tmp_path_factory.mktemp("late"))
    made.run(STUDIES, "2018", made.write(STUDIES, 200))
    made.move_to("2019-06-10T06:00:00+02:00").run(STUDIES, "2019", made.write(STUDIES, 200, seed=1))
    return made.move_to("2019-06-20T09:00:00+02:00")


def listed(gateway: Gateway) -> list[Exposure]:
    with gateway.workspace.database.read() as connection:
        return exposures(gateway.workspace, connection, PACA)


def record(gateway: Gateway, kind: str, **payload: object) -> Recorded:
    return record_event(gateway.workspace, PACA, kind, payload, by="test")


def test_a_breach_known_late_lists_what_left_since(gateway: Gateway, tmp_path: Path) -> None:
    """A breach letter received on 5 June and recorded on 20 June exposes the delivery of 10 June, and no other."""
    copy = gateway.saved(tmp_path / "copy")
    try:
        before = [dict(entry) for entry in gateway.entries("decision")]
        assert listed(gateway) == []
        recorded = record(gateway, "breach_notice", by="region-paca", form="registered_letter_ar", received_on="2019-06-05")  # fmt: skip
        (one,) = recorded.exposures
        assert (one.exchange, one.period, one.recipient, one.rows) == ("studies", "2019", "region-paca", 200)
        assert one.delivered_at.startswith("2019-06-10")
        assert listed(gateway) == [one]
        assert gateway.entries("decision") == before
        assert gateway.entries("event_recorded")[-1]["exposures"] == 1
        trail_holds(gateway.workspace)
    finally:
        gateway.workspace = gateway.restored(copy).workspace


def test_an_event_lists_only_what_it_calls_into_question_itself(gateway: Gateway, tmp_path: Path) -> None:
    """A second late event does not list again what an earlier one exposed; the whole list keeps both."""
    copy = gateway.saved(tmp_path / "copy")
    try:
        first = record(gateway, "suspended", on="2019-06-08", until="2019-06-12")
        assert [one.period for one in first.exposures] == ["2019"]
        second = record(gateway, "end_recorded", on="2019-05-31", by="dpo")
        assert [one.period for one in second.exposures] == ["2018"]
        assert [one.period for one in listed(gateway)] == ["2018", "2019"]
    finally:
        gateway.workspace = gateway.restored(copy).workspace


def test_an_event_in_time_lists_nothing(gateway: Gateway, tmp_path: Path) -> None:
    """What takes effect after the deliveries, or concerns another exchange, calls nothing into question."""
    copy = gateway.saved(tmp_path / "copy")
    try:
        assert record(gateway, "breach_notice", by="region-paca", received_on="2019-06-20").exposures == ()
        assert record(gateway, "suspended", on="2019-06-01", exchange=OUTCOMES.partition("/")[2]).exposures == ()
        assert record(gateway, "meeting_held", on="2019-06-01", id="copil").exposures == ()
        assert listed(gateway) == []
        assert all("exposures" not in entry for entry in gateway.entries("event_recorded"))
    finally:
        gateway.workspace = gateway.restored(copy).workspace
