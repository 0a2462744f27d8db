"""The daily plan of a workspace: it tells each thing once, makes up for the days it missed, and refuses nobody's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows import assembly, planning
from passerelle.handover.approval import REASON
from passerelle.planning import plan
from passerelle.store import planned
from passerelle.store.planned import Planned
from tests.gateway import PACA_RECORD, PACA_SIGNED, ROOT, STUDIES, Gateway, trail_holds

CSP, GEIQ, PACA = "csp-ft-2024", "geiq-amilaura-2024", "paca-pe-2016"


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A gateway made on 1 September 2026."""
    return Gateway.create(tmp_path, "2026-09-01T06:00:00+02:00")


def tell(gateway: Gateway, instant: str) -> list[Planned]:
    """What the daily plan of that instant tells."""
    return planning.record_plan(gateway.move_to(instant).workspace, 0)


def keys(rows: list[Planned]) -> list[str]:
    return [row.key for row in rows]


def test_missed_days_are_made_up_for_once(gateway: Gateway) -> None:
    """After weeks without a plan, the next tells all that fell due since, and the one after it nothing."""
    assert tell(gateway, "2026-09-01T06:00:00+02:00") == []
    told = tell(gateway, "2026-12-01T06:00:00+01:00")
    alerts = [row.key for row in told if row.kind == "opt_out_alert"]
    assert alerts == [
        f"{CSP}/opt_out_alert/6_months/2026-09-11",
        f"{CSP}/opt_out_alert/4_months/2026-11-11",
        f"{CSP}/opt_out_alert/3_5_months/2026-11-26",
    ]
    assert tell(gateway, "2026-12-01T18:00:00+01:00") == []
    assert f"{CSP}/opt_out_safe_day/convention/2026-12-11" in keys(tell(gateway, "2026-12-11T06:00:00+01:00"))
    assert tell(gateway, "2026-12-11T06:00:00+01:00") == []
    with gateway.workspace.database.read() as connection:
        kept = planned.all_of(connection, CSP)
    assert set(alerts) <= {row.key for row in kept}
    assert all(row.body["arithmetic"]["fr"] and row.body["holidays"].startswith("holidays ") for row in kept)
    trail_holds(gateway.workspace)


def test_a_plan_every_day_tells_what_one_plan_tells(gateway: Gateway, tmp_path: Path) -> None:
    """Planning each day or once for all of them keeps the same things."""
    other = Gateway.create(tmp_path / "other", "2026-09-01T06:00:00+02:00")
    for day in range(1, 31):
        tell(gateway, f"2026-11-{day:02d}T06:00:00+01:00")
    tell(other, "2026-11-30T06:00:00+01:00")

    def kept(of: Gateway) -> set[str]:
        with of.workspace.database.read() as connection:
            return {row.key for row in planned.all_of(connection)}

    assert kept(gateway) == kept(other)
    assert len(kept(other)) > 1


def test_the_trail_tells_each_plan_that_told_something(gateway: Gateway) -> None:
    """The trail has one entry for each plan with something new, with the counts of each kind and no other word."""
    tell(gateway, "2026-09-10T06:00:00+02:00")
    assert gateway.entries("plan_made") == []
    tell(gateway, "2026-09-11T06:00:00+02:00")
    assert gateway.entries("plan_made") == [
        {"through": "2026-09-11", "planned": 1, "orders": 0, "by_kind": {"opt_out_alert": 1}}
    ]


def test_what_comes_late_is_told_late(gateway: Gateway) -> None:
    """An event recorded after its delay had run out is planned from the day on which the gateway was made."""
    tell(gateway, "2026-10-01T06:00:00+02:00")
    gateway.record((CSP, "rights_request", {"received_on": "2026-09-02", "id": "r-1"}))
    told = [row for row in tell(gateway, "2026-10-12T06:00:00+02:00") if row.kind in ("rights", "reminder")]
    assert [(row.kind, row.due, row.state) for row in told if row.subject is None] == [
        ("reminder", "2026-09-25", "note"),
        ("rights", "2026-10-02", "late"),
    ]


def test_files_in_the_inbox_are_ordered_as_before(tmp_path: Path) -> None:
    """The daily plan places one order for each file that waits, with the day's idempotency key, and counts it in the trail."""
    gateway = Gateway.create(tmp_path, "2019-06-03T06:00:00+02:00").record(PACA_SIGNED, PACA_RECORD)
    inbox = gateway.home / "inbox" / PACA / "studies" / "2019"
    inbox.mkdir(parents=True)
    (inbox / "studies.csv").write_bytes(gateway.write(STUDIES, 50).read_bytes())
    gateway.workspace.close()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PASSERELLE_NOW", "2019-06-03T06:00:00+02:00")
        orders: list[dict[str, Any]] = [assembly.daily_plan(str(gateway.home)) for _ in range(2)][-1]
    (order,) = orders
    assert (order["convention"], order["exchange"], order["period"]) == (PACA, "studies", "2019")
    assert order["idempotency_key"] == f"2019-06-03.{order['order_id']}"
    made = gateway.reopened().entries("plan_made")
    assert {entry["orders"] for entry in made} == {1}


