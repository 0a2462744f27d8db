"""Whatever a sender writes, and wherever, no report, error, log or page on their file repeats it."""

from __future__ import annotations

import csv
import io
import logging
import re
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.base import DataContract
from contracts.pages import json_schema, page
from contracts.registry import contracts
from passerelle.contract import Batch
from passerelle.errors import PasserelleError
from passerelle.handover.check import check_file
from passerelle.handover.repeats import find_repeats, reject_repeats
from passerelle.handover.tally import Tally
from passerelle.intake import open_source
from portal.cli import run
from tests.contracts.making import DAY, sampled

ALL = pytest.mark.parametrize("judging", contracts(), ids=lambda one: one.reference)
NAME = "Quenouillard"
FORMS: Mapping[str, Callable[[int], str]] = {
    "text": lambda n: f"{NAME}-{n}",
    "number": lambda n: f"7261907261{n:03d}",
    "decimal": lambda n: f"-7261907261{n:03d},5.5",
    "date": lambda n: f"31/02/7261 7261907261{n:03d}",
    "mail": lambda n: f"zephyrine@{NAME}{n}",
    "formula": lambda n: f"=HYPERLINK({NAME};{n})",
    "control": lambda n: f"{NAME}\x02{n}",
    "long": lambda n: f"{NAME}{n} " * 800,
    "accents": lambda n: f"Zéphyrine {NAME}…{n}",
    "marks": lambda n: f";{NAME};{n};",
}
"""What may stand where it should not, each with the number of its column."""
TOLD = re.compile(f"{NAME}|7261907261|ephyrine", re.IGNORECASE)


def _written(judging: DataContract, rows: list[Mapping[str, str]]) -> bytes:
    """A file in the hub's format: good rows, over which ``rows`` are written."""
    dialect = judging.dialect("hub")
    good = sampled(judging.reference, len(rows), 0.0).rows.to_pylist()
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dialect.separator)
    writer.writerow(dialect.columns)
    writer.writerows(
        [{**one, **over}.get(name, "") for name in dialect.columns] for one, over in zip(good, rows, strict=True)
    )
    return out.getvalue().encode(dialect.encoding)


class Said(NamedTuple):
    """What the command gave."""

    status: int
    text: str


def _check(judging: DataContract, path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Said:
    status = run(["contract", "check", judging.reference, str(path), *words])
    told = capsys.readouterr()
    return Said(status, told.out + told.err)


def _raised(call: Callable[[], object]) -> str:
    """All that an error raised by ``call`` says and carries; empty where nothing is raised."""
    try:
        call()
    except PasserelleError as error:
        carried = (error, error.args, error.hint, error.fr, error.hint_fr, error.__cause__, error.__context__)
        return "".join(traceback.format_exception_only(error)) + "".join(map(repr, carried))
    return ""


@ALL
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_report_tells_a_value(
    judging: DataContract,
    data: st.DataObject,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A canary in every column of the sender's file, one row each, shows in no report (JSON, French, English), log or judgement."""
    caplog.set_level(logging.DEBUG)
    columns = [name for name in judging.dialect("hub").columns.values() if name is not None]
    forms = data.draw(st.lists(st.sampled_from(sorted(FORMS)), min_size=len(columns), max_size=len(columns)))
    rows: list[Mapping[str, str]] = [
        {name: FORMS[form](n)} for n, (name, form) in enumerate(zip(columns, forms, strict=True))
    ]
    rows += [rows[-1], {name: FORMS[forms[0]](n) for n, name in enumerate(columns)}]
    path = tmp_path / f"{NAME}.csv"
    path.write_bytes(_written(judging, rows))
    as_json = _check(judging, path, capsys, "--json")
    assert (as_json.status, f'"read": {len(rows)}' in as_json.text) == (1, True)
    told = [as_json.text]
    for language in ("fr", "en"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PASSERELLE_LANG", language)
            told.append(_check(judging, path, capsys).text)
        assert len(told[-1]) > len(judging.id)
    told += [caplog.text, repr(check_file(path, judging, DAY)), *_by_the_exchange(judging, path, tmp_path)]
    assert not [one for one in told if TOLD.search(one)]


def _by_the_exchange(judging: DataContract, path: Path, folder: Path) -> list[str]:
    """What an exchange keeps of its judgements: failures, repairs, notes, the tally."""
    tally = Tally()
    told = []
    with open_source(path, judging.dialects) as source:
        repeats = find_repeats(source, judging, folder)
        for batch in source.batches():
            judgement = reject_repeats(judging.judge(batch, source.dialect, DAY), batch, repeats)
            tally.add(judgement.failures, batch.first_row)
            told.append(f"{judgement.failures!r} {judgement.repairs!r} {judgement.notes!r} {source.repairs!r}")
    return [*told, repr(tally.by_rule())]


@ALL
def test_no_refusal_tells_a_value(judging: DataContract, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is refused whole, for its header, encoding, quotes, line ends or length, is refused without a word of it."""
    good = _written(judging, [{}])
    header, row = good.removesuffix(b"\r\n").split(b"\r\n", 1)
    name = NAME.encode()
    broken = {
        "header": header + b";" + name + b"\r\n" + row,
        "only header": name + b"\r\n" + row,
        "ragged": good + name + b";7261907261;" + b"x;" * len(judging.columns) + b"\r\n",
        "undecodable": good + name + b"\x81\r\n",
        "utf-16": good.decode("cp1252").replace("1", NAME).encode("utf-16"),
        "quote": good + b'"' + name + b'"x"' + name + b"\r\n",
        "unclosed": good + b'"' + name + b"\r\n" + name,
        "nul": good + name + b"\0\r\n",
        "returns": good + name + b"\r" + name + b"\r\n",
        "too long": good + name * (1_100_000 // len(name)) + b"\r\n",
        "an archive": b"PK\x03\x04" + name * 10,
        "nothing": b"",
    }
    for fault, written in broken.items():
        path = tmp_path / f"{NAME}-{fault}.csv"
        path.write_bytes(written)
        raised = _raised(partial(check_file, path, judging, DAY))
        assert raised, fault
        assert not TOLD.search(raised), fault
    said = _check(judging, tmp_path / f"{NAME}-header.csv", capsys, "--json")
    assert said.status == 1
    assert not TOLD.search(said.text)


@ALL
def test_no_exception_of_a_judgement_tells_a_value(judging: DataContract) -> None:
    """Rows under a name that the contract lacks stop the run with a count of columns, and neither name nor value."""
    batch = Batch(pa.table({f"{NAME} 7261907261": pa.array([NAME]), judging.columns[0].name: pa.array([NAME])}), 1)
    raised = _raised(lambda: judging.judge(batch, judging.dialect("hub"), DAY))
    assert "1 columns that the contract does not name" in raised
    assert not TOLD.search(raised)


@ALL
def test_no_page_tells_a_value(judging: DataContract) -> None:
    """The pages and schemas made after a judgement are those made before it: they know no row."""
    before = page(judging), json_schema(judging)
    columns = {column.name: pa.array([FORMS["text"](n)]) for n, column in enumerate(judging.columns)}
    judgement = judging.judge(Batch(pa.table(columns), 1), judging.dialect("hub"), DAY)
    assert np.array_equal(judgement.rejected_rows, [0])
    assert (page(judging), json_schema(judging)) == before
    assert not TOLD.search(repr(before))
