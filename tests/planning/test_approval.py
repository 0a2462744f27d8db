"""A changed convention file is refused until two people approved it."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.convention import Decision
from passerelle.errors import GateRefusedError, RefusedError
from passerelle.handover.approval import REASON, approve, standing
from passerelle.handover.decide import ask
from tests.gateway import ROOT, STUDIES, Gateway, studies, trail_holds

PACA = "paca-pe-2016"
END = "last_day: 2019-12-31"


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """The convention of 2016 in force in 2019, its Region ready to receive."""
    return studies(tmp_path)


def decision(gateway: Gateway) -> Decision:
    """What the gate says to studies for the Region."""
    with gateway.workspace.database.begin() as connection:
        parties = ("pole-emploi", ("region-paca",))
        return ask(
            gateway.workspace, connection, "studies", convention=PACA, period="2019", parties=parties, stage="start"
        )


def lay(gateway: Gateway, last_day: str) -> Gateway:
    """Lay the convention with another end in the workspace, and open the gateway anew."""
    text = (ROOT / "conventions" / f"{PACA}.yaml").read_text("utf-8")
    assert text.count(END) == 1
    (gateway.home / "conventions" / f"{PACA}.yaml").write_text(text.replace(END, f"last_day: {last_day}"), "utf-8")
    return gateway.reopened()


def test_the_shipped_files_are_accepted_at_creation(gateway: Gateway) -> None:
    """A new workspace goes by the five files that the gateway ships, and its trail tells their hashes."""
    told = gateway.entries("convention_loaded")
    ids = [entry["convention"] for entry in told]
    assert ids == sorted(path.stem for path in (ROOT / "conventions").glob("*.yaml"))
    with gateway.workspace.database.read() as connection:
        for entry in told:
            found = standing(gateway.workspace, connection, entry["convention"])
            assert found.stands
            assert found.sha256 == entry["convention_sha256"]


def test_another_end_on_disk_is_refused_until_two_people_approved_it(gateway: Gateway) -> None:
    """The end date changed on disk: refused with its reason; after two approvals of two people it runs."""
    assert decision(gateway).allowed
    changed = lay(gateway, "2020-12-31")
    refusal = decision(changed)
    assert (refusal.outcome, refusal.reason, refusal.who_decides) == ("block", REASON, "operator")
    assert refusal.arithmetic.fr and PACA in refusal.arithmetic.en  # noqa: PT018 - one sentence in two languages
    source = changed.write(STUDIES, 200)
    with pytest.raises(GateRefusedError) as refused:
        changed.run(STUDIES, "2019", source)
    assert refused.value.reason == REASON
    assert "convention approve" in (refused.value.hint or "")
    assert not approve(changed.workspace, PACA, by="first").stands
    assert decision(changed).reason == REASON
    assert approve(changed.workspace, PACA, by="second").stands
    assert changed.run(STUDIES, "2019", source).state == "delivered"
    hashes = {entry["convention_sha256"] for entry in changed.entries("decision") if entry["outcome"] != "block"}
    assert hashes == {decision(gateway).convention_sha256, decision(changed).convention_sha256}
    assert [entry["approvals"] for entry in changed.entries("convention_approved")] == [1, 2]
    trail_holds(changed.workspace)


def test_one_person_approves_once(gateway: Gateway) -> None:
    """The same person cannot approve twice, and an accepted file needs no approval."""
    with pytest.raises(RefusedError, match="nothing is to be approved"):
        approve(gateway.workspace, PACA, by="first")
    changed = lay(gateway, "2020-12-31")
    approve(changed.workspace, PACA, by="first")
    with pytest.raises(RefusedError, match="approved the change already"):
        approve(changed.workspace, PACA, by="first")
    assert decision(changed).reason == REASON


def test_going_back_is_a_change_too(gateway: Gateway) -> None:
    """Once another file is accepted, the one before it is refused, and its two approvals are asked anew."""
    for _ in range(2):
        changed = lay(gateway, "2020-12-31")
        for person in ("first", "second"):
            approve(changed.workspace, PACA, by=person)
        assert decision(changed).allowed
        back = lay(changed, "2019-12-31")
        assert decision(back).reason == REASON
        for person in ("first", "second"):
            approve(back.workspace, PACA, by=person)
        assert decision(back).allowed
        gateway = back


def test_an_approval_is_of_one_file(gateway: Gateway) -> None:
    """Two people who approve two different files have approved neither."""
    approve(lay(gateway, "2020-12-31").workspace, PACA, by="first")
    other = lay(gateway, "2021-12-31")
    approve(other.workspace, PACA, by="second")
    assert decision(other).reason == REASON


def test_a_file_of_ones_own_is_accepted_at_its_first_use(gateway: Gateway) -> None:
    """A convention laid in the workspace is told in the trail at its first use, and refused once it changes."""
    path = gateway.home / "conventions" / "own.yaml"
    text = (ROOT / "conventions" / f"{PACA}.yaml").read_text("utf-8").replace(f"\nid: {PACA}\n", "\nid: own\n")
    path.write_text(text, "utf-8")
    gateway.record(("own", "signed", {"on": "2016-03-31"}))

    def outcome(of: Gateway) -> str | None:
        with of.workspace.database.begin() as connection:
            parties = ("pole-emploi", ("region-paca",))
            return ask(
                of.workspace, connection, "studies", convention="own", period="2019", parties=parties, stage="start"
            ).reason

    assert [outcome(gateway), outcome(gateway)] == [None, None]
    assert [entry["convention"] for entry in gateway.entries("convention_loaded")].count("own") == 1
    path.write_text(text + "# a comment is a change\n", "utf-8")
    assert outcome(gateway.reopened()) == REASON


INSTANCE = """\
format: passerelle-convention/1
id: oce-exemple
template: oce-ge-charter
party: {id: exemple-sa, name: Exemple SA}
signed_on: 2016-04-01
"""


def test_a_changed_template_stops_its_instances(gateway: Gateway) -> None:
    """An instance is refused while its template's change is not approved, and runs again after two approvals of that."""
    (gateway.home / "conventions" / "oce-exemple.yaml").write_text(INSTANCE, "utf-8")
    made = gateway.reopened()

    def outcome(of: Gateway) -> tuple[str, str | None]:
        with of.workspace.database.begin() as connection:
            said = ask(
                of.workspace, connection, "periodic-review", convention="oce-exemple", period="2019",
                parties=("oce", ("exemple-sa",)), stage="start",
            )  # fmt: skip
        return said.outcome, said.reason

    assert outcome(made) == ("allow", None)
    template = (ROOT / "conventions" / "oce-ge-charter.yaml").read_text("utf-8")
    (gateway.home / "conventions" / "oce-ge-charter.yaml").write_text(template + "# changed\n", "utf-8")
    changed = made.reopened()
    assert outcome(changed) == ("block", REASON)
    for person in ("first", "second"):
        approve(changed.workspace, "oce-ge-charter", by=person)
    assert outcome(changed) == ("allow", None)
    trail_holds(changed.workspace)
