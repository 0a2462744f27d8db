"""``contract check``: one pass over the file, with the answer that an exchange would give."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contracts.base import DataContract
from contracts.reading import read
from contracts.registry import contract
from contracts.rules import BETWEEN, Identifier, Length, OneOf, Pattern, Rule
from contracts.samples import sample
from passerelle.contract import Batch, Column, Dialect, Kind
from passerelle.errors import OurWayError
from passerelle.handover.check import check_file
from passerelle.handover.repeats import find_repeats, reject_repeats
from passerelle.handover.tally import Tally
from passerelle.intake import open_source
from tests.contracts.making import DAY, sampled


def _as_an_exchange_does(path: Path, judging: DataContract, folder: Path) -> dict[str, Any]:
    tally = Tally()
    read = rejected = 0
    with open_source(path, judging.dialects, batch_bytes=1 << 20) as source:
        repeats = find_repeats(source, judging, folder)
        for batch in source.batches():
            judgement = reject_repeats(judging.judge(batch, source.dialect, DAY), batch, repeats)
            tally.add(judgement.failures, batch.first_row)
            read += batch.rows.num_rows
            rejected += len(judgement.rejected_rows)
    return {"read": read, "rejected": rejected, "by_rule": tally.by_rule()}


def test_one_pass_gives_what_two_give(tmp_path: Path) -> None:
    """Counts, rules and first rows are those of an exchange, in a file of several batches where keys repeat across them."""
    path = tmp_path / "sent.csv"
    header, body = sample("training_entries", 60_000, 0.02)
    path.write_bytes(header + body + body[: body.rindex(b"\r\n", 0, 1 << 20) + 2])
    judging = contract("training_entries")
    found = check_file(path, judging, DAY)
    expected = _as_an_exchange_does(path, judging, tmp_path)
    assert {name: found[name] for name in expected} == expected
    [unique] = [one for one in found["by_rule"] if one["rule"] == "unique"]
    assert unique["column"] == "trainee_id+session_id+entry_date"
    assert unique["count"] > 5_000
    assert unique["first_rows"][0] > 60_000


def _file(path: Path, judging: DataContract, *rows: Mapping[str, str]) -> Path:
    """Good rows of the hub's format, with ``rows`` written over them."""
    good = sampled(judging.reference, len(rows), 0.0).rows.to_pylist()
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(good[0])
    writer.writerows({**one, **over}.values() for one, over in zip(good, rows, strict=True))
    path.write_bytes(out.getvalue().encode("cp1252"))
    return path


def test_a_repaired_key_is_compared_repaired(tmp_path: Path) -> None:
    """A key that lost its leading zero names the row of the whole key: the second is rejected, the first is kept."""
    judging = contract("studies_bmo")
    judging = replace(judging, dialects=(replace(judging.dialect("hub"), zero_fill={"basin": 4}),))
    key = {"occupation": "A0Z40", "department": "04"}
    path = _file(tmp_path / "sent.csv", judging, {**key, "basin": "0401"}, {**key, "basin": "401"})
    found = check_file(path, judging, DAY)
    assert (found["accepted"], found["repairs"]) == (1, {"zero_fill:basin": 1})
    assert [(one["rule"], one["first_rows"]) for one in found["by_rule"]] == [("unique", [2])]
    assert _as_an_exchange_does(path, judging, tmp_path)["by_rule"] == found["by_rule"]


def test_a_date_is_one_key_however_it_is_written(tmp_path: Path) -> None:
    """Where a dialect allows two writings of a date, the same day is the same key in both."""
    judging = contract("training_entries")
    both = replace(judging.dialect("hub"), date_formats=("%d/%m/%Y", "%Y-%m-%d"))
    judging = replace(judging, dialects=(both,))
    key = {"trainee_id": "1", "session_id": "S1"}
    rows = [{**key, "entry_date": day, "exit_date": ""} for day in ("02/06/2025", "2025-06-02", "2025-06-03")]
    found = check_file(_file(tmp_path / "sent.csv", judging, *rows), judging, DAY)
    assert [(one["rule"], one["count"], one["first_rows"]) for one in found["by_rule"]] == [("unique", 1, [2])]


