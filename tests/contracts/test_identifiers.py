"""Identifiers against python-stdnum, the field's own files, and their definitions written out value by value."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.ch import ssn
from stdnum.fr import nir, siren, siret

from contracts.identifiers import SCHEMES, full_match, valid

LA_POSTE = "356000000"


def judged(scheme: str, values: list[str | None]) -> list[bool]:
    return list(valid(scheme, pa.array(values, pa.string())))


def _nir_oracle(value: str) -> bool:
    if not re.fullmatch(r"[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8}", value) or value == "269054958815780":
        return False
    month = int(value[3:5])
    possible = 1 <= month <= 12 or 20 <= month <= 42 or 50 <= month <= 99
    return possible and value[5:7] != "00" and nir.is_valid(value)


def _uai_oracle(value: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{7}[A-Z]", value)) and "ABCDEFGHJKLMNPRSTUVWXYZ"[int(value[:7]) % 23] == value[7]


def _finess_oracle(value: str) -> bool:
    if re.fullmatch(r"2[AB][0-9]{7}", value):
        return True
    return bool(re.fullmatch(r"[0-9]{9}", value)) and set(value) != {"0"} and luhn.is_valid(value)


ORACLES: dict[str, tuple[int, str, Callable[[str], bool]]] = {
    "siren": (9, "0123456789", lambda v: bool(re.fullmatch("[0-9]{9}", v)) and set(v) != {"0"} and siren.is_valid(v)),
    "siret": (14, "0123456789", lambda v: bool(re.fullmatch("[0-9]{14}", v)) and v[:9] != "0" * 9 and siret.is_valid(v)),
    "nir": (15, "0123456789AB", _nir_oracle),
    "uai": (8, "0123456789ABCDEFGHJKLMNPRSTUVWXYZ", _uai_oracle),
    "finess": (9, "0123456789AB", _finess_oracle),
    "avs": (13, "0123456789", lambda v: bool(re.fullmatch("756[0-9]{10}", v)) and v != "7560000000002" and ssn.is_valid(v)),
}  # fmt: skip


def _completions(scheme: str, value: str) -> list[str]:
    """Every value that differs from ``value`` in its last characters, so that some have the right key."""
    _, alphabet, _ = ORACLES[scheme]
    if scheme == "nir":
        department = [value[:5] + two + value[7:13] for two in ("2A", "2B", value[5:7])]
        return [start + f"{key:02d}" for start in department for key in range(98)]
    prefix = {"siret": LA_POSTE + value[9:13] if int(value[0]) > 5 else value[:13], "avs": "756" + value[3:12]}
    return [prefix.get(scheme, value[:-1]) + last for last in alphabet]


@pytest.mark.parametrize("scheme", ORACLES)
@given(data=st.data())
def test_keys_agree_with_the_reference(scheme: str, data: st.DataObject) -> None:
    """Every key is judged as python-stdnum or the written definition does, gaps closed."""
    width, _, oracle = ORACLES[scheme]
    value = data.draw(st.text("0123456789", min_size=width, max_size=width))
    candidates = [value, *_completions(scheme, value)]
    assert judged(scheme, list(candidates)) == [oracle(one) for one in candidates]


@pytest.mark.parametrize("scheme", SCHEMES)
@given(values=st.lists(st.none() | st.text(max_size=16) | st.text("0123456789AB१٣ .", max_size=16), max_size=20))
def test_what_is_valid_has_the_form(scheme: str, values: list[str | None]) -> None:
    """Any text at all is judged without an error; what is valid matches the scheme's form, and null never does."""
    for value, good in zip(values, judged(scheme, values), strict=True):
        assert not good or (value is not None and re.fullmatch(SCHEMES[scheme].pattern, value))


@given(
    st.lists(
        st.sampled_from(["73282932000074", "73282932000075", None, "7", "7328293200007\n", "x" * 14]), max_size=30
    ),
    st.data(),
)
def test_slices_and_chunks_change_nothing(values: list[str | None], data: st.DataObject) -> None:
    """A sliced, chunked or large-string column is judged as the plain one."""
    start = data.draw(st.integers(0, len(values)))
    expected = [value == "73282932000074" for value in values]
    whole = pa.array(values, pa.string())
    assert list(valid("siret", whole.slice(start))) == expected[start:]
    assert list(valid("siret", pa.chunked_array([whole[:start], whole[start:]]))) == expected
    assert list(valid("siret", whole.cast(pa.large_string()))) == expected


@pytest.mark.parametrize(
    ("scheme", "good", "bad"),
    [
        ("siren", "732829320", "000000000"),
        ("siret", "35600000000048", "00000000000000"),
        ("siret", "35600000009075", "35600000009071"),
        ("siret", "82436343601230", "31404541000000"),
        ("siret", "73282932000074", "11122233344455"),
        ("nir", "295109912611193", "269054958815780"),
        ("nir", "253072A07300443", "253072C07300443"),
        ("nir", "253072B07300470", "189056061200000"),
        ("uai", "0630003L", "0630003A"),
        ("avs", "7569217076985", "7560000000002"),
        ("rome", "A1101", "O1101"),
        ("ogr", "15334", "12345"),
        ("formacode", "31734", "3173"),
        ("certification", "RNCP38381", "NR"),
        ("certification", "RS5665", "38381"),
        ("commune", "2A004", "99999"),
        ("commune", "01001", "1001"),
        ("postcode", "97400", "99000"),
        ("department", "2B", "20A"),
        ("france-travail", "1234567A", "12345678901A"),
        ("email", "EMAIL_1@PE.COM", "no-at.example.org"),
        ("email", "a.b+c@ex-ample.co.uk", "a@-example.org"),
        ("phone", "06 12 34 56 78", "06111111"),
        ("phone", "+33612345678", "0012345678"),
        ("phone", "+41 22 388 00 00".replace(" ", ""), "0612345678 "),
    ],
)
def test_known_values(scheme: str, good: str, bad: str) -> None:
    """Known identifiers are valid, and their known counterfeits are not."""
    assert judged(scheme, [good, bad, good + "\n", None]) == [True, False, False, False]


