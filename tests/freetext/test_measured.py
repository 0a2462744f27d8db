"""What is found in real offers, and in the same offers with data of people who do not exist planted in them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from contracts.registry import contract
from passerelle.freetext import KINDS, TOKENS, spot
from passerelle.handover.check import check_file
from passerelle.intake import open_source
from tests.contracts.making import DAY
from tests.freetext.planting import PLANTS, name

OFFERS = {
    "pep_vers_pe_2021-03-03.csv": ("job_offers", 397),
    "pep_vers_pe_2021-04-16.csv": ("job_offers", 596),
    "pep_source_talentsoft_50.csv": ("public_offers_source", 50),
}


@pytest.fixture(scope="module")
def offers(shared: Path) -> dict[str, pa.Table]:
    """The real offers, by file."""
    found = {}
    for file, (dataset, _) in OFFERS.items():
        with open_source(shared / "data" / file, contract(dataset).dialects) as source:
            found[file] = pa.concat_tables([batch.rows for batch in source.batches()])
    return found


def test_the_real_offers_hold_nobody_once_cleaned(offers: dict[str, pa.Table]) -> None:
    """In 1,043 offers whose rows with persons were taken out, no column of text gives a false alarm."""
    assert {file: table.num_rows for file, table in offers.items()} == {
        file: rows for file, (_, rows) in OFFERS.items()
    }
    for table in offers.values():
        for column in table.columns:
            assert spot(column).totals() == {}


def test_what_is_planted_in_real_offers_is_found(offers: dict[str, pa.Table]) -> None:
    """One datum of each kind in each of 1,043 descriptions: each is found as what it is, and masked."""
    dice = Random(20261122)  # noqa: S311 -- of texts, not of secrets
    texts, planted = [], []
    for text in (text for table in offers.values() for text in table.column("description").to_pylist()):
        words = text.split(" ")
        mine = [make(dice) for make in PLANTS.values()]
        cue, person = name(dice)
        for datum in (*mine, f"{cue}{person},"):
            words.insert(dice.randrange(1, len(words)), datum)
        texts.append(" ".join(words))
        planted.append((*mine, person))
    spotted = spot(pa.chunked_array([texts]))
    assert spotted.totals() == dict.fromkeys(KINDS, 1043)
    assert all((spotted.counts[kind] == 1).all() for kind in KINDS)
    for text, data in zip(spotted.masked(KINDS).to_pylist(), planted, strict=True):
        assert not any(datum in text for datum in data)
        assert all(text.count(token) == 1 for token in TOKENS.values())


def test_the_check_of_a_real_file_notes_nothing(shared: Path) -> None:
    """`contract check` looks at the free text of a file and has nothing to note in a cleaned one."""
    told = check_file(shared / "data" / "pep_vers_pe_2021-03-03.csv", contract("job_offers"), DAY)
    assert told["notes"] == []
