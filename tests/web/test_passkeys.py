"""Passkeys as a second factor, answered by an authenticator in software."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from passerelle.store import accounts, attempts, factors, passkeys
from portal.web.guard import COOKIE
from portal.web.signin import codes
from tests.gateway import Gateway
from tests.web.authenticator import PRESENT, Authenticator, asked, other
from tests.web.visitors import FIREFOX, PASSWORD, Portal, Visitor, words

NOW = "2025-05-05T10:00:00+02:00"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = Gateway.create(tmp_path_factory.mktemp("passkeys"), NOW)
    yield made
    made.workspace.close()


@pytest.fixture
def portal(gateway: Gateway) -> Portal:
    """A portal where nobody failed yet."""
    with gateway.workspace.database.begin() as connection:
        connection.execute(attempts.attempt.delete())
    return Portal(gateway)


def activated(portal: Portal, name: str) -> tuple[Visitor, Authenticator]:
    """Someone who opened an account with a passkey."""
    found, one, device = portal.account(name), portal.stranger(), Authenticator()
    with portal.gateway.workspace.database.begin() as connection:
        code = factors.invite(connection, found.id, at=portal.gateway.workspace.now())
    one.post("/activate", {"name": name, "code": code, "password": PASSWORD})
    answer = device.create(asked(one.get("/activate/second").text))
    done = one.post("/activate/second", {"credential": answer, "label": "my key"})
    assert done.status_code == 200, words(done)
    assert "Your account is open" in words(done)
    return one, device


def keyed(portal: Portal, name: str) -> Authenticator:
    """The device of an account that has a passkey, made by the page that adds one."""
    one, device = portal.visitor("dpo", name=name), Authenticator()
    found = portal.armed(name)
    with portal.gateway.workspace.database.begin() as connection:
        factors.remove_totp(connection, found.id)
    answer = device.create(asked(one.get("/account/factor").text))
    assert one.post("/account/factor", {"credential": answer, "label": "my key"}).status_code == 303
    return device


def half_in(portal: Portal, name: str) -> Visitor:
    """Someone who gave the password."""
    one, found = portal.stranger(), portal.account(name)
    with portal.gateway.workspace.database.begin() as connection:
        at = portal.gateway.workspace.now()
        token = factors.open_half(connection, found.id, "sign-in", browser=FIREFOX, at=at)
    one.cookies = {f"{COOKIE}-half": token}
    return one


def test_an_account_lives_on_a_passkey_alone(portal: Portal) -> None:
    """A passkey opens the account when it is activated, signs in, and proves again what weighs more."""
    _, device = activated(portal, "keyed")
    one = half_in(portal, "keyed")
    page = one.get("/sign-in/second")
    assert "Recovery code" in words(page)
    assert (
        one.post("/sign-in/second", {"credential": device.get(asked(page.text)), "next": "/account"}).status_code == 303
    )
    assert "my key" in words(one.get("/account"))
    answer = device.get(asked(one.get("/sign-in/again").text))
    assert one.post("/sign-in/again", {"credential": answer}).status_code == 303


@pytest.mark.parametrize(
    "wrong", ["challenge", "origin", "type", "user", "replayed", "counter", "key", "text", "none asked"]
)
def test_an_answer_that_is_not_right_is_refused(portal: Portal, wrong: str) -> None:
    """Challenge, origin, ceremony, user verification, counter and signature count, each."""
    name = f"wrong {wrong}"
    device = keyed(portal, name)
    one = half_in(portal, name)
    options = asked(one.get("/sign-in/second").text)
    said = {
        "challenge": {"challenge": other(options["challenge"])},
        "origin": {"origin": "https://example.org"},
        "type": {"type": "webauthn.create"},
    }.get(wrong, {})
    if wrong == "user":
        device.flags = PRESENT
    if wrong == "key":
        device = Authenticator(credential=device.credential)
    answer = "{" if wrong == "text" else device.get(options, **said)
    if wrong in {"replayed", "counter"}:
        assert one.post("/sign-in/second", {"credential": answer}).status_code == 303
        one = half_in(portal, name)
        fresh = asked(one.get("/sign-in/second").text)
        if wrong == "counter":
            device.uses = 0
            answer = device.get(fresh)
    if wrong == "none asked":
        one = half_in(portal, name)
    assert one.post("/sign-in/second", {"credential": answer}).status_code == 401
    assert not one.session


def test_a_challenge_is_answered_once(portal: Portal) -> None:
    """A failed answer spends its challenge: the right answer to it comes too late."""
    device = keyed(portal, "once")
    one = half_in(portal, "once")
    options = asked(one.get("/sign-in/second").text)
    good = device.get(options)
    assert one.post("/sign-in/second", {"credential": "{}"}).status_code == 401
    assert one.post("/sign-in/second", {"credential": good}).status_code == 401


def test_a_passkey_of_another_account_is_refused(portal: Portal) -> None:
    """A passkey proves its own account only."""
    device = keyed(portal, "first")
    keyed(portal, "second")
    one = half_in(portal, "second")
    assert (
        one.post("/sign-in/second", {"credential": device.get(asked(one.get("/sign-in/second").text))}).status_code
        == 401
    )


def test_factors_are_added_and_removed_but_never_the_last(portal: Portal) -> None:
    """One's own page adds and removes passkeys; the last factor stays; every other session ends with each change."""
    one, _ = activated(portal, "owner")
    found = portal.account("owner")
    refused = one.post("/account/factor/remove", {"factor": _credentials(portal, found)[0]})
    assert (refused.status_code, "last second factor" in words(refused)) == (400, True)
    elsewhere = portal.visitor("dpo", name="owner")
    second = Authenticator()
    options = asked(one.get("/account/factor").text)
    assert [key["id"] for key in options["excludeCredentials"]] == _credentials(portal, found)
    assert one.post("/account/factor", {"credential": second.create(options), "label": "other"}).status_code == 303
    assert not elsewhere.session
    assert one.post("/account/factor/remove", {"factor": _credentials(portal, found)[0]}).status_code == 303
    assert len(_credentials(portal, found)) == 1
    fresh = one.post("/account/recovery")
    assert "Your new recovery codes" in words(fresh)


