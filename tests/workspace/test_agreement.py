"""The tables that the gateway works with are held against the trail: nothing is forgotten, or made up, behind its back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from passerelle.errors import ContractError, TrailError, WorkspaceError
from passerelle.store import holdings, partners
from passerelle.trail.fsck import TrailFaultsError, check
from passerelle.workspace import Settings, Workspace, partner_keys
from passerelle.workspace.agreement import TablesDisagreeError, verify_tables
from retention.plan import plans
from retention.purge import purge
from tests.gateway import CSP_ENDED, POOLS, Gateway, pools

MADE_UP = """INSERT INTO delivery
    SELECT 'p-new', run, convention, exchange, period, recipient, 3, state, decision, manifest, notices, manifest_sha256, entry,
    rows, location, intent_at, delivered_at FROM delivery WHERE sequence = 2"""
FORGED_KEY = "INSERT INTO partner_key SELECT 'SHA256:new', partner, kind, recipient, enrolled_by, enrolled_at, null, null, null FROM partner_key LIMIT 1"
NOT_TEXT = "UPDATE {table} SET {column} = CAST(X'80ff' AS TEXT)"
FORGED_COPY = """INSERT INTO holding (convention, exchange, run, kind, location, personal, ours, created_at)
    SELECT convention, exchange, run, '{kind}', '{location}', 1, 1, created_at FROM holding WHERE kind = 'raw' LIMIT 1"""
FORGED_REPLY = """INSERT INTO reply (run, convention, exchange, sender, state, draft, created_at)
    SELECT id, convention, exchange, sender, 'returned', '{}', started_at FROM run WHERE state = 'duplicate'"""
DUE = "2025-10-10T05:00:00+02:00"


LINK = (
    "INSERT INTO delivery_link SELECT a.id, b.id, '{kind}', 'lost', '2025-06-01T00:00:00Z', {closed}, null "
    "FROM delivery a, delivery b WHERE a.sequence = 2 AND b.sequence = 1"
)
EDITED = """UPDATE trail_entry SET body = CAST(replace(CAST(body AS TEXT), 'candidate-pools', 'other-pools') AS BLOB)
    WHERE kind = 'delivery_intent'"""
LINKED = LINK.format(kind="resends", closed="null")
SUPERSEDED = LINK.format(kind="supersedes", closed="'2025-06-01T00:00:00Z'")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """A gateway that delivered a pool twice and purged another convention's, saved."""
    folder = tmp_path_factory.mktemp("stage")
    gateway = pools(folder / "gateway")
    gateway.partner("france-travail", own_folder=False)  # verdicts are sealed to it
    for period in ("2025-05", "2025-06"):
        gateway.run(POOLS, period, gateway.write(POOLS, 40, bad_rate=0.05))
    gateway.record(CSP_ENDED)
    return gateway, gateway.saved(folder / "saved")


@pytest.fixture
def gateway(stage: tuple[Gateway, Path]) -> Iterator[Gateway]:
    """That gateway as it was saved."""
    made = stage[0].restored(stage[1])
    yield made
    made.workspace.close()


def test_a_partner_may_have_its_folder_by_any_path(gateway: Gateway) -> None:
    """A folder of a partner's that was given with dots in its path holds parcels as any other does."""
    dotted = f"{gateway.folder}/partners/../partners/mtfp"
    with gateway.workspace.database.begin() as connection:
        connection.execute(text("UPDATE partner SET folder = :folder WHERE id = 'mtfp'"), {"folder": dotted})
    gateway.run(POOLS, "2025-07", gateway.write(POOLS, 20, seed=7, name="dots.csv"))
    with gateway.workspace.database.read() as connection:
        assert any("/../" in copy.location for copy in holdings.present(connection, kind="parcel"))
        assert verify_tables(gateway.workspace.ledger, connection)["deliveries"] == 3


def agreed(gateway: Gateway, *, anew: bool = True) -> dict[str, int]:
    """What the comparison finds."""
    with gateway.workspace.database.read() as connection:
        return verify_tables(gateway.workspace.ledger, connection, anew=anew)


def alter(gateway: Gateway, *statements: str) -> None:
    """Change the tables behind the gateway's back, as whoever has the file can."""
    with gateway.workspace.database.engine.connect() as connection:
        for statement in ("PRAGMA foreign_keys=OFF", *statements):
            connection.execute(text(statement))
        connection.commit()


