"""Every column and every file is on the golden list, with how long it is kept and what removes it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows import assembly
from passerelle.keys import KeyRing
from passerelle.store import database
from passerelle.store.tables import metadata
from passerelle.trail.tables import metadata as trail_metadata
from retention.golden import PERSON, classify, golden
from retention.golden_page import page
from retention.purge import purge
from tests.gateway import CSP_ENDED, OUTCOMES, POOLS, Gateway, pools

DUE = "2025-10-10T05:00:00+02:00"
# Kinds that this exchange does not make: the flow's are seen in test_forgetting.py, the others when somebody lays them down.
ELSEWHERE = {"convention", "code-list", "inbox", "prefect-database", "prefect-home", "workspace"}
_seen: set[str] | None = None
_hooked = False


def _audited(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is not None and event in {"open", "os.rename"}:
        _seen.update(str(one) for one in arguments[:2] if isinstance(one, str | os.PathLike))


@contextmanager
def watched() -> Iterator[set[str]]:
    """The names of all files that are opened or renamed meanwhile."""
    global _seen, _hooked  # noqa: PLW0603 -- an audit hook stays for the life of the process
    if not _hooked:
        sys.addaudithook(_audited)
        _hooked = True
    _seen = set()
    try:
        yield _seen
    finally:
        _seen = None


def test_every_column_is_on_the_list() -> None:
    """A column that is not on the list fails until somebody decides how long it is kept; a row without its column, too."""
    assert database.PRAGMAS
    found = {
        one.name: {c.name for c in one.columns} for every in (metadata, trail_metadata) for one in every.sorted_tables
    }
    listed = {one.name: {column.name for column in one.columns} for one in golden().tables}
    assert len(found) > 30
    assert {name: found.get(name, set()) ^ listed.get(name, set()) for name in found | listed if found.get(name) != listed.get(name)} == {}  # fmt: skip


def test_every_row_says_who_how_long_and_what_removes_it() -> None:
    """Each row has a known degree, a period with its words, and what removes it is a module that exists."""
    found = golden()
    rows: list[Any] = [*found.tables, *found.files, *found.prefect]
    degrees = {column.person for table in found.tables for column in table.columns}
    assert degrees | {one.person for one in found.files} == set(PERSON)
    assert {one.keep for one in rows} == set(found.keeping)
    assert all(one.said["fr"] and one.said["en"] for one in rows)
    places: list[Any] = [*found.tables, *found.files]
    removed = {one.gone_by for one in places if one.gone_by}
    assert [name for name in sorted(removed) if importlib.util.find_spec(name) is None] == []


def test_what_leads_to_a_person_is_removed_by_something() -> None:
    """What leads to a person outside the record of who decided is removed by a module, never by nobody."""
    found = golden()
    kept = {one.name for one in found.tables if one.gone_by is None and any(c.person != "none" for c in one.columns)}
    assert kept <= {"alert", "approval", "backup", "convention_event", "partner_key"}, (
        "people who decided, not persons of a file"
    )
    assert [one.kind for one in found.files if one.gone_by is None and one.person == "direct"] == []


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files of a workspace from its making to the end of its index, as they are made and as they stay."""
    with watched() as opened:
        gateway = pools(tmp_path_factory.mktemp("golden") / "gateway").partner("france-travail", own_folder=False)
        with gateway.workspace.database.begin() as connection:
            connection.exec_driver_sql("update partner set folder = null where id = 'mtfp'")
        gateway.run(POOLS, "2025-05", gateway.write(POOLS, 60, bad_rate=0.05))
        (first,) = gateway.deliveries()
        order = replace(gateway.order(POOLS, "2025-05", gateway.write(POOLS, 50, seed=3)), supersedes=first.id, reason="corrected")  # fmt: skip
        assembly.run(gateway.workspace, order)
        gateway.record(CSP_ENDED).move_to(DUE)
        found = _under(gateway.home)
        purge(gateway.workspace, "csp-ft-2024")
        gateway.workspace.keys.destroy_index("csp-ft-2024")
        gateway.workspace.close()
        KeyRing.open(gateway.home / "keys")
        found |= _under(gateway.home)
    opened_here = {Path(name) for name in opened}
    inside = {path for path in opened_here if path.is_relative_to(gateway.home) and not path.is_dir()}
    return found | {path.relative_to(gateway.home).as_posix() for path in inside} - _folders()


def _under(home: Path) -> set[str]:
    return {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}


def _folders() -> set[str]:
    """Folders that were there and are gone: a generation of keys."""
    return {"keys/gen-0001"}


def test_every_file_is_on_the_list(names: set[str]) -> None:
    """Every file that an exchange and a purge make, kept or fleeting, is of a listed kind; and no kind is made by nothing."""
    assert len(names) > 40
    assert sorted(name for name in names if classify(name) is None) == []
    made = {found.kind.kind for name in names if (found := classify(name)) is not None}
    stale = {one.kind for one in golden().files} - made - ELSEWHERE
    assert stale == {"figures"}


@pytest.mark.parametrize(
    "name", ["holdings/note.txt", "staging/tmpab12", "notes.txt", "keys/root.key", "reports/x.html"]
)
def test_another_file_is_of_no_kind(name: str) -> None:
    """A file that nobody decided about is of no kind."""
    assert classify(name) is None


def test_the_page_is_that_of_the_list(root: Path) -> None:
    """docs/holdings.md is the list in French and English: python -c "from retention.golden_page import page; print(page(), end='')"."""
    assert (root / "docs" / "holdings.md").read_text("utf-8") == page()


def test_a_workspace_outside_a_golden_exchange(tmp_path: Path) -> None:
    """Outcome figures, laid-down conventions, code lists and waiting files are of listed kinds."""
    gateway = Gateway.create(tmp_path, "2019-06-03T06:00:00+02:00")
    run = "r-0123456789abcdef"
    laid = {
        "figures": f"holdings/paca-pe-2016/{run}/figures.arrow.age", "convention": "conventions/two-ministries.yaml",
        "inbox": f"inbox/{OUTCOMES}/2019/fichier envoyé.csv", "code-list": "codes/rome@460.json", "workspace": "workspace.json",
    }  # fmt: skip
    assert {kind: classify(name).kind.kind for kind, name in laid.items()} == {kind: kind for kind in laid}  # type: ignore[union-attr]  # each is known
    gateway.workspace.close()
