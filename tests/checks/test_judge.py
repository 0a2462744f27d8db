"""Great Expectations judges profiles, and nothing but profiles."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from checks.judge import judge
from checks.suite import Check, Limits, Suite
from passerelle.contract import Column, Judgement, Kind
from passerelle.errors import OurWayError
from passerelle.profile import ColumnProfile, Profile, ProfileBuilder, RuleCount, Verdict

SUITE = Suite(Limits(rejected_share=0.05))


def _column(name: str, kind: Kind = Kind.CODE, **members: Any) -> ColumnProfile:
    return ColumnProfile(**{"name": name, "kind": kind, "required": True, "nulls": 0, **members})


def _profile(
    period: str, read: int = 1000, rejected: int = 20, columns: Sequence[ColumnProfile] | None = None
) -> Profile:
    usual = (
        _column("rome", distinct=2, top=(("M1801", read // 2), ("K1304", read // 4))),
        _column("projects", Kind.COUNT, secret=read // 10),
        _column("published_on", Kind.DATE, lowest=f"{period}-01-02", highest=f"{period}-12-30"),
    )
    rules = (RuleCount("siret_key", "siret", rejected),)
    return Profile(period, read, read - rejected, rejected, rules, tuple(usual if columns is None else columns))


HISTORY = tuple(_profile(str(year), 1000 + year % 7) for year in (2019, 2020, 2021, 2022))
NOW = _profile("2023")


def _failed(verdict: Verdict) -> dict[str, str]:
    return {finding.id: finding.level for finding in verdict.findings if not finding.passed}


def test_a_usual_file_passes_every_check() -> None:
    """A file like the earlier ones passes, and every finding is said in both languages."""
    verdict = judge(NOW, HISTORY, SUITE)
    assert verdict.passed
    assert _failed(verdict) == {}
    ids = {finding.id.split(":")[0] for finding in verdict.findings}
    assert ids == {
        "not-empty", "rejected-share", "required", "history", "volume", "not-sent-before", "freshness", "code-shares",
        "secrecy",
    }  # fmt: skip
    assert all(finding.fr and finding.en and finding.fr != finding.en for finding in verdict.findings)


@pytest.mark.parametrize(
    ("profile", "failed"),
    [
        (_profile("2023", 1000, 1000, columns=()), {"not-empty": "error", "rejected-share": "error"}),
        (_profile("2023", 1000, 51), {"rejected-share": "error"}),
        (_profile("2023", 400, 8), {"volume": "error"}),
        (_profile("2023", 2100, 8), {"volume": "error"}),
        (replace(NOW, columns=(_column("siret", nulls=40),)), {"required:siret": "error"}),
        (replace(NOW, columns=(_column("siret", nulls="<11"),)), {"required:siret": "error"}),
        (replace(NOW, columns=(_column("siret", nulls="all but <11"),)), {"required:siret": "error"}),
        (replace(NOW, columns=(_column("rome", top=(("M1801", 960),)),)), {"code-shares:rome": "error"}),
        (replace(NOW, columns=(_column("rome", top=(("X0000", 490),)),)), {"code-shares:rome": "error"}),
        (replace(NOW, columns=(_column("projects", Kind.COUNT, secret=300),)), {"secrecy:projects": "error"}),
        (replace(NOW, columns=(_column("projects", Kind.COUNT, secret="all but <11"),)), {"secrecy:projects": "error"}),
        (replace(HISTORY[1], period="2023"), {"not-sent-before": "warning", "freshness": "warning"}),
        (
            replace(NOW, columns=(_column("published_on", Kind.DATE, highest="2022-11-30"),)),
            {"freshness": "warning"},
        ),
    ],
)
def test_each_defect_is_found_by_its_check(profile: Profile, failed: dict[str, str]) -> None:
    """A defect fails its own check, at its level, and no other."""
    verdict = judge(profile, HISTORY, SUITE)
    assert _failed(verdict) == failed
    assert verdict.passed == ("error" not in failed.values())


@pytest.mark.parametrize("known", [0, 1, 2, 3])
def test_a_short_history_warns_and_does_not_stop(known: int) -> None:
    """With fewer than three earlier periods a comparison warns, and with three it stops the exchange."""
    verdict = judge(_profile("2023", 400, 8), HISTORY[:known], SUITE)
    expected = {0: {"history": "warning"}, 3: {"volume": "error"}}
    assert _failed(verdict) == expected.get(known, {"history": "warning", "volume": "warning"})
    assert verdict.passed == (known < 3)


def test_a_file_is_not_compared_with_its_own_period() -> None:
    """A corrected file of the same period is compared with the other periods only."""
    verdict = judge(NOW, [*HISTORY, replace(NOW, read=9)], SUITE)
    assert _failed(verdict) == {}


def test_bounds_are_inclusive() -> None:
    """Exactly half and exactly twice the usual volume pass, and so does exactly the limit of rejects."""
    history = [_profile(str(year), 1000) for year in (2020, 2021, 2022)]
    for read in (500, 2000):
        assert _failed(judge(_profile("2023", read, read // 20), history, SUITE)) == {}


def test_an_empty_suite_refuses() -> None:
    """A suite without rules, and one of whose rules none applies, accept nothing."""
    with pytest.raises(OurWayError, match="at least one rule"):
        Suite(Limits(0.05), rules=())
    with pytest.raises(OurWayError, match="none applies"):
        judge(NOW, (), Suite(Limits(0.05), rules=(lambda *_: iter(()),)))


@pytest.mark.parametrize("measure", [math.nan, math.inf])
def test_what_cannot_be_measured_is_refused(measure: float) -> None:
    """A measure that is not a finite number, which Great Expectations would ignore, is refused."""
    with pytest.raises(OurWayError, match="finite measure"):
        Check("volume", measure, 0, 1, ("", ""), ("", ""))
    with pytest.raises(OurWayError, match="at least one bound"):
        Check("volume", 1.0, None, None, ("", ""), ("", ""))


def test_two_checks_of_one_name_are_refused() -> None:
    """A check that hides another of the same name stops the judging."""
    twice = replace(NOW, columns=(_column("siret", nulls=40), _column("siret")))
    with pytest.raises(OurWayError, match="one check for each id"):
        judge(twice, HISTORY, SUITE)


def test_judging_writes_no_file(tmp_path: Path, root: Path) -> None:
    """Great Expectations leaves nothing in the home, the temporary folder or the working folder, and prints nothing."""
    program = (
        "from checks.judge import judge\nfrom checks.suite import Limits, Suite\n"
        "from passerelle.profile import Profile\n"
        "assert judge(Profile('2023', 9, 9, 0, (), ()), (), Suite(Limits(0.1))).passed\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_great_expectations_waits_until_it_is_needed(root: Path) -> None:
    """Importing the checks and the page imports neither Great Expectations nor pandas."""
    program = (
        "import sys, checks.judge, checks.page\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'great_expectations', 'pandas', 'jinja2'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_of_few_rows_is_not_called_empty() -> None:
    """A file of fewer rows than a count may show passes, though the counts of its empty cells are masked."""
    columns = (Column("course", "Formation", "Course", Kind.CODE),)
    builder = ProfileBuilder(columns)
    accepted = pa.table({"course": pa.array(["a", "b", "c"])})
    builder.add(Judgement(accepted, np.arange(3), np.zeros(0, np.int64), ()))
    verdict = judge(builder.finish("2026"), (), SUITE)
    assert verdict.passed
