"""Values of persons, planted everywhere, are found nowhere but inside what is encrypted, however an exchange ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.canary import Finding, sweep
from tests.gateway import ENTRIES, OUTCOMES, POOLS, ROOT, Gateway, edited, rows_of, studies, trail_holds
from tests.killing import Mortals, Task

NOW = "2019-06-03T06:00:00+02:00"
ROWS = 200
KEY_OF_NIR = 97
NIR = f"2781199999123{KEY_OF_NIR - 2781199999123 % KEY_OF_NIR:02d}"
GOOD = {
    "trainee_id": "CANARI-7261",
    "nir": NIR,
    "last_name": "Quenouillard",
    "first_name": "Zéphyrine",
    "email": "zephyrine.quenouillard@example.org",
    "phone": "0639987261",
}
BAD = {
    "last_name": "Trucmuche",
    "first_name": "Héloïse-Gontrane",
    "email": "heloise.trucmuche.sans-arobase",
    "phone": "0639981",
    "nir": "278119999912400",
}
TWICE = {"last_name": "Doublonneau", "first_name": "Philéas-Anatole", "phone": "0639983333"}
LABEL = {"course_label": "Atelier de Pétronille Vadrouille 0639985151"}
HEADER, RAGGED, UNDECODABLE = "Ernestine Clapotis", "Guillemette Ragondin", "Bavolette Sansoucy"
FILE_NAME = "Fulgence Ratafia 0639984444"
CANARIES = {
    **{f"good {name}": value for name, value in GOOD.items()},
    **{f"rejected {name}": value for name, value in BAD.items()},
    **{f"repeated {name}": value for name, value in TWICE.items()},
    **{f"aggregate {name}": value for name, value in LABEL.items()},
    "header": HEADER,
    "ragged": RAGGED,
    "undecodable": UNDECODABLE,
    "file name": FILE_NAME,
}


@dataclass
class World:
    """A gateway, and every folder that a program of its user may write to."""

    gateway: Gateway
    folder: Path

    @property
    def written(self) -> list[Path]:
        return [self.folder / name for name in ("home", "temporary", "cwd", "said", "copies")] + [
            self.gateway.home,
            self.gateway.folder / "partners",
        ]

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the developer's, and every place of writing in a folder that is swept."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "temporary"),
            "PASSERELLE_HOME": str(self.gateway.home),
            "PASSERELLE_NOW": NOW,
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *command: str) -> tuple[int, str]:
        """Run a program in this world; its exit status and what it said, which is kept to be swept."""
        self.gateway.workspace.close()
        done = subprocess.run(
            [sys.executable, *command],
            env=self.environment, cwd=self.folder / "cwd", capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        for name, data in (("out", done.stdout), ("err", done.stderr)):
            with (self.folder / "said" / name).open("ab") as file:
                file.write(data)
        self.gateway = self.gateway.reopened()
        return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")

    def passerelle(self, *arguments: str) -> tuple[int, str]:
        """Run the command line."""
        return self.run("-c", "from portal.cli import main; main()", *arguments)

    def exchange(self, which: str, period: str, source: Path, *more: str) -> tuple[int, str]:
        """Run one exchange by the command line."""
        return self.passerelle("exchange", "run", which, "--input", str(source), "--period", period, *more)

    def found(self) -> list[Finding]:
        """Every canary in every byte written, once it is sure that the places where one might be are among them."""
        trail_holds(self.gateway.workspace)
        self.gateway.workspace.close()
        swept = {path.relative_to(self.folder) for root in self.written for path in root.rglob("*") if path.is_file()}
        assert {Path("gateway/workspace/passerelle.db"), Path("gateway/workspace/logs/passerelle.jsonl")} <= swept
        return sweep(self.written, CANARIES)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A gateway of 2019 whose operator receives training entries, in a world of its own."""
    for name in ("home", "temporary", "cwd", "said", "copies", "gateway/partners"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "swept").write_text("This folder was looked at.")
    return World(studies(tmp_path / "gateway"), tmp_path)


def planted(world: World, rows: int = ROWS, *, spoilt: int = 2, seed: int = 0) -> Path:
    """Training entries with persons in good rows, in ``spoilt`` rejected ones and in a repeated one."""
    path = world.gateway.write(ENTRIES, rows, seed=seed, name=f"{FILE_NAME}.csv")
    first = rows_as_written(path)[7]
    repeated = {name: first[name] for name in ("trainee_id", "session_id", "entry_date")}
    edited(path, {5: GOOD, 7: {}, rows - 1: {**TWICE, **repeated}, **{10 + n: BAD for n in range(spoilt)}})
    found = {finding.canary for finding in sweep([path], CANARIES)}
    assert {name for name in CANARIES if name.startswith(("good", "rejected", "repeated", "file"))} <= found
    return path


