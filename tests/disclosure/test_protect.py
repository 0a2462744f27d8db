"""What leaves: which figures are starred, which rates stand, what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from passerelle.disclosure import SECRET, Dimension, OutcomeTable, Rate, Thresholds, protect
from passerelle.errors import RefusedError, UsageError
from tests.disclosure.making import ROLES, WAYS, drawn, outcome_table, too_well_known


def _one_row(leavers: int, employed: int, thresholds: Thresholds | None = None) -> dict[str, str | None]:
    """A cell beside one that can always be published, without totals."""
    before = outcome_table(np.array([[leavers, 500]]), np.array([[employed, 250]]), totals=False)
    row: dict[str, str | None] = protect(before, ROLES, thresholds or Thresholds()).table.to_pylist()[0]
    return row


@pytest.mark.parametrize(
    ("leavers", "employed", "shown"),
    [
        (50, 25, ("50", "25", "50")),
        (10, 4, (SECRET, SECRET, SECRET)),
        (50, 10, ("50", SECRET, SECRET)),
        (50, 40, ("50", SECRET, SECRET)),  # 10 leavers without employment
        (50, 39, ("50", "39", "78")),
        (50, 0, ("50", SECRET, SECRET)),
        (50, 50, ("50", SECRET, SECRET)),
        (19, 9, ("19", SECRET, SECRET)),
        (300, 3, ("300", SECRET, "< 5 %")),
        (300, 298, ("300", SECRET, "> 95 %")),
        (219, 0, ("219", SECRET, SECRET)),  # 5 % of 219 persons is fewer than 11: the edge would say too much
        (220, 0, ("220", SECRET, "< 5 %")),
        (0, 0, ("0", "0", None)),
    ],
)
def test_one_cell(leavers: int, employed: int, shown: tuple[str | None, ...]) -> None:
    """Without totals, a cell's figures depend on its own counts alone."""
    row = _one_row(leavers, employed)
    assert (row["leavers"], row["employed"], row["rate"]) == shown


def test_denominator_rule() -> None:
    """With a lower count threshold, a rate on fewer persons than the denominator rule asks is not to be worked out."""
    row = _one_row(18, 9, Thresholds(min_count=5))
    assert (row["leavers"], row["employed"], row["rate"]) == ("18", SECRET, SECRET)


def test_zeros_are_published_unless_declared_disclosive() -> None:
    """A cell where nobody left is shown as 0, and as the secrecy mark where the exchange says zeros disclose."""
    assert _one_row(0, 0)["leavers"] == "0"
    assert _one_row(0, 0, Thresholds(zeros=True))["leavers"] == SECRET


def test_report_counts_figures() -> None:
    """The report has numbers of figures, and they add up."""
    before = outcome_table(*drawn(12, 6, 80, 5))
    protected = protect(before, ROLES, Thresholds())
    counts = protected.table.select(["leavers", "employed"]).to_pydict()
    starred = sum(value == SECRET for column in counts.values() for value in column)
    assert protected.suppressed == protected.primary + protected.secondary == starred
    assert protected.published + starred == 2 * before.num_rows
    assert protected.secondary > 0
    assert protected.rates_withheld == protected.table["rate"].to_pylist().count(SECRET)


def test_without_totals_only_primary_figures_go() -> None:
    """Without totals nothing is withheld besides what the rules name: each cell stands alone."""
    before = outcome_table(*drawn(40, 10, 60, 6), totals=False)
    protected = protect(before, ROLES, Thresholds())
    assert protected.secondary == 0
    assert too_well_known(before.slice(0, 60), protected.table.slice(0, 60), Thresholds(), totals=False) == []


def test_grand_total_stays() -> None:
    """The number of persons in all is always out."""
    for seed in range(5):
        table = protect(outcome_table(*drawn(6, 4, 60, seed)), ROLES, Thresholds()).table
        assert table["leavers"].to_pylist()[-1] != SECRET


