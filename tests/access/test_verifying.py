"""What somebody with the database in hand cannot do to a line that the trail vouches for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.access.conftest import House

    Tampered = Callable[..., House]

LINES = 24  # in four batches of six
SET = "UPDATE access SET"


def test_a_log_that_nobody_touched_holds(tampered: Tampered) -> None:
    """A sealed log is whole: every line in a batch, none open, nothing found."""
    report = tampered().report()
    assert (report.lines, report.batches, report.open, report.findings) == (LINES, 4, 0, ())


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        pytest.param([f"{SET} actor = 'other' WHERE number = 8"], [("edited", 8)], id="edit"),
        pytest.param([f"{SET} convention = NULL WHERE number = 8"], [("edited", 8)], id="null"),
        pytest.param([f"{SET} salt = x'00' WHERE number = 8"], [("edited", 8)], id="salt"),
        pytest.param([f"{SET} salt = 'text' WHERE number = 8"], [("edited", 8)], id="kind"),
        pytest.param([f"{SET} count = x'ff' WHERE number = 8"], [("edited", 8)], id="bytes"),
        pytest.param(["DELETE FROM access WHERE number = 8"], [("deleted", 8)], id="delete"),
        pytest.param(
            ["DELETE FROM access WHERE number BETWEEN 7 AND 12"], [("deleted", n) for n in range(7, 13)], id="batch"
        ),
        pytest.param(["DELETE FROM access WHERE number > 22"], [("deleted", 23), ("deleted", 24)], id="truncate"),
        pytest.param(
            ["DELETE FROM access WHERE number = 8", f"{SET} number = number - 1 WHERE number > 8"],
            [("deleted", 8)],
            id="close the gap",
        ),
        pytest.param([f"{SET} number = NULL WHERE number = 8"], [("deleted", 8)], id="unnumber"),
        pytest.param([f"{SET} number = 99 WHERE number = 8"], [("deleted", 8), ("inserted", 99)], id="number away"),
        pytest.param([f"{SET} number = 0 WHERE number = 1"], [("deleted", 1), ("inserted", 0)], id="number zero"),
    ],
)  # fmt: skip
def test_each_fault_is_named(tampered: Tampered, statements: list[str], found: list[tuple[str, int]]) -> None:
    """What was done to which line is told."""
    told = tampered(*statements).found()
    assert told[: len(found)] == found
    assert len(told) == len(found) or len(statements) > 1


def test_two_lines_that_changed_places_are_named(tampered: Tampered) -> None:
    """Lines that swapped their numbers are told as reordered."""
    swap = [f"{SET} number = 100 WHERE number = 8", f"{SET} number = 8 WHERE number = 10", f"{SET} number = 10 WHERE number = 100"]  # fmt: skip
    told = tampered(*swap).found()
    assert {code for code, _ in told} == {"reordered"}
    assert {8, 10} & {number for _, number in told}


def test_a_line_slipped_in_between_is_named(tampered: Tampered) -> None:
    """A line that copies another one's number is told as inserted."""
    columns = "number, at, action, subject, reason, outcome, salt"
    slip = f"INSERT INTO access ({columns}, actor) SELECT {columns}, 'other' FROM access WHERE number = 8"  # noqa: S608 -- fixed names
    assert tampered(slip).found() == [("inserted", 8)]


def test_stored_hashes_are_not_believed(tampered: Tampered) -> None:
    """Changed hashes of a batch whose lines are good are told as such; with changed lines, the batch is."""
    spoil = "UPDATE access_batch SET leaves = zeroblob(192) WHERE first = 7"
    assert tampered(spoil).found() == [("hashes_altered", None)]
    assert tampered(spoil, f"{SET} actor = 'other' WHERE number = 8").found() == [("altered", None)]
    assert tampered("DELETE FROM access_batch WHERE first = 7").found() == [("hashes_altered", None)]


def test_a_line_written_behind_the_log_is_named(tampered: Tampered) -> None:
    """A line that nobody sealed and that is older than what was sealed is told as back-dated."""
    columns = "actor, action, subject, reason, outcome, salt"
    late = f"INSERT INTO access (at, {columns}) SELECT '2026-01-01T00:00:00Z', {columns} FROM access WHERE number = 8"  # noqa: S608 -- fixed names
    house = tampered(late)
    assert house.found() == [("back_dated", None)]
    assert house.report().late == 1


def test_open_lines_are_counted_apart(house: House) -> None:
    """A line that is not sealed yet is told as open, and as late once its hour is over."""
    house.write("p-1")
    assert (house.report().open, house.report().late) == (1, 0)
    house.wait(hours=2)
    assert (house.report().open, house.report().late) == (1, 1)
    house.seal()
    assert (house.report().open, house.report().lines) == (0, 1)


REQUIRED = ("at", "actor", "action", "subject", "reason")
NULLABLE = ("partner", "convention", "exchange", "delivery", "run")
numbers = st.integers(1, LINES)
text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def _quoted(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _edit(number: int, column: str, value: str | None) -> list[str]:
    return [f"{SET} {column} = {_quoted(value)} WHERE number = {number}"]


def _delete(gone: set[int]) -> list[str]:
    return [f"DELETE FROM access WHERE number = {one}" for one in gone]  # noqa: S608 -- numbers


def _reorder(order: list[int]) -> list[str]:
    moves = [f"{SET} number = {place} WHERE number = -{one}" for place, one in enumerate(order, 1)]
    return [f"{SET} number = -number", *moves]


def _insert(number: int, subject: str) -> list[str]:
    columns = "at, actor, action, reason, outcome, salt"
    copy = f"SELECT {number}, {_quoted(subject)}, {columns} FROM access WHERE number = {number + 1}"  # noqa: S608 -- quoted
    return [
        f"{SET} number = number + 1 WHERE number >= {number}",
        f"INSERT INTO access (number, subject, {columns}) {copy}",
    ]


changes = (
    st.builds(_edit, numbers, st.sampled_from(REQUIRED), text)
    | st.builds(_edit, numbers, st.sampled_from(NULLABLE), st.none() | text)
    | st.builds(_delete, st.sets(numbers, min_size=1))
    | st.builds(_reorder, st.permutations(range(1, LINES + 1)))
    | st.builds(_insert, numbers, text)
)


def _told(house: House) -> list[object]:
    """What the log says, line by line."""
    columns = ", ".join(("number", *REQUIRED, *NULLABLE))
    with house.database.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM access ORDER BY number, id")]  # noqa: S608 -- fixed names


@pytest.fixture(scope="module")
def untouched(tampered: Tampered) -> list[object]:
    """What the log said before anybody touched it."""
    return _told(tampered())


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(statements=changes)
def test_no_anchored_line_can_be_changed(tampered: Tampered, untouched: list[object], statements: list[str]) -> None:
    """Whatever is edited, deleted, reordered or inserted among sealed lines, something is found; else nothing is."""
    house = tampered(*statements)
    assert bool(house.found()) == (_told(house) != untouched)
    house.database.close()
