"""Tokens for programs: made on a page after a fresh second factor, shown once, of chosen scopes, ended in every way they must."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from passerelle.errors import RefusedError, UsageError
from passerelle.store import access_tables, accounts, api_tokens
from portal import administering
from tests.gateway import Gateway, pools
from tests.web.programs import Program, program
from tests.web.visitors import Portal, words

WRITTEN = re.compile(r'<pre id="secret"[^>]*>([^<]+)</pre>')


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = pools(tmp_path_factory.mktemp("tokens")).partner("france-travail")
    yield made
    made.workspace.close()


@pytest.fixture
def portal(gateway: Gateway) -> Portal:
    return Portal(gateway)


def actions(gateway: Gateway) -> list[str]:
    """What the access log has, in order."""
    with gateway.workspace.database.read() as connection:
        rows = connection.execute(access_tables.access.select().order_by(access_tables.access.c.id))
        return [row.action for row in rows]


def test_a_token_is_made_on_the_page_and_shown_once(gateway: Gateway, portal: Portal) -> None:
    """The page gives a token that opens the API within its scopes; the database and the list do not have it."""
    one = portal.visitor("partner", "mtfp", "claire")
    answer = one.post("/tokens", {"name": "nightly job", "scope-read": "yes", "days": "7"})
    found = WRITTEN.search(answer.text)
    assert found
    secret = found[1]
    caller = Program(portal, secret, "")
    assert caller.get("/me").json() == {"party": "mtfp", "token": "nightly job", "scopes": ["read"], "expires_at": "2025-05-19T04:00:00Z"}  # fmt: skip
    assert secret not in one.get("/tokens").text
    assert "nightly job" in words(one.get("/tokens"))
    assert secret.encode() not in b"".join(path.read_bytes() for path in gateway.home.glob("passerelle.db*"))
    assert actions(gateway)[-1] == "token_made"


def test_making_one_asks_for_a_fresh_second_factor(gateway: Gateway, portal: Portal) -> None:
    """Minutes after the second factor the form sends to give it again, and no token is made."""
    one = portal.visitor("partner", "mtfp", "denis")
    now = gateway.workspace.now()
    gateway.move_to((now + timedelta(minutes=6)).isoformat())
    try:
        answer = one.post("/tokens", {"name": "late", "scope-read": "yes", "days": "7"})
    finally:
        gateway.move_to(now.isoformat())
    assert (answer.status_code, "/sign-in/again" in answer.headers["location"]) == (303, True)
    assert "late" not in words(one.get("/tokens"))


@pytest.mark.parametrize(
    "given", [{"name": ""}, {"name": "x" * 41}, {"days": "91"}, {"days": "-1"}, {"scope-read": ""}]
)
def test_what_is_no_token_is_not_made(portal: Portal, given: dict[str, str]) -> None:
    """A name too long, no scope, or a life that is not offered: the page says so."""
    one = portal.visitor("partner", "mtfp", "emma")
    answer = one.post("/tokens", {"name": "job", "scope-read": "yes", "days": "7", **given})
    assert answer.status_code == 400
    assert not WRITTEN.search(answer.text)


def test_the_engine_holds_the_limits_too(gateway: Gateway, portal: Portal) -> None:
    """No token of no scope, of an unknown one, or of more than ninety days; no eleventh."""
    owner, at = portal.account("fanny", "partner", "mtfp"), gateway.workspace.now()
    with gateway.workspace.database.begin() as connection:
        for scopes, days in ((), 1), (("admin",), 1), (("read",), 91), (("read",), 0):
            with pytest.raises(UsageError):
                api_tokens.make(connection, owner.id, "n", scopes, timedelta(days=days), at=at)
        for _ in range(api_tokens.MOST):
            api_tokens.make(connection, owner.id, "n", ("read",), timedelta(days=1), at=at)
        with pytest.raises(RefusedError):
            api_tokens.make(connection, owner.id, "n", ("read",), timedelta(days=1), at=at)
        later = at + timedelta(days=2)
        api_tokens.make(connection, owner.id, "n", ("read",), timedelta(days=1), at=later)
        assert len(api_tokens.of(connection, owner.id)) == 1


def test_a_token_that_is_not_good_opens_nothing(portal: Portal) -> None:
    """None, another scheme, tampered, cut, ended or run out: 401 with what is needed, and nothing else."""
    good = program(portal)
    bad = ["", "x" * 43, good.token[:-1], good.token + "A", good.token.upper(), good.token[11:], "é" * 10, "a" * 5000]
    for secret in bad:
        answer = Program(portal, secret, "").get("/me", headers={"authorization": f"Bearer {secret}".encode()})
        assert answer.status_code == 401, secret
        assert answer.headers["content-type"] == "application/problem+json"
    nothing = good.client.get("/api/v1/me")
    assert (nothing.status_code, nothing.headers["www-authenticate"]) == (401, 'Bearer realm="passerelle"')
    basic = good.client.get("/api/v1/me", headers={"authorization": "Basic eDp5"})
    assert basic.headers["www-authenticate"].endswith('error="invalid_token"')
    assert good.get("/me").status_code == 200


def test_a_token_runs_out(gateway: Gateway, portal: Portal) -> None:
    """On the second of its end it opens nothing."""
    caller, now = program(portal, life=timedelta(days=1)), gateway.workspace.now()
    for seconds, status in ((86_399, 200), (86_400, 401)):
        gateway.move_to((now + timedelta(seconds=seconds)).isoformat())
        assert caller.get("/me").status_code == status
    gateway.move_to(now.isoformat())


def test_its_owner_ends_it(gateway: Gateway, portal: Portal) -> None:
    """Ended on the page it opens nothing; another account's token cannot be ended."""
    one = portal.visitor("partner", "mtfp", "gilles")
    own = program(portal)
    with gateway.workspace.database.begin() as connection:
        token, secret = api_tokens.make(connection, one.session.account.id, "mine", ("read",), timedelta(days=1), at=gateway.workspace.now())  # type: ignore[union-attr]  # fmt: skip
        foreign = api_tokens.of(connection, own.account)[0].id
    assert one.post("/tokens/end", {"which": foreign}).status_code == 400
    assert own.get("/me").status_code == 200
    assert Program(portal, secret, "").get("/me").status_code == 200
    assert one.post("/tokens/end", {"which": token.id}).status_code == 303
    assert Program(portal, secret, "").get("/me").status_code == 401
    assert actions(gateway)[-1] == "token_ended"