def test_untouched_columns_and_rows() -> None:
    """Rows keep their order, carried columns their values; the largest contributions never leave."""
    before = outcome_table(np.array([[40, 60]]), np.array([[20, 30]]), totals=False)
    before = before.append_column("label", pa.array(["a", "b"])).append_column("largest", pa.array([39, 20]))
    roles = OutcomeTable(
        WAYS,
        ("leavers", "employed"),
        rates=ROLES.rates,
        largest=(("leavers", "largest"),),
        carried=("label",),
    )
    after = protect(before, roles, Thresholds(dominance=0.85)).table
    assert after.column_names == [name for name in before.column_names if name != "largest"]
    assert after["label"].to_pylist() == ["a", "b"]
    assert after["leavers"].to_pylist() == [SECRET, "60"]


def test_dominance_needs_its_column() -> None:
    """A dominance rule without the largest contributions refuses."""
    with pytest.raises(RefusedError, match="largest contributions"):
        protect(outcome_table(*drawn(3, 3, 60, 1)), ROLES, Thresholds(dominance=0.85))


def test_rows_withheld_by_the_sender_leave_without_counts() -> None:
    """Without totals, a row that lacks a count leaves with none; with totals, the table is refused."""
    columns = {"course": ["a", "b"], "territory": ["x", "x"], "leavers": ["40", "50"], "employed": ["*", "20"]}
    before = pa.table(columns | {"rate": [None, 40.0]})
    protected = protect(before, ROLES, Thresholds())
    assert protected.table.to_pylist()[0] == {
        "course": "a",
        "territory": "x",
        "leavers": SECRET,
        "employed": SECRET,
        "rate": SECRET,
    }
    assert protected.withheld_by_sender == 1
    totalled = pa.table(
        {
            "course": ["a", "b", "total"],
            "territory": ["x"] * 3,
            "leavers": ["40", "50", "90"],
            "employed": ["*", "20", "38"],
        }
    )
    with pytest.raises(RefusedError, match="withheld by the sender"):
        protect(totalled, ROLES, Thresholds())


def _refused(columns: dict[str, list[object]], roles: OutcomeTable = ROLES) -> str:
    with pytest.raises(RefusedError) as caught:
        protect(pa.table(columns), roles, Thresholds())
    return str(caught.value)


GOOD: dict[str, list[object]] = {
    "course": ["a", "b"],
    "territory": ["x", "x"],
    "leavers": [40, 50],
    "employed": [20, 25],
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"leavers": [40, None], "employed": [None, 3]}, "at least one row"),
        ({"leavers": ["40", "Martin"]}, "leavers: expected whole numbers"),
        ({"leavers": [40, -1]}, "leavers: expected counts from 0"),
        ({"employed": [20, 51]}, "each part of a count"),
        ({"course": ["a", None]}, "course: expected a code"),
        ({"course": ["a", "a"]}, "one row for each cell"),
        ({"course": ["a", "total"], "leavers": [60, 50]}, "does not add up"),
        ({"mean_age": [30, 31]}, "columns without a role.*mean_age"),
        ({"leavers": [4, 5], "employed": [2, 3]}, "nothing of the table"),
        ({"course": ["a", "total"], "leavers": [8, 8], "employed": [3, 3]}, "grand total"),
    ],
)
def test_refused(changes: dict[str, list[object]], message: str) -> None:
    """What is not a table of outcomes, or cannot be made safe, is refused with the reason and no value."""
    import re

    told = _refused(GOOD | changes)
    assert re.search(message, told)
    assert "Martin" not in told


def test_missing_column_is_named() -> None:
    """A column of the roles that the table lacks is named."""
    assert "employed" in _refused({name: values for name, values in GOOD.items() if name != "employed"})


def test_empty_table_is_refused() -> None:
    """No row, no release."""
    with pytest.raises(RefusedError, match="at least one row"):
        protect(outcome_table(*drawn(2, 2, 60, 1)).slice(0, 0), ROLES, Thresholds())