def test_what_was_done_agrees(gateway: Gateway) -> None:
    """After two deliveries, the end and the purge, tables and trail agree at each stage."""
    assert agreed(gateway) == {"deliveries": 2, "holdings": len(gateway.present()), "purges": 0}
    purge(gateway.move_to(DUE).workspace, "csp-ft-2024")
    assert agreed(gateway)["purges"] == 1
    with gateway.workspace.database.read() as connection:
        assert plans(gateway.workspace, connection) == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DELETE FROM delivery WHERE sequence = 1", "delivery p-[0-9a-f]+ recorded in the trail is missing"),
        ("UPDATE delivery SET recipient = 'mtss' WHERE sequence = 2", "says another recipient"),
        ("UPDATE delivery SET manifest_sha256 = 'x' WHERE sequence = 2", "says another manifest_sha256"),
        ("UPDATE delivery SET entry = entry - 1 WHERE sequence = 2", "says another entry"),
        ("UPDATE delivery SET state = 'intent' WHERE sequence = 2", "is intent in the tables"),
        (LINKED, "what it sends again is not what the trail tells"),
        (SUPERSEDED, "what superseded it is not what the trail tells"),
        (MADE_UP, "delivery p-new is not recorded in the trail"),
        ("DELETE FROM holding", "holding: the parcel p-[0-9a-f]+ recorded in the trail is missing"),
        ("DELETE FROM holding WHERE kind = 'raw'", "holding: the raw copy of run r-[0-9a-f]+ recorded"),
        ("UPDATE holding SET destroyed_at = created_at", "marked as destroyed, and the trail tells of no destruction"),
        ("DELETE FROM holding WHERE kind = 'quarantine'", "holding: the quarantine of run r-[0-9a-f]+ recorded in the trail is missing"),
        ("DELETE FROM holding WHERE kind = 'index'", "holding: the person index of run r-[0-9a-f]+ recorded"),
        ("DELETE FROM holding WHERE kind = 'release'", "holding: the second lock of p-[0-9a-f]+ recorded"),
        ("DELETE FROM holding WHERE kind = 'verdicts'", "holding: the verdicts v-[0-9a-f]+ recorded"),
        ("UPDATE holding SET kind = 'index' WHERE kind = 'quarantine'", "holding: the quarantine of run"),
        ("UPDATE holding SET convention = 'face-pe-2014' WHERE kind = 'release'", "of another convention or exchange"),
        ("UPDATE holding SET exchange = 'other' WHERE kind = 'quarantine'", "of another convention or exchange"),
        ("UPDATE holding SET ours = NOT ours WHERE kind = 'parcel'", "a parcel of r-[0-9a-f]+ is said to lie where none lies"),
        ("UPDATE holding SET ours = 0 WHERE kind = 'raw'", "a raw of r-[0-9a-f]+ is said to lie where none lies"),
        ("UPDATE holding SET location = 'holdings/none' || id WHERE kind = 'raw'", "a raw of r-[0-9a-f]+ is said to lie"),
        (FORGED_COPY.format(kind="raw", location="../beside.txt"), "a raw of r-[0-9a-f]+ is said to lie where none lies"),
        (FORGED_COPY.format(kind="verdicts", location="../v-1.tar"), "a verdicts of r-[0-9a-f]+ is said to lie where none"),
        (FORGED_COPY.format(kind="parcel", location="outbox/mtfp/p-1.tar"), "the parcel p-1 is not recorded in the trail"),
        (FORGED_COPY.format(kind="verdicts", location="outbox/france-travail/v-1.tar"), "the verdicts v-1 are not recorded"),
        ("DELETE FROM reply WHERE state = 'returned'", "reply on run r-[0-9a-f]+ recorded in the trail is missing"),
        ("UPDATE reply SET sender = 'mtss'", "reply on run r-[0-9a-f]+ says another sender"),
        ("UPDATE reply SET manifest_sha256 = 'x'", "says another manifest_sha256"),
        ("UPDATE reply SET sequence = sequence + 5", "says another entry or number"),
        ("UPDATE reply SET state = 'intent'", "is intent in the tables, and the trail tells otherwise"),
        ("UPDATE holding SET ours = 2 WHERE kind = 'raw'", "a raw of r-[0-9a-f]+ is said to lie where none lies"),
        (NOT_TEXT.format(table="holding", column="exchange"), "table holding, row [0-9]+: the column exchange holds a value that is not of its type"),
        (NOT_TEXT.format(table="partner_key", column="recipient"), "table partner_key, row SHA256:[A-Za-z0-9+/]{43}: the column recipient holds"),
        ("UPDATE partner_key SET recipient = X'00'", "table partner_key, row SHA256:.*: the column recipient holds a value"),
        ("UPDATE convention_event SET recorded_at = 'soon'", "table convention_event, row [0-9]+: the column recorded_at holds"),
        ("UPDATE convention_event SET payload = 'none'", "table convention_event, row [0-9]+: the column payload holds"),
        ("UPDATE partner_key SET fingerprint = 'Jean ' || rowid, recipient = CAST(X'80ff' AS TEXT)", r"table partner_key, row \?: the column recipient"),
        ("DELETE FROM convention_event", "record of events of csp-ft-2024"),
        (FORGED_KEY, "partner key SHA256:new is not recorded in the trail"),
        ("INSERT INTO approval SELECT fingerprint, 'third', enrolled_at FROM partner_key", "has more approvals in the tables than the trail"),
        ("INSERT INTO purge VALUES ('p.1', 'csp-ft-2024', 'done', '{}', 'x', 'x', 'x', 'x')", "purge p.1 is not recorded"),
    ],
)  # fmt: skip
def test_rows_taken_out_changed_or_added_are_named(gateway: Gateway, statement: str, fault: str) -> None:
    """A row deleted, changed or added behind the trail's back is named, and no purge is planned or run on such tables."""
    agreed(gateway)
    alter(gateway, statement)
    for anew in (False, True):
        with pytest.raises(TablesDisagreeError, match=f"tables disagree: .*{fault}"):
            agreed(gateway, anew=anew)
    workspace = gateway.move_to(DUE).workspace
    with workspace.database.read() as connection, pytest.raises(TrailError):
        plans(workspace, connection)
    with pytest.raises(TrailError):
        purge(workspace, "csp-ft-2024")
    assert workspace.keyset("csp-ft-2024")


