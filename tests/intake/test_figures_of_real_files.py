"""Reference files of the field, as the readers give them: the figures measured on them by hand come out."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from contracts.identifiers import full_match, valid
from contracts.registry import contract
from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake import open_source
from tests.contracts.making import DAY
from tests.intake.test_every_real_file import CSV, form_of

Columns = dict[str, list[str | None]]


def columns(path: Path, form: Dialect | None = None) -> Columns:
    with open_source(path, [form or form_of(path, CSV[path.name][0])]) as source:
        found: Columns = pa.concat_tables([batch.rows for batch in source.batches()]).to_pydict()
    return found


def test_statistical_secrecy_of_the_survey(shared: Path) -> None:
    """No difficulty is shown where the projects are secret, none exceeds them; 199 occupations, 20 of 405 basins in several departments."""
    survey = contract("studies_bmo")
    met: list[str] = []
    xmet: list[str] = []
    occupations: set[str] = set()
    departments: defaultdict[str, set[str]] = defaultdict(set)
    with open_source(shared / "data" / "bmo_2023.xlsx", survey.dialects) as source:
        for batch in source.batches():
            rows = batch.rows.to_pydict()
            met += rows["met"]
            xmet += rows["xmet"]
            occupations.update(rows["occupation"])
            for basin, department in zip(rows["basin"], rows["department"], strict=True):
                departments[basin].add(department)
    shown = [(all_, hard) for all_, hard in zip(met, xmet, strict=True) if hard != "*"]
    assert all(all_ != "*" and int(hard) <= int(all_) for all_, hard in shown)
    assert len(occupations) == 199
    assert (sum(len(found) > 1 for found in departments.values()), len(departments)) == (20, 405)


def test_identifiers_of_establishments(shared: Path) -> None:
    """Employers' groups: 5,760 SIRETs, 2 with a false key, 26 repeated; training centres: 933 UAI valid, 90 SIRETs blank, 2 false."""
    groups = columns(shared / "data" / "groupements_employeurs_siret.csv")["siret"]
    assert (len(groups), len(groups) - len(set(groups))) == (5_760, 26)
    assert list(valid("siret", pa.array(groups))).count(False) == 2
    centres = columns(shared / "data" / "cfa_uai_cp1252.csv")
    assert list(valid("uai", pa.array(centres["numero_uai"]))).count(True) == 933
    sirets = [siret for siret in centres["numero_siren_siret_uai"] if siret is not None]
    assert len(sirets) == 933 - 90
    assert list(valid("siret", pa.array(sirets))).count(False) == 2


def test_communes_with_and_without_their_zero(shared: Path) -> None:
    """37,548 official communes are valid once filled; the history adds 28 rows of 984, 985 and 989, and a key needs a date."""
    written = r"(0[1-9]|[1-8][0-9]|9[0-5]|2[AB])[0-9]{3}|97[1-8][0-9]{2}|98[6-8][0-9]{2}"
    official = [code.zfill(5) for code in columns(shared / "data" / "cog_communes_2025_abime.csv")["com"] if code]
    assert full_match(pa.array(official), written).sum() == len(official) == 37_548
    history = [
        code.zfill(5) for code in columns(shared / "data" / "asp_ref_insee_com_v4.csv")["code_com_insee"] if code
    ]
    other = [code for code, fits in zip(history, full_match(pa.array(history), written), strict=True) if not fits]
    assert len(other) == 28
    assert {code[:3] for code in other} == {"984", "985", "989"}
    assert list(valid("commune", pa.array(history))).count(False) == 0
    assert len(set(history)) < len(history) == 77_204


def test_territories_and_basins(shared: Path) -> None:
    """Each of 34,877 communes has one CLPE, of the written form; 403 basin codes stand for 405 names; a column comes twice."""
    clpe = columns(shared / "data" / "clpe_communes_a.csv")
    assert len(set(clpe["commune_id"])) == 34_877
    assert all(valid("clpe", pa.array(clpe["territoire_id"])))
    assert {"CLPE2A002", "CLPE69D01", "CLPE69M01"} <= set(clpe["territoire_id"])
    basins = columns(shared / "data" / "bassins_communes_be19.csv")
    assert (len(set(basins["BE19"])), len(set(basins["NOMBE19"]))) == (403, 405)
    assert basins["CODE_COMMUNE_INSEE"] == basins["CCOMMUNE"]


def test_occupations_and_diplomas(shared: Path) -> None:
    """1,584 ROME sheets of 532 parents under 14 letters, three-state flags; 5,707 diplomas of which 37 have no RNCP code."""
    rome = columns(shared / "data" / "rome_v460.csv")
    assert (len(set(rome["code_rome"])), len(set(rome["code_rome_parent"]))) == (1_584, 532)
    assert {str(code)[0] for code in rome["code_rome"]} == set("ABCDEFGHIJKLMN")
    assert all(valid("rome", pa.array(rome["code_rome"])))
    assert set(rome["emploi_cadre"]) == {"O", "N", None}
    diplomas = columns(shared / "data" / "kit_apprentissage_rncp_2023.csv")
    codes = diplomas["Code_RNCP"]
    assert (len(codes), codes.count(None)) == (5_707, 37)
    assert all(valid("certification", pa.array([code for code in codes if code])))


