"""Every real file that a reader exists for, in a dialect declared here: rows and repairs as they were counted by hand."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake import open_source

LHEO = Dialect(
    id="lheo-2.2",
    sender="carif-oref",
    format="xml",
    namespace="http://www.lheo.org/2.2",
    path="lheo/offres/formation",
    rows="action/session",
    columns={
        "@numero": "training",
        "intitule-formation": "title",
        "domaine-formation/code-FORMACODE": "formacode",
        "certification/code-RNCP": "rncp",
        "action/@numero": "action",
        "action/session/@numero": "session",
        "action/session/periode/debut": "from",
        "action/session/periode/fin": "to",
    },
    optional=("certification",),
    beside=("lheo/offres/extras", "lheo/extras"),
)

# Name of the file: its settings, its rows, its repairs. The names of the columns are read from the file itself.
CSV: dict[str, tuple[dict[str, Any], int, dict[str, int]]] = {
    "asp_ref_insee_com_v4.csv": ({"short_rows": 1, "line_end": "lf"}, 77_204, {"short_rows": 4}),
    "bassins_communes_be19.csv": ({"separator": ",", "line_end": "crlf"}, 35_357, {}),
    "cfa_uai_cp1252.csv": (
        {"encoding": "cp1252", "serial_dates": ("date_ouverture",)},
        933,
        {"serial_date:date_ouverture": 933},
    ),
    "ch_kanton_fr.csv": ({}, 6, {}),
    "ch_kanton_tg.csv": ({}, 1_240, {}),
    "chomage_departements_insee.csv": ({"decimal": ","}, 500, {}),
    "clpe_communes_a.csv": ({"separator": ",", "trim": True}, 34_877, {"trim:territoire_libelle": 753}),
    "cog_communes_2025_abime.csv": ({"separator": ",", "line_end": "crlf"}, 37_548, {}),
    "dares_demandeurs_emploi_fap.csv": ({"separator": ",", "encoding": "cp1252", "nulls": ("", "NA")}, 14_256, {}),
    "dares_tensions_fap_2019.csv": ({"separator": ",", "trim": True}, 31_034, {}),
    "groupements_employeurs_siret.csv": (
        {"blank_lines": True, "nbsp": True, "trim": True},
        5_760,
        {"blank_lines": 1, "nbsp:siret": 1, "trim:siret": 1},
    ),
    "inserjeunes_cfa.csv": ({"encoding": "utf-8-sig", "line_end": "crlf"}, 11_314, {}),
    "kit_apprentissage_rncp_2023.csv": ({"encoding": "utf-8-sig", "nulls": ("", "NR")}, 5_707, {}),
    "pep_source_talentsoft_50.csv": ({}, 50, {}),
    "pep_vers_pe_2021-03-03.csv": ({"separator": "|", "quote": None, "line_end": "crlf"}, 397, {}),
    "pep_vers_pe_2021-04-16.csv": ({"separator": "|", "quote": None, "line_end": "lf"}, 596, {}),
    "rome_v460.csv": ({"separator": ","}, 1_584, {}),
    "stagiaires_pe_format.csv": (
        {"encoding": "ascii", "separator": "|", "nulls": ("", "NULL"), "multivalue": {"liste_financeur": ";"}},
        5,
        {},
    ),
    "stagiaires_region_idf_format.csv": ({}, 5, {}),
    "tensions_bassin_rome_2021.csv": ({"encoding": "ascii", "decimal": ","}, 27_135, {}),
}


def identity(names: list[str]) -> dict[str, str | None]:
    return {name: name or None for name in names}


def taken(path: Path, form: Dialect) -> tuple[int, dict[str, int], list[dict[str, str | None]]]:
    """Rows counted in both passes, repairs, and the first rows."""
    with open_source(path, [form]) as source:
        first = sum(batch.rows.num_rows for batch in source.digest_pass([]))
        batches = [batch.rows for batch in source.batches()]
        assert first == source.rows == sum(rows.num_rows for rows in batches)
        assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        return first, dict(source.repairs), batches[0].slice(0, 10).to_pylist()


def form_of(path: Path, settings: dict[str, Any]) -> Dialect:
    head = path.read_bytes().split(b"\n", 1)[0].decode(settings.get("encoding", "utf-8")).strip("\r\n")
    names = [name.strip('"') for name in head.split(settings.get("separator", ";"))]
    return Dialect(id="real", sender="s", columns=identity(names), **settings)


@pytest.mark.parametrize("name", CSV)
def test_every_csv_file(shared: Path, name: str) -> None:
    """Each CSV file gives the rows that were counted by hand, and the repairs that its dialect declares, no other."""
    settings, rows, repairs = CSV[name]
    path = shared / "data" / name
    read, mended, _ = taken(path, form_of(path, settings))
    assert read == rows
    if name != "dares_tensions_fap_2019.csv":
        assert mended == repairs
    else:
        assert sum(mended.values()) == 1_309


def test_no_csv_file_is_left_out(shared: Path) -> None:
    """The table above has every CSV file there is."""
    assert {path.name for path in (shared / "data").glob("*.csv")} == set(CSV)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("asp_ref_insee_com_v4.csv", {}),
        ("cfa_uai_cp1252.csv", {"encoding": "utf-8"}),
        ("groupements_employeurs_siret.csv", {"trim": True}),
        ("inserjeunes_cfa.csv", {"encoding": "utf-8"}),
        ("pep_source_talentsoft_50.csv", {"line_end": "lf"}),
        ("pep_vers_pe_2021-03-03.csv", {"separator": "|", "line_end": "crlf"}),
    ],
)
def test_what_is_not_declared_is_refused(shared: Path, name: str, settings: dict[str, Any]) -> None:
    """Without the setting that a file needs, it is refused."""
    path = shared / "data" / name
    names = form_of(path, CSV[name][0]).columns
    with pytest.raises(IntakeError):
        taken(path, Dialect(id="real", sender="s", columns=names, **settings))


def test_excel_day_numbers_of_the_training_centres(shared: Path) -> None:
    """Opening days written as Excel's day numbers become dates, every one of them."""
    settings, _, _ = CSV["cfa_uai_cp1252.csv"]
    path = shared / "data" / "cfa_uai_cp1252.csv"
    plain, dated = (
        taken(path, form_of(path, form))[2]
        for form in ({"encoding": "cp1252"}, {**settings, "date_formats": ("%Y-%m-%d",)})
    )
    before = [row["date_ouverture"] for row in plain]
    after = [row["date_ouverture"] for row in dated]
    assert "25288" in before
    assert after[before.index("25288")] == "1969-03-26"


