"""Who is the same person: what no one approves who started it is compared by these names."""

from __future__ import annotations

import pytest

from passerelle.store.partners import person


@pytest.mark.parametrize(
    "other",
    [
        " ÉLODIE  faure ",
        "E\u0301lodie Faure",
        "Élodie\u00a0Faure",
        "Élo\u200bdie Faure",
        "\ufeffÉlodie Faure",
        "Élodie \uff26aure",
    ],
    ids=["case and spaces", "accent of its own", "unbroken space", "unseen space", "byte order mark", "wide letter"],
)
def test_another_spelling_is_nobody_else(other: str) -> None:
    """Letter case, spaces, signs that are not seen and other forms of a letter make nobody a second person."""
    assert person(other) == person("Élodie Faure")


def test_another_name_is_somebody_else() -> None:
    """An accent is part of a name."""
    assert person("Elodie Faure") != person("Élodie Faure")
