"""The real files, in the dialects that the contracts declare: as many rows as they have."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.registry import contract
from passerelle.intake import open_source


@pytest.mark.parametrize(
    ("dataset", "name", "dialect", "rows"),
    [
        ("studies_bmo", "bmo_2023.xlsx", "bmo-2023", 50_437),
        ("job_offers", "pep_vers_pe_2021-03-03.csv", "pep-2021-03-03", 397),
        ("job_offers", "pep_vers_pe_2021-04-16.csv", "pep-2021-04-16", 596),
        ("training_entries", "stagiaires_pe_format.csv", "pole-emploi", 5),
        ("training_entries", "stagiaires_region_idf_format.csv", "region-idf", 5),
    ],
)
def test_rows_of_the_real_files(shared: Path, dataset: str, name: str, dialect: str, rows: int) -> None:
    """Each file is recognised, read whole in both passes, and hashed as it is."""
    path = shared / "data" / name
    with open_source(path, contract(dataset).dialects) as source:
        assert source.dialect.id == dialect
        assert sum(batch.rows.num_rows for batch in source.digest_pass([])) == rows
        assert sum(batch.rows.num_rows for batch in source.batches()) == rows
        assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_secrecy_marks_of_the_bmo_survey(shared: Path) -> None:
    """The marks of statistical secrecy are as many as were counted by hand, and numbers have no decimals."""
    marks = dict.fromkeys(("met", "xmet", "smet"), 0)
    basins: set[str] = set()
    with open_source(shared / "data" / "bmo_2023.xlsx", contract("studies_bmo").dialects) as source:
        headers = {header: target for header, target in source.dialect.columns.items() if target}
        for batch in source.batches():
            for header in marks:
                marks[header] += batch.rows[headers[header]].to_pylist().count("*")
            basins.update(batch.rows[headers["BE23"]].to_pylist())
    assert marks == {"met": 9_196, "xmet": 17_304, "smet": 36_388}
    assert "101" in basins
    assert all(basin.isdigit() for basin in basins)


SCRIPT = """
import resource, sys
from pathlib import Path
from passerelle.intake import open_source
from passerelle.contract import Dialect
names = [f"c{i}" for i in range(14)]
form = Dialect("d", "s", {name: name for name in names}, encoding="cp1252")
with open_source(Path(sys.argv[1]), [form]) as source:
    for batch in source.digest_pass(["c0"]): pass
    for batch in source.batches(): pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Reading five times the rows takes the same memory."""
    header = ";".join(f"c{i}" for i in range(14)).encode() + b"\n"
    rows = b"".join(b"%09d;Libell\xe9 de formation;" % i + b";".join([b"valeur"] * 12) + b"\n" for i in range(200_000))
    peaks = []
    for times in (2, 10):
        path = tmp_path / str(times)
        with path.open("wb") as file:
            file.write(header)
            for _ in range(times):
                file.write(rows)
        done = subprocess.run([sys.executable, "-c", SCRIPT, path], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
        path.unlink()
    assert peaks[1] < peaks[0] * 1.25 + 20