def test_undeclared_total_is_refused() -> None:
    """A code that has the sum of the others is a total, whatever the roles say: the audit would be blind to it."""
    blind = OutcomeTable(
        (Dimension(("course",)), Dimension(("territory",))), ("leavers", "employed"), rates=ROLES.rates
    )
    with pytest.raises(RefusedError, match="sum of all the others"):
        protect(outcome_table(*drawn(4, 3, 60, 1)), blind, Thresholds())


NESTED = OutcomeTable(
    (
        Dimension(("course",)),
        Dimension(
            ("level", "territory"),
            total=("national", "FR"),
            parent=lambda code: ("region", code[1][:1]) if code[0] == "department" else None,
        ),
    ),
    ("leavers",),
)


def _levels(rows: list[tuple[str, str, int]]) -> pa.Table:
    levels, territories, counts = zip(*rows, strict=True)
    return pa.table({"course": ["a"] * len(rows), "level": levels, "territory": territories, "leavers": counts})


def test_nested_territories_protect_each_other() -> None:
    """A small department is protected from its region's total, and the region from the country's."""
    rows = [("department", "A1", 5), ("department", "A2", 40), ("department", "A3", 60), ("region", "A", 105)]
    rows += [("region", "B", 300), ("national", "FR", 405)]
    shown = protect(_levels(rows), NESTED, Thresholds()).table["leavers"].to_pylist()
    assert shown == [SECRET, SECRET, "60", "105", "300", "405"]


def test_rest_of_a_total_is_protected() -> None:
    """Departments that leave 4 persons of their region unnamed give those 4 away: one of them is withheld."""
    rows = [("department", "A1", 40), ("department", "A2", 60), ("region", "A", 104)]
    shown = protect(_levels(rows), NESTED, Thresholds()).table["leavers"].to_pylist()
    assert shown == [SECRET, "60", "104"]


def test_overlapping_levels_are_refused() -> None:
    """A department beside a basin: nobody said how their persons overlap."""
    with pytest.raises(RefusedError, match="of one level"):
        protect(_levels([("department", "A1", 40), ("basin", "A9", 60)]), NESTED, Thresholds())


def test_nesting_in_a_circle_is_a_usage_error() -> None:
    """A nesting without a top is a fault of who declares the roles."""
    circle = OutcomeTable((Dimension(("course",), parent=lambda code: ("b",) if code == ("a",) else ("a",)),), ("n",))
    with pytest.raises(UsageError, match="circle"):
        protect(pa.table({"course": ["a"], "n": [40]}), circle, Thresholds())


@pytest.mark.parametrize(
    "make",
    [
        lambda: OutcomeTable((), ("n",)),
        lambda: OutcomeTable((Dimension(("course",)),), ()),
        lambda: OutcomeTable((Dimension(("course",)),), ("course",)),
        lambda: OutcomeTable((Dimension(("course",)),), ("n",), rates=(Rate("r", "m", "n"),)),
        lambda: Thresholds(min_count=1),
        lambda: Thresholds(dominance=85),
        lambda: Thresholds(edge=5),
    ],
)
def test_contradictory_roles_and_thresholds_are_refused(make: object) -> None:
    """An empty list of dimensions or counts, a column in two roles, a threshold out of its range: refused when made."""
    with pytest.raises(UsageError):
        make()  # type: ignore[operator]  # each parameter is a lambda


def test_five_thousand_rows_take_seconds() -> None:
    """250 courses by 20 territories with totals, most cells small, within the time that an exchange may wait."""
    import time

    before = outcome_table(*drawn(250, 20, 60, 7))
    start = time.process_time()
    protected = protect(before, ROLES, Thresholds())
    assert time.process_time() - start < 30
    assert protected.published > 6_000


def test_solver_says_nothing_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output belongs to the command's answer: the solver's debugging lines do not reach it."""
    rng = np.random.default_rng(65)  # a table on which HiGHS 1.12 prints one
    shape = int(rng.integers(2, 7)), int(rng.integers(2, 6))
    protect(outcome_table(*drawn(*shape, float(rng.uniform(10, 300)), 65)), ROLES, Thresholds())
    assert capfd.readouterr().out == ""
