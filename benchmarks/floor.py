# ruff: noqa: E402  (the clock starts before the imports)
"""The floor: read, write and encrypt with the fastest libraries, and check nothing.

    python benchmarks/floor.py INPUT OUTDIR

INPUT is ``training_entries`` in the hub's format (cp1252, ``;``). One process parses and writes CSV (pyarrow), another encrypts
it (pyrage) as it comes: pyrage keeps the interpreter to itself while it works. Only the encrypted file is written. Prints one
JSON line: rows, seconds (imports included), peak_rss_mb (of both processes together).
"""

from __future__ import annotations

import time

_STARTED = time.perf_counter()

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv as arrow_csv

BLOCK_BYTES = 1 << 20
ENCRYPT = """
import sys, pyrage
recipient = pyrage.x25519.Identity.generate().to_public()
with open(sys.argv[1], "wb") as file:
    pyrage.encrypt_io(sys.stdin.buffer, file, [recipient])
"""


def copy(source: Path, sink: IO[bytes]) -> int:
    """Write the rows of ``source`` to ``sink`` as CSV in UTF-8, and count them."""
    with source.open(encoding="cp1252") as file:
        names = file.readline().rstrip("\r\n").split(";")
    reader = arrow_csv.open_csv(
        source,
        arrow_csv.ReadOptions(encoding="cp1252", block_size=BLOCK_BYTES),
        arrow_csv.ParseOptions(delimiter=";"),
        arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    rows = 0
    for batch in reader:
        output = pa.BufferOutputStream()
        arrow_csv.write_csv(batch, output, arrow_csv.WriteOptions(include_header=not rows))
        sink.write(output.getvalue())
        rows += batch.num_rows
    return rows


def main(source: Path, folder: Path) -> dict[str, float]:
    """Copy ``source`` into ``folder``, encrypted."""
    command = [sys.executable, "-c", ENCRYPT, str(folder / "extract.csv.age")]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as age:
        assert age.stdin is not None
        rows = copy(source, age.stdin)
        age.stdin.close()
        assert age.wait() == 0
    used = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"rows": rows, "seconds": round(time.perf_counter() - _STARTED, 2), "peak_rss_mb": sum(used) // 1024}


if __name__ == "__main__":
    print(json.dumps(main(*map(Path, sys.argv[1:]))))