def test_swiss_tables(shared: Path) -> None:
    """Thurgovia leaves 247 counts blank, which are not its zeros; Fribourg's rates keep their 14 decimals."""
    counts = columns(shared / "data" / "ch_kanton_tg.csv")["anzahl"]
    assert (len(counts), counts.count(None)) == (1_240, 247)
    assert "0" in counts
    rate = columns(shared / "data" / "ch_kanton_fr.csv")["Taux de chômage en %"][0]
    assert rate == "2.54598514973962"


def test_a_table_laid_out_for_the_eye(shared: Path) -> None:
    """The Swiss workbook of three series: title above, notes below, years as columns, footnote marks left on the labels."""
    years = [str(year) for year in range(2000, 2026)]
    form = Dialect(
        "bfs", "bfs", {"": "serie", **{year: f"a{year}" for year in years}}, format="xlsx", sheet="T3.3.0.1",
        lead=("Erwerbslose.*", r"T 3\.3\.0\.1"),
        trail=("1 Definitionen", "2 .*", *[" +.*"] * 2, "3 .*", *[" +.*"] * 3, "", "Quelle.*", "Quelle.*", "©.*", "", "Auskunft.*"),
    )  # fmt: skip
    path = shared / "data" / "ch_bfs_demandeurs_annuel.xlsx"
    found = columns(path, form)
    assert [str(label)[-2:] for label in found["serie"]] == [" 2", " 2", " 3"]
    assert found["a2000"] == ["124.633", "71.987", "126.54984015404648"]
    assert sum(column.count(None) for column in found.values()) == 0


@pytest.mark.parametrize("name", sorted(CSV.keys() - {"groupements_employeurs_siret.csv"}))
def test_a_false_separator_is_refused(shared: Path, name: str) -> None:
    """No file of several columns is read with a separator that is not its own."""
    settings = CSV[name][0]
    form = form_of(shared / "data" / name, settings)
    other = Dialect(form.id, form.sender, form.columns, **{**settings, "separator": "\t"})
    with pytest.raises(IntakeError, match=r"first difference|expected a header"):
        open_source(shared / "data" / name, [other]).close()


def test_departments_as_numbers(shared: Path) -> None:
    """Corsica is 20 where agencies have numbers for departments, and 02A where the rates have three characters."""
    path = shared / "data" / "agences_pole_emploi.json"
    names = list(json.loads(path.read_bytes())[0])
    form = Dialect("agences", "ft", {name: name for name in names}, format="json")
    departments = Counter(columns(path, form)["code_departement"])
    assert sum(departments.values()) == 894
    assert departments["20"] > 0
    assert not {"2A", "2B"} & departments.keys()
    assert {"001", "02A", "971"} <= set(columns(shared / "data" / "chomage_departements_insee.csv")["codeDepartement"])


TRAINEES: dict[str, list[str | None]] = {
    "last_name": ["MARTIN", "ÉLIE"], "first_name": ["Zoé", "Ali"], "email": ["a@example.org", None], "phone": ["0611223344", None],
    "trainee_id": ["1111111111", "2222222222"], "session_id": ["S1", "S2"], "course_label": ["Soudage", "Accueil"],
    "entry_date": ["2024-03-04", "2024-09-02"], "exit_date": ["2024-06-28", None], "postcode": ["75019", "93300"],
    "provider_siret": ["73282932000074", "73282932000074"],
}  # fmt: skip


def as_sent(form: Dialect) -> bytes:
    """The trainees as the sender of ``form`` writes them."""
    lines = [form.separator.join(form.columns)]
    for place in range(2):
        cells = []
        for target in form.columns.values():
            value = TRAINEES.get(target or "", [None, None])[place]
            if value is not None and target in {"entry_date", "exit_date"}:
                value = datetime.fromisoformat(value).strftime(form.date_formats[0])
            cells.append(form.nulls[-1] if value is None else value)
        lines.append(form.separator.join(cells))
    return ("\n".join(lines) + "\n").encode(form.encoding if form.encoding != "ascii" else "utf-8")


def test_the_two_formats_of_trainees_give_the_same_rows(tmp_path: Path) -> None:
    """The same trainees in the operator's format and in the region's come out as the same rows."""
    entries = contract("training_entries")
    came = []
    for name in ("pole-emploi", "region-idf"):
        form = entries.dialect(name)
        (tmp_path / name).write_bytes(as_sent(replace(form, encoding="utf-8")))
        with open_source(tmp_path / name, [replace(form, encoding="utf-8")]) as source:
            judged = [entries.judge(batch, source.dialect, DAY) for batch in source.batches()]
        assert sum(one.rejected_rows.size for one in judged) == 0, [one.failures for one in judged]
        came.append(pa.concat_tables([one.accepted for one in judged]).select(list(TRAINEES)))
    assert came[0].num_rows == 2
    assert came[0].equals(came[1])
