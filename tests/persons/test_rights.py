"""Articles 12, 15, 17 and 19 from one end to the other: a request's clock, the letter, the erasure, each recipient's answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from passerelle.errors import RefusedError, UsageError
from passerelle.persons.requesting import answer_request, extend_request, follow, open_request
from passerelle.store import requests as store
from passerelle.workspace.agreement import TablesDisagreeError, verify_tables
from portal.cli import run
from retention.erasing import erase_person
from tests.canary import sweep
from tests.gateway import TWO as EXCHANGE
from tests.gateway import Gateway, edited, trail_holds, two_recipients
from tests.gateway import pools as ready

CONVENTION = "two-ministries"
NOW = "2025-05-12T06:00:00+02:00"
PERSON = {
    "jobseeker_id": "98765432", "email": "quintard.canari@exemple.fr", "last_name": "Quintardcanari",
    "birth_date": "03/02/1990", "first_name": "Zoé",
}  # fmt: skip
BOTH = [{"kind": "quarantine", "count": 1}, {"kind": "raw", "count": 1}]
HELD = (
    CONVENTION,
    "hold_placed",
    {"id": "h1", "kind": "litigation", "on": "2025-05-02", "exchange": "candidate-pools"},
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """A gateway that delivered one month with the person to two ministries, and one without."""
    folder = tmp_path_factory.mktemp("rights")
    gateway = ready(folder / "gateway")
    two_recipients(gateway)
    gateway.run(EXCHANGE, "2025-04", gateway.write(EXCHANGE, 20, seed=1, name="april.csv"))
    gateway.run(EXCHANGE, "2025-05", edited(gateway.write(EXCHANGE, 20, seed=2, name="may.csv"), {2: PERSON}))
    return gateway, gateway.saved(folder / "saved")


@pytest.fixture
def gateway(stage: tuple[Gateway, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """That gateway as it was saved, where the command line finds it."""
    made = stage[0].restored(stage[1])
    for name, value in {"HOME": made.home, "NOW": NOW, "ACTOR": "dpo", "REASON": "request q", "LANG": "fr"}.items():
        monkeypatch.setenv(f"PASSERELLE_{name}", str(value))
    yield made
    made.workspace.close()


def said(capfd: pytest.CaptureFixture[str], *words: str) -> Any:
    """The JSON that a command answers."""
    capfd.readouterr()
    status = run([*words, "--json"])
    came = capfd.readouterr()
    assert status == 0, came.err
    return json.loads(came.out)


def test_the_erased_person_leaves_no_copy_and_each_recipient_is_told(
    gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    """The raw copy of the month concerned goes, the other stays; two notices; the next extract is without; once more changes nothing."""
    [plan] = said(capfd, "person", "erase", "98765432", "--convention", CONVENTION, "--plan")
    assert (len(plan["copies"]), plan["suspended"], len(plan["deliveries"])) == (2, [], 2)
    assert run(["person", "erase", "98765432", "--convention", CONVENTION, "--plan"]) == 0
    assert "copies entières à détruire" in capfd.readouterr().out
    assert len(gateway.present(kind="raw")) == 2
    assert gateway.entries("objection_recorded") == gateway.entries("holding_destroyed") == []
    [done] = said(capfd, "person", "erase", "98765432", "--convention", CONVENTION)
    assert done["destroyed"] == BOTH
    assert sorted(one["recipient"] for one in done["notices"]) == ["mtfp", "mtss"]
    assert {one["period"] for one in done["to_supersede"]} == {"2025-05"}
    assert (done["recognised_in"], done["suspended"]) == (["candidate-pools"], [])
    [left] = gateway.present(kind="raw")
    assert gateway.workspace.path(left.location).exists()
    [again] = said(capfd, "person", "erase", "9876543-2", "--convention", CONVENTION)
    assert (again["destroyed"], again["notices"], again["erasures"]) == ([], [], done["erasures"])
    next_month = edited(gateway.write(EXCHANGE, 20, seed=3, name="june.csv"), {4: PERSON})
    assert gateway.run(EXCHANGE, "2025-06", next_month).counts["left_out"] == 1
    trail_holds(gateway.workspace)
    with gateway.workspace.database.read() as connection:
        verify_tables(gateway.workspace.ledger, connection)
    assert not sweep([gateway.home], {"id": "98765432", "email": PERSON["email"]})


def test_a_parcel_without_the_person_takes_the_place_of_the_first(
    gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    """Superseded for an erasure by the same month's file, the new extract lacks the person, and the answer says so."""
    [done] = said(capfd, "person", "erase", "98765432", "--convention", CONVENTION)
    source = str(edited(gateway.write(EXCHANGE, 20, seed=2, name="may.csv"), {2: PERSON}))
    parcel = done["to_supersede"][0]["parcel"]
    made = said(capfd, "exchange", "run", EXCHANGE, "--input", source, "--period", "2025-05", "--supersedes", parcel, "--reason", "erasure")  # fmt: skip
    assert made["counts"]["left_out"] == 1
    found = said(capfd, "person", "received", "98765432")
    assert all(one["superseded_by"] for one in found["deliveries"])
    assert len(found["deliveries"]) == 2


