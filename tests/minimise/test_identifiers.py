"""One person, one normal form, however the identifier was written."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.registry import contracts
from passerelle.errors import UsageError
from passerelle.minimise import SCHEMES, normalise


@pytest.mark.parametrize(
    ("scheme", "written", "normal"),
    [
        ("nir", "2 69 05 49 588 157 80", "2690549588157"),
        ("nir", "2690549588157", "2690549588157"),
        ("nir", "1 85 05 2a 111 222 33", "185052A111222"),
        ("nir", "2-69-05-49-588-157", "2690549588157"),
        ("nir", "2\u00a069\u202f05 49588157", "2690549588157"),
        ("france-travail", " 1234567a ", "1234567A"),
        ("france-travail", "12345678901", "12345678901"),
        ("avs", "756.1234.5678.97", "7561234567897"),
        ("email", " Prenom.NOM@Exemple.FR ", "prenom.nom@exemple.fr"),
        ("email", "he\u0301le\u0300ne@exemple.fr", "h\u00e9l\u00e8ne@exemple.fr"),
        ("trainee", " ab-12 ", "AB-12"),
    ],
)
def test_normal_forms(scheme: str, written: str, normal: str) -> None:
    """Spaces, separators, case and composition do not make another person."""
    assert normalise(scheme, pa.array([written])).to_pylist() == [normal]


@pytest.mark.parametrize("scheme", SCHEMES)
@given(values=st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=20))))
def test_a_normal_form_is_its_own(scheme: str, values: list[str | None]) -> None:
    """Normalising twice changes nothing more, nothing is lost or added but nulls, and nothing is ever empty."""
    once = normalise(scheme, pa.array(values, pa.string()))
    assert len(once) == len(values)
    assert "" not in once.to_pylist()
    assert all(form is None for form, value in zip(once.to_pylist(), values, strict=True) if value is None)
    assert normalise(scheme, once).to_pylist() == once.to_pylist()


def test_columns_of_several_chunks() -> None:
    """A chunked column is normalised like a whole one."""
    column = pa.chunked_array([["A@b.fr"], [None, " "]], pa.string())
    assert normalise("email", column).to_pylist() == ["a@b.fr", None, None]


def test_an_unknown_scheme_is_refused() -> None:
    """A scheme that nobody wrote down is refused rather than passed through."""
    with pytest.raises(UsageError):
        normalise("passport", pa.array(["x"]))


def test_every_identifier_of_a_contract_has_a_scheme() -> None:
    """Each identifier that a contract declares can be normalised."""
    declared = {column.identifier for one in contracts() for column in one.columns} - {None}
    assert declared
    assert declared <= set(SCHEMES)