def test_a_destruction_explains_as_many_rows_as_it_tells(gateway: Gateway) -> None:
    """Once one copy of a convention was destroyed, no other may be marked as destroyed in its shadow."""
    workspace = gateway.workspace
    (first, _) = (copy for copy in gateway.present() if copy.kind == "raw")
    with workspace.database.begin() as connection:
        holdings.destroyed(connection, [first.id], at=workspace.now())
        body = {"convention": first.convention, "purge": "o-1", "holdings": 1, "by_kind": {"raw": 1}}
        workspace.append(connection, "holding_destroyed", body)
    assert agreed(gateway)
    alter(gateway, "UPDATE holding SET destroyed_at = created_at WHERE kind = 'raw'")
    with pytest.raises(TablesDisagreeError, match=r"2 copies of csp-ft-2024 \(raw\) .* the trail tells of 1"):
        agreed(gateway)


@pytest.mark.parametrize("kind", ["release", "quarantine"])
def test_what_was_destroyed_alone_is_explained_alone(gateway: Gateway, kind: str) -> None:
    """A second lock or a quarantine whose destruction the trail tells may be gone; said to be there again, it is named."""
    workspace = gateway.workspace
    copy = next(copy for copy in gateway.present() if copy.kind == kind)
    name = {"release": "supersession_told", "quarantine": "quarantine_expired"}[kind]
    parcel = Path(copy.location).stem
    bodies = {
        "release": {"parcel": parcel, "recipient": "mtfp", "notice_sha256": "0" * 64, "keys": 1},
        "quarantine": {"run": copy.run, "rows": 1},
    }
    with workspace.database.begin() as connection:
        holdings.destroyed(connection, [copy.id], at=workspace.now())
        workspace.append(connection, name, bodies[kind])
    faults = said(gateway)
    assert not [fault for fault in faults if fault.startswith("holding")]
    alter(gateway, "UPDATE holding SET destroyed_at = NULL")
    assert any("is destroyed in the trail, and not in the tables" in fault for fault in said(gateway))


def said(gateway: Gateway) -> tuple[str, ...]:
    """Every fault of the comparison."""
    try:
        agreed(gateway)
    except TablesDisagreeError as error:
        return error.faults
    return ()


