"""Measure ``passerelle contract check`` against reading the same file with pyarrow, in one run, on generated rows.

check    ``passerelle contract check training_entries FILE --json``: every rule and the key of the whole file
types    pyarrow.csv in blocks of bounded memory, column types inferred: what pyarrow does unless told otherwise
text     the same, every column as text: the least that a reader can do

All three are told the encoding, the separator and that a quoted cell may hold a line end, as the dialect declares. Each is a
process of its own, imports included, three times in turn; the medians are compared. Memory is the process's own peak.

    python benchmarks/contract_check.py [ROWS …]        default: 1000000 5000000
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
ROUNDS = 3
BAD_RATE = "0.01"
AIM = 2.5
READ = """
import sys
import pyarrow as pa
from pyarrow import csv
path, text = sys.argv[1], sys.argv[2] == "text"
with open(path, "rb") as file:
    names = file.readline().decode("cp1252").strip().split(";")
with csv.open_csv(
    path,
    csv.ReadOptions(encoding="cp1252", block_size=1 << 22),
    csv.ParseOptions(delimiter=";", newlines_in_values=True),
    csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()) if text else None),
) as reader:
    print(sum(batch.num_rows for batch in reader))
"""


@dataclass(frozen=True)
class Run:
    """One process: seconds of wall clock, seconds of processor, peak memory in MB."""

    seconds: float
    processor: float
    memory: int


def measured(command: list[str], expected: int) -> Run:
    """Run ``command`` to its end; ``expected`` is its exit status (1 for a check that finds bad rows)."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) != expected:
        raise SystemExit(f"{Path(command[0]).name} failed")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024)


def compare(rows: int, folder: Path) -> None:
    """Measure the three on one file of ``rows`` rows and print a table."""
    passerelle, source = str(BIN / "passerelle"), folder / f"{rows}.csv"
    made = [passerelle, "contract", "sample", "training_entries", "--rows", str(rows), "--bad-rate", BAD_RATE]
    subprocess.run([*made, "--out", str(source)], check=True)
    commands = {
        "check": ([passerelle, "contract", "check", "training_entries", str(source), "--json"], 1),
        "types": ([sys.executable, "-c", READ, str(source), "types"], 0),
        "text": ([sys.executable, "-c", READ, str(source), "text"], 0),
    }
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, (command, expected) in commands.items():
            runs[name].append(measured(command, expected))
    seconds = {name: statistics.median(run.seconds for run in found) for name, found in runs.items()}
    print(f"\n{rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB (cp1252, ;), 1 % bad rows, median of {ROUNDS}")
    for name, found in runs.items():
        memory = max(run.memory for run in found)
        processor = statistics.median(run.processor for run in found)
        print(
            f"  {name:<8}{seconds[name]:>8.2f} s{processor:>8.2f} s of processor{memory:>8,} MB{rows / seconds[name] / 1e3:>8,.0f} thousand rows/s"
        )
    for name in ("types", "text"):
        aim = f"(aim: at most {AIM})" if name == "types" else ""
        print(f"  check/{name:<8}{seconds['check'] / seconds[name]:>6.2f}   {aim}".rstrip())
    source.unlink()


def main() -> None:
    """Run the comparison for each number of rows given."""
    with tempfile.TemporaryDirectory(prefix="passerelle-bench-") as name:
        for rows in [int(size) for size in sys.argv[1:]] or [1_000_000, 5_000_000]:
            compare(rows, Path(name))


if __name__ == "__main__":
    main()
