"""Attestations of destruction: asked of each recipient, recalled, escalated, recorded exactly as they were signed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.errors import EvidenceError, RefusedError
from passerelle.keys import NOTICE_NAMESPACE, parse_allowed_signers
from passerelle.receipt.attestation import Request, attest, read_request, sign_attestation, verify_request
from passerelle.store import partners
from portal.cli import run
from retention import attestations
from retention.attestations import Standing, follow_up, request, standing
from retention.attesting import record
from tests.gateway import CSP_ENDED, Gateway, trail_holds
from tests.receipt.conftest import PARTY, Partner, make, ssh_key

CSP = "csp-ft-2024"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Partner, Path]:
    """A partner that was delivered two parcels, and signs with Ed25519."""
    folder = tmp_path_factory.mktemp("attestations")
    made = make(folder / "gateway")
    made.deliver("2025-05")
    made.gateway.move_to("2025-06-12T06:00:00+02:00")
    made.deliver("2025-06")
    return made, made.gateway.saved(folder / "saved")


@pytest.fixture
def partner(saved: tuple[Partner, Path]) -> Iterator[Partner]:
    """The partner and its gateway as they were saved."""
    made, folder = saved
    again = replace(made, gateway=made.gateway.restored(folder))
    yield again
    again.gateway.workspace.close()


def seen(gateway: Gateway) -> list[Standing]:
    with gateway.workspace.database.read() as connection:
        return standing(gateway.workspace, connection)


def asked(partner: Partner) -> Request:
    """The request that lies in the partner's folder, verified under the gateway's published key."""
    (file,) = (one for one in partner.gateway.parcels(PARTY) if one.suffix == ".request")
    signers = parse_allowed_signers(
        (partner.gateway.home / "trust" / "allowed_signers").read_text(), namespace=NOTICE_NAMESPACE
    )
    return verify_request(file.read_bytes(), signers)


def given(partner: Partner, kept: tuple[str, ...] = ()) -> bytes:
    return sign_attestation(attest(asked(partner), partner.gateway.workspace.now(), kept=kept), partner.key)


def later(partner: Partner, days: int) -> Partner:
    partner.gateway.move_to(iso(partner.gateway.workspace.now() + timedelta(days=days)))
    return partner


def test_each_recipient_is_asked_once_for_what_it_received(partner: Partner) -> None:
    """The request lists every parcel with its hash, article and day; asked again, nothing is made anew."""
    (one,) = request(partner.gateway.workspace, CSP)
    said = asked(partner)
    delivered = {each.id: each.manifest_sha256 for each in partner.gateway.deliveries(recipient=PARTY)}
    assert {each.parcel: each.manifest_sha256 for each in said.parcels} == delivered
    assert all(each.article for each in said.parcels)
    assert (one.state, one.parcels, one.due, one.dpo) == ("requested", 2, "2025-07-12", "not_stated")
    assert request(partner.gateway.workspace, CSP, party=PARTY) == [one]
    assert len(partner.gateway.entries("attestation_requested")) == 1
    with pytest.raises(RefusedError):
        request(partner.gateway.workspace, CSP, party="dgafp")


def test_a_whole_attestation_closes_the_request(partner: Partner) -> None:
    """Recorded once, told in the trail with its hash; nothing is left to ask for."""
    request(partner.gateway.workspace, CSP)
    data = given(partner)
    assert record(partner.gateway.workspace, data).missing == ()
    record(partner.gateway.workspace, data)
    (one,) = seen(later(partner, 60).gateway)
    assert (one.state, one.overdue, one.attested) == ("received", False, 2)
    (entry,) = partner.gateway.entries("attestation_recorded")
    assert (entry["parcels"], entry["missing"]) == (2, 0)
    follow_up(partner.gateway.workspace)
    assert partner.gateway.entries("attestation_recalled") == []
    with pytest.raises(RefusedError):
        request(partner.gateway.workspace, CSP)
    trail_holds(partner.gateway.workspace)


def test_what_is_attested_once_is_owed_in_no_other_request(partner: Partner) -> None:
    """Two requests name the same parcels; an answer to the one closes the other: nothing is overdue, recalled or asked for again."""
    request(partner.gateway.workspace, CSP)
    data = given(partner)
    request(partner.gateway.workspace, CSP, cause="purge", cause_id="csp-ft-2024.1")
    assert [one.state for one in seen(partner.gateway)] == ["requested", "requested"]
    record(partner.gateway.workspace, data)
    assert [(one.state, one.attested, one.missing) for one in seen(partner.gateway)] == [("received", 2, ())] * 2
    assert follow_up(later(partner, 60).gateway.workspace) == []
    assert [one.overdue for one in seen(partner.gateway)] == [False, False]


def test_a_partial_attestation_stays_open_until_the_rest_came(partner: Partner) -> None:
    """What it leaves out stays owed, overdue past its day; a second attestation over the rest completes it."""
    request(partner.gateway.workspace, CSP)
    first, second = (one.parcel for one in asked(partner).parcels)
    assert record(partner.gateway.workspace, given(partner, (second,))).missing == (second,)
    (one,) = seen(later(partner, 31).gateway)
    assert (one.state, one.overdue, one.missing) == ("partial", True, (second,))
    record(partner.gateway.workspace, given(partner, (first,)))
    (one,) = seen(partner.gateway)
    assert (one.state, one.overdue) == ("received", False)


def test_reminders_and_escalation_come_once_each(partner: Partner) -> None:
    """After 15 and 30 days a reminder, after 45 the escalation to the DPO's route; following up twice makes nothing more."""
    request(partner.gateway.workspace, CSP)
    found = []
    for days in (14, 1, 14, 1, 14, 1, 30):
        later(partner, days)
        acted = follow_up(partner.gateway.workspace)
        assert follow_up(partner.gateway.workspace) == []
        found.append((bool(acted), seen(partner.gateway)[0].state))
    assert found == [
        (False, "requested"), (True, "reminded"), (False, "reminded"), (True, "reminded"), (False, "reminded"),
        (True, "escalated"), (False, "escalated"),
    ]  # fmt: skip
    stages = [one["stage"] for one in partner.gateway.entries("attestation_recalled")]
    assert stages == ["recalled-15", "recalled-30", "escalated"]
    (text,) = (one for one in partner.gateway.parcels(PARTY) if one.name.endswith(".escalated.txt"))
    assert "n'indique pas de délégué" in text.read_text()
    signers = partner.gateway.home / "trust" / "allowed_signers"
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        str(signers),
        "-I",
        "passerelle",
        "-n",
        "passerelle-notice",
        "-s",
        f"{text}.sig",
    ]
    subprocess.run(command, input=text.read_bytes(), check=True, capture_output=True, timeout=60)