def rows_as_written(path: Path) -> list[dict[str, str]]:
    """A sender's rows by column."""
    return rows_of(path.read_bytes().decode("cp1252").replace(";", "\t").replace(",", " ").replace("\t", ",").encode())


def test_after_success(world: World) -> None:
    """After a delivery with rejected and repeated rows, no canary is anywhere; the parcel and the report were looked at."""
    status, said = world.exchange(ENTRIES, "2019-05", planted(world), "--json")
    assert status == 0, said
    (parcel,) = [path for path in world.gateway.parcels("pole-emploi") if path.suffix == ".tar"]
    assert world.found() == []
    assert parcel.stat().st_size > 10_000
    assert list((world.gateway.home / "reports").glob("*.html"))
    assert sorted(world.gateway.kinds()) == ["index", "parcel", "quarantine", "raw", "release"]


def test_what_was_planted_arrives_with_the_partner(world: World, tmp_path: Path) -> None:
    """The same canaries are in the extract that the partner opens, as far as the exchange lets their columns leave."""
    assert world.exchange(ENTRIES, "2019-05", planted(world))[0] == 0
    (parcel,) = [path for path in world.gateway.parcels("pole-emploi") if path.suffix == ".tar"]
    world.gateway.opened(parcel, "pole-emploi", tmp_path / "opened")
    found = {finding.canary for finding in sweep([tmp_path / "opened"], CANARIES)}
    assert found == {"good last_name", "good first_name"}


def test_after_a_refusal_by_the_contract(world: World) -> None:
    """After a file with too many faulty rows, no canary is anywhere: what was rejected is in encrypted quarantine."""
    status, said = world.exchange(ENTRIES, "2019-05", planted(world, spoilt=60))
    assert (status, "61" in said, "200" in said) == (1, True, True), said
    assert world.gateway.kinds() == ["quarantine"]
    assert world.found() == []


def _with_header(data: bytes) -> bytes:
    return data.replace(b"last_name", HEADER.encode("cp1252"), 1)


def _undecodable(data: bytes) -> bytes:
    lines = data.split(b"\r\n")
    lines[100] = lines[100].replace(b";", f";{UNDECODABLE} ".encode() + b"\x81\x8d", 2)
    return b"\r\n".join(lines)


def _ragged(data: bytes) -> bytes:
    lines = data.split(b"\r\n")
    lines[100] += f";{RAGGED}".encode()
    return b"\r\n".join(lines)


def _unclosed(data: bytes) -> bytes:
    lines = data.split(b"\r\n")
    lines[100] = lines[100].replace(b";", f';"{RAGGED}'.encode(), 1)
    return b"\r\n".join(lines)


@pytest.mark.parametrize("spoil", [_with_header, _undecodable, _ragged, _unclosed], ids=lambda spoil: spoil.__name__)
def test_after_a_refusal_at_intake(world: World, spoil: object) -> None:
    """After a file that cannot be read as declared (header, bytes, cells, quotes), no canary is anywhere and no copy is kept."""
    path = planted(world)
    before = path.read_bytes()
    path.write_bytes(spoil(before))  # type: ignore[operator]  # one of the four above
    assert path.read_bytes() != before
    status, said = world.exchange(ENTRIES, "2019-05", path)
    assert status == 1, said
    assert [run.state for run in world.gateway.runs()] == ["refused"]
    assert world.gateway.kinds() == []
    assert world.found() == []


def test_after_a_refusal_by_the_gate(world: World) -> None:
    """After a refusal by the gate, which reads nothing of the file, no canary is anywhere, its name included."""
    status, said = world.exchange(POOLS, "2019-05", planted(world))
    assert (status, "art" in said) == (1, True), said
    assert world.found() == []


def test_after_a_refusal_by_the_checks(world: World) -> None:
    """After a file that fails its checks as a whole, no canary is anywhere, the report among the files."""
    for number in range(1, 5):
        world.gateway.run(ENTRIES, f"2018-0{number}", world.gateway.write(ENTRIES, 2_000, seed=number))
    status, said = world.exchange(ENTRIES, "2019-05", planted(world, spoilt=1))
    assert (status, "volume" in said) == (1, True), said
    assert len(list((world.gateway.home / "reports").glob("*[0-9a-f].html"))) == 5
    assert world.found() == []


def test_after_a_refusal_by_disclosure_control(world: World) -> None:
    """After a table of outcomes that does not add up, no canary of its labels is anywhere."""
    path = world.gateway.write(OUTCOMES, 60, name=f"{FILE_NAME}.csv")
    small = {"entrants": "12", "leavers": "10", "employed_6_months": "6", "employment_rate": "60,0"}
    edited(path, {5: {**LABEL, **small, "territory_level": "region", "territory": "93"}})
    status, said = world.exchange(OUTCOMES, "2018", path)
    assert (status, len(world.gateway.parcels("region-paca"))) == (1, 0), said
    assert world.found() == []