def _credentials(portal: Portal, found: accounts.Account) -> list[str]:
    with portal.gateway.workspace.database.read() as connection:
        return [one.credential for one in passkeys.of(connection, found.id)]


def test_an_app_is_added_beside_a_passkey(portal: Portal) -> None:
    """The app whose first code is right is added; a wrong code adds nothing."""
    keyed(portal, "both")
    one = portal.visitor("dpo", name="both")
    one.get("/account/factor")
    assert one.post("/account/factor", {"code": "000000"}).status_code == 400
    letters = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', one.get("/account/factor").text)
    assert letters
    secret = base64.b32decode(letters[1].replace(" ", ""))
    now = int(portal.gateway.workspace.now().timestamp())
    code = TOTP(secret, codes.DIGITS, SHA1(), codes.STEP_SECONDS).generate(now).decode()  # noqa: S303 -- RFC 6238
    assert one.post("/account/factor", {"code": code}).status_code == 303
    assert "Authenticator app" in words(one.get("/account"))
    assert one.post("/account/factor/remove", {"factor": "app"}).status_code == 303


def test_a_password_is_changed_by_who_knows_it(portal: Portal) -> None:
    """The present password is asked for; a weak new one is refused; the new one opens."""
    one, _ = activated(portal, "changes")
    new = "une tout autre phrase"
    assert one.post("/account/password", {"present": "wrong", "password": new}).status_code == 400
    assert one.post("/account/password", {"present": PASSWORD, "password": "changes"}).status_code == 400
    assert one.post("/account/password", {"present": PASSWORD, "password": new}).status_code == 303
    other_browser = portal.stranger()
    assert other_browser.post("/sign-in", {"name": "changes", "password": PASSWORD}).status_code == 401
    assert other_browser.post("/sign-in", {"name": "changes", "password": new}).status_code == 303