def test_a_plan_that_slept_sends_the_last_stage_only(partner: Partner) -> None:
    """After fifty days without a follow-up there is one notice, not three."""
    request(partner.gateway.workspace, CSP)
    follow_up(later(partner, 50).gateway.workspace)
    assert [one["stage"] for one in partner.gateway.entries("attestation_recalled")] == ["escalated"]


def test_a_folder_that_takes_nothing_is_told_and_tried_again(partner: Partner) -> None:
    """A notice that could not be written stays unwritten in the list, and is written by the next follow-up."""
    folder = partner.gateway.folder / "partners" / PARTY
    away = folder.rename(folder.with_name("away"))
    folder.write_bytes(b"")
    (one,) = request(partner.gateway.workspace, CSP)
    assert one.unwritten == ("asked",)
    folder.unlink()
    away.rename(folder)
    follow_up(partner.gateway.workspace)
    assert seen(partner.gateway)[0].unwritten == ()
    assert asked(partner).request == one.request


def test_a_purge_asks_every_recipient(partner: Partner) -> None:
    """A purge asks for what was delivered, though the manifests are gone; the follow-up asks no more."""
    from retention.purge import purge

    partner.gateway.move_to("2025-06-13T11:00:00+02:00").record(CSP_ENDED).move_to("2025-10-10T05:00:00+02:00")
    purge(partner.gateway.workspace, CSP)
    follow_up(partner.gateway.workspace)
    (one,) = seen(partner.gateway)
    assert (one.cause, one.parcels) == ("purge", 2)
    assert record(partner.gateway.workspace, given(partner)).missing == ()


def changed(partner: Partner, **values: Any) -> bytes:
    """The attestation with other values, signed by the partner."""
    said = attest(asked(partner), partner.gateway.workspace.now())
    return sign_attestation(said.model_copy(update=values), partner.key)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"request_sha256": "ab" * 32}, "request_sha256"),
        ({"convention": "paca-pe-2016"}, "convention"),
        ({"at": "2025-06-11T00:00:00Z", "destroyed_on": "2025-06-11"}, "at"),
        ({"at": "2025-06-13T00:00:00Z"}, "at"),
        ({"destroyed_on": "2025-05-01"}, "destroyed_on"),
        ({"destroyed_on": "2025-06-11"}, "destroyed_on"),  # after the first of the two parcels was delivered
    ],
)
def test_what_does_not_answer_the_request_is_refused(partner: Partner, values: dict[str, Any], where: str) -> None:
    """An attestation of another request, or of an impossible day, is refused, and the error names the place."""
    request(partner.gateway.workspace, CSP)
    with pytest.raises(EvidenceError) as caught:
        record(partner.gateway.workspace, changed(partner, **values))
    assert caught.value.where == f"attestation: {where}"
    assert partner.gateway.entries("attestation_recorded") == []


def test_another_parcel_is_not_the_one_delivered(partner: Partner) -> None:
    """A parcel whose manifest is not the one that was delivered is refused."""
    request(partner.gateway.workspace, CSP)
    first, second = attest(asked(partner), partner.gateway.workspace.now()).destroyed
    other = second.model_copy(update={"manifest_sha256": "cd" * 32})
    with pytest.raises(EvidenceError, match="not as, the one that was delivered"):
        record(partner.gateway.workspace, changed(partner, destroyed=(first, other)))