def _nir(start: str) -> str:
    """Thirteen characters with their key."""
    number = int(start.replace("2A", "19").replace("2B", "18"))
    return f"{start}{97 - number % 97:02d}"


@pytest.mark.parametrize(
    ("scheme", "value", "theirs"),
    [
        pytest.param("siren", "000000000", siren, id="all zeros"),
        pytest.param("siret", "00000000000000", siret, id="all zeros"),
        pytest.param("avs", "7560000000002", ssn, id="all zeros"),
        pytest.param("nir", "269054958815780", nir, id="public specimen"),
        pytest.param("nir", _nir("0850575123456"), nir, id="sex 0"),
        pytest.param("nir", _nir("9850575123456"), nir, id="sex 9"),
        pytest.param("nir", _nir("1850075123456"), nir, id="month 00"),
        pytest.param("nir", _nir("1851375123456"), nir, id="month 13"),
        pytest.param("nir", _nir("1854375123456"), nir, id="month 43"),
        pytest.param("nir", _nir("1850500123456"), nir, id="department 00"),
        pytest.param("siret", "732 829 320 00074", siret, id="spaces"),
    ],
)
def test_what_python_stdnum_lets_through(scheme: str, value: str, theirs: ModuleType) -> None:
    """Each known gap of python-stdnum is still one, and is closed here."""
    assert theirs.is_valid(value)
    assert judged(scheme, [value]) == [False]


@pytest.mark.parametrize("department", ["2A", "2B", "75", "97", "99"])
def test_corsica_has_its_letters(department: str) -> None:
    """A NIR born in 2A or 2B is valid with the key of 19 or 18, as python-stdnum says too."""
    value = _nir(f"18505{department}123456")
    assert nir.is_valid(value)
    assert judged("nir", [value]) == [True]


@pytest.mark.parametrize(
    ("value", "good"), [("35600000000048", True), ("35600000009075", True), ("35600000009076", False)]
)
def test_establishments_of_la_poste(value: str, *, good: bool) -> None:
    """La Poste's SIRETs follow the sum by five, its head office Luhn; python-stdnum agrees."""
    assert siret.is_valid(value) is good
    assert judged("siret", [value]) == [good]


def test_digits_of_other_scripts_are_not_digits() -> None:
    """Devanagari and Arabic digits do not pass for ours."""
    assert not full_match(pa.array(["१२३४५", "١٢٣٤٥"]), "[0-9]{5}").any()
    assert not any(judged("formacode", ["१२३४५"]))


def _column(path: Path, name: str, encoding: str, separator: str) -> list[str | None]:
    with path.open(encoding=encoding, newline="") as lines:
        return [row[name] or None for row in csv.DictReader(lines, delimiter=separator)]


def test_uai_of_the_field(shared: Path) -> None:
    """The UAI keys of both real directories are all valid: 933 and 3,166 codes."""
    directory = _column(shared / "data" / "inserjeunes_cfa.csv", "UAI", "utf-8-sig", ";")
    assert len(set(directory)) == 3166
    assert all(judged("uai", directory))
    with (shared / "data" / "cfa_uai_cp1252.csv").open(encoding="cp1252", newline="") as lines:
        cells = [cell for row in csv.reader(lines, delimiter=";") for cell in row]
    codes = [cell for cell in cells if re.fullmatch("[0-9]{7}[A-Z]", cell)]
    assert len(codes) >= 933
    assert all(judged("uai", list(codes)))


def test_siret_of_the_field(shared: Path) -> None:
    """The employers' groups have two SIRETs with a false key and one that a no-break space follows."""
    text = (shared / "data" / "groupements_employeurs_siret.csv").read_text(encoding="utf-8")
    values = re.findall(r"(?<![0-9])[0-9]{14}(?![0-9])", text)
    assert len(values) > 5000
    assert judged("siret", list(values)).count(False) == 2
    assert "\u00a0" in text


def test_communes_of_the_field(shared: Path) -> None:
    """Every commune of the official list is valid once its lost zero is back, and none of those that lost it before."""
    codes = _column(shared / "data" / "cog_communes_2025_abime.csv", "com", "utf-8", ",")
    assert len(codes) == 37_548
    assert all(judged("commune", [code and code.zfill(5) for code in codes]))
    assert not any(judged("commune", [code for code in codes if code and len(code) < 5]))


def test_occupations_of_the_field(shared: Path) -> None:
    """The 1,584 ROME sheets have valid parents, letters A to N."""
    codes = _column(shared / "data" / "rome_v460.csv", "code_rome_parent", "utf-8", ",")
    assert len(codes) == 1584
    assert all(judged("rome", codes))
