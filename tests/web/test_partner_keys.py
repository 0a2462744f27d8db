"""Two people approve a partner's key under their own accounts, with the fingerprint that its owner told them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.keys import Identity
from passerelle.workspace import partner_keys
from tests.gateway import Gateway
from tests.web.visitors import Portal, words

NOW = "2025-05-05T10:00:00+02:00"


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    """The portal of a gateway with one partner."""
    made = Gateway.create(tmp_path, NOW).partner("mtfp")
    yield Portal(made)
    made.workspace.close()


def test_two_accounts_approve_and_who_enrolled_does_not(portal: Portal) -> None:
    """Who enrolled a key is refused, the same person counts once, the second person makes it usable; the trail tells each."""
    key = Identity.generate().recipient
    partner_keys.enrol(portal.gateway.workspace, "mtfp", key.text, by="Anne")
    form = {"fingerprint": key.fingerprint, "channel": "phone"}
    anne, bruno, carole = (
        portal.visitor(role, name=name) for role, name in (("dpo", "anne"), ("engineer", "bruno"), ("dpo", "carole"))
    )
    page = words(anne.get("/partner-keys"))
    assert key.fingerprint not in page
    assert key.fingerprint[:13] in page
    assert "cannot approve it" in words(anne.post("/partner-keys", form))
    assert "one more is needed" in words(bruno.get(bruno.post("/partner-keys", form).headers["location"]))
    assert "approved the key already" in words(bruno.post("/partner-keys", form))
    assert carole.post("/partner-keys", {**form, "channel": ""}).status_code == 400
    assert carole.post("/partner-keys", {**form, "fingerprint": key.fingerprint[:30]}).status_code == 400
    assert "can be sealed to it" in words(carole.get(carole.post("/partner-keys", form).headers["location"]))
    approvals = [one for one in portal.gateway.entries("partner_key_approved") if one["fingerprint"] == key.fingerprint]
    assert [one["approvals"] for one in approvals] == [1, 2]
    assert key.fingerprint in words(carole.get("/partner-keys"))