def test_after_a_fault_that_nobody_foresaw(world: World) -> None:
    """After an exception full of rows, raised inside a contract, what leaves names its type and its place alone."""
    arguments = (str(world.gateway.home), NOW, ENTRIES, "2019-05", str(planted(world)), str(world.folder / "copies"))
    status, said = world.run(str(ROOT / "tests" / "handover" / "watched.py"), *arguments, "fault")
    assert status == 1
    assert "SealedError: unforeseen ValueError at watched.py" in said
    assert [run.state for run in world.gateway.runs()] == ["failed"]
    assert world.found() == []


def test_in_every_byte_that_was_ever_written(world: World) -> None:
    """No canary is in any file that was closed, removed or replaced on the way, those without a name included."""
    script = str(ROOT / "tests" / "handover" / "watched.py")
    copies = world.folder / "copies"
    for period, spoilt in (("2019-05", 2), ("2019-06", 60)):
        source = planted(world, spoilt=spoilt, seed=spoilt)
        world.run(script, str(world.gateway.home), NOW, ENTRIES, period, str(source), str(copies))
    assert {run.period: run.state for run in world.gateway.runs()} == {"2019-05": "delivered", "2019-06": "refused"}
    heads = [path.read_bytes()[:21] for path in copies.iterdir()]
    assert heads.count(b"age-encryption.org/v1") >= 4
    assert len(heads) > 20
    assert world.found() == []


@pytest.mark.slow
def test_after_each_death(world: World) -> None:
    """What a process that is killed at any step leaves on the disk has no canary, nor what finishing its work leaves."""
    source = planted(world)
    world.gateway.workspace.close()
    task = Task(str(world.gateway.home), NOW, ENTRIES, "2019-05", str(source))
    with Mortals(world.environment, world.folder / "said" / "err") as mortals:
        for step, nth in ((2, 2), (3, 1), (5, 1), (4, 1), (6, 1), (7, 1), (8, 1)):
            assert mortals.run(replace(task, step=step, nth=nth)).killed
            assert sweep(world.written, CANARIES) == []
    world.gateway = world.gateway.reopened()
    assert world.gateway.run(ENTRIES, "2019-05", source).state == "duplicate"
    assert sorted(run.state for run in world.gateway.runs()) == ["delivered", "duplicate", *["interrupted"] * 6]
    assert world.found() == []


def test_in_what_the_other_commands_say(world: World) -> None:
    """Judging a file, a wrong path, and reading what happened say no canary."""
    source = planted(world)
    assert world.passerelle("contract", "check", "training_entries", str(source), "--json")[0] == 1
    assert world.exchange(ENTRIES, "2019-05", source.with_name(f"{RAGGED}.csv"))[0] == 2
    assert world.exchange(ENTRIES, "2019-05", source.parent)[0] == 2
    assert world.exchange(ENTRIES, "2019-05", source, "--as", HEADER)[0] == 1
    assert world.exchange(f"paca-pe-2016/{HEADER}", "2019-05", source)[0] == 2
    assert world.exchange(ENTRIES, HEADER, source)[0] == 2
    assert world.exchange(ENTRIES, "2019-05", source)[0] == 0
    for command in (["exchange", "list"], ["trail", "show"], ["purge", "plan"], ["partner", "list"]):
        assert world.passerelle(*command)[0] == 0
    assert world.found() == []


@pytest.mark.slow
def test_in_what_the_flows_leave(world: World) -> None:
    """Run as Prefect flows, a delivery and a refusal leave no canary in Prefect's database, storage, logs or artifacts."""
    assert world.exchange(ENTRIES, "2019-05", planted(world), "--flow")[0] == 0
    assert world.exchange(ENTRIES, "2019-06", planted(world, spoilt=60, seed=1), "--flow")[0] == 1
    ragged = planted(world, seed=2)
    ragged.write_bytes(_ragged(ragged.read_bytes()))
    assert world.exchange(ENTRIES, "2019-07", ragged, "--flow")[0] == 1
    databases = list((world.gateway.home / "prefect").glob("*.db"))
    assert databases
    assert max(path.stat().st_size for path in databases) > 100_000
    assert world.found() == []


def test_the_sweep_would_find_them(world: World) -> None:
    """The same sweep finds every canary once one plain copy lies in the workspace."""
    shutil.copy(planted(world), world.gateway.home / "staging")
    found = {finding.canary for finding in sweep(world.written, CANARIES)}
    assert {name for name in CANARIES if name.startswith(("good", "rejected", "repeated", "file"))} <= found