def test_notes_are_counted_on_accepted_rows(tmp_path: Path) -> None:
    """A vacancy of fourteen days or fewer is noted and not rejected; one rejected for another reason is not noted."""
    judging = contract("vacancies")
    rows = [{"duration_days": days} for days in ("14", "15", "3", "")] + [{"duration_days": "2", "responsable_nom": ""}]
    found = check_file(_file(tmp_path / "sent.csv", judging, *rows), judging, DAY)
    assert found["notes"] == [{"note": "not_owed", "column": "duration_days", "count": 2, "first_rows": [1, 3]}]
    assert (found["accepted"], found["rejected"]) == (4, 1)


LIST = Column("codes", "Codes", "Codes", Kind.CODE, required=False, many=True)


def _judged(rule: Rule, mark: str | None, *values: str | None) -> tuple[list[object], set[tuple[str, tuple[int, ...]]]]:
    dialect = Dialect("one", "one", {"codes": "codes"}, multivalue={} if mark is None else {"codes": mark})
    judging = DataContract(
        "lists", "1.0.0", {"fr": "x", "en": "x"}, {"fr": "x", "en": "x"}, (LIST,), (rule,), (), (dialect,)
    )
    judgement = judging.judge(Batch(pa.table({"codes": pa.array(values, pa.string())}), 1), dialect, DAY)
    found = {(one.rule, tuple(int(row) for row in one.rows)) for one in judgement.failures}
    return judgement.accepted["codes"].to_pylist(), found


@pytest.mark.parametrize("mark", [",", ";", "|", " + "])
def test_each_value_of_a_list_is_judged(mark: str) -> None:
    """A list is cut at the dialect's own mark, each value keeps the rule, and it comes out with one mark for all senders."""
    values = [mark.join(one) for one in (("4",), ("4", "7"), ("4", "x"), ("4", "", "7"), ("", "4"), ("7", ""))]
    accepted, found = _judged(OneOf("codes", ("4", "7")), mark, *values, None)
    assert accepted == ["4", f"4{BETWEEN}7", None]
    assert found == {("code_list", (2,)), ("list", (3, 4, 5))}


def test_a_list_is_never_cut_by_accident() -> None:
    """Without a declared mark a cell is one value; the gateway's own mark inside a value is refused, not taken for a cut."""
    rule = Pattern("code", "codes", "[0-9,]+", "x", "x")
    assert _judged(rule, None, "4,7", "4;7") == (["4,7"], {("list", (1,))})
    assert _judged(rule, ",", "4,7", "4;7") == (["4;7"], {("list", (1,))})
    assert _judged(Length("codes", 1, 2), ",", "12,3", "123,4") == (["12;3"], {("length", (1,))})


def test_a_rule_that_cannot_judge_a_list_is_refused() -> None:
    """An identifier with a key has no judgement inside a list: the contract cannot be applied, which is our fault."""
    with pytest.raises(OurWayError, match="cannot judge each value of codes"):
        _judged(Identifier("codes", "siret"), ",", "73282932000074")


def test_several_marks_of_secrecy() -> None:
    """Each declared mark of secrecy is the secret, one mark for all senders; an undeclared one is no count."""
    dialect = Dialect("two", "two", {"n": "n"}, secrecy=("s", "<5", "*"))
    table = pa.table({"n": pa.array(["s", "<5", "*", "0", None, "secret"], pa.string())})
    got = read(table, (Column("n", "n", "n", Kind.COUNT),), dialect)
    assert got.table["n"].to_pylist() == ["*", "*", "*", "0", None, None]
    assert [one.rows.tolist() for one in got.failures] == [[5]]
