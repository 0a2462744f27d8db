"""The nesting that disclosure control relies on is the field's, and a generated table passes through it."""

from __future__ import annotations

from pathlib import Path

from contracts.outcomes import OUTCOME_TABLES, REGIONS, period_above, territory_above
from contracts.registry import contract
from passerelle.disclosure import Thresholds, protect
from passerelle.intake import open_source
from tests.contracts.making import DAY, sampled


def test_territories_nest_as_in_the_field(shared: Path) -> None:
    """Every department and basin of the survey lies in the region that the nesting gives."""
    judging = contract("studies_bmo")
    with open_source(shared / "data" / "bmo_2023.xlsx", judging.dialects) as source:
        tables = [judging.judge(batch, source.dialect, DAY).accepted for batch in source.batches()]
    seen = {
        row
        for table in tables
        for row in zip(*(table[n].to_pylist() for n in ("basin", "department", "region")), strict=True)
    }
    assert len({department for _, department, _ in seen}) == sum(len(them.split()) for them in REGIONS.values()) == 101
    for basin, department, region in seen:
        assert territory_above(("basin", basin)) == territory_above(("department", department)) == ("region", region)


def test_communes_and_half_years_nest() -> None:
    """A commune lies in its department, overseas and Corsica included; a half-year lies in its year."""
    above = {code: territory_above(("commune", code)) for code in ("13055", "2A004", "97411")}
    assert above == {"13055": ("department", "13"), "2A004": ("department", "2A"), "97411": ("department", "974")}
    assert territory_above(("region", "93")) is territory_above(("national", "FR")) is None
    assert (period_above(("2024-S1",)), period_above(("2024",))) == (("2024",), None)


def test_a_generated_table_is_protected() -> None:
    """Every column of the contract has a role, and the protected table still fits the contract's columns."""
    judging = contract("training_outcomes")
    table = judging.judge(sampled("training_outcomes", 60, 0.0), judging.dialect("hub"), DAY).accepted
    roles = OUTCOME_TABLES["training_outcomes"]
    assert set(roles.named) == set(table.column_names)
    protected = protect(table, roles, Thresholds(11, 20)).table
    assert sorted(protected.column_names) == sorted(table.column_names)
    shown = [int(value) for value in protected["leavers"].to_pylist() if value != "*"]
    assert all(value == 0 or value >= 11 for value in shown)
    assert len(shown) < 60