def test_an_unapproved_change_plans_nothing(gateway: Gateway) -> None:
    """Nothing is planned of a convention whose file changed, and the watchdog says so, until two people approved it."""
    text = (ROOT / "conventions" / f"{CSP}.yaml").read_text("utf-8")
    (gateway.home / "conventions" / f"{CSP}.yaml").write_text(text + "# changed\n", "utf-8")
    changed = gateway.reopened()
    assert [row for row in tell(changed, "2026-09-11T06:00:00+02:00") if row.convention == CSP] == []
    with changed.workspace.database.read() as connection:
        assert planning.not_approved(changed.workspace, connection) == [CSP]
        assert {"code": REASON, "convention": CSP} in planning.overdue(changed.workspace, connection)


def watched(gateway: Gateway) -> list[tuple[str, str | None, str | None]]:
    with gateway.workspace.database.read() as connection:
        found = planning.overdue(gateway.workspace, connection)
    return [(one["code"], one.get("obligation", one.get("exchange")), one.get("due")) for one in found]


def test_the_watchdog_says_what_is_overdue(gateway: Gateway) -> None:
    """What fell due since the gateway was made, under a text in force, is overdue until its evidence is recorded."""
    assert watched(gateway) == []
    gateway.move_to("2027-01-02T06:00:00+01:00")
    assert watched(gateway) == [("obligation_overdue", "clep", "2026-12-31")]
    for day in ("2026-10-01", "2026-12-15"):
        gateway.record((CSP, "meeting_held", {"id": "clep", "on": day}))
    assert watched(gateway) == []


def test_the_watchdog_reports_overdue_obligations(gateway: Gateway) -> None:
    """``watch`` gives the overdue obligations beside its other alerts."""
    gateway.move_to("2027-01-02T06:00:00+01:00").workspace.close()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PASSERELLE_NOW", "2027-01-02T06:00:00+01:00")
        found = assembly.watch(str(gateway.home))
    assert [one["obligation"] for one in found if one["code"] == "obligation_overdue"] == ["clep"]


def test_an_exchange_that_may_run_and_did_not_is_overdue(tmp_path: Path) -> None:
    """A month without its delivery is overdue while the gate would let it pass, and not once the convention has ended."""
    gateway = Gateway.create(tmp_path, "2025-03-01T06:00:00+01:00").move_to("2025-04-02T06:00:00+02:00")
    overdue = [one for one in watched(gateway) if one[0] == "exchange_overdue"]
    assert overdue == [("exchange_overdue", "recruitment-needs", "2025-03-31")]
    assert [one for one in watched(gateway.move_to("2025-12-01T06:00:00+01:00")) if one[1] == "recruitment-needs"] == []


def test_evidence_carries_the_hash_of_its_document(gateway: Gateway) -> None:
    """The register shows the hash under which the document was recorded."""
    from passerelle.handover.recording import record_event
    from passerelle.planning import register

    record_event(gateway.workspace, CSP, "meeting_held", {"id": "clep", "on": "2026-03-01"}, by="test", evidence_sha256="cd" * 32)  # fmt: skip
    with gateway.workspace.database.read() as connection:
        what = planning.known(gateway.workspace, connection, CSP)
    found = [one for entry in register(what, gateway.workspace.now()) if entry.id == "clep" for one in entry.evidence]
    assert [one.sha256 for one in found] == ["cd" * 32]


def test_deliveries_and_purges_are_known(tmp_path: Path) -> None:
    """What was delivered is done in the plan, and a purge with nothing delivered since is the end of it."""
    from retention.purge import purge

    gateway = Gateway.create(tmp_path, "2019-12-02T06:00:00+01:00").record(PACA_SIGNED).partner("region-paca")
    gateway.run(STUDIES, "2019", gateway.write(STUDIES, 200))
    gateway.move_to("2020-02-28T06:00:00+01:00")

    def state() -> tuple[int, list[str]]:
        with gateway.workspace.database.read() as connection:
            what = planning.known(gateway.workspace, connection, PACA)
        now = gateway.workspace.now()
        items = plan(what, now.date(), now.date().replace(month=3), now)
        return len(what.deliveries), [one.state for one in items if one.kind == "destruction"]

    assert state() == (1, ["due"])
    purge(gateway.workspace, PACA)
    assert state() == (1, ["done"])
