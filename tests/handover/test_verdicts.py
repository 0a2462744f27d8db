"""The sender of a file is told what became of it: a report for each run, and its verdicts row by row, sealed to its key."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.contract import Batch, Failure, Judgement
from passerelle.errors import ContractError, IntakeError
from passerelle.handover.evidence import trust_from
from passerelle.handover.verdicts import COLUMNS, verdicts_on
from passerelle.minimise import CsvSink
from passerelle.parcel import verify
from passerelle.report import Report
from passerelle.store import replies
from tests.canary import sweep
from tests.gateway import (
    POOLS,
    STUDIES,
    Gateway,
    assert_no_orphans,
    edited,
    pools,
    rows_of,
    shell,
    studies,
    trail_holds,
)

PERIOD = "2025-05"
SENDER = "france-travail"
ROWS = 500
CANARIES = {"name": "Zwyndlesqueque", "email": "zwyndlesqueque@example.org"}
COMMANDS = re.compile(r"^    ((?:ssh-keygen|age|sha256sum) .*)$", re.MULTILINE)


def report_of(gateway: Gateway, run: str | None = None) -> Report:
    """The report on a run; on the only one, when none is named."""
    (path,) = (gateway.home / "reports").glob(f"*.{run or '*'}.report.json")
    assert path.with_suffix(".html").exists()
    return Report.model_validate_json(path.read_bytes())


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """A pool of candidates delivered, two of its faulty rows holding canaries, its sender with a key."""
    gateway = pools(tmp_path_factory.mktemp("accepted")).partner(SENDER)
    source = gateway.write(POOLS, ROWS, bad_rate=0.02)
    edited(
        source, {3: {"last_name": CANARIES["name"]}, 49: {"last_name": CANARIES["name"], "email": CANARIES["email"]}}
    )
    gateway.run(POOLS, PERIOD, source)
    return gateway


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """A file of studies that was refused for two of its rows, its sender with a key."""
    gateway = studies(tmp_path_factory.mktemp("refused"))
    with pytest.raises(ContractError, match="2 of 200"):
        gateway.run(STUDIES, "2019", gateway.write(STUDIES, 200, bad_rate=0.01))
    return gateway


def test_each_row_has_its_verdict(accepted: Gateway, tmp_path: Path) -> None:
    """The sender opens one line a row: its number, accepted or rejected, and the rules that the report counts."""
    (parcel,) = accepted.parcels(SENDER)
    rows = rows_of(accepted.opened(parcel, SENDER, tmp_path))
    assert [int(row["row"]) for row in rows] == list(range(1, ROWS + 1))
    assert Counter(row["verdict"] for row in rows) == {"accepted": ROWS - 10, "rejected": 10}
    assert all((row["verdict"] == "rejected") == bool(row["rules"]) for row in rows)
    broken = Counter(rule for row in rows for rule in row["rules"].split())
    assert broken == {f"{rule.column}:{rule.rule}": rule.count for rule in report_of(accepted).rules}
    assert len(broken) == 10


def test_the_report_says_what_was_expected(accepted: Gateway) -> None:
    """By rule and column: how many rows, the first of them, and the contract's own words; with dialect, repairs and lists."""
    report = report_of(accepted)
    assert (report.outcome.state, report.sender, report.period) == ("delivered", SENDER, PERIOD)
    assert report.counts is not None
    assert (report.counts.read, report.counts.accepted, report.counts.rejected) == (ROWS, ROWS - 10, 10)
    (date,) = [rule for rule in report.rules if rule.rule == "date"]
    assert (date.count, date.first_rows, date.column) == (1, (250,), "birth_date")
    assert "JJ/MM/AAAA" in date.expected.fr
    assert not [rule for rule in report.rules if rule.expected.en.startswith("rule ")]
    assert report.dialect is not None
    assert report.code_lists
    assert report.verdicts.parcel == verify_id(accepted)


def verify_id(gateway: Gateway) -> str:
    """The id of the one parcel that the sender has, once verified as the sender would."""
    (parcel,) = gateway.parcels(SENDER)
    return verify(parcel, trust_from(gateway.home / "trust", SENDER)).parcel.manifest.name