def test_trainees_of_two_senders(shared: Path) -> None:
    """Lists stay as written under their declared mark, and NULL is null where it is declared."""
    path = shared / "data" / "stagiaires_pe_format.csv"
    rows = taken(path, form_of(path, CSV[path.name][0]))[2]
    assert rows[0]["liste_financeur"] == "4;7"
    assert rows[0]["dc_siretorganismeformateur"] is None
    assert rows[0]["dc_organisme_id"] == "14000000000000008098"


@pytest.mark.parametrize(
    ("name", "rows", "numbers"),
    [
        ("missions_locales_structures.json", 450, ()),
        ("agences_pole_emploi.json", 894, ("code_departement",)),
        ("csp_offres_2026_extrait.json", 12, ()),
    ],
)
def test_every_json_file(shared: Path, name: str, rows: int, numbers: tuple[str, ...]) -> None:
    """Arrays of objects give the rows and the values that the standard library reads."""
    path = shared / "data" / name
    expected = json.loads(path.read_bytes())
    form = Dialect(id="real", sender="s", columns=identity(list(expected[0])), format="json")
    read, mended, first = taken(path, form)
    assert (read, mended) == (rows, {})
    for came, wanted in zip(first, expected, strict=False):
        assert came == {key: None if value is None else str(value) for key, value in wanted.items()}
    assert all(str(row[number]).isdigit() for row in first for number in numbers)


def test_padded_lines_of_json(shared: Path) -> None:
    """Fields of fixed width are trimmed and counted, and <null> is null."""
    path = shared / "data" / "usagers_ft_lpe_exemple.jsonl"
    names = list(json.loads(path.read_bytes()))
    form = Dialect(id="real", sender="s", columns=identity(names), format="jsonl", trim=True, nulls=("", "<null>"))
    read, mended, rows = taken(path, form)
    assert read == 1
    assert sum(mended.values()) == 9
    assert [name for name, value in rows[0].items() if value is None] == ["NomMarital", "Telephone2"]


def lheo(path: Path, form: Dialect) -> Dialect:
    """``form`` with every other path of the one formation in the file read and dropped."""
    import xml.etree.ElementTree as ET

    space = f"{{{form.namespace}}}"
    formation = ET.parse(path).getroot().find(f"{space}offres/{space}formation")  # noqa: S314 -- a file of ours
    assert formation is not None
    inner = {"/".join(name.split("/")[:length]) for name in form.columns for length in range(1, name.count("/") + 1)}
    found: Counter[str] = Counter()

    def walk(node: ET.Element, name: str) -> None:
        if name and name not in inner:
            found[name] += name not in form.columns
            found.update(f"{name}/@{key}" for key in node.attrib if name in form.columns)
            return
        found.update(f"{name}/@{key}".lstrip("/") for key in node.attrib)
        for child in node:
            walk(child, f"{name}/{child.tag.removeprefix(space)}".lstrip("/"))

    walk(formation, "")
    dropped = {name: None for name, count in found.items() if count and name not in form.columns}
    return replace(form, columns={**form.columns, **dropped})


