"""Partners' keys through an exchange: validity, overlap, revocation at an instant, and what a lost key could have opened."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flows import assembly
from passerelle.errors import RefusedError, UsageError
from passerelle.handover.evidence import hand_release_key, trust_from
from passerelle.handover.keyreport import Exposed, key_exposure
from passerelle.keys import Recipient, parse_recipient, read_identities
from passerelle.parcel import open_parcel, verify
from passerelle.store import partners
from retention.purge import purge
from tests.gateway import CSP_ENDED, POOLS, STUDIES, Gateway, pools, studies
from tests.receipt.conftest import ssh_key

KINDS = {"x25519": None, "ssh-ed25519": ("ed25519",), "ssh-rsa": ("rsa", "-b", "2048")}
PARTY = "mtfp"
START = "2025-05-12T06:00:00+02:00"
DAY = timedelta(days=1)


def enrol(
    gateway: Gateway,
    key: Recipient,
    *,
    party: str = PARTY,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> None:
    """Enrol a key that two people approve."""
    gateway.enrol(party, key, not_before=not_before, not_after=not_after)


def sealed_to(gateway: Gateway, period: str) -> set[str]:
    """Deliver a pool for ``period``; the keys that its inner lock names."""
    before = set(gateway.parcels(PARTY))
    gateway.run(POOLS, period, gateway.write(POOLS, 10))
    (path,) = set(gateway.parcels(PARTY)) - before
    locks = verify(path, trust_from(gateway.home / "trust")).parcel.manifest.passerelle.locks
    return set(locks[-1].fingerprints)


def exposure(gateway: Gateway, fingerprint: str) -> list[Exposed]:
    """What the report says of a key."""
    with gateway.workspace.database.read() as connection:
        return key_exposure(gateway.workspace, connection, partners.key_by(connection, fingerprint))


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A gateway whose ministry has one age key."""
    return pools(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_receives_and_is_reported(tmp_path: Path, kind: str) -> None:
    """A parcel sealed to an age, Ed25519 or RSA key opens with it, and the key's exposure names the parcel."""
    made = pools(tmp_path)
    identity, key = made.identities[PARTY], made.identities[PARTY].recipient
    if (shape := KINDS[kind]) is not None:
        file = ssh_key(tmp_path, *shape)
        (identity,), key = read_identities(file), parse_recipient(file.with_suffix(".pub").read_text())
        enrol(made, key)
        with made.workspace.database.begin() as connection:
            partners.revoke(connection, made.identities[PARTY].recipient.fingerprint, at=made.workspace.now())
    assert key.kind == kind
    assert sealed_to(made, "2025-05") == {key.fingerprint}
    (parcel,) = made.parcels(PARTY)
    verified = verify(parcel, trust_from(made.home / "trust", PARTY))
    release = hand_release_key(made.workspace, verified.parcel.manifest.name, PARTY, actor="test")
    assert open_parcel(verified.parcel, [identity], release, tmp_path / "out").rows == 10
    (found,) = exposure(made, key.fingerprint)
    assert (found.parcel, found.period, found.second_lock, found.certain) == (
        verified.parcel.manifest.name, "2025-05", "handed", True,
    )  # fmt: skip


def test_two_keys_overlap_while_one_follows_the_other(gateway: Gateway, tmp_path: Path) -> None:
    """Before the overlap parcels are sealed to the old key, during it to both, after it to the new one."""
    old, now = gateway.identities[PARTY].recipient, gateway.workspace.now()
    file = ssh_key(tmp_path)
    new = parse_recipient(file.with_suffix(".pub").read_text())
    enrol(gateway, new, not_before=now + DAY)
    with gateway.workspace.database.begin() as connection:
        partners.end(connection, old.fingerprint, not_after=now + 3 * DAY, at=now)
    both = {old.fingerprint, new.fingerprint}
    for days, expected in ((0, {old.fingerprint}), (1, both), (2, both), (3, {new.fingerprint})):
        gateway.move_to((now + days * DAY).isoformat())
        assert sealed_to(gateway, f"2025-0{days + 1}") == expected, days


def test_nothing_is_sealed_to_a_key_that_has_run_out(gateway: Gateway) -> None:
    """When the only key has expired or is not valid yet the exchange is refused, the message says which and since when."""
    key, now = gateway.identities[PARTY].recipient, gateway.workspace.now()
    with gateway.workspace.database.begin() as connection:
        partners.end(connection, key.fingerprint, not_after=now + DAY, at=now)
    gateway.move_to((now + DAY).isoformat())
    with pytest.raises(RefusedError, match=r"the key of mtfp has expired \(2025-05-13\)") as caught:
        sealed_to(gateway, "2025-05")
    assert "partner key add mtfp" in (caught.value.hint or "")
    assert "a expiré" in (caught.value.fr or "")
    assert gateway.parcels(PARTY) == []
    with gateway.workspace.database.begin() as connection:
        partners.revoke(connection, key.fingerprint, at=gateway.workspace.now())
    other = parse_recipient("age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg")
    enrol(gateway, other, not_before=now + 5 * DAY)
    with pytest.raises(RefusedError, match=r"is not valid yet \(2025-05-17\)"):
        sealed_to(gateway, "2025-05")


def test_a_key_revoked_while_a_parcel_is_made_stops_the_delivery(gateway: Gateway) -> None:
    """A parcel sealed before its key was revoked is not delivered after; the decision is told, the next run is refused."""
    key = gateway.identities[PARTY].recipient

    def revoked_at_the_last_moment(step: int, _rows: int) -> None:
        if step == 7:
            with gateway.workspace.database.begin() as connection:
                partners.revoke(connection, key.fingerprint, at=gateway.workspace.now())

    source = gateway.write(POOLS, 10)
    with pytest.raises(RefusedError, match="revoked or ran out while its parcel was made"):
        gateway.run(POOLS, "2025-05", source, progress=revoked_at_the_last_moment)
    assert gateway.parcels(PARTY) == []
    assert [entry["stage"] for entry in gateway.entries("decision")] == ["start", "delivery"]
    with pytest.raises(RefusedError, match="no approved key"):
        gateway.run(POOLS, "2025-05", source)


def test_a_key_about_to_leave_its_partner_without_one_raises_an_alert(gateway: Gateway) -> None:
    """Within thirty days of the end the watchdog tells, unless another approved key goes on."""
    key, now = gateway.identities[PARTY].recipient, gateway.workspace.now()

    def told() -> list[object]:
        return [one["recipient"] for one in assembly.watch(str(gateway.home)) if one["code"] == "partner_key_expiring"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PASSERELLE_NOW", now.isoformat())
        assert told() == []
        with gateway.workspace.database.begin() as connection:
            partners.end(connection, key.fingerprint, not_after=now + 31 * DAY, at=now)
        assert told() == []
        with gateway.workspace.database.begin() as connection:
            partners.end(connection, key.fingerprint, not_after=now + 29 * DAY, at=now)
        assert told() == [PARTY]
        enrol(gateway, parse_recipient("age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"))
        assert told() == []


def test_an_exposure_tells_what_was_opened_closed_or_came_after(gateway: Gateway) -> None:
    """Each parcel the key could open is listed with its second lock, and those after the instant of revocation are marked."""
    key, now = gateway.identities[PARTY].recipient, gateway.workspace.now()
    for days in range(3):
        gateway.move_to((now + days * DAY).isoformat())
        sealed_to(gateway, f"2025-0{days + 1}")
    first, *_ = gateway.deliveries()
    hand_release_key(gateway.workspace, first.id, PARTY, actor="test")
    with gateway.workspace.database.begin() as connection:
        partners.revoke(connection, key.fingerprint, at=now + DAY)
    found = exposure(gateway, key.fingerprint)
    assert [(one.period, one.second_lock, one.after) for one in found] == [
        ("2025-01", "handed", False), ("2025-02", "held", True), ("2025-03", "held", True),
    ]  # fmt: skip
    assert found[0].opened_at is not None
    assert found[1].opened_at is None


def test_an_exposure_outlives_the_purge(gateway: Gateway) -> None:
    """After a purge took the manifests, the party's parcels of that time are still listed, their second locks destroyed."""
    key = gateway.identities[PARTY].recipient
    sealed_to(gateway, "2025-05")
    gateway.move_to("2025-06-11T06:00:00+02:00").record(CSP_ENDED).move_to("2026-06-10T06:00:00+02:00")
    purge(gateway.workspace, "csp-ft-2024")
    (found,) = exposure(gateway, key.fingerprint)
    assert (found.period, found.second_lock, found.certain) == ("2025-05", "destroyed", False)


def test_figures_have_no_second_lock_to_close(tmp_path: Path) -> None:
    """The exposure of a key says of a parcel of figures that the key alone opens it."""
    made = studies(tmp_path)
    made.run(STUDIES, "2019", made.write(STUDIES, 20))
    (found,) = exposure(made, made.identities["region-paca"].recipient.fingerprint)
    assert (found.second_lock, found.opened_at, found.after) == ("none", None, False)


def test_validity_is_only_ever_shortened(gateway: Gateway) -> None:
    """An end that is past, a longer validity, an end before the beginning and an end of a revoked key are refused."""
    key, now = gateway.identities[PARTY].recipient, gateway.workspace.now()
    with gateway.workspace.database.begin() as connection:
        with pytest.raises(UsageError, match="to come"):
            partners.end(connection, key.fingerprint, not_after=now, at=now)
        partners.end(connection, key.fingerprint, not_after=now + 2 * DAY, at=now)
        with pytest.raises(RefusedError, match="ends sooner"):
            partners.end(connection, key.fingerprint, not_after=now + 3 * DAY, at=now)
        assert partners.revoke(connection, key.fingerprint, at=now - DAY).revoked_at == "2025-05-11T04:00:00Z"
        assert partners.revoke(connection, key.fingerprint, at=now).revoked_at == "2025-05-11T04:00:00Z"
        assert partners.revoke(connection, key.fingerprint, at=now - 2 * DAY).revoked_at == "2025-05-10T04:00:00Z"
        with pytest.raises(RefusedError, match="ends sooner"):
            partners.end(connection, key.fingerprint, not_after=now + DAY, at=now)
        with pytest.raises(UsageError, match="end of validity after its beginning"):
            partners.enrol(
                connection,
                PARTY,
                kind="x25519",
                recipient="age1x",
                fingerprint="SHA256:x",
                by="clerk",
                at=now,
                not_before=now + DAY,
                not_after=now + DAY,
            )