def test_only_a_key_approved_at_the_signing_date_counts(partner: Partner, tmp_path: Path) -> None:
    """A stranger's key, and a key that was revoked, attest nothing."""
    from passerelle.keys import parse_private, parse_recipient

    request(partner.gateway.workspace, CSP)
    stranger = parse_private(ssh_key(tmp_path, name="stranger").read_bytes())
    said = attest(asked(partner), partner.gateway.workspace.now())
    with pytest.raises(EvidenceError):
        record(partner.gateway.workspace, sign_attestation(said, stranger))
    own = parse_recipient(partner.key_file.with_suffix(".pub").read_text()).fingerprint
    with partner.gateway.workspace.database.begin() as connection:
        partners.revoke(connection, own, at=partner.gateway.workspace.now())
    with pytest.raises(RefusedError, match="no approved SSH key"):
        record(partner.gateway.workspace, sign_attestation(said, partner.key))


@pytest.fixture
def told(partner: Partner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command and gives its status and its JSON value, or what it printed."""
    monkeypatch.setenv("PASSERELLE_HOME", str(partner.gateway.home))
    monkeypatch.setenv("PASSERELLE_LANG", "fr")

    def call(*words: object) -> tuple[int, Any]:
        monkeypatch.setenv("PASSERELLE_NOW", iso(partner.gateway.workspace.now()))
        status = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, json.loads(out) if "--json" in words and status == 0 else out + err

    return call


def test_through_the_commands(partner: Partner, told: Any, tmp_path: Path) -> None:
    """Asked, signed with stock tools, recorded, and listed: the DPO sees who is late, and then nobody."""
    assert told("attestation", "request", CSP)[0] == 0
    (file,) = (one for one in partner.gateway.parcels(PARTY) if one.suffix == ".request")
    later(partner, 31)
    (one,) = told("attestation", "list", "--overdue", "--json")[1]
    assert (one["party"], one["overdue"], one["parcels"]) == (PARTY, True, 2)
    assert "en retard" in told("attestation", "list")[1]
    line, trust = tmp_path / "line", partner.gateway.home / "trust"
    assert told("attestation", "give", file, "--out", line, "--trust", trust)[0] == 0
    sign = ["ssh-keygen", "-Y", "sign", "-q", "-n", "passerelle-attestation", "-f", str(partner.key_file), str(line)]
    subprocess.run(sign, check=True, timeout=60, capture_output=True)
    stock = line.read_bytes() + (tmp_path / "line.sig").read_bytes()
    words = ("attestation", "give", file, "--identity", partner.key_file, "--trust", trust, "--out", tmp_path / "own")
    assert told(*words)[0] == 0
    assert (tmp_path / "own").read_bytes() == stock
    (tmp_path / "both").write_bytes(stock)
    status, value = told("attestation", "record", tmp_path / "both", "--json")
    assert (status, value["complete"], value["missing"]) == (0, True, [])
    assert told("attestation", "list", "--overdue", "--json")[1] == []
    assert told("attestation", "give", file, "--as", "mtss", "--trust", trust)[0] == 1
    assert told("attestation", "request", CSP)[0] == 1


def test_a_request_that_was_altered_is_not_answered(partner: Partner, told: Any, tmp_path: Path) -> None:
    """The partner's command refuses a request that the gateway did not sign."""
    request(partner.gateway.workspace, CSP)
    (file,) = (one for one in partner.gateway.parcels(PARTY) if one.suffix == ".request")
    line, _, signature = file.read_bytes().partition(b"\n")
    value = json.loads(line) | {"due": "2026-01-01"}
    (tmp_path / "forged").write_bytes(canonical(value) + b"\n" + signature)
    assert read_request((tmp_path / "forged").read_bytes()).due == "2026-01-01"
    status, said = told("attestation", "give", tmp_path / "forged", "--trust", partner.gateway.home / "trust")
    assert (status, "signature" in said) == (1, True)


def test_policy_is_in_one_place() -> None:
    """Thirty days to attest, reminders after 15 and 30, escalation at 45: rules of the hub."""
    assert (attestations.DUE_DAYS, sorted(attestations.REMINDERS), attestations.ESCALATION_DAYS) == (30, [15, 30], 45)


def test_whoever_brings_an_attestation_brings_its_own(partner: Partner) -> None:
    """Where the party is known beforehand, the attestation of another is refused and nothing is kept."""
    request(partner.gateway.workspace, CSP)
    with pytest.raises(RefusedError, match="the attestation of another party"):
        record(partner.gateway.workspace, given(partner), party="other")
    assert partner.gateway.entries("attestation_recorded") == []
    assert not record(partner.gateway.workspace, given(partner), party=PARTY).missing
