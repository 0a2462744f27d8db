"""Measure the exchange against two references, in one run, on generated rows of people who do not exist.

a  the exchange: ``passerelle exchange run``, all eight steps
b  benchmarks/diy.py: what an engineer writes in an afternoon, with the same rules
c  benchmarks/floor.py: read, write and encrypt with the fastest libraries, no checks

Each is a process of its own, imports included; time is wall clock, memory the largest process of the group.

    python benchmarks/run.py [ROWS …]        default: 1000000 5000000
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
BAD_RATE = 0.01
NOW = "2017-03-01T08:00:00+01:00"
EXCHANGE = "paca-pe-2016/training-entries"
TARGETS = {"a/b": 0.10, "a/c": 2.0}


@dataclass(frozen=True)
class Run:
    """One process: seconds of wall clock, peak memory in MB."""

    seconds: float
    memory: int


def measured(command: list[str], environment: dict[str, str]) -> Run:
    """Run ``command`` to its end."""
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{Path(command[1] if len(command) > 1 else command[0]).name} failed")
    return Run(seconds, usage.ru_maxrss // 1024)


def workspace(folder: Path) -> dict[str, str]:
    """A workspace where the exchange may run; the environment that names it."""
    environment = {**os.environ, "PASSERELLE_HOME": str(folder / "workspace"), "PASSERELLE_NOW": NOW}
    environment["PASSERELLE_LANG"] = "en"
    passerelle = str(BIN / "passerelle")

    def call(*words: str) -> str:
        done = subprocess.run([passerelle, *words], env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    call("init", "--rehearsal")
    call("convention", "record", "paca-pe-2016", "signed", "--valid-on", "2016-03-31")
    call("convention", "record", "paca-pe-2016", "precondition_recorded", "--id", "processing-record", "--exchange", "training-entries")  # fmt: skip
    recipient = _recipient()
    call("partner", "add", "pole-emploi")
    call("partner", "key", "add", "pole-emploi", "--recipient", recipient[0], "--by", "one")
    for person in ("two", "three"):
        call("partner", "key", "approve", recipient[1], "--channel", "phone", "--by", person)
    return environment


def _recipient() -> tuple[str, str]:
    from passerelle.keys import Identity

    key = Identity.generate().recipient
    return key.text, key.fingerprint


def compare(rows: int, folder: Path, environment: dict[str, str]) -> None:
    """Measure the three on the same file and print a table."""
    source = folder / f"{rows}.csv"
    subprocess.run(
        [str(BIN / "passerelle"), "contract", "sample", "training_entries", "--rows", str(rows), "--bad-rate", str(BAD_RATE), "--out", str(source)],
        check=True,
    )  # fmt: skip
    out = folder / "out"
    out.mkdir(exist_ok=True)
    exchange = [str(BIN / "passerelle"), "exchange", "run", EXCHANGE, "--input", str(source), "--period", f"2017-{rows % 12 + 1:02d}"]  # fmt: skip
    commands = {
        "a  exchange": exchange,
        "c  floor": [sys.executable, str(ROOT / "benchmarks" / "floor.py"), str(source), str(out)],
        "b  diy": [sys.executable, str(ROOT / "benchmarks" / "diy.py"), str(source), str(out)],
    }
    found = {name: measured(command, environment) for name, command in commands.items()}
    print(f"\n{rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB (cp1252, ;, French dates), {BAD_RATE:.0%} bad rows")
    for name, run in sorted(found.items()):
        print(f"  {name:<14}{run.seconds:>8.1f} s{run.memory:>8,} MB{rows / run.seconds / 1e3:>10,.0f} thousand rows/s")
    a, b, c = (found[name].seconds for name in ("a  exchange", "b  diy", "c  floor"))
    for name, ratio in (("a/b", a / b), ("a/c", a / c)):
        print(f"  {name}  {ratio:6.2f}   (aim: at most {TARGETS[name]:.2f})")
    shutil.rmtree(out)
    source.unlink()


def main() -> None:
    """Run the comparison for each number of rows given."""
    sizes = [int(size) for size in sys.argv[1:]] or [1_000_000, 5_000_000]
    with tempfile.TemporaryDirectory(prefix="passerelle-bench-") as name:
        environment = workspace(Path(name))
        for rows in sizes:
            compare(rows, Path(name), environment)


if __name__ == "__main__":
    main()
