"""Nothing leaves without a decision: the one way to a partner's folder asks the gate, and every refusal of it is reached."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from passerelle.convention.gate import _CHECKS
from passerelle.errors import RefusedError
from passerelle.handover import approval
from passerelle.handover.deliver import complete
from passerelle.parcel import Sealer
from passerelle.store import runs
from tests.convention.test_gate import CASES
from tests.gateway import STUDIES, Gateway, studies

ENGINE = ("passerelle", "flows", "retention", "portal")
DELIVERY = "passerelle/handover/deliver.py"
# Who calls what moves a parcel, or writes that one left; deliver and recover ask the gate in the transaction before.
CALLERS = {
    "put_in_folder": {
        (DELIVERY, "complete"),
        ("passerelle/handover/replying.py", "_complete"),
    },  # verdicts: no cell of a row
    "complete": {(DELIVERY, "deliver"), ("passerelle/handover/recover.py", "_settle")},
    "arrive": {(DELIVERY, "complete"), ("passerelle/handover/recover.py", "_settle")},
    "runs.intend": {(DELIVERY, "_intend")},
    "runs.delivered": {(DELIVERY, "arrive")},
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """A delivery of studies."""
    made = studies(tmp_path_factory.mktemp("decisions"))
    made.run(STUDIES, "2019", made.write(STUDIES, 200))
    return made


def _calls(root: Path) -> dict[str, set[tuple[str, str]]]:
    """For each way out, the functions of the product that call it."""
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in CALLERS}
    files = [path for floor in ENGINE for path in sorted((root / floor).rglob("*.py"))]
    assert len(files) > 100
    for path in files:
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for call in ast.walk(function):
                    name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
                    if name in found:
                        found[name].add((path.relative_to(root).as_posix(), function.name))
    return found


def test_only_the_delivery_moves_a_parcel(root: Path) -> None:
    """In the whole product, what moves a parcel or writes that one left is called where the gate was asked, and nowhere else."""
    assert _calls(root) == CALLERS


def test_a_delivery_without_an_intent_is_refused(gateway: Gateway, tmp_path: Path) -> None:
    """Calling the delivery directly, for a parcel that no decision allowed, is refused and nothing leaves."""
    before = gateway.parcels("region-paca")
    sealer = Sealer(tmp_path / "p-nobody.tar", gateway.workspace.now())
    with pytest.raises(RefusedError, match="no decision allows this delivery"):
        complete(gateway.workspace, "p-nobody", sealer)
    assert gateway.parcels("region-paca") == before


@pytest.mark.parametrize("decision", ["block", "", "yes"])
def test_an_intent_that_no_decision_allowed_is_refused(gateway: Gateway, tmp_path: Path, decision: str) -> None:
    """An intent written by hand, whose decision is not one that allows, leaves nothing."""
    (done,) = gateway.deliveries(state="delivered")
    name = f"p-byhand-{decision or 'empty'}"
    forged = replace(done, id=name, decision=decision, state="intent", sequence=100 + len(decision), delivered_at=None)
    with gateway.workspace.database.begin() as connection:
        runs.intend(connection, forged)
    sealer = Sealer(tmp_path / f"{name}.tar", gateway.workspace.now())
    with pytest.raises(RefusedError, match="no decision allows this delivery"):
        complete(gateway.workspace, name, sealer)
    assert len(gateway.parcels("region-paca")) == 1


def test_each_delivery_has_its_two_decisions_in_the_trail(gateway: Gateway) -> None:
    """The gate was asked at the start and at the delivery, and both answers carry the hash of the convention file."""
    asked = gateway.entries("decision")
    assert [entry["stage"] for entry in asked] == ["start", "delivery"]
    accepted = {entry["convention"]: entry["convention_sha256"] for entry in gateway.entries("convention_loaded")}
    assert {entry["convention_sha256"] for entry in asked} == {accepted["paca-pe-2016"]}


def test_every_check_of_the_gate_has_a_case() -> None:
    """The cases of the gate reach as many reasons as it has checks, with those that come before and inside them; the workspace adds one."""
    reasons = {expected["reason"].partition(":")[0] for *_, expected in CASES if "reason" in expected}
    inside = {"out_of_force_at_delivery", "not_an_exchange_of_this_convention", "clock_behind_last_event"}
    same = 1  # a missing processing record is a missing precondition
    assert len(reasons - inside) == len(_CHECKS) - same
    assert approval.REASON not in reasons
