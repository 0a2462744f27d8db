"""Codes held against the editions of their lists, on the field's own files: every code that is not listed has its cause."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.datasets import LIMITS, suite_of
from checks.judge import judge
from contracts.codes import BASIN_2019, BASIN_2023, COMMUNE_2025, FAP_2009, FAP_2021
from contracts.registry import contract, contracts
from passerelle.contract import CodeList, Column, Judgement, Kind, PersonClass
from passerelle.errors import WorkspaceError
from passerelle.intake import open_source
from passerelle.profile import Edition, Finding, Listing, Profile, ProfileBuilder, read_editions
from passerelle.profile.editions import FORMAT, as_json
from passerelle.profile.listing import listing
from tests.contracts.making import DAY


def table(path: Path, separator: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=separator))


def edition(of: CodeList, codes: frozenset[str] | set[str], replaced: Mapping[str, str] | None = None) -> Edition:
    return Edition(of.name, of.version, frozenset(codes), replaced or {})


def finding(profile: Profile, name: str, *history: Profile) -> Finding:
    verdict = judge(profile, history, suite_of("studies_bmo", 0.05))
    found = next(one for one in verdict.findings if one.id == name)
    return replace(found, fr=found.fr.replace("\u00a0", " ").replace("\u202f", " "))


def profile_of(columns: tuple[Column, ...], rows: pa.Table, *editions: Edition, period: str = "2024") -> Profile:
    builder = ProfileBuilder(columns, editions)
    builder.add(Judgement(rows, np.arange(rows.num_rows), np.arange(0), ()))
    return builder.finish(period)


def listed(profile: Profile, name: str) -> Listing:
    found = next(column.listing for column in profile.columns if column.name == name)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def basins_2019(shared: Path) -> Edition:
    """The basins of 2019, from the list of communes."""
    return edition(BASIN_2019, {row["BE19"] for row in table(shared / "data" / "bassins_communes_be19.csv")})


def test_survey_of_labour_needs_against_the_basins_of_2019(shared: Path, basins_2019: Edition) -> None:
    """387 of 405 basins are found as text, 402 once the declared repair is made; 3 are of another zoning, and named."""
    survey = contract("studies_bmo")
    raw: Counter[str] = Counter()
    builder = ProfileBuilder(survey.columns, (basins_2019,))
    with open_source(shared / "data" / "bmo_2023.xlsx", survey.dialects) as source:
        for batch in source.batches():
            raw.update(batch.rows["basin"].to_pylist())
            builder.add(survey.judge(batch, source.dialect, DAY))
    assert len(raw) == 405
    assert len(raw.keys() & basins_2019.codes) == 387
    profile = builder.finish("2023")
    (alone,) = listed(profile, "basin").coverage
    assert (alone.codes, alone.rows) == (402, 50_437 - 299)
    assert [(one.cause, one.codes, one.named) for one in alone.rest] == [("not_on_file", 3, ("0104", "0601", "7549"))]
    said = finding(profile, "codes:basin")
    assert not said.passed
    assert "402 codes sur 405" in said.fr
    assert "changement de zonage possible, l'édition BE23 n'y est pas (0104, 0601, 7549 : 299 lignes)" in said.fr
    # With the edition that the survey declares on file, the three are known for what they are, and so is each lost zero.
    basins_2023 = edition(BASIN_2023, {code.zfill(4) for code in raw})
    joined = listing(raw, raw.total(), [basins_2019, basins_2023], BASIN_2019, personal=False).coverage[0]
    assert [(one.cause, one.edition, one.codes) for one in joined.rest] == [
        ("edition", "BE23", 3),
        ("lost_zero", "BE19", 15),
    ]
    assert joined.codes + 15 == 402


def test_communes_merged_between_two_editions(shared: Path) -> None:
    """A commune that the official list has merged into another is named with what replaced it; lost zeros are counted apart."""
    rows = table(shared / "data" / "cog_communes_2025_abime.csv")
    current = {row["com"].zfill(5) for row in rows if row["typecom"] in {"COM", "ARM"}}
    former = {row["com"].zfill(5): row["comparent"].zfill(5) for row in rows if row["typecom"] in {"COMD", "COMA"}}
    replaced = {code: parent for code, parent in former.items() if code not in current and parent in current}
    assert len(replaced) > 2000
    official = edition(COMMUNE_2025, current, replaced)
    merged = min(replaced)
    column = Column("commune", "commune", "commune", Kind.CODE, codes=COMMUNE_2025)
    sent = ["75056"] * 40 + [merged] * 12 + ["1004"] * 11
    said = finding(profile_of((column,), pa.table({"commune": sent}), official), "codes:commune")
    assert f"1 code que l'édition 2025 a remplacé ({merged} → {replaced[merged]} : 12 lignes)" in said.fr
    assert "1 code sans zéro de tête, à déclarer en réparation (1004 : 11 lignes)" in said.fr
    as_sent = Counter(row["com"] for row in rows if row["typecom"] == "COM")
    (whole,) = listing(as_sent, as_sent.total(), [official], COMMUNE_2025, personal=False).coverage
    assert [one.cause for one in whole.rest] == ["lost_zero"]
    assert whole.codes + whole.rest[0].codes == len(as_sent)


def test_an_occupation_list_of_another_edition() -> None:
    """FAP 2009 sent as FAP 2021 is told by the file's codes, and a contract that changes edition by the period before."""
    old = edition(FAP_2009, {f"A0Z{number:02d}" for number in range(40, 60)})
    new = edition(FAP_2021, {f"A0X{number:02d}" for number in range(40, 60)} | {"A0Z40"})
    rows = pa.table({"fap": ["A0Z40"] * 20 + ["A0Z41"] * 30 + ["A0Z42"] * 30})
    column = Column("fap", "métier", "occupation", Kind.CODE, codes=FAP_2021)
    now = profile_of((column,), rows, old, new)
    before = profile_of((replace(column, codes=FAP_2009),), rows, old, new, period="2023")
    covered = finding(now, "codes:fap")
    assert (covered.passed, covered.level) == (False, "error")
    assert "2 codes de l'édition 2009, changement de nomenclature (A0Z41, A0Z42 : 60 lignes)" in covered.fr
    changed = finding(now, "edition:fap", before)
    assert (changed.passed, changed.level) == (False, "warning")
    assert "passe de l'édition 2009 (période 2023) à l'édition 2021" in changed.fr
    assert "3 des 3 codes du fichier sont aussi dans l'édition 2009" in changed.fr
    assert finding(before, "editions", replace(before, period="2022")).passed
    shares = judge(
        now, [replace(before, period=str(year)) for year in (2020, 2021, 2022)], suite_of("x", 0.05)
    ).findings
    assert not [one for one in shares if one.id.startswith("code-shares")]


