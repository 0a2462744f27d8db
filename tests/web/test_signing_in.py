"""Signing in: two factors, no word about which one was wrong, delays that grow, a session that nobody else can use."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from passerelle.store import access, accounts, factors
from portal.web.guard import COOKIE, SECURE_COOKIE
from tests.gateway import Gateway
from tests.web.visitors import PASSWORD, Portal, Visitor, words


def test_two_factors_open_a_session(portal: Portal) -> None:
    """Password and one-time code open a session, and lead to the page that was asked for."""
    portal.armed("ada")
    one = portal.stranger()
    asked = one.get("/account")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/account")
    done = one.signs_in("Ada", next="/account")
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    assert one.get("/account").status_code == 200
    with portal.gateway.workspace.database.read() as connection:
        last = access.lines(connection)[-1]
    assert (last["actor"], last["action"]) == ("ada", "signed_in")


def test_the_cookie_is_of_this_host_over_tls_only(gateway: Gateway) -> None:
    """Over TLS the session's cookie is __Host-, Secure, HttpOnly and Lax; the token is not in the database."""
    portal = Portal(gateway, secure=True)
    portal.armed("tls")
    done = portal.stranger().signs_in("tls")
    (cookie,) = [one for one in done.headers.get_list("set-cookie") if one.startswith(f"{SECURE_COOKIE}=")]
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "path=/", "samesite=lax", "secure"}
    token = cookie.partition("=")[2].partition(";")[0]
    with gateway.workspace.database.read() as connection:
        assert token not in str(connection.execute(accounts.session.select()).all())
    assert "max-age=31536000" in done.headers["strict-transport-security"]


@pytest.mark.parametrize("wrong", ["nobody of that name", "password", "disabled", "without factors"])
def test_one_answer_to_every_failure(portal: Portal, wrong: str) -> None:
    """Whatever is wrong, the first factor is refused with the same page."""
    found = portal.armed(f"fails {wrong}")
    if wrong == "disabled":
        with portal.gateway.workspace.database.begin() as connection:
            accounts.disable(connection, found.id, at=portal.gateway.workspace.now())
    if wrong == "without factors":
        with portal.gateway.workspace.database.begin() as connection:
            factors.invite(connection, found.id, at=portal.gateway.workspace.now())
    name = "nobody" if wrong == "nobody of that name" else found.name
    refused = portal.stranger().signs_in(name, "wrong" if wrong == "password" else PASSWORD)
    reference = portal.stranger(address="192.0.2.9").signs_in("someone else", "wrong")
    assert refused.status_code == reference.status_code == 401
    assert refused.text.replace(name, "") == reference.text.replace("someone else", "")


def test_a_code_is_taken_once(portal: Portal) -> None:
    """A one-time code that was used is refused to whoever saw it, and so is an earlier one."""
    portal.armed("replay")
    code = portal.code()
    assert portal.stranger().signs_in("replay", code=code).status_code == 303
    assert portal.stranger().signs_in("replay", code=code).status_code == 401
    assert portal.stranger().signs_in("replay", code=portal.code(-1)).status_code == 401
    assert portal.stranger().signs_in("replay", code=portal.code(1)).status_code == 303


def test_a_recovery_code_is_taken_once(portal: Portal) -> None:
    """A recovery code stands once for the app."""
    found = portal.armed("recovers")
    with portal.gateway.workspace.database.begin() as connection:
        code = factors.renew_recovery(connection, found.id)[0]
    assert portal.stranger().signs_in("recovers", code=code.upper()).status_code == 303
    assert portal.stranger().signs_in("recovers", code=code).status_code == 401


def test_an_account_is_opened_with_its_code(portal: Portal) -> None:
    """The activation code sets a password and a second factor, shows recovery codes, and is spent."""
    found = portal.account("new one")
    with portal.gateway.workspace.database.begin() as connection:
        code = factors.invite(connection, found.id, at=portal.gateway.workspace.now())
    form = {"name": "new one", "code": code, "password": PASSWORD}
    one = portal.stranger()
    assert one.post("/activate", {**form, "password": "short"}).status_code == 400
    assert one.post("/activate", {**form, "code": "0" * 20}).status_code == 401
    assert one.post("/activate", form).headers["location"] == "/activate/second"
    page = one.get("/activate/second")
    letters = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page.text)
    assert letters
    assert one.post("/activate/second", {"code": "000000"}).status_code == 400
    done = one.post("/activate/second", {"code": _code(letters[1], portal)})
    assert done.status_code == 200
    assert len(re.findall(r"<li><code>[0-9a-f]{6}-[0-9a-f]{6}</code>", done.text)) == factors.RECOVERY_CODES
    assert one.session
    assert portal.stranger().post("/activate", form).status_code == 401


