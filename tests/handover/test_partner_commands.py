"""The commands that keep partners' keys: what each demands, and what the trail tells of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from passerelle.clock import iso
from passerelle.keys import Identity
from portal.cli import run
from tests.gateway import POOLS, Gateway, pools

KEY = Identity.generate().recipient


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """A gateway whose ministry has one key."""
    return pools(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def told(gateway: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command and gives its status and its JSON value, or what it printed."""
    monkeypatch.setenv("PASSERELLE_HOME", str(gateway.home))
    monkeypatch.setenv("PASSERELLE_NOW", iso(gateway.workspace.now()))

    def call(*words: object, lang: str = "en") -> tuple[int, Any]:
        monkeypatch.setenv("PASSERELLE_LANG", lang)
        status = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, json.loads(out) if "--json" in words and status == 0 else out + err

    return call


def test_an_approval_takes_the_whole_fingerprint_and_keeps_the_channel(gateway: Gateway, told: Any) -> None:
    """Part of a fingerprint or a channel that is not on the list approves nothing; two whole ones do, and the trail says how."""
    enrolled = ("partner", "key", "add", "mtfp", "--recipient", KEY.text, "--by", "anne", "--not-after", "2027-01-01")
    assert told(*enrolled)[0] == 0
    approve = ("partner", "key", "approve")
    for words in (
        (KEY.fingerprint[:20],),
        (KEY.fingerprint[:20], "--channel", "phone"),
        (KEY.fingerprint, "--channel", "mail"),
    ):
        status, said = told(*approve, *words, "--by", "bruno")
        assert (status, "expected the whole fingerprint" in said) == (2, True)
        assert "l'empreinte entière" in told(*approve, *words, "--by", "bruno", lang="fr")[1]
    assert told(*approve, KEY.fingerprint, "--channel", "phone", "--by", "anne")[0] == 1
    assert "second channel" in told(*approve, KEY.fingerprint, "--by", "bruno")[1]
    assert told(*approve, KEY.fingerprint, "--channel", "meeting", "--by", "carole", "--json")[1]["state"] == "approved"
    entries = [one for one in gateway.entries("partner_key_approved") if one["fingerprint"] == KEY.fingerprint]
    assert [one.get("channel") for one in entries] == [None, "meeting"]
    assert {one["not_after"] for one in entries} == {"2026-12-31T23:00:00Z"}


def test_a_key_is_ended_and_revoked_at_an_instant(gateway: Gateway, told: Any) -> None:
    """An end is to come and a revocation is past; each says so, and the trail has the instant."""
    other = Identity.generate().recipient
    assert told("partner", "key", "add", "mtfp", "--recipient", other.text, "--by", "anne")[0] == 0
    end, revoke = ("partner", "key", "end", other.fingerprint), ("partner", "key", "revoke", other.fingerprint)
    assert told(*end, "--not-after", "2025-05-01")[0] == 2
    assert told(*end, "--not-after", "2025-06-01", "--json")[1]["not_after"] == "2025-05-31T22:00:00Z"
    assert told(*end, "--not-after", "2025-07-01")[0] == 1
    assert told(*revoke, "--at", "2025-06-01")[0] == 2
    status, said = told(*revoke, "--at", "2025-05-10T08:00:00+02:00")
    assert (status, f"partner exposure {other.fingerprint}" in said) == (0, True)
    assert gateway.entries("partner_key_ended")[0]["not_after"] == "2025-05-31T22:00:00Z"
    assert gateway.entries("partner_key_revoked")[0]["since"] == "2025-05-10T06:00:00Z"
    listed = {one["fingerprint"]: one["state"] for one in told("partner", "key", "list", "--json")[1]}
    assert listed[other.fingerprint] == "revoked"
    assert told("partner", "key", "list")[0] == 0


def test_a_parcel_is_sent_again_corrected_and_reported(gateway: Gateway, told: Any, tmp_path: Path) -> None:
    """The commands resend, supersede, refuse the old second lock and list what a key could open."""
    parcel = gateway.run(POOLS, "2025-05", gateway.write(POOLS, 30)).deliveries[0].parcel
    assert told("parcel", "resend", parcel, "--reason", "nothing")[0] == 2
    status, value = told("parcel", "resend", parcel, "--reason", "lost", "--json")
    assert (status, value["state"], value["resends"]) == (0, "delivered", parcel)
    assert Path(value["location"]).exists()
    assert "sent again already" in told("parcel", "resend", parcel, "--reason", "lost")[1]
    corrected = gateway.write(POOLS, 30, seed=1, name="corrected.csv")
    order = ("exchange", "run", POOLS, "--input", corrected, "--period", "2025-05")
    assert told(*order, "--reason", "corrected")[0] == 2
    assert told(*order, "--supersedes", parcel)[0] == 2
    status, value = told(*order, "--supersedes", parcel, "--reason", "corrected", "--json")
    assert status == 0
    new = value["deliveries"][0]["parcel"]
    for lang, words in (("en", f"superseded on 2025-05-12 by {new}"), ("fr", f"remplacé le 2025-05-12 par {new}")):
        status, said = told("release-key", parcel, "--as", "mtfp", lang=lang)
        assert (status, words in said) == (1, True)
    key = gateway.identities["mtfp"].recipient.fingerprint
    found = told("partner", "exposure", key, "--json")[1]
    assert {(one["parcel"] == new, one["second_lock"]) for one in found} == {(True, "held"), (False, "destroyed")}
    assert told("partner", "exposure", key)[0] == 0
    standing = {one["parcel"]: one["superseded_by"] for one in told("receipt", "list", "--json")[1]}
    assert (standing[parcel], standing[new]) == (new, None)
    (path,) = [path for path in gateway.parcels("mtfp") if path.name == f"{new}.tar"]
    verified = told("parcel", "verify", path, "--seen", tmp_path / "seen", "--json")[1]
    assert parcel in verified["supersedes"]
    assert verified["beside"] == {"seen": 0, "heads_proven": 0}
    assert "takes the place of" in told("parcel", "verify", path)[1]