codes = st.lists(st.sampled_from(["75056", "69123", "1004", "99999", " 2a004", None]), min_size=11, max_size=60)


@given(codes)
def test_a_file_of_persons_names_no_rare_code(values: list[str | None]) -> None:
    """Of a column that says something of persons, counts below 11 are masked and come back from no other; no rare code is named."""
    column = Column("commune", "commune", "commune", Kind.CODE, PersonClass.INDIRECT, codes=COMMUNE_2025)
    official = edition(COMMUNE_2025, {"75056", "01004", "2A004"}, {"69123": "75056"})
    profile = profile_of((column,), pa.table({"commune": pa.array(values, pa.string())}), official)
    known = Counter(values)
    (found,) = listed(profile, "commune").coverage
    text = json.dumps(profile.as_json())
    assert all(code not in text for code in ("99999", "1004", " 2a004"))
    assert ("69123" in text) == (known["69123"] >= 11)
    counts = [found.rows, *(one.rows for one in found.rest), profile.columns[0].nulls]
    assert not [count for count in counts if isinstance(count, int) and 0 < count < 11]
    hidden = [count for count in counts if not isinstance(count, int)]
    assert len(hidden) != 1 or hidden == ["all but <11"] or len(set(values)) == 1
    assert Profile.from_json(json.loads(text)) == profile


def test_editions_on_file(tmp_path: Path) -> None:
    """What is written of an edition is read again; a file of another form is refused, and so are two of one edition."""
    one = edition(COMMUNE_2025, {"75056"}, {"69123": "75056"})
    assert read_editions(tmp_path / "none") == ()
    (tmp_path / "a.json").write_text(json.dumps(as_json(one)))
    assert read_editions(tmp_path) == (one,)
    (tmp_path / "b.json").write_text(json.dumps(as_json(one)))
    with pytest.raises(WorkspaceError, match="two files"):
        read_editions(tmp_path)
    for bad in ("", "[]", '{"format": "x"}', json.dumps({"format": FORMAT, "name": "n", "version": "1", "codes": {}}),
                json.dumps({"format": FORMAT, "name": "n", "version": "1", "codes": {"a": "b"}})):  # fmt: skip
        (tmp_path / "b.json").write_text(bad)
        with pytest.raises(WorkspaceError, match="expected an edition") as caught:
            read_editions(tmp_path)
        assert caught.value.fr
        assert caught.value.hint_fr


def test_every_suite_is_of_a_dataset() -> None:
    """The suites name datasets that exist."""
    assert LIMITS.keys() <= {one.id for one in contracts()}