def test_a_code_that_was_used_finishes_nothing_that_was_begun_with_it(portal: Portal) -> None:
    """Who began with a stolen activation code gets no further once its owner has finished: not by an app, nor by sending twice."""
    found = portal.account("raced")
    with portal.gateway.workspace.database.begin() as connection:
        code = factors.invite(connection, found.id, at=portal.gateway.workspace.now())
    thief, owner = portal.stranger(address="203.0.113.5"), portal.stranger()
    for one in (thief, owner):
        assert one.post("/activate", {"name": "raced", "code": code, "password": PASSWORD}).status_code == 303
    stolen = letters_of(thief)
    assert owner.post("/activate/second", {"code": _code(letters_of(owner), portal)}).status_code == 200
    with portal.gateway.workspace.database.read() as connection:
        kept = factors.of(connection, found.id)
    assert thief.post("/activate/second", {"code": _code(stolen, portal)}).status_code == 401
    assert not thief.session
    with portal.gateway.workspace.database.read() as connection:
        assert factors.of(connection, found.id) == kept


def letters_of(one: Visitor) -> str:
    """The secret of the app that the page of the second factor shows."""
    shown = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', one.get("/activate/second").text)
    assert shown
    return shown[1]


def _code(letters: str, portal: Portal) -> str:
    import base64

    from portal.web.signin import codes

    text = letters.replace(" ", "")
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    now = int(portal.gateway.workspace.now().timestamp())
    return TOTP(secret, codes.DIGITS, SHA1(), codes.STEP_SECONDS).generate(now).decode()  # noqa: S303 -- RFC 6238


def test_an_activation_code_lives_three_days(portal: Portal) -> None:
    """After three days an activation code opens nothing."""
    found = portal.account("late one")
    with portal.gateway.workspace.database.begin() as connection:
        code = factors.invite(connection, found.id, at=portal.gateway.workspace.now())
    portal.later(factors.ACTIVATION_LIFE)
    assert (
        portal.stranger().post("/activate", {"name": "late one", "code": code, "password": PASSWORD}).status_code == 401
    )


def test_a_session_ends_idle_old_or_disabled(portal: Portal) -> None:
    """A session ends after 30 minutes without use, after 8 hours, and at once when its account is closed."""
    idle = portal.visitor("engineer", name="idle")
    portal.later(accounts.IDLE)
    assert idle.get("/account").status_code == 303
    old = portal.visitor("engineer", name="old")
    for _ in range(int(accounts.LONGEST / timedelta(minutes=20))):
        assert old.get("/account").status_code == 200
        portal.later(timedelta(minutes=20))
    assert old.get("/account").status_code == 303
    closed = portal.visitor("engineer", name="closed")
    with portal.gateway.workspace.database.begin() as connection:
        found = accounts.by_name(connection, "closed")
        assert found
        accounts.disable(connection, found.id, at=portal.gateway.workspace.now())
    assert closed.get("/account").status_code == 303


def test_signing_out_ends_the_session(portal: Portal) -> None:
    """After signing out the token opens nothing, even to who kept it."""
    one = portal.visitor("dpo")
    kept = one.cookies
    done = one.post("/leave")
    assert done.status_code == 303
    assert done.headers["clear-site-data"] == '"cache", "storage"'
    one.cookies = kept
    assert one.get("/account").status_code == 303


def test_the_second_factor_needs_the_first_one_of_this_browser(portal: Portal) -> None:
    """A code alone opens nothing, nor does it in a browser other than that of the password, nor five minutes later."""
    portal.armed("half")
    assert portal.stranger().post("/sign-in/second", {"code": portal.code()}).status_code == 401
    one = portal.stranger()
    one.post("/sign-in", {"name": "half", "password": PASSWORD})
    other = portal.stranger(browser="curl/8")
    other.cookies = one.cookies
    assert other.post("/sign-in/second", {"code": portal.code()}).status_code == 401
    portal.later(factors.HALF_LIFE)
    assert one.post("/sign-in/second", {"code": portal.code()}).status_code == 401


@pytest.mark.parametrize(
    "path", ["https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)", "/a\r\nb: c"]
)
def test_signing_in_leads_to_our_own_pages_only(portal: Portal, path: str) -> None:
    """A link that asks to go elsewhere after signing in leads to the start."""
    portal.armed("follows")
    portal.later(timedelta(minutes=3))
    done = portal.stranger().signs_in("follows", next=path)
    assert done.headers["location"] == "/"
    with portal.gateway.workspace.database.begin() as connection:
        connection.execute(factors.factor.update().values(totp_step=0))


def test_asked_again_before_what_weighs_more(portal: Portal) -> None:
    """A second factor given again makes the session fresh for five minutes."""
    portal.armed("again")
    one = portal.stranger()
    one.signs_in("again")
    portal.later(timedelta(minutes=10))
    assert one.session
    opened = one.session.proved_at
    assert one.post("/sign-in/again", {"code": "000000"}).status_code == 401
    assert one.post("/sign-in/again", {"code": portal.code(), "next": "/account"}).headers["location"] == "/account"
    assert one.session
    assert one.session.proved_at > opened


def test_languages(portal: Portal) -> None:
    """The first page is in the browser's language, French by default; the session keeps the one that was chosen."""
    stranger = portal.stranger()
    assert "Account name" in words(stranger.get("/sign-in"))
    assert "Nom du compte" in words(stranger.get("/sign-in", headers={"accept-language": "de"}))
    one = portal.visitor("dpo")
    assert one.post("/language", {"lang": "fr", "next": "/account"}).headers["location"] == "/account"
    assert 'lang="fr"' in one.get("/account").text
    assert COOKIE in one.cookies