def test_a_quarantine_of_a_refused_file_is_not_forgotten(gateway: Gateway) -> None:
    """What a refused run keeps is told with its end: its row taken out is named."""
    with pytest.raises(ContractError):
        gateway.run(POOLS, "2025-07", gateway.write(POOLS, 40, bad_rate=0.9, name="broken.csv"))
    assert agreed(gateway)
    (failed,) = gateway.entries("run_failed")
    alter(
        gateway,
        "DELETE FROM holding WHERE kind = 'quarantine' AND id > (SELECT max(id) FROM holding WHERE kind = 'parcel')",
    )
    with pytest.raises(
        TablesDisagreeError, match=f"the quarantine of run {failed['run']} recorded in the trail is missing"
    ):
        agreed(gateway)


def test_a_manifest_changed_in_the_tables_is_named(gateway: Gateway) -> None:
    """A manifest that is not the one told is named by whatever decides."""
    alter(gateway, "UPDATE delivery SET manifest = X'7b7d' WHERE sequence = 2")
    with pytest.raises(TablesDisagreeError, match=r"delivery p-[0-9a-f]+ has another manifest than the trail tells"):
        agreed(gateway)


def test_a_reply_made_up_is_named(gateway: Gateway) -> None:
    """Verdicts that were never handed back cannot be claimed by a row."""
    source = gateway.write(POOLS, 40, bad_rate=0.05)
    assert gateway.run(POOLS, "2025-05", source).state == "duplicate"
    alter(gateway, FORGED_REPLY)
    with pytest.raises(TablesDisagreeError, match=r"reply on run r-[0-9a-f]+ is not recorded in the trail"):
        agreed(gateway)


def test_what_came_since_is_added_to_what_was_read(gateway: Gateway) -> None:
    """A comparison for a page takes what was recorded since the last one; with every entry read anew it finds the same."""
    assert agreed(gateway, anew=False)["deliveries"] == 2
    gateway.run(POOLS, "2025-07", gateway.write(POOLS, 40, seed=7))
    assert agreed(gateway, anew=False)["deliveries"] == 3
    assert agreed(gateway, anew=False) == agreed(gateway)
    alter(gateway, "DELETE FROM delivery WHERE sequence = 3")
    with pytest.raises(TablesDisagreeError, match="recorded in the trail is missing"):
        agreed(gateway, anew=False)


def test_what_was_never_committed_is_forgotten(gateway: Gateway) -> None:
    """Entries that were read in a transaction that was rolled back count for nothing afterwards."""
    workspace = gateway.workspace
    with workspace.database.engine.connect() as connection:
        workspace.append(connection, "purge_started", {"purge": "p.1", "convention": "csp-ft-2024"})
        with pytest.raises(TablesDisagreeError, match=r"purge p\.1 recorded in the trail is missing"):
            verify_tables(workspace.ledger, connection, anew=False)
        connection.rollback()
    assert agreed(gateway, anew=False) == agreed(gateway)


def test_another_trail_is_read_from_its_beginning(gateway: Gateway) -> None:
    """A trail of the same length with another entry in it is not taken for the one that was read before."""
    ledger = gateway.workspace.ledger
    with gateway.workspace.database.begin() as connection:
        connection.execute(text("SAVEPOINT before"))
        gateway.workspace.append(connection, "purge_started", {"purge": "p.1", "convention": "csp-ft-2024"})
        with pytest.raises(TablesDisagreeError, match=r"purge p\.1"):
            verify_tables(ledger, connection, anew=False)
        connection.execute(text("ROLLBACK TO before"))
        gateway.workspace.append(connection, "purge_started", {"purge": "p.2", "convention": "csp-ft-2024"})
        with pytest.raises(TablesDisagreeError, match=r"purge p\.2") as caught:
            verify_tables(ledger, connection, anew=False)
        assert caught.value.count == 1
        connection.execute(text("ROLLBACK TO before"))


def test_an_entry_edited_in_place_is_read_by_what_decides(gateway: Gateway) -> None:
    """A page trusts what the process has read; a plan's approval, a purge and the checker read every entry, and find the edit."""
    assert agreed(gateway, anew=False)
    alter(gateway, EDITED)
    assert agreed(gateway, anew=False)
    with pytest.raises(TrailError):
        agreed(gateway)
    with pytest.raises(TrailError):
        purge(gateway.move_to(DUE).workspace, "csp-ft-2024")
    with gateway.workspace.database.read() as connection, pytest.raises(TrailFaultsError):
        check(connection, gateway.workspace.ledger.verifier_key)


