"""Backups: what they hold and until when; restored, they bring nothing back that was destroyed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, delete, func, select

from flows import assembly
from passerelle.convention import Exchange
from passerelle.errors import ContractError, KeyStoreError, RefusedError, TrailError, WorkspaceError
from passerelle.handover.exchange import run_exchange
from passerelle.handover.quarantine import set_life
from passerelle.persons.objecting import record_objection, withdraw_objection
from passerelle.profile import Finding, Verdict
from passerelle.store import backups as registered
from passerelle.store import objections, purges
from passerelle.store.database import sqlite_url
from passerelle.trail.tables import trail_entry
from passerelle.workspace import Settings, Workspace
from passerelle.workspace.agreement import verify_tables
from passerelle.workspace.files import HeldError
from retention import quarantine
from retention.backups import alerts, every_holding, expire, holding, make, record
from retention.places import left_of
from retention.purge import purge
from retention.restoring import replay, restore
from retention.suspending import Asked, lift, place, review, standing
from tests.gateway import (
    CSP_ENDED,
    CSP_FILED,
    POOLS,
    TWO,
    Gateway,
    assert_no_orphans,
    at,
    pools,
    trail_holds,
    two_recipients,
)

CSP, OTHER, DUE = "csp-ft-2024", "two-ministries", "2025-10-10T05:00:00+02:00"
ENDED = "2025-08-11T06:00:00+02:00"


def settings_of(gateway: Gateway, aside: Path | None = None) -> Settings:
    """How another process opens the workspace."""
    return Settings(gateway.home, gateway.database_url, gateway.workspace.now(), tombstones=aside)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """Two conventions with pools delivered; one of them is over, not yet due."""
    made = pools(tmp_path / "gateway")
    other = two_recipients(made)
    made.run(POOLS, "2025-05", made.write(POOLS, 60, bad_rate=0.05))
    made.run(other, "2025-05", made.write(other, 40))
    made.record(CSP_ENDED).move_to(ENDED)
    yield made
    made.workspace.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def ended(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    """A pool delivered under a convention that is over, on each database."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    made = Gateway.create(tmp_path / "gateway", "2025-05-06T10:00:00+02:00", url)
    made.record(*CSP_FILED).partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
    made.run(POOLS, "2025-05", made.write(POOLS, 60, bad_rate=0.05))
    made.record(CSP_ENDED).move_to(ENDED)
    yield made
    made.workspace.close()
    if url:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("drop schema public cascade")
            connection.exec_driver_sql("create schema public")
        engine.dispose()


def saved(gateway: Gateway, name: str = "backup", **more: Any) -> Path:
    """A backup of the gateway, in a folder of that name."""
    folder = gateway.folder / name
    make(gateway.workspace, folder, by="operator", expires_on=date(2025, 9, 30), **more)
    return folder


def certificates(workspace: Workspace) -> list[str | None]:
    """The certificates on record."""
    with workspace.database.read() as connection:
        return [one.certificate for one in purges.purges(connection)]


def test_yesterdays_backup_brings_nothing_back(ended: Gateway) -> None:
    """Restored after the purge, the backup of the day before is purged again before anyone opens it; its certificate stays."""
    folder = saved(ended)
    assert list((folder / "files" / "holdings").rglob("raw.age"))
    ended.move_to(DUE)
    purge(ended.workspace, CSP)
    (certificate,) = certificates(ended.workspace)
    ended.workspace.close()
    done = restore(settings_of(ended), folder)
    assert (done.conventions, done.certificates, done.lost > 0) == ((CSP,), 1, True)
    again = ended.reopened()
    assert left_of(again.workspace, CSP) == ()
    assert again.workspace.keys.destroyed() == {CSP}
    assert certificates(again.workspace) == [certificate]
    with pytest.raises(KeyStoreError, match="destroyed"):
        again.workspace.keys.keyset(CSP)
    with again.workspace.database.read() as connection:
        verify_tables(again.workspace.ledger, connection)
        assert [one.label for one in registered.backups(connection)] == [str(folder)]
    assert [one["conventions"] for one in again.entries("backup_restored")] == [[CSP]]
    trail_holds(again.workspace)
    assert_no_orphans(again)
    again.workspace.close()