def test_the_trail_tells_of_the_verdicts(accepted: Gateway) -> None:
    """Intent and return are in the trail with run, recipient, counts and hash, and the parcel is a registered copy."""
    (intent,), (returned,) = accepted.entries("verdicts_intent"), accepted.entries("verdicts_returned")
    assert returned["recipient"] == SENDER
    assert returned["counts"] == {"read": ROWS, "accepted": ROWS - 10, "rejected": 10}
    assert returned["manifest_sha256"] == intent["manifest_sha256"]
    (copy,) = accepted.present(kind="verdicts")
    assert (copy.personal, copy.ours, Path(copy.location).name) == (True, False, f"{verify_id(accepted)}.tar")
    assert_no_orphans(accepted)
    trail_holds(accepted.workspace)


def test_no_value_is_in_report_or_verdicts(accepted: Gateway, tmp_path: Path) -> None:
    """No canary of the file is in the parcel, in what the sender opens, or in the workspace's reports."""
    (parcel,) = accepted.parcels(SENDER)
    accepted.opened(parcel, SENDER, tmp_path / "opened")
    shell(f"tar -xf {parcel}", tmp_path)
    assert sweep([tmp_path, accepted.home / "reports", accepted.home / "logs"], CANARIES) == []
    assert sweep([accepted.folder / "sent"], CANARIES) != []


def test_stock_tools_open_the_verdicts(accepted: Gateway, tmp_path: Path) -> None:
    """The notice's own commands verify the signature with ssh-keygen and open the verdicts with age."""
    (parcel,) = accepted.parcels(SENDER)
    shell(f"tar -xf {parcel}", tmp_path)
    (tmp_path / "allowed_signers").write_bytes((accepted.home / "trust" / "allowed_signers").read_bytes())
    (tmp_path / "ma-cle.txt").write_text(accepted.identities[SENDER].secret + "\n")
    said = [shell(line, tmp_path) for line in COMMANDS.findall((tmp_path / "LISEZMOI.txt").read_text("utf-8"))]
    assert said[0].startswith('Good "passerelle-manifest" signature for passerelle')
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert said[-1].split()[0] == manifest["resources"][0]["hash"].removeprefix("sha256:")
    assert (tmp_path / "verdicts.csv").read_bytes().startswith(b"row,verdict,rules\r\n1,accepted,\r\n")
    assert json.loads((tmp_path / "report.json").read_bytes())["format"] == "passerelle-report/1"


def test_a_refused_file_has_its_report_and_verdicts(refused: Gateway, tmp_path: Path) -> None:
    """A file of which nothing went on is told of row by row all the same, and why, and what to do."""
    report = report_of(refused)
    assert (report.outcome.state, report.outcome.error) == ("refused", "ContractError")
    assert report.outcome.message is not None
    assert report.outcome.hint is not None
    (parcel,) = refused.parcels("pole-emploi")
    rows = rows_of(refused.opened(parcel, "pole-emploi", tmp_path))
    assert [row["row"] for row in rows if row["verdict"] == "rejected"] == ["100", "200"]
    assert refused.parcels("region-paca") == []


def test_the_same_end_is_told_once(tmp_path: Path) -> None:
    """The same file, refused again, has a report that says so, and no second parcel."""
    gateway = studies(tmp_path)
    source = gateway.write(STUDIES, 200, bad_rate=0.01)
    for _ in range(2):
        with pytest.raises(ContractError):
            gateway.run(STUDIES, "2019", source)
    assert len(gateway.parcels("pole-emploi")) == len(gateway.entries("verdicts_returned")) == 1
    reasons = [report_of(gateway, run.id).verdicts.reason for run in gateway.runs()]
    assert sorted(map(str, reasons)) == ["None", "returned_before"]
    assert_no_orphans(gateway)


def test_a_sender_without_a_key_is_told_how_to_have_one(tmp_path: Path) -> None:
    """Without an approved key nothing is sealed; the report says so, and what to send; no verdict is kept anywhere."""
    gateway = pools(tmp_path)
    gateway.run(POOLS, PERIOD, gateway.write(POOLS, 100, bad_rate=0.02))
    note = report_of(gateway).verdicts
    assert (note.state, note.reason) == ("none", "no_approved_key")
    assert note.hint is not None
    assert "age1" in note.hint.fr
    assert (gateway.entries("verdicts_intent"), gateway.present(kind="verdicts")) == ([], [])