def test_a_key_moved_to_another_party_is_named(gateway: Gateway) -> None:
    """A key that the trail tells of one party counts for no other."""
    with gateway.workspace.database.begin() as connection:
        partners.add(connection, "mtss", "mtss", None, at=gateway.workspace.now())
    alter(gateway, "UPDATE partner_key SET partner = 'mtss'")
    with pytest.raises(TablesDisagreeError, match="is another party's in the trail"):
        agreed(gateway)


def test_a_certificate_taken_out_is_missed(gateway: Gateway) -> None:
    """A purge whose row or certificate is not the one recorded is named."""
    purge(gateway.move_to(DUE).workspace, "csp-ft-2024")
    alter(gateway, "UPDATE purge SET certificate = '{}'")
    with pytest.raises(TablesDisagreeError, match=r"certificate of purge csp-ft-2024.1 is not the one"):
        agreed(gateway)
    alter(gateway, "DELETE FROM purge")
    with pytest.raises(TablesDisagreeError, match=r"purge csp-ft-2024.1 recorded in the trail is missing"):
        agreed(gateway)


def test_the_end_of_every_run_is_told(gateway: Gateway) -> None:
    """A duplicate and a failed run each leave one entry that names the exchange, in the transaction that closes the run."""
    source = gateway.write(POOLS, 40, bad_rate=0.05)
    assert gateway.run(POOLS, "2025-05", source).state == "duplicate"
    broken = gateway.write(POOLS, 40, bad_rate=0.9, name="broken.csv")
    with pytest.raises(ContractError):
        gateway.run(POOLS, "2025-05", broken)
    (again,), (failed,) = gateway.entries("run_duplicate"), gateway.entries("run_failed")
    named = {"convention": "csp-ft-2024", "exchange": "candidate-pools"}
    states = {one.id: one.state for one in gateway.runs()}
    assert again == {"run": again["run"], "deliveries": 1, **named}
    assert failed == {"run": failed["run"], "error": "ContractError", **named, "copies": {"quarantine": 1}}
    assert (states[again["run"]], states[failed["run"]]) == ("duplicate", "refused")


def test_a_rehearsal_is_told_as_such(gateway: Gateway) -> None:
    """The first entry, every manifest and the certificate say that it was a rehearsal; a workspace that denies it is refused."""
    assert gateway.entries("workspace_created")[0]["rehearsal"] is True
    assert json.loads(gateway.deliveries()[0].manifest)["passerelle"]["rehearsal"] is True
    done = purge(gateway.move_to(DUE).workspace, "csp-ft-2024")
    assert json.loads(done.certificate or "")["rehearsal"] is True
    about = gateway.home / "workspace.json"
    for change in ({"rehearsal": False}, {"id": "another"}):
        whole = about.read_text()
        about.write_text(json.dumps({**json.loads(whole), **change}))
        with pytest.raises(WorkspaceError, match=r"workspace.json is not what"):
            Workspace.open(Settings(gateway.home))
        about.write_text(whole)


@pytest.mark.parametrize(
    ("act", "statement"),
    [
        ("revoke", "UPDATE partner_key SET revoked_at = NULL"),
        ("end", "UPDATE partner_key SET not_after = NULL"),
    ],
)
def test_a_revocation_taken_back_in_the_table_seals_nothing(gateway: Gateway, act: str, statement: str) -> None:
    """A key that the trail says is revoked, or ends, and the table does not, stops every exchange."""
    key = gateway.identities["mtfp"].recipient.fingerprint
    gateway.partner("cheops")
    if act == "revoke":
        partner_keys.revoke(gateway.workspace, key)
    else:
        partner_keys.end(gateway.workspace, key, not_after=gateway.workspace.now() + timedelta(days=1))
    assert agreed(gateway)
    alter(gateway, statement)
    with pytest.raises(TablesDisagreeError, match="partner key"):
        agreed(gateway)
    with pytest.raises(TablesDisagreeError, match="partner key"):
        gateway.run(POOLS, "2025-07", gateway.write(POOLS, 40, seed=9))


def test_a_fault_of_the_program_is_not_told_as_one_of_the_tables(gateway: Gateway) -> None:
    """Where every column holds what its type says, an error of the comparison itself comes out as what it is."""
    with gateway.workspace.database.read() as connection, pytest.raises(AttributeError):
        verify_tables(None, connection)  # type: ignore[arg-type]  # as a mistake of a caller would