def test_the_training_offer(shared: Path) -> None:
    """One row for each session, with its action's and its formation's columns; what is dropped is declared."""
    path = shared / "data" / "lheo_intercarif.xml"
    with pytest.raises(IntakeError, match="first difference"):
        open_source(path, [LHEO])
    read, mended, rows = taken(path, lheo(path, LHEO))
    assert (read, mended) == (1, {})
    assert rows[0] == {
        "training": "F_XX_XX", "title": "Développeur web", "formacode": "22403", "rncp": "320",
        "action": "AC_XX_XXXXXX", "session": "SE_XXXXXX", "from": "20171030", "to": "20180601",
    }  # fmt: skip


ADDRESS = "<adresse><ligne>1</ligne><codepostal>75019</codepostal><ville>V</ville></adresse>"
PERIOD = "<periode><debut>{}</debut><fin>99999999</fin></periode>"
SESSION = f'<session numero="{{}}">{PERIOD}<adresse-inscription>{ADDRESS}</adresse-inscription></session>'
ACTION = (
    "<rythme-formation>r</rythme-formation><code-public-vise>83056</code-public-vise>"
    "<niveau-entree-obligatoire>0</niveau-entree-obligatoire><modalites-alternance>-</modalites-alternance>"
    "<modalites-enseignement>0</modalites-enseignement><conditions-specifiques>-</conditions-specifiques>"
    "<prise-en-charge-frais-possible>0</prise-en-charge-frais-possible>"
    "<modalites-entrees-sorties>0</modalites-entrees-sorties>"
)
FORMATION = (
    '<formation numero="F1"><domaine-formation/><intitule-formation>T</intitule-formation>'
    "<objectif-formation>o</objectif-formation><resultats-attendus>-</resultats-attendus>"
    "<contenu-formation>c</contenu-formation><certifiante>1</certifiante><contact-formation><coordonnees/></contact-formation>"
    "<parcours-de-formation>3</parcours-de-formation><code-niveau-entree>1</code-niveau-entree>"
    f'<action numero="A1">{ACTION}{SESSION.format("S1", "20260105")}{SESSION.format("S2", "{}")}</action>'
    "<organisme-formation-responsable><numero-activite>11111111111</numero-activite><SIRET-organisme-formation>"
    "<SIRET>12345678901234</SIRET></SIRET-organisme-formation><nom-organisme>N</nom-organisme>"
    "<raison-sociale>R</raison-sociale><coordonnees-organisme><coordonnees/></coordonnees-organisme>"
    "<contact-organisme><coordonnees/></contact-organisme></organisme-formation-responsable></formation>"
)


def test_training_offers_against_their_schema(shared: Path, tmp_path: Path) -> None:
    """An LHÉO 2.3 document is read when its XSD holds, and refused with its line where a date or an element does not."""
    pytest.importorskip("lxml")
    schema = str(shared / "data" / "lheo_2.3.xsd")
    space = "http://lheo.gouv.fr/2.3"
    form = replace(LHEO, id="lheo-2.3", namespace=space, schema=schema, optional=("certification", "domaine-formation"))
    path = tmp_path / "any"

    def offer(text: str) -> None:
        path.write_text(f'<lheo xmlns="{space}">\n<offres>\n{text}\n</offres></lheo>')

    offer(FORMATION.format("20260201"))
    form = lheo(path, form)
    read, _, rows = taken(path, form)
    assert read == 2
    assert [(row["action"], row["session"], row["from"]) for row in rows] == [
        ("A1", "S1", "20260105"),
        ("A1", "S2", "20260201"),
    ]
    for text in ("20265001", "2026"):
        offer(FORMATION.format(text))
        with pytest.raises(IntakeError, match="breaks its schema") as caught:
            taken(path, form)
        assert caught.value.where == "lines 1 to 4"
    offer(FORMATION.format("20260201").replace("<certifiante>1</certifiante>", ""))
    with pytest.raises(IntakeError, match="breaks its schema"):
        taken(path, replace(form, columns={name: to for name, to in form.columns.items() if name != "certifiante"}))
    real = shared / "data" / "lheo_intercarif.xml"
    with pytest.raises(IntakeError, match="another namespace"):
        taken(real, form)
    with pytest.raises(IntakeError, match="breaks its schema"):
        taken(real, replace(lheo(real, LHEO), schema=schema))