def test_nothing_is_served_before(ended: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off after files and database are back, the workspace opens for nobody until the restoration is carried through."""
    folder = saved(ended)
    ended.move_to(DUE)
    purge(ended.workspace, CSP)
    ended.workspace.close()
    settings = settings_of(ended)
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "__init__", _dies)
        with pytest.raises(InterruptedError):
            restore(settings, folder)
    for attempt in (Workspace.open, Workspace.create):
        with pytest.raises(WorkspaceError, match="a restoration was begun here"):
            attempt(settings)
    restore(settings, folder)
    again = ended.reopened()
    assert left_of(again.workspace, CSP) == ()
    again.workspace.close()


def _dies(*_: object, **__: object) -> None:
    raise InterruptedError


def test_what_a_second_run_made_anew_is_put_back(gateway: Gateway, tmp_path: Path) -> None:
    """A file refused by the checks once and delivered the next time has its second lock after a restoration; its parcel opens."""
    gateway.move_to("2025-06-12T06:00:00+02:00")
    source, tools = gateway.write(TWO, 20, seed=9), assembly.tools_for(pool_of(gateway))
    refusing = replace(tools, judge=lambda *_: Verdict(False, (Finding("volume", False, "non", "no"),)))
    with pytest.raises(ContractError):
        run_exchange(gateway.workspace, gateway.order(TWO, "2025-06", source), refusing)
    parcel = gateway.run(TWO, "2025-06", source).deliveries[0]
    folder = saved(gateway)
    gateway.workspace.close()
    restore(settings_of(gateway), folder)
    again = gateway.reopened()
    place = again.folder / "partners" / parcel.recipient / f"{parcel.parcel}.tar"
    assert again.opened(place, parcel.recipient, tmp_path / "out")
    assert_no_orphans(again)
    again.workspace.close()


def pool_of(gateway: Gateway) -> Exchange:
    """The exchange of candidates of the other convention."""
    found = gateway.workspace.convention(OTHER).exchange("candidate-pools")
    assert found is not None
    return found


def test_a_database_put_back_by_hand_is_refused_until_it_is_replayed(gateway: Gateway) -> None:
    """The file of the database put back by other means is refused at once, and opens once the tombstones are replayed."""
    folder = saved(gateway)
    gateway.move_to("2025-09-20T06:00:00+02:00")
    set_life(gateway.workspace, 1)
    assert len(quarantine.expire(gateway.workspace)) >= 1
    gateway.workspace.close()
    for name in ("-wal", "-shm"):
        (gateway.home / f"passerelle.db{name}").unlink(missing_ok=True)
    shutil.copy(folder / "database" / "passerelle.db", gateway.home / "passerelle.db")
    settings = settings_of(gateway)
    with pytest.raises(WorkspaceError, match="from before a destruction"):
        Workspace.open(settings)
    assert replay(settings).copies >= 1
    again = gateway.reopened()
    assert "quarantine" not in again.kinds()
    again.workspace.close()


def test_a_trail_that_was_cut_is_not_replayed(gateway: Gateway) -> None:
    """Entries taken out after a destruction: opening says both that may have happened, and a replay names the cut and changes nothing."""
    gateway.move_to("2025-09-20T06:00:00+02:00")
    set_life(gateway.workspace, 1)
    assert len(quarantine.expire(gateway.workspace)) >= 1
    gateway.workspace.close()
    engine = create_engine(sqlite_url(gateway.home / "passerelle.db"))
    with engine.begin() as connection:
        last = select(func.max(trail_entry.c.index)).scalar_subquery()
        assert connection.execute(delete(trail_entry).where(trail_entry.c.index > last - 3)).rowcount == 3
    engine.dispose()
    settings = settings_of(gateway)
    with pytest.raises(WorkspaceError, match="was truncated, or") as caught:
        Workspace.open(settings)
    assert "were cut; keep this disk" in (caught.value.hint or "")
    assert "ont été coupées" in (caught.value.hint_fr or "")
    before = (gateway.home / "workspace.json").read_bytes()
    with pytest.raises(TrailError):
        replay(settings)
    assert (gateway.home / "workspace.json").read_bytes() == before


def test_keys_of_that_day_are_destroyed_again_with_the_second_copy(gateway: Gateway, tmp_path: Path) -> None:
    """Database, files and keys of yesterday: with the tombstones kept on another disk the purged keys go again, and the root turns."""
    aside = tmp_path / "aside" / "tombstones"
    gateway.workspace.close()
    gateway.workspace = Workspace.open(settings_of(gateway, aside))
    folder = saved(gateway, keys=gateway.folder / "keys-of-that-day")
    gateway.move_to(DUE)
    purge(gateway.workspace, CSP)
    gateway.workspace.close()
    shutil.rmtree(gateway.home / "keys")
    shutil.copytree(gateway.folder / "keys-of-that-day", gateway.home / "keys")
    settings = settings_of(gateway, aside)
    assert restore(settings, folder).conventions == (CSP,)
    again = replace(gateway, workspace=Workspace.open(settings))
    assert again.workspace.keys.destroyed() == {CSP}
    assert again.workspace.keys.generation == 2
    assert left_of(again.workspace, CSP) == ()
    assert again.workspace.keys.keyset(OTHER)
    again.workspace.close()


def test_objections_since_are_honoured_again(gateway: Gateway) -> None:
    """An objection recorded after the backup is there again after it is restored, one withdrawn since is not; neither is told."""
    workspace = gateway.workspace
    record_objection(workspace, OTHER, "email", "jeanne@exemple.example", by="dpo")
    with workspace.database.read() as connection:
        (withdrawn,) = objections.standing(connection)
    folder = saved(gateway)
    record_objection(workspace, OTHER, "email", "paul@exemple.example", by="dpo")
    with workspace.database.read() as connection:
        (kept,) = (one for one in objections.standing(connection) if one.id != withdrawn.id)
    withdraw_objection(workspace, withdrawn.id, by="dpo")
    workspace.close()
    tombstones = (gateway.home / "keys" / "tombstones").read_text("utf-8")
    assert kept.tag.hex() not in tombstones
    assert restore(settings_of(gateway), folder).objections == 2
    again = gateway.reopened()
    with again.workspace.database.read() as connection:
        assert objections.standing(connection) == [kept]
        verify_tables(again.workspace.ledger, connection)
    again.workspace.close()


def test_holds_since_are_kept_again(gateway: Gateway) -> None:
    """Placed, reviewed or lifted after the backup, a hold stands as it stood; the purge that follows takes nothing that it names."""
    before = place(gateway.workspace, OTHER, asked_for("avant"), by="dpo")
    folder = saved(gateway)
    gateway.move_to("2025-08-12T06:00:00+02:00")
    kept = place(gateway.workspace, CSP, asked_for("contentieux"), by="dpo")
    review(gateway.workspace, kept.id, reason="revu", following=date(2026, 1, 10), by="dpo")
    lift(gateway.workspace, before.id, reason="clos", by="dpo")
    for words in (b"contentieux", b"revu"):
        gateway.workspace.close()
        assert words not in (gateway.home / "keys" / "tombstones").read_bytes()
    done = restore(settings_of(gateway), folder)
    assert done.holds == 3
    again = gateway.reopened().move_to(DUE)
    with again.workspace.database.read() as connection:
        found = {one.id: (one.state, one.review, one.reason) for one in standing(again.workspace, connection)}
        verify_tables(again.workspace.ledger, connection)
    assert found[kept.id] == ("active", date(2026, 1, 10), "contentieux")
    assert found[before.id][0] == "lifted"
    with pytest.raises(RefusedError, match="litigation"):
        purge(again.workspace, CSP)
    trail_holds(again.workspace)
    again.workspace.close()
    assert restore(settings_of(again), folder).holds == 3


def asked_for(reason: str) -> Asked:
    """A hold on the pools of candidates."""
    return Asked("litigation", reason, "DPO", date(2025, 12, 1), ("candidate-pools",))


def test_a_backup_says_what_it_still_holds(gateway: Gateway) -> None:
    """Question 15 of a DPO: which backups hold a convention's copies, whether they open, and how late they go."""
    saved(gateway, keys=gateway.folder / "with-keys")
    with gateway.workspace.database.read() as connection:
        before = holding(gateway.workspace, connection, CSP)
    assert [(one.opens, one.purged_on, one.deadline, one.late_by) for one in before] == [(False, None, "2025-10-10", 0)]
    late = record(gateway.workspace, "tape 7", covers=["database", "files", "keys"], taken_at=gateway.workspace.now(), expires_on=date(2025, 12, 24), by="operator")  # fmt: skip
    gateway.move_to(DUE)
    purge(gateway.workspace, CSP)
    record(gateway.workspace, "tape 8", covers=["files"], taken_at=gateway.workspace.now(), expires_on=date(2025, 12, 24), by="operator")  # fmt: skip
    with gateway.workspace.database.read() as connection:
        after = holding(gateway.workspace, connection, CSP)
        told = alerts(gateway.workspace, connection)
        assert {one.convention for one in every_holding(gateway.workspace, connection)} == {CSP, OTHER}
    found = {one.backup.label: (one.opens, one.purged_on, one.late_by) for one in after}
    assert (found["tape 7"], found["tape 8"]) == ((True, "2025-10-10", 75), (False, "2025-10-10", 0))
    assert after[-1].kinds == ("index",)
    assert {"code": "backup_late", "backup": late.id, "convention": CSP, "due": "2025-10-10"} in told
    assert {one["code"] for one in told} == {"backup_late", "backup_overdue"}
    assert "tape 7" not in json.dumps(gateway.entries("backup_recorded"))


def test_a_backup_that_is_there_is_not_destroyed(gateway: Gateway) -> None:
    """A backup whose folder is there is not put down as destroyed; removed it is, once, and the trail says how late."""
    folder = saved(gateway)
    with gateway.workspace.database.read() as connection:
        (one,) = registered.standing(connection)
    with pytest.raises(RefusedError, match="still there"):
        expire(gateway.workspace, one.id)
    gateway.move_to(DUE)
    assert expire(gateway.workspace, one.id, remove=True).destroyed_at
    assert expire(gateway.workspace, one.id).destroyed_at
    assert not folder.exists()
    assert gateway.entries("backup_destroyed") == [{"backup": one.id, "days": 10}]
    with gateway.workspace.database.read() as connection:
        assert holding(gateway.workspace, connection, CSP) == []


def test_keys_never_lie_in_the_backup(gateway: Gateway) -> None:
    """A backup has no key but those apart; it is refused inside the workspace, over another one, and while an exchange works."""
    folder = saved(gateway)
    assert [path for path in folder.rglob("*") if path.suffix in {".keyset", ".index"} or path.name == "root.key"] == []
    for wrong in (folder, gateway.home / "backup"):
        with pytest.raises(RefusedError, match="a new folder outside"):
            make(gateway.workspace, wrong, by="operator", expires_on=None)
    with gateway.workspace.lock(f"{CSP}.candidate-pools"), pytest.raises(HeldError):
        make(gateway.workspace, gateway.folder / "other", by="operator", expires_on=None)
    assert not (gateway.folder / "other").exists()


def test_an_altered_backup_is_not_restored(gateway: Gateway) -> None:
    """A backup with one byte changed, a file more, or of another gateway is refused, and the workspace stays as it was."""
    folder = saved(gateway)
    gateway.workspace.close()
    settings = settings_of(gateway)
    (extra := folder / "files" / "more").write_bytes(b"?")
    with pytest.raises(WorkspaceError, match="its files are not what its description says"):
        restore(settings, folder)
    extra.unlink()
    said = folder / "backup.json"
    said.write_text(said.read_text("utf-8").replace("passerelle.example/", "passerelle.example/x"), "utf-8")
    with pytest.raises(WorkspaceError, match="of another gateway"):
        restore(settings, folder)
    with pytest.raises(WorkspaceError, match="no backup of ours"):
        restore(settings, gateway.folder / "nothing")
    Workspace.open(settings).close()


@pytest.mark.parametrize(("covers", "day"), [([], date(2025, 9, 1)), (["tapes"], date(2025, 9, 1)), (["files"], date(2024, 1, 1))])  # fmt: skip
def test_what_is_no_backup_is_not_recorded(gateway: Gateway, covers: list[str], day: date) -> None:
    """A backup that covers nothing, something unknown, or that ended before it was taken is refused."""
    with pytest.raises(RefusedError):
        record(
            gateway.workspace, "tape", covers=covers, taken_at=at("2025-08-01T00:00:00Z"), expires_on=day, by="operator"
        )


def test_the_certificate_says_which_backups_still_hold_what(gateway: Gateway, tmp_path: Path) -> None:
    """Each backup that holds what was destroyed, or keys of that time, until when, and how late; one that is gone is not named."""
    kept = make(gateway.workspace, tmp_path / "kept", by="op", expires_on=date(2025, 10, 25), keys=tmp_path / "keys")
    gone = make(gateway.workspace, tmp_path / "gone", by="op", expires_on=None)
    expire(gateway.workspace, gone.id, remove=True)
    done = purge(gateway.move_to(DUE).workspace, CSP)
    told = {one["backup"]: one for one in json.loads(done.certificate or "")["backups"]}
    keys = next(name for name in told if name != kept.id)
    assert (told[kept.id]["copies"], told[kept.id]["opens"], told[kept.id]["late_by"]) == (3, False, 15)
    assert (told[keys]["copies"], told[keys]["opens"], told[keys]["covers"]) == (0, True, ["keys"])
    assert "25 octobre 2025" in told[kept.id]["fr"]
    assert "15 jours après l'échéance : elle est inscrite en retard" in told[kept.id]["fr"]
    assert "ne contient aucune copie mais les clés d'alors" in told[keys]["fr"]
    assert len(told) == 2


def test_a_backup_past_its_day_is_told_as_standing(gateway: Gateway, tmp_path: Path) -> None:
    """A backup that should be gone and is not: the certificate says so, and counts the days until today."""
    make(gateway.workspace, tmp_path / "kept", by="op", expires_on=date(2025, 9, 20))
    done = purge(gateway.move_to("2025-10-13T09:00:00+02:00").workspace, CSP)
    [told] = json.loads(done.certificate or "")["backups"]
    assert told["late_by"] == 3
    assert "devait être détruite le 20 septembre 2025 au plus tard et ne l'est pas" in told["fr"]