def test_a_file_that_cannot_be_read_has_a_report(tmp_path: Path) -> None:
    """A file refused before its rows are judged has a report without counts, and no verdicts."""
    gateway = studies(tmp_path)
    source = tmp_path / "sent.csv"
    source.write_bytes(b"nothing;of;this\r\n1;2;3\r\n")
    with pytest.raises(IntakeError):
        gateway.run(STUDIES, "2019", source)
    report = report_of(gateway)
    assert (report.counts, report.dialect, report.rules) == (None, None, ())
    assert (report.outcome.error, report.verdicts.reason) == ("IntakeError", "rows_not_judged")
    assert gateway.parcels("pole-emploi") == []


def test_a_folder_that_takes_nothing_keeps_the_run_open(tmp_path: Path) -> None:
    """When the sender's folder cannot be written, the run stays open, and the next one hands the verdicts over, once."""
    gateway = studies(tmp_path)
    source = gateway.write(STUDIES, 200, bad_rate=0.01)
    folder = tmp_path / "partners" / "pole-emploi"
    folder.parent.mkdir(exist_ok=True)
    folder.write_bytes(b"a file where a folder should be")
    with pytest.raises(ContractError):
        gateway.run(STUDIES, "2019", source)
    assert [run.state for run in gateway.runs()] == ["running"]
    folder.unlink()
    with pytest.raises(ContractError):
        gateway.run(STUDIES, "2019", source)
    assert len(gateway.parcels("pole-emploi")) == len(gateway.entries("verdicts_returned")) == 1
    assert gateway.runs(state="running") == []
    trail_holds(gateway.workspace)


def test_a_purge_takes_what_the_replies_said(accepted: Gateway) -> None:
    """What the tables kept of a reply goes with its convention; ids and hashes stay."""
    run = accepted.runs()[0].id
    with accepted.workspace.database.begin() as connection:
        before = replies.of_run(connection, run)
        replies.clear(connection, "csp-ft-2024")
        after = replies.of_run(connection, run)
        connection.rollback()
    assert before is not None
    assert after is not None
    assert (after.draft, after.manifest, after.texts) == ({}, None, None)
    assert after.manifest_sha256 == before.manifest_sha256


@st.composite
def judged(draw: st.DrawFn) -> tuple[Batch, Judgement, dict[int, set[str]]]:
    """A batch, its judgement, and by row number the rules that it broke."""
    rows, first = draw(st.integers(1, 30)), draw(st.integers(1, 10**12))
    ids = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
    failures, expected = [], dict[int, set[str]]()
    for column, rule in draw(st.lists(st.tuples(ids, ids), max_size=6)):
        places = sorted(draw(st.sets(st.integers(0, rows - 1), min_size=1)))
        failures.append(Failure(rule, column, np.array(places, np.int64)))
        for place in places:
            expected.setdefault(first + place, set()).add(f"{column}:{rule}")
    rejected = np.array(sorted(number - first for number in expected), np.int64)
    table = pa.table({"a": [str(number) for number in range(rows)]})
    kept = np.setdiff1d(np.arange(rows, dtype=np.int64), rejected)
    return Batch(table, first), Judgement(table.take(pa.array(kept)), kept, rejected, tuple(failures)), expected


@settings(max_examples=60)
@given(judged())
def test_verdicts_read_back(case: tuple[Batch, Judgement, dict[int, set[str]]]) -> None:
    """Read by any CSV reader, the file gives back every row number and exactly the rules that the row broke, sorted."""
    batch, judgement, expected = case
    written = io.BytesIO()
    CsvSink(written.write, [column.name for column in COLUMNS]).write(verdicts_on(batch, judgement))
    rows = list(csv.DictReader(io.StringIO(written.getvalue().decode(), newline="")))
    assert [int(row["row"]) for row in rows] == list(range(batch.first_row, batch.first_row + batch.rows.num_rows))
    for row in rows:
        rules = row["rules"].split(" ") if row["rules"] else []
        assert rules == sorted(expected.get(int(row["row"]), set()))
        assert row["verdict"] == ("rejected" if rules else "accepted")
