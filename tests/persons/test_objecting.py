"""A person who objected is in no later extract, and nothing that is kept tells who it is (GDPR art. 21)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from passerelle.errors import UsageError
from passerelle.parcel import read_parcel
from passerelle.persons import record_objection, withdraw_objection
from passerelle.store import objections
from passerelle.trail.show import render
from passerelle.workspace.agreement import TablesDisagreeError, verify_tables
from portal.cli import run
from tests.canary import sweep
from tests.gateway import POOLS, TWO, Gateway, edited, pools, rows_of, trail_holds, two_recipients

CSP = "csp-ft-2024"
CANARY = {"jobseeker_id": "98765432", "email": "quintard.canari@exemple.fr", "last_name": "Quintardcanari"}


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return pools(tmp_path)


def planted(gateway: Gateway, name: str, seed: int) -> Path:
    """A month's file with the same person in rows 3 and 7 (only one bears the identifier)."""
    source = gateway.write(POOLS, 20, seed=seed, name=name)
    return edited(
        source, {2: {**CANARY, "birth_date": "03/02/1990", "first_name": "Zoé"}, 6: {"email": CANARY["email"].upper()}}
    )


def test_who_objected_is_left_out_of_the_next_extract(gateway: Gateway, tmp_path: Path) -> None:
    """The extract after the objection has two rows fewer; counts, manifest and trail tell how many, never who."""
    first = gateway.run(POOLS, "2025-04", planted(gateway, "april.csv", 1))
    assert (first.counts["extracted"], first.counts.get("left_out")) == (20, None)
    record_objection(gateway.workspace, CSP, "email", CANARY["email"], by="dpo")
    second = gateway.run(POOLS, "2025-05", planted(gateway, "may.csv", 2))
    assert (second.counts["accepted"], second.counts["extracted"], second.counts["left_out"]) == (20, 18, 2)
    parcel = next(p for p in gateway.parcels("mtfp") if second.deliveries[0].parcel in p.name)
    manifest = read_parcel(parcel).manifest
    assert (manifest.passerelle.counts.left_out, manifest.resource.rows) == (2, 18)
    assert gateway.entries("delivery_intent")[-1]["counts"]["left_out"] == 2
    assert len(rows_of(gateway.opened(parcel, "mtfp", tmp_path / "opened"))) == 18
    trail_holds(gateway.workspace)
    assert not sweep([gateway.home], {"email": CANARY["email"]})


@pytest.mark.parametrize(
    ("kind", "identifier", "rows"),
    [
        ("france-travail", "98765432", 1),
        ("name-birth", "QUINTARDCANARI;Zoe;1990-02-03", 1),
        ("email", "somebody.else@exemple.fr", 0),
    ],
)
def test_each_kind_of_identifier_leaves_out_its_rows(gateway: Gateway, kind: str, identifier: str, rows: int) -> None:
    """A person is recognised by columns that do not leave, too."""
    record_objection(gateway.workspace, CSP, kind, identifier, by="dpo")
    assert gateway.run(POOLS, "2025-05", planted(gateway, "may.csv", 2)).counts.get("left_out", 0) == rows


def test_an_objection_bears_on_its_exchange_and_convention_alone(gateway: Gateway) -> None:
    """Scoped to another exchange, or to another convention, it leaves nobody out here."""
    two_recipients(gateway)
    record_objection(gateway.workspace, CSP, "email", CANARY["email"], by="dpo", exchange="public-job-offers")
    record_objection(gateway.workspace, "two-ministries", "email", CANARY["email"], by="dpo")
    assert "left_out" not in gateway.run(POOLS, "2025-05", planted(gateway, "may.csv", 2)).counts
    assert gateway.run(TWO, "2025-05", planted(gateway, "may.csv", 2)).counts["left_out"] == 2


def test_an_objection_that_a_file_cannot_recognise_is_told(gateway: Gateway) -> None:
    """A pool of candidates has no NIR: the run counts the objection that it could not honour."""
    record_objection(gateway.workspace, CSP, "nir", "1 85 05 78 006 084 91", by="dpo")
    assert gateway.run(POOLS, "2025-05", planted(gateway, "may.csv", 2)).counts["objections_unrecognised"] == 1