def test_a_file_that_bears_an_erased_person_leaves_no_copy_behind(
    gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    """After the delivery neither raw copy nor quarantine of it is held, nor their keys; the trail tells of it, and other files keep theirs."""
    said(capfd, "person", "erase", "98765432", "--convention", CONVENTION)
    before = {copy.run for copy in gateway.present(kind="raw")}
    june = edited(gateway.write(EXCHANGE, 20, seed=3, name="june.csv"), {4: PERSON})
    made = gateway.run(EXCHANGE, "2025-06", june)
    assert (made.counts["left_out"], made.counts["erased"]) == (1, 1)
    assert {copy.kind for copy in gateway.present(run=made.run) if copy.ours} == {"index", "release"}
    assert gateway.entries("holding_destroyed")[-1]["by_kind"] == {"quarantine": 1, "raw": 1}
    assert not [
        name
        for name in gateway.workspace.keys.copy_keys(CONVENTION)
        if name.startswith(f"holdings/{CONVENTION}/{made.run}/")
    ]
    gateway.run(EXCHANGE, "2025-07", gateway.write(EXCHANGE, 20, seed=4, name="july.csv"))
    assert len({copy.run for copy in gateway.present(kind="raw")} - before) == 1
    assert run(["parcel", "resend", made.deliveries[0].parcel, "--reason", "lost"]) == 1
    assert "copie brute" in capfd.readouterr().err
    trail_holds(gateway.workspace)
    with gateway.workspace.database.read() as connection:
        verify_tables(gateway.workspace.ledger, connection)


def test_a_hold_keeps_a_later_file_until_the_erasure_is_done_again(
    gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    """Under a hold the raw copy of a file that bears the erased person stays; lifted, the same command destroys it."""
    said(capfd, "person", "erase", "98765432", "--convention", CONVENTION)
    dataset = {"id": "h2", "kind": "legal_obligation", "on": "2025-05-02", "dataset": "candidate_pool"}
    gateway.record((CONVENTION, "hold_placed", dataset))
    june = edited(gateway.write(EXCHANGE, 20, seed=3, name="june.csv"), {4: PERSON})
    made = gateway.run(EXCHANGE, "2025-06", june)
    assert {copy.kind for copy in gateway.present(run=made.run)} >= {"raw", "quarantine"}
    gateway.record((CONVENTION, "hold_lifted", {"id": "h2", "on": "2025-05-12"}))
    [shown] = said(capfd, "person", "erase", "98765432", "--convention", CONVENTION, "--plan")
    assert len(shown["copies"]) == 2
    [done] = said(capfd, "person", "erase", "98765432", "--convention", CONVENTION)
    assert done["destroyed"] == BOTH
    assert {copy.run for copy in gateway.present(kind="raw")}.isdisjoint({made.run})


def test_a_hold_keeps_the_copies_and_not_the_person_in_extracts(
    gateway: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    """Copies under litigation stay and the answer says why; after the lifting the same command destroys them."""
    gateway.record(HELD)
    [done] = said(capfd, "person", "erase", "98765432", "--convention", CONVENTION)
    [kept] = done["suspended"]
    assert (kept["exchange"], kept["copies"], done["destroyed"]) == ("candidate-pools", 2, [])
    assert "contentieux" in kept["why"]["fr"]
    assert len(gateway.present(kind="raw")) == 2
    gateway.record((CONVENTION, "hold_lifted", {"id": "h1", "on": "2025-05-10"}))
    [after] = said(capfd, "person", "erase", "98765432", "--convention", CONVENTION)
    assert (after["destroyed"], after["suspended"]) == (BOTH, [])


def test_an_erasure_is_what_its_preview_showed(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """Held to the number of its preview, an erasure of another person or after a hold came does nothing; else it is done."""
    words = ("person", "erase", "98765432", "--convention", CONVENTION)
    [shown] = said(capfd, *words, "--plan")
    held_to = ("--as-planned", shown["plan"])
    assert run(["person", "erase", "12345678", "--convention", CONVENTION, *held_to]) == 1
    gateway.record(HELD)
    assert run([*words, *held_to]) == 1
    assert "ce n'est pas ce que montrait l'aperçu" in capfd.readouterr().err
    assert len(gateway.present(kind="raw")) == 2
    gateway.record((CONVENTION, "hold_lifted", {"id": "h1", "on": "2025-05-10"}))
    assert said(capfd, *words, *held_to)[0]["destroyed"] == BOTH


def test_the_letter_does_not_call_destroyed_what_a_hold_keeps(
    gateway: Gateway, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Under a hold the letter says that copies are kept and why; it promises no day."""
    gateway.record(HELD)
    made = said(capfd, "person", "letter", "98765432", "--out", str(tmp_path / "letter"))
    assert {one["held"]["fr"] for one in made["transmissions"]} == {"contentieux depuis le 2 mai 2025"}
    french = (tmp_path / "letter" / "lettre.txt").read_text("utf-8")
    assert "conservées jusqu'à la levée d'une suspension : contentieux depuis le 2 mai 2025" in french
    assert "our copies are kept until a hold is lifted" in (tmp_path / "letter" / "letter.txt").read_text("utf-8")


@pytest.mark.parametrize("right", ["rectification", "restriction"])
def test_each_recipient_is_told_of_a_correction(
    gateway: Gateway, capfd: pytest.CaptureFixture[str], right: str
) -> None:
    """One notice a recipient, of that ground, tracked to its answer; asked again none is made anew; of another right none at all."""
    number = said(capfd, "person", "request", "open", right, "--convention", CONVENTION)["request"]
    made = said(capfd, "person", "tell", number, "98765432")
    assert sorted((one["recipient"], one["ground"], one["cause"]) for one in made) == [
        ("mtfp", right, number), ("mtss", right, number),
    ]  # fmt: skip
    assert said(capfd, "person", "tell", number, "98765432") == made
    assert len(gateway.entries("recipient_notified")) == 2
    said(capfd, "person", "answer", made[0]["notice"], "done")
    assert len(said(capfd, "person", "notices", "--open")) == 1
    other = said(capfd, "person", "request", "open", "access", "--convention", CONVENTION)["request"]
    for wrong in (other, "q-none"):
        assert run(["person", "tell", wrong, "98765432"]) == 2
    assert "98765432" not in capfd.readouterr().err
    assert len(gateway.present(kind="raw")) == 2


def test_an_erasure_needs_a_reason_and_an_identifier(gateway: Gateway) -> None:
    """Without a ground nothing happens; nor for an identifier that no file could bear."""
    with pytest.raises(UsageError, match="reason"):
        erase_person(gateway.workspace, "98765432", by="dpo", reason=" ", convention=CONVENTION)
    with pytest.raises(UsageError, match="recognises"):
        erase_person(gateway.workspace, "185057800608491", by="dpo", reason="art. 17 § 1 b")
    assert gateway.entries("objection_recorded") == []


def test_each_notice_is_followed_to_its_answer(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """Awaited, late after thirty days, answered once; the officer is not made up where the text gives none."""
    said(capfd, "person", "erase", PERSON["email"])
    found = said(capfd, "person", "notices")
    assert {(one["recipient"], one["answer"], one["late"], one["dpo"]) for one in found} == {
        ("mtfp", None, False, "not_stated"),
        ("mtss", None, False, "not_stated"),
    }
    one = found[0]["notice"]
    assert said(capfd, "person", "answer", one, "done")["answer"] == "done"
    assert run(["person", "answer", one, "done"]) == 1
    assert run(["person", "answer", "n-none", "done"]) == 2
    assert run(["person", "answer", found[1]["notice"], "perhaps"]) == 2
    assert [each["notice"] for each in said(capfd, "person", "notices", "--open")] == [found[1]["notice"]]
    with gateway.workspace.database.begin() as connection:
        connection.execute(text("DELETE FROM recipient_notice WHERE answer IS NULL"))
    with gateway.workspace.database.read() as connection, pytest.raises(TablesDisagreeError, match="is missing"):
        verify_tables(gateway.workspace.ledger, connection)


@pytest.mark.usefixtures("gateway")
def test_the_letter_names_recipients_and_not_the_person(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """French and English, text and pages that load nothing: who received what, why, until when; no identifier in any file."""
    out = tmp_path / "letter"
    made = said(capfd, "person", "letter", "98765432", "--out", str(out))
    assert [len(made["transmissions"]), made["weak_key"], made["automated_decisions"]] == [2, False, False]
    assert sorted(path.name for path in out.iterdir()) == [
        "letter.html",
        "letter.json",
        "letter.txt",
        "lettre.html",
        "lettre.txt",
    ]
    french = (out / "lettre.txt").read_text("utf-8")
    for words in (
        "Ministère du travail",
        "12 mai 2025",
        "Finalité : ",
        f" ({CONVENTION}), ",
        "art. 3",
        "CNIL",
        "dpo-unml@unml.info",
        "non indiqué",
    ):
        assert words in french, words
    assert "Ministère du travail" in (out / "letter.html").read_text("utf-8")
    whole = b"".join(path.read_bytes() for path in out.iterdir())
    for value in PERSON.values():
        assert value.encode() not in whole
    assert b"http-equiv" not in whole
    assert b"src=" not in whole
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    nobody = said(capfd, "person", "letter", "12345678", "--out", str(out))
    assert nobody["transmissions"] == []
    assert "ne connaissent aucune transmission" in (out / "lettre.txt").read_text("utf-8")


def test_the_clock_of_a_request(gateway: Gateway) -> None:
    """One month rolled over 1 May, two more for complexity, once and in time; the register says who is to be written to (D19)."""
    workspace = gateway.workspace
    made = open_request(
        workspace, "access", by="dpo", received_on=date(2025, 4, 1), convention="csp-ft-2024", party="cheops"
    )
    assert (made.row.due, made.state, made.days_left) == ("2025-05-02", "late", -10)
    assert [(one.party, one.dpo) for one in made.routes] == [("cheops", "dpo@cheops-ops.org")]
    with pytest.raises(RefusedError):
        extend_request(workspace, made.row.id, "complexity", by="dpo")
    assert answer_request(workspace, made.row.id, "granted", by="dpo").state == "answered_late"
    other = open_request(workspace, "erasure", by="dpo", received_on=date(2025, 5, 2))
    longer = extend_request(workspace, other.row.id, "number", by="dpo")
    assert (other.row.due, longer.row.due, longer.state) == ("2025-06-02", "2025-08-04", "open")
    with pytest.raises(RefusedError):
        extend_request(workspace, other.row.id, "number", by="dpo")
    with workspace.database.read() as connection:
        assert [follow(workspace, row).state for row in store.requests(connection)] == ["answered_late", "open"]
    trail_holds(workspace)


@pytest.mark.usefixtures("gateway")
def test_the_cases_of_the_field_by_the_command_line(shared: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """GDPR-01 and GDPR-02 through the register, as a DPO types them."""
    import csv

    rows = csv.DictReader((shared / "domain" / "cases.csv").read_text("utf-8").splitlines())
    cases = [one for one in rows if one["case_id"] in {"GDPR-01", "GDPR-02"}]
    assert len(cases) == 2
    for case in cases:
        [event] = json.loads(case["events"])
        made = said(capfd, "person", "request", "open", "access", "--received-on", event["received_on"])
        assert made["due"] == json.loads(case["expected"])["date"]
    listed = said(capfd, "person", "request", "list")
    assert [one["state"] for one in listed] == ["late", "late"]
    assert run(["person", "request", "list"]) == 0
    assert "en retard" in capfd.readouterr().out
    assert said(capfd, "person", "request", "answer", listed[0]["request"], "no-data")["state"] == "answered_late"
    assert run(["person", "request", "open", "oblivion"]) == 2
    assert run(["person", "request", "open", "access", "--received-on", "2031-01-01"]) == 2
    assert run(["trail", "show"]) == 0
    assert "réponse due" in capfd.readouterr().out
