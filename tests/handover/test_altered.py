from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from passerelle.errors import ConventionFileError, RefusedError, TrailError, UsageError
from passerelle.keys import Identity
from passerelle.store import events, partners
from passerelle.store.tables import convention_event, partner_key
from passerelle.workspace.agreement import TablesDisagreeError
from tests.gateway import CSP_FILED, PACA_SIGNED, POOLS, STUDIES, Gateway


def test_a_recipient_swapped_in_the_database_gets_nothing(tmp_path: Path) -> None:
    """A stored key that is not the one whose fingerprint was approved stops the exchange."""
    one = Gateway.create(tmp_path, "2025-05-06T09:00:00+02:00").record(*CSP_FILED)
    one.partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
    with one.workspace.database.begin() as connection:
        connection.execute(update(partner_key).values(recipient=Identity.generate().recipient.text))
    with pytest.raises(TablesDisagreeError, match="not the one"):
        one.run(POOLS, "2025-05", one.write(POOLS, 20))
    assert one.parcels("mtfp") == []


@pytest.mark.parametrize("period", ["2019-02-31", "2019-13", "2019-T1", "19", "2019-Q5", "../x"])
def test_a_period_that_is_none_is_refused(tmp_path: Path, period: str) -> None:
    """A period is a year, a month, a day that exists, a quarter or a half-year, each written in one way."""
    one = Gateway.create(tmp_path, "2016-03-31T09:00:00+02:00").record(PACA_SIGNED)
    with pytest.raises(UsageError):
        one.run(STUDIES, period, one.write(STUDIES, 1))


def test_letter_case_makes_nobody_a_second_person(tmp_path: Path) -> None:
    """Who enrolled a key or approved it once does not count again under another spelling of the same name."""
    one = Gateway.create(tmp_path, "2025-05-06T09:00:00+02:00")
    key, now = Identity.generate().recipient, one.workspace.now()
    with one.workspace.database.begin() as connection:
        partners.add(connection, "mtfp", "mtfp", None, at=now)
        facts: dict[str, Any] = {"kind": key.kind, "recipient": key.text, "fingerprint": key.fingerprint}
        partners.enrol(connection, "mtfp", by="Anne Martin", at=now, **facts)
        with pytest.raises(RefusedError):
            partners.approve(connection, key.fingerprint, by="anne  martin ", at=now)
        partners.approve(connection, key.fingerprint, by="Bruno", at=now)
        with pytest.raises(RefusedError):
            partners.approve(connection, key.fingerprint, by="BRUNO", at=now)
        with pytest.raises(RefusedError):
            partners.approve(connection, key.fingerprint, by="Br\u200buno", at=now)
        assert partners.approved(connection, "mtfp") == []


@pytest.mark.parametrize("statement", ["update", "delete", "insert"])
def test_an_event_altered_behind_the_trail_stops_everything(tmp_path: Path, statement: str) -> None:
    """A record of events with a row changed, taken out or slipped in is refused by the gate: the trail tells each event."""
    one = Gateway.create(tmp_path, "2016-03-31T09:00:00+02:00").record(PACA_SIGNED)
    one.partner("region-paca").move_to("2016-06-01T06:00:00+02:00")
    with one.workspace.database.begin() as connection:
        if statement == "update":
            connection.execute(update(convention_event).values(payload='{"on": "2016-04-30"}'))
        elif statement == "delete":
            connection.execute(delete(convention_event))
        else:
            events.record(
                connection, "paca-pe-2016", "end_recorded", {"on": "2030-12-31"}, by="x", at=one.workspace.now()
            )
    with pytest.raises(TrailError, match="not what the trail tells"):
        one.run(STUDIES, "2016", one.write(STUDIES, 20))


def test_a_file_that_says_another_id_is_refused(tmp_path: Path) -> None:
    """A convention is known by its id: a file named otherwise would give it a second history and second keys."""
    one = Gateway.create(tmp_path, "2016-03-31T09:00:00+02:00")
    text = (Path(__file__).parents[2] / "conventions" / "paca-pe-2016.yaml").read_text("utf-8")
    (one.home / "conventions" / "other.yaml").write_text(text, "utf-8")
    with pytest.raises(ConventionFileError, match="as the file is named"):
        one.workspace.convention("other")
