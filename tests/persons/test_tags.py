"""The tags of persons: one person has one tag however they are written, and what is no identifier is refused without being told."""

from __future__ import annotations

import pyarrow as pa
import pytest

from contracts.registry import contract
from passerelle.errors import UsageError
from passerelle.persons import NAME_BIRTH, SCHEMES, Keyed, identifier_tag, keyed

KEY = bytes(16)


@pytest.mark.parametrize(
    ("scheme", "one", "other"),
    [
        ("nir", "1 85 05 78 006 084 91", "185057800608491"),
        ("nir", "1850578006084", "1 85 05 78 006 084 91"),
        ("avs", "756.9217.0769.85", "7569217076985"),
        ("email", " Zoe@Exemple.FR ", "zoe@exemple.fr"),
        ("france-travail", "1234567a", "1234567A"),
        (NAME_BIRTH, "Lenœuvre;Zoé Marie;1990-02-03", "LENOEUVRE;ZOE;1990-02-03"),
        (NAME_BIRTH, "d'Oustal-Le Gall;Marie-Ange;1990-02-03", "DOUSTAL LE GALL;MARIEANGE;1990-02-03"),
    ],
)
def test_one_person_has_one_tag(scheme: str, one: str, other: str) -> None:
    """Spaces, letter case, accents, the key of a NIR and second first names change nothing."""
    assert identifier_tag(KEY, scheme, one) == identifier_tag(KEY, scheme, other)


def test_schemes_and_conventions_are_kept_apart() -> None:
    """The same text under another scheme or another key is another tag."""
    tag = identifier_tag(KEY, "france-travail", "12345678901")
    assert tag != identifier_tag(KEY, "trainee", "12345678901")
    assert tag != identifier_tag(bytes([1] * 16), "france-travail", "12345678901")


@pytest.mark.parametrize(
    ("scheme", "wrong"),
    [
        ("nir", "185057800608492"),
        ("nir", "985057800608491"),
        ("avs", "7569217076986"),
        ("email", "zoe.exemple.fr"),
        ("france-travail", "123"),
        (NAME_BIRTH, "Canaryname;Zoé"),
        (NAME_BIRTH, "Canaryname;Zoé;1990-02-30"),
        (NAME_BIRTH, "  ;Zoé;1990-02-03"),
        ("trainee", "  "),
    ],
)
def test_a_mistyped_identifier_is_refused_and_not_repeated(scheme: str, wrong: str) -> None:
    """What would leave nobody out, in silence, is refused; the message has nothing of it."""
    with pytest.raises(UsageError) as refused:
        identifier_tag(KEY, scheme, wrong)
    said = f"{refused.value} {refused.value.hint} {refused.value.fr} {refused.value.hint_fr}"
    assert not any(part.strip() and part in said for part in wrong.split(";"))


def test_an_unknown_kind_is_refused() -> None:
    """Kinds are a closed list, which the message gives."""
    with pytest.raises(UsageError, match=", ".join(SCHEMES)):
        identifier_tag(KEY, "siret", "73282932000074")


def test_a_table_names_persons_by_what_its_columns_are() -> None:
    """Identifiers come alone; last name, first name and birth date make the weak key together, and only together."""
    assert keyed(contract("candidate_pool").columns) == [
        Keyed("france-travail", ("jobseeker_id",)),
        Keyed("email", ("email",)),
        Keyed(NAME_BIRTH, ("last_name", "first_name", "birth_date")),
    ]
    assert NAME_BIRTH not in {scheme.scheme for scheme in keyed(contract("training_selection").columns)}


def test_a_row_without_the_identifier_has_no_tag() -> None:
    """A null, or nothing once normalised, names nobody."""
    rows = pa.table({"email": pa.array(["zoe@exemple.fr", None, "  "], pa.string())})
    tags, present = Keyed("email", ("email",)).tags(KEY, rows)
    assert present.tolist() == [True, False, False]
    assert tags[0].tobytes() == identifier_tag(KEY, "email", "zoe@exemple.fr")
