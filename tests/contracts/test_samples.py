"""Generated rows: reproducible, bounded in memory, and of nobody."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from contracts.registry import contract, contracts
from contracts.rules import Identifier
from contracts.samples import BREAKS, CHUNK_ROWS, MAKERS, sample
from passerelle.errors import UsageError
from passerelle.intake import open_source
from tests.contracts.making import DAY, sampled

IDS = [one.reference for one in contracts()]


def test_every_contract_has_a_generator() -> None:
    """A contract without a generator, or without ways to break its rows, is not finished."""
    assert set(MAKERS) == set(BREAKS) == {one.id for one in contracts()}


@pytest.mark.parametrize("contract_id", IDS)
def test_the_intake_reads_a_sample(contract_id: str, tmp_path: Path) -> None:
    """A sample is a file of the hub's format, and all its good rows are accepted."""
    path = tmp_path / "sample.csv"
    path.write_bytes(b"".join(sample(contract_id, 1_000)))
    judging = contract(contract_id)
    with open_source(path, judging.dialects) as source:
        judgements = [judging.judge(batch, source.dialect, DAY) for batch in source.batches()]
    assert source.dialect.id == "hub"
    assert sum(one.accepted.num_rows for one in judgements) == 1_000


@pytest.mark.parametrize("contract_id", IDS)
def test_keys_do_not_repeat(contract_id: str) -> None:
    """No key of the contract is generated twice."""
    rows = sampled(contract_id, 3_000, 0.0).rows
    for key in contract(contract_id).unique:
        assert rows.select(list(key)).group_by(list(key)).aggregate([]).num_rows == 3_000


def test_the_seed_decides() -> None:
    """The same seed gives the same bytes, another seed other bytes, and a longer sample starts with the shorter one's chunks."""
    short = list(sample("training_entries", CHUNK_ROWS, seed=1))
    assert list(sample("training_entries", CHUNK_ROWS, seed=1)) == short
    assert list(islice(sample("training_entries", 10**9, seed=1), 2)) == short
    assert next(islice(sample("training_entries", CHUNK_ROWS, seed=2), 1, None)) != short[1]


def test_nobody_is_in_it() -> None:
    """Phones, mail domains and birth places of the sample belong to nobody."""
    rows = sampled("training_entries", 2_000, 0.0).rows
    assert all(value.startswith("063998") for value in rows["phone"].to_pylist())
    assert all(value.endswith("@example.org") for value in rows["email"].to_pylist())
    assert all(value[5:10] == "99999" for value in rows["nir"].to_pylist())


@pytest.mark.parametrize("contract_id", IDS)
def test_nobody_can_be_reached(contract_id: str) -> None:
    """Every phone number is of the range kept for fiction, every e-mail and web address of a domain that belongs to nobody."""
    rows = sampled(contract_id, 500, 0.0).rows
    for name in rows.column_names:
        for value in filter(None, rows[name].to_pylist()):
            assert "@" not in value or value.endswith("@example.org")
            assert not value.startswith("http") or ".example.org/" in value
    for rule in contract(contract_id).rules:
        if isinstance(rule, Identifier) and rule.scheme == "phone" and rule.column in rows.column_names:
            assert all(value.startswith("063998") for value in filter(None, rows[rule.column].to_pylist()))


@pytest.mark.parametrize(("rows", "rate"), [(-1, 0.0), (1, -0.1), (1, 1.1), (1, float("nan"))])
def test_impossible_samples_are_refused(rows: int, rate: float) -> None:
    """A negative length or a share outside 0 to 1 is refused at once."""
    with pytest.raises(UsageError, match="a sample needs"):
        sample("job_offers", rows, rate)
