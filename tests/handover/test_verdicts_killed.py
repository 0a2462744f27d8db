"""Killed with SIGKILL while the sender is told: after the next run there is one parcel of verdicts, one report, one trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.errors import ContractError
from tests.gateway import POOLS, STUDIES, Gateway, assert_no_orphans, pools, studies, trail_holds
from tests.killing import Mortals, Task

pytestmark = pytest.mark.slow


class Stage:
    """A file about to be judged whose sender has a key, put back as it was before each death."""

    def __init__(self, gateway: Gateway, which: str, period: str, sender: str, saved: Path) -> None:
        self.gateway, self.which, self.period, self.sender = gateway, which, period, sender
        self.instant = gateway.workspace.now().isoformat()
        self.source = gateway.write(which, 100, bad_rate=0.02)
        self.saved = gateway.saved(saved)

    def die(self, mortals: Mortals, **when: object) -> bool:
        """Run the exchange until it dies; whether it did."""
        self.gateway = self.gateway.restored(self.saved)
        self.gateway.workspace.close()
        task = Task(str(self.gateway.home), self.instant, self.which, self.period, str(self.source), **when)  # type: ignore[arg-type]  # the places to die, by name
        killed = mortals.run(task).killed
        self.gateway = self.gateway.reopened()
        return killed

    def run(self) -> None:
        """Run the exchange, whatever comes of it."""
        try:
            self.gateway.run(self.which, self.period, self.source)
        except ContractError:
            assert self.which == STUDIES

    def expect_told_once(self) -> None:
        """Run again, twice: one parcel of verdicts, in the trail once, on the register, and nothing left lying about."""
        for _ in range(2):
            self.run()
        (parcel,) = (path for path in self.gateway.parcels(self.sender) if path.name.startswith("v-"))
        (returned,) = self.gateway.entries("verdicts_returned")
        assert f"{returned['parcel']}.tar" == parcel.name
        (copy,) = self.gateway.present(kind="verdicts")
        assert copy.run == returned["run"]
        assert list((self.gateway.home / "reports").glob(f"*.{copy.run}.report.json"))
        assert self.gateway.runs(state="running") == []
        assert_no_orphans(self.gateway)
        trail_holds(self.gateway.workspace)


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A pool of candidates that goes on but for two rows."""
    folder = tmp_path_factory.mktemp("accepted")
    return Stage(
        pools(folder / "gateway").partner("france-travail"), POOLS, "2025-05", "france-travail", folder / "saved"
    )


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A file of studies that is refused for two rows."""
    folder = tmp_path_factory.mktemp("refused")
    return Stage(studies(folder / "gateway"), STUDIES, "2019", "pole-emploi", folder / "saved")


@pytest.mark.parametrize(
    ("function", "when"), [("tell_sender", "call"), ("_complete", "call"), ("_arrive", "call"), ("_remember", "call")]
)
def test_killed_while_the_sender_of_an_accepted_file_is_told(
    mortals: Mortals, accepted: Stage, function: str, when: str
) -> None:
    """Killed as a part of the reply begins or ends, after the parcel has left, the sender is told once."""
    assert accepted.die(mortals, function=function, when=when)
    accepted.expect_told_once()


@pytest.mark.parametrize(
    ("function", "when"),
    [("keep_draft", "return"), ("tell_sender", "call"), ("_complete", "return"), ("tell_sender", "return")],
)
def test_killed_while_the_sender_of_a_refused_file_is_told(
    mortals: Mortals, refused: Stage, function: str, when: str
) -> None:
    """Killed as a part of the reply begins or ends, the sender of a refused file is told once."""
    assert refused.die(mortals, function=function, when=when)
    refused.expect_told_once()


def test_killed_before_any_change_of_the_disk(mortals: Mortals, refused: Stage) -> None:
    """Killed before any change of the disk or after any commit, the sender of a refused file is told once."""
    point = 1
    told = 0
    while refused.die(mortals, change=point):
        told += bool(refused.gateway.entries("verdicts_intent"))
        refused.expect_told_once()
        point += 4 if told else 12
    assert point > 24
    assert told > 1


def test_a_parcel_taken_at_once_is_not_handed_back_again(mortals: Mortals, refused: Stage) -> None:
    """A parcel that its sender took before the outcome was written counts as returned and is not made a second time."""
    assert refused.die(mortals, function="_arrive", when="call")
    (parcel,) = refused.gateway.parcels("pole-emploi")
    parcel.unlink()
    refused.run()
    assert refused.gateway.parcels("pole-emploi") == []
    assert len(refused.gateway.entries("verdicts_returned")) == 1
    trail_holds(refused.gateway.workspace)


def test_verdicts_that_were_cut_are_made_anew(mortals: Mortals, refused: Stage) -> None:
    """An intent whose sealed bytes are no longer whole is given up, told, and its number goes to the next."""
    assert refused.die(mortals, function="_complete", when="call")
    (staged,) = (refused.gateway.home / "staging").glob("v-*.part")
    staged.write_bytes(staged.read_bytes()[:-1])
    refused.run()
    assert [entry["reason"] for entry in refused.gateway.entries("verdicts_abandoned")] == ["verdicts_not_whole"]
    assert [entry["sequence"] for entry in refused.gateway.entries("verdicts_intent")] == [1, 1]
    assert len(refused.gateway.parcels("pole-emploi")) == 1
    assert_no_orphans(refused.gateway)
