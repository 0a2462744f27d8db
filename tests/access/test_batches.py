"""Lines are sealed in batches, whoever writes and whatever happens in between."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from passerelle.access import Look, batches, looking, page, refusing, seal_when_due, write_in
from passerelle.access.searching import Search
from passerelle.errors import RefusedError, UsageError, WorkspaceError
from passerelle.store import access
from passerelle.store.access_tables import access as table

if TYPE_CHECKING:
    from tests.access.conftest import House

SCRIPT = Path(__file__).with_name("writer.py")
WRITERS, EACH = 4, 40


def told(house: House, kind: str) -> list[dict[str, object]]:
    with house.database.read() as connection:
        return [dict(one.entry.body) for one in house.ledger.find(connection, kind)]


def due(house: House) -> int:
    with house.database.begin() as connection:
        return seal_when_due(connection, house.ledger, house.now())


def test_a_batch_is_sealed_after_so_many_lines_or_so_long(house: House) -> None:
    """256 lines seal themselves; fewer wait for an hour; none are never sealed."""
    assert due(house) == 0
    house.write(*(f"p-{place}" for place in range(batches.MAX_OPEN - 1)))
    assert due(house) == 0
    assert due(house.write("p-last")) == 1
    assert due(house.write("p-alone").wait(minutes=59)) == 0
    assert due(house.wait(minutes=2)) == 1
    assert [one["count"] for one in told(house, "access_batch")] == [batches.MAX_OPEN, 1]
    assert house.seal().found() == []


def test_many_lines_make_several_batches(house: House) -> None:
    """A batch has at most 1024 lines, and the next one goes on where it ended."""
    house.write(*(f"p-{place}" for place in range(batches.MAX_BATCH + 5))).seal()
    assert [(one["first"], one["last"]) for one in told(house, "access_batch")] == [(1, 1024), (1025, 1029)]
    assert house.report().lines == batches.MAX_BATCH + 5


def test_the_root_is_that_of_the_page(house: House) -> None:
    """A second implementation, from the page alone, gives the root that the trail has."""
    house.write("p-1", "p-2", "p-3", reason="à la demande du DPO", convention="csp-ft-2024").seal()
    with house.database.read() as connection:
        rows = [dict(row) for row in connection.execute(select(table).order_by(table.c.number)).mappings()]
    leaves = []
    for row in rows:
        salt = row.pop("salt").hex()
        line = {name: value for name, value in row.items() if value is not None and name not in {"id", "number"}}
        text = json.dumps({**line, "salt": salt}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        leaves.append(hashlib.sha256(b"\0" + text.encode()).digest())
    left = hashlib.sha256(b"\1" + leaves[0] + leaves[1]).digest()
    (batch,) = told(house, "access_batch")
    assert batch["root_sha256"] == hashlib.sha256(b"\1" + left + leaves[2]).hexdigest()


def test_equal_lines_have_unequal_hashes(house: House) -> None:
    """The salt of each line keeps a root from confirming what an expired line said."""
    with house.database.begin() as connection:
        for _ in range(2):
            access.log(connection, actor="agent", action="release_key", subject="p-1", at=house.now())
        first, second = connection.scalars(select(table.c.salt)).all()
    assert len(first) == 16
    assert first != second


def test_a_transaction_that_fails_leaves_no_batch(house: House) -> None:
    """Sealing and its entry in the trail happen together or not at all."""
    house.write("p-1")
    with house.database.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON access_batch BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(WorkspaceError):
        house.seal()
    with house.database.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert told(house, "access_batch") == []
    assert house.report().open == 1
    assert house.seal().found() == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_many_processes_write_one_log(request: pytest.FixtureRequest, kind: str) -> None:
    """Of what several processes write and seal, nothing is lost or doubled, on each database."""
    from tests.access.conftest import KEY, ORIGIN, House, fresh

    url = str(request.getfixturevalue(kind))
    house = fresh(House.at(url))
    arguments = [str(EACH), KEY.private_bytes_raw().hex(), ORIGIN]
    writers = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), url, str(number), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=SCRIPT.parents[2],
        )
        for number in range(WRITERS)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout
        writer.stdout.readline()
    for writer in writers:
        writer.communicate(b"go\n")
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    house.instant = datetime.now(UTC) + timedelta(seconds=1)
    house.seal()
    report = house.report()
    assert (report.lines, report.open, report.findings) == (WRITERS * EACH, 0, ())
    house.database.close()


def test_a_look_is_written_before_it_is_shown(house: House) -> None:
    """What was read inside is on the log, with what was found out meanwhile, when the block is left."""
    with looking(house, Look("dpo", "trail_read", "trail", "annual control")) as look:
        look.count = 7
    with house.database.read() as connection:
        (line,) = page(connection, Search(), limit=10)
    assert (line.actor, line.action, line.reason, line.count, line.outcome) == ("dpo", "trail_read", "annual control", 7, "allowed")  # fmt: skip


def test_a_refusal_is_written_without_what_was_typed(house: House) -> None:
    """A refused attempt leaves a line; what is no id, and might be a person's number, does not reach it."""
    with pytest.raises(RefusedError), refusing(house, Look("agent", "release_key", "278117523412366", partner="Zoé")):
        raise RefusedError("no")
    with house.database.read() as connection:
        (line,) = page(connection, Search(outcome="refused"), limit=10)
    assert (line.subject, line.partner, line.actor) == ("not-an-id", "not-an-id", "agent")


def test_what_fails_otherwise_leaves_no_line(house: House) -> None:
    """A read that was not understood showed nothing and is not written."""
    with pytest.raises(UsageError), looking(house, Look("agent", "trail_read", "trail")):
        raise UsageError("what?")
    assert house.report().open == 0


def test_a_log_that_cannot_be_written_shows_nothing(house: House) -> None:
    """When the database does not take the line, leaving the block fails."""
    with house.database.begin() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON access BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(WorkspaceError), looking(house, Look("agent", "trail_read", "trail")):
        pass


@pytest.mark.parametrize("told", [{"actor": " "}, {"actor": "a" * 201}, {"subject": "p\udcff"}, {"reason": "r" * 2001}])
def test_a_line_has_limits(house: House, told: dict[str, Any]) -> None:
    """Nobody, half characters and endless texts are refused."""
    look = Look(**{"actor": "agent", "action": "trail_read", "subject": "trail", **told})
    with pytest.raises(UsageError), house.database.begin() as connection:
        write_in(connection, house, look)


def test_an_unknown_action_is_a_fault_of_the_program(house: House) -> None:
    """The list of actions is closed."""
    with pytest.raises(KeyError), house.database.begin() as connection:
        write_in(connection, house, Look("agent", "peeked", "trail"))


def test_every_action_has_its_sentences() -> None:
    """Each action has a kind and words in both languages, none twice."""
    found = access.actions()
    assert all(
        one.keys() == {"kind", "fr", "en"} and one["kind"] in {"take", "look", "person"} for one in found.values()
    )
    for lang in ("fr", "en"):
        assert len({one[lang] for one in found.values()}) == len(found)