@pytest.mark.parametrize("act", ["disable", "reset", "role", "party"])
def test_a_change_of_the_account_ends_its_tokens(gateway: Gateway, portal: Portal, act: str) -> None:
    """An account that is closed, reset, or given another role or party has no token any more."""
    caller = program(portal)
    with gateway.workspace.database.read() as connection:
        owner = accounts.by_id(connection, caller.account)
    assert owner is not None
    changes: dict[str, Callable[[], object]] = {
        "disable": lambda: administering.disable(gateway.workspace, owner, by="admin"),
        "reset": lambda: administering.reset(gateway.workspace, owner, by="admin"),
        "role": lambda: administering.change(gateway.workspace, owner, "dpo", None, by="admin"),
        "party": lambda: administering.change(gateway.workspace, owner, "partner", "france-travail", by="admin"),
    }
    changes[act]()
    assert caller.get("/me").status_code == 401
    with gateway.workspace.database.read() as connection:
        assert api_tokens.of(connection, caller.account) == []


def test_the_last_use_is_shown(gateway: Gateway, portal: Portal) -> None:
    """The list of tokens says when each was last used, to the minute."""
    caller, now = program(portal), gateway.workspace.now()
    with gateway.workspace.database.read() as connection:
        assert api_tokens.of(connection, caller.account)[0].used_at is None
    caller.get("/me")
    gateway.move_to((now + timedelta(seconds=30)).isoformat())
    caller.get("/me")
    gateway.move_to(now.isoformat())
    with gateway.workspace.database.read() as connection:
        assert api_tokens.of(connection, caller.account)[0].used_at == "2025-05-12T04:00:00Z"


def test_guessing_is_slowed_down(portal: Portal) -> None:
    """From one address, tokens that open nothing are soon answered with a wait; a good token is not."""
    wrong, good = Program(portal, "passerelle_nothing", ""), program(portal)
    answers = (wrong.get("/me") for _ in range(200))
    answer = next(answer for answer in answers if answer.status_code != 401)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert good.get("/me").status_code == 200


def test_who_calls_too_often_is_told_when_to_come_back(portal: Portal) -> None:
    """Past so many calls a minute a token is answered 429 with Retry-After; another token is not."""
    one, other = program(portal), program(portal)
    answers = (one.get("/me") for _ in range(600))
    answer = next(answer for answer in answers if answer.status_code != 200)
    assert answer.status_code == 429
    assert answer.json()["type"] == "urn:passerelle:problem:often"
    assert int(answer.headers["retry-after"]) >= 1
    assert other.get("/me").status_code == 200


def test_a_session_does_not_open_the_api(portal: Portal) -> None:
    """The cookie of someone who signed in is not read here, and no other site's page may read an answer."""
    one = portal.visitor("partner", "mtfp")
    answer = one.get("/api/v1/me", headers={"origin": "https://example.org"})
    assert answer.status_code == 401
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "set-cookie" not in answer.headers