def test_recorded_once_and_withdrawn_at_request(gateway: Gateway) -> None:
    """The same objection twice is one; withdrawn, its tag is gone and the person is in the extract again."""
    workspace = gateway.workspace
    first = record_objection(workspace, CSP, "email", CANARY["email"], by="dpo")
    again = record_objection(workspace, CSP, "email", f" {CANARY['email'].upper()} ", by="dpo")
    assert (first.new, again.new, again.id) == (True, False, first.id)
    withdraw_objection(workspace, first.id, by="dpo")
    with pytest.raises(UsageError):
        withdraw_objection(workspace, first.id, by="dpo")
    assert "left_out" not in gateway.run(POOLS, "2025-05", planted(gateway, "may.csv", 2)).counts
    kinds = ("objection_recorded", "objection_withdrawn")
    assert [len(gateway.entries(kind)) for kind in kinds] == [1, 1]
    with workspace.database.read() as connection:
        said = [row.text for kind in kinds for row in render(workspace.ledger.find(connection, kind), "fr")]
        logged = connection.execute(
            text("select actor, action, subject from access where action like 'person_%'")
        ).all()
    assert [first.id in line for line in said] == [True, True]
    assert {tuple(line) for line in logged} == {
        ("dpo", "person_object", first.id),
        ("dpo", "person_withdraw", first.id),
    }


def test_an_erasure_is_left_out_and_never_withdrawn(gateway: Gateway) -> None:
    """Who was erased is left out as who objected is, and does not come back."""
    made = record_objection(gateway.workspace, CSP, "email", CANARY["email"], by="dpo", ground="erasure")
    with pytest.raises(UsageError):
        withdraw_objection(gateway.workspace, made.id, by="dpo")
    assert gateway.run(POOLS, "2025-05", planted(gateway, "may.csv", 2)).counts["left_out"] == 2


def test_what_is_kept_is_a_tag_under_the_key_of_the_convention(gateway: Gateway) -> None:
    """The same person has another tag in another convention: the two cannot be joined."""
    two_recipients(gateway)
    for convention in (CSP, "two-ministries"):
        record_objection(gateway.workspace, convention, "email", CANARY["email"], by="dpo")
    with gateway.workspace.database.read() as connection:
        tags = {one.tag for one in objections.standing(connection)}
    assert len(tags) == 2


def test_an_unknown_exchange_is_refused(gateway: Gateway) -> None:
    """An objection to an exchange that does not exist would bear on nothing."""
    with pytest.raises(UsageError):
        record_objection(gateway.workspace, CSP, "email", CANARY["email"], by="dpo", exchange="pools")


def test_by_the_command_line(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The identifier comes from a file or standard input, is printed nowhere, and the answer says where it is honoured."""
    gateway.workspace.close()
    monkeypatch.setenv("PASSERELLE_HOME", str(gateway.home))
    monkeypatch.setenv("PASSERELLE_NOW", "2025-05-12T06:00:00+02:00")
    held = tmp_path / "identifier.txt"
    held.write_text(CANARY["email"] + "\n", "utf-8")
    words = ["person", "object", "--convention", CSP, "--kind", "email", "--json"]
    assert run([*words, "--identifier-file", str(held)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recognised_in"] == ["candidate-pools"]
    assert told["new"] is True
    assert run([*words, CANARY["email"]]) == 0
    assert json.loads(capsys.readouterr().out)["objection"] == told["objection"]
    assert run(["person", "objections", "--json"]) == 0
    listed = capsys.readouterr().out
    assert [one["id"] for one in json.loads(listed)] == [told["objection"]]
    assert CANARY["email"] not in listed
    assert run([*words[:5], "nir", CANARY["email"]]) == 2
    assert CANARY["email"] not in "".join(capsys.readouterr())
    assert run(["person", "withdraw", told["objection"], "--json"]) == 0


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("DELETE FROM objection", "recorded in the trail is missing"),
        ("UPDATE objection SET tag = zeroblob(16)", "is not what the trail tells"),
        ("UPDATE objection SET exchange = 'public-job-offers'", "is not what the trail tells"),
        ("UPDATE objection SET id = 'o-other'", "recorded in the trail is missing"),
    ],
)
def test_an_objection_changed_behind_the_gateway_stops_what_leaves(gateway: Gateway, change: str, fault: str) -> None:
    """Taken out or altered in the table, it is noticed against the trail: nobody slips back into an extract."""
    workspace = gateway.workspace
    record_objection(workspace, CSP, "email", CANARY["email"], by="dpo")
    with workspace.database.begin() as connection:
        verify_tables(workspace.ledger, connection)
        connection.execute(text(change))
    with workspace.database.read() as connection, pytest.raises(TablesDisagreeError, match=fault):
        verify_tables(workspace.ledger, connection)
    with pytest.raises(TablesDisagreeError):
        gateway.run(POOLS, "2025-05", planted(gateway, "may.csv", 2))
    assert gateway.parcels("mtfp") == []
