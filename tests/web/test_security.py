"""What attackers of a portal try, each in one test (OWASP ASVS 5.0): the door, sessions, forms, headers, bodies, time."""

from __future__ import annotations

import asyncio
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from starlette.types import Message

from passerelle.store import access, accounts, attempts
from portal.web import body
from portal.web.guard import COOKIE, SECURE_COOKIE
from portal.web.pace import Pace
from portal.web.setup import Setup
from portal.web.signin import counting, passwords
from tests.gateway import Gateway
from tests.web.objects import OWN_PARTY
from tests.web.programs import program
from tests.web.visitors import PASSWORD, Portal, words


def test_a_session_given_by_an_attacker_is_not_kept(portal: Portal) -> None:
    """Signing in makes a new session: a token planted before opens nothing after, nor does an unknown one (fixation)."""
    portal.armed("victim")
    attacker = portal.visitor("engineer", name="attacker")
    planted = attacker.cookies[COOKIE]
    victim = portal.stranger()
    victim.cookies = {COOKIE: planted}
    assert victim.signs_in("victim").status_code == 303
    assert victim.cookies[COOKIE] != planted
    assert victim.session
    assert victim.session.account.name == "victim"
    assert not attacker.session
    unknown = portal.stranger()
    unknown.cookies = {COOKIE: "chosen-by-the-attacker"}
    unknown.signs_in("victim", code=portal.code(1))
    assert unknown.cookies[COOKIE] != "chosen-by-the-attacker"


def test_a_stolen_token_does_not_open_in_another_browser(portal: Portal) -> None:
    """A session's token opens nothing in another kind of browser, and not over plain HTTP when it was made over TLS."""
    one = portal.visitor("dpo")
    thief = portal.stranger(browser="curl/8.14")
    thief.cookies = one.cookies
    assert thief.get("/account").status_code == 303
    assert one.get("/account").status_code == 200
    plain = portal.stranger()
    plain.cookies = {SECURE_COOKIE: one.cookies[COOKIE]}
    assert plain.get("/account").status_code == 303


def test_a_second_factor_given_again_renews_the_token(portal: Portal) -> None:
    """After a proof the session goes on under another token, and the old one is worth nothing."""
    portal.armed("renews")
    one = portal.stranger()
    one.signs_in("renews")
    old = one.cookies
    portal.later(timedelta(minutes=1))
    assert one.post("/sign-in/again", {"code": portal.code()}).status_code == 303
    assert one.session
    thief = portal.stranger()
    thief.cookies = old
    assert thief.get("/account").status_code == 303


def test_a_role_that_changes_ends_the_sessions(portal: Portal) -> None:
    """Another role, a reset or a closed account end every session of the account at once."""
    administrator = portal.visitor("administrator", name="root")
    for act, data in (("role", {"role": "engineer"}), ("reset", {}), ("disable", {})):
        one = portal.visitor("dpo", name=f"moves {act}")
        found = portal.account(f"moves {act}")
        assert administrator.post(f"/accounts/{found.id}/{act}", data).status_code in {200, 303}
        assert not one.session, act


def test_an_administrator_does_not_change_their_own_account(portal: Portal) -> None:
    """Nobody gives themselves a role."""
    one = portal.visitor("administrator", name="climber")
    found = portal.account("climber")
    assert one.post(f"/accounts/{found.id}/role", {"role": "dpo"}).status_code == 400
    with portal.gateway.workspace.database.read() as connection:
        now = accounts.by_id(connection, found.id)
    assert now
    assert now.role == "administrator"


def test_an_activation_code_is_shown_once(portal: Portal) -> None:
    """The code stands on the page that made it, and on no other."""
    one = portal.visitor("administrator", name="root")
    made = one.post("/accounts/new", {"name": "Zoé Martin", "role": "partner", "party": "mtfp"})
    assert made.status_code == 200
    code = made.text.partition('<p class="codes"><code>')[2].partition("<")[0]
    assert len(code) == 20
    found = portal.account("zoé martin")
    assert all(code not in one.get(path).text for path in ("/accounts", f"/accounts/{found.id}", "/settings"))
    assert one.post("/accounts/new", {"name": "ZOÉ  MARTIN", "role": "dpo"}).status_code == 400
    assert one.post("/accounts/new", {"name": "x", "role": "root"}).status_code == 400


def test_login_csrf(portal: Portal) -> None:
    """A sign-in that another site sends is not taken: the browser has to say that our own page sent it."""
    portal.armed("csrf")
    form = {"name": "csrf", "password": PASSWORD}
    one = portal.stranger()
    assert one.post("/sign-in", form, headers={"origin": "https://example.org"}).status_code == 404
    assert one.post("/sign-in", form, headers={"sec-fetch-site": "cross-site"}).status_code == 404
    del one.client.headers["origin"]
    assert one.post("/sign-in", form).status_code == 404
    assert one.post("/sign-in", form, headers={"sec-fetch-site": "same-origin"}).status_code == 303


def test_failures_wait_longer_and_longer_but_close_nobodys_account(portal: Portal) -> None:
    """An attacker's tries make the attacker wait, not the owner in the browser that is known, nor a stranger for ever."""
    portal.armed("target")
    owner = portal.stranger(address="198.51.100.7")
    assert owner.signs_in("target").status_code == 303
    attacker = portal.stranger(address="203.0.113.1")
    waits = []
    for _ in range(8):
        answer = attacker.post("/sign-in", {"name": "target", "password": "wrong"})
        while answer.status_code == 429:
            waits.append(int(answer.headers["retry-after"]))
            portal.later(timedelta(seconds=waits[-1]))
            answer = attacker.post("/sign-in", {"name": "target", "password": "wrong"})
    assert waits == sorted(waits)
    assert waits[-1] >= 4 * waits[0]
    assert attacker.post("/sign-in", {"name": "target", "password": PASSWORD}).status_code == 429
    owner.post("/leave")
    assert owner.signs_in("target", code=portal.code(1)).status_code == 303
    assert portal.stranger(address="198.51.100.8").post("/sign-in", {"name": "target", "password": PASSWORD}).status_code == 303  # fmt: skip
    with portal.gateway.workspace.database.begin() as connection:
        for _ in range(500):  # from as many addresses
            attempts.failed(connection, [attempts.Count("first target", counting.FREE_OF_NAME, counting.HALF_MINUTE)], at=portal.gateway.workspace.now())  # fmt: skip
    stranger = portal.stranger(address="198.51.100.9")
    assert stranger.post("/sign-in", {"name": "target", "password": PASSWORD}).status_code == 429
    portal.later(timedelta(seconds=30))
    assert stranger.post("/sign-in", {"name": "target", "password": PASSWORD}).status_code == 303


def test_codes_are_not_guessed(portal: Portal) -> None:
    """Who has the password and guesses codes waits from the fifth on, wherever the guesses come from."""
    portal.armed("guessed")
    statuses = []
    for number in range(6):
        one = portal.stranger(address=f"203.0.113.{number}")
        statuses.append(one.signs_in("guessed", code="000000").status_code)
    assert statuses == [401] * 5 + [429]


def test_codes_that_come_at_once_are_each_counted(portal: Portal) -> None:
    """Of twenty guesses of a code in the same instant, from as many browsers and addresses, five are judged."""
    portal.armed("rushed")
    many = [portal.stranger(address=f"203.0.113.{number}") for number in range(20)]
    for one in many:
        assert one.post("/sign-in", {"name": "rushed", "password": PASSWORD}).status_code == 303
    with ThreadPoolExecutor(len(many)) as pool:
        answers = list(pool.map(lambda one: one.post("/sign-in/second", {"code": "000000"}), many))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15


def test_who_succeeds_leaves_no_failure_behind(portal: Portal) -> None:
    """However often an office signs in from its one address, nobody there waits for it."""
    portal.armed("office")
    for _ in range(counting.FREE_OF_ADDRESS // 2):
        assert portal.stranger(address="198.51.100.77").signs_in("office").status_code == 303
        portal.later(timedelta(seconds=30))
    with portal.gateway.workspace.database.read() as connection:
        count = attempts.Count("address 198.51.100.77", 0, counting.QUARTER)
        assert attempts.wait(connection, [count], at=portal.gateway.workspace.now()) == timedelta(0)


def test_a_failure_takes_as_long_for_a_name_that_nobody_has(portal: Portal) -> None:
    """A wrong password of an account and a name that nobody has cost the same work: the median times are alike."""
    portal.armed("timed")
    assert passwords.matches("warm", None) is False
    times: dict[str, list[float]] = {"timed": [], "nobody at all": []}
    for number in range(7):
        for name, took in times.items():
            one = portal.stranger(address=f"203.0.113.{number}")
            began = time.perf_counter()
            assert one.post("/sign-in", {"name": name, "password": "wrong"}).status_code == 401
            took.append(time.perf_counter() - began)
    known, unknown = (statistics.median(took) for took in times.values())
    assert 0.6 < known / unknown < 1.7


def test_refused_names_are_not_written(portal: Portal) -> None:
    """What was typed for a name that nobody has is in no line of the access log: it may be a password."""
    portal.stranger().post("/sign-in", {"name": "my secret password", "password": "wrong"})
    with portal.gateway.workspace.database.read() as connection:
        last = access.lines(connection)[-1]
    assert (last["actor"], last["action"], last["subject"]) == (counting.NOBODY, "sign_in_refused", counting.NOBODY)


@pytest.mark.parametrize("host", ["evil.example.org", "testserver.evil.org", "testserver@evil.org", ""])
def test_another_host_is_refused(gateway: Gateway, host: str) -> None:
    """A portal answers under its own names only, so that no link in a page leads elsewhere."""
    portal = Portal(gateway, settings={"setup": Setup("https://testserver")})
    assert portal.stranger().get("/sign-in", headers={"host": host}).status_code == 400
    assert portal.stranger().get("/sign-in").status_code == 200


@pytest.mark.parametrize("header", ["x-forwarded-host", "forwarded", "x-forwarded-for", "x-original-url"])
def test_forwarding_headers_of_visitors_are_not_believed(portal: Portal, header: str) -> None:
    """What a visitor says of hosts and addresses changes nothing in an answer."""
    one = portal.stranger()
    usual, other = one.get("/account"), one.get("/account", headers={header: "evil.example.org"})
    assert (usual.status_code, usual.headers["location"]) == (other.status_code, other.headers["location"])


@pytest.mark.parametrize("value", ["fr\r\nset-cookie: a=b", "/account\r\nx: y", "/%0d%0ax: y", "\u0000", "\u2028"])
def test_no_header_is_injected(portal: Portal, value: str) -> None:
    """What is typed never begins a header of the answer: neither where to go next, nor the language, nor a cookie."""
    one = portal.visitor("dpo")
    assert value.isprintable() or one.post("/language", {"lang": "fr", "next": value}).headers["location"] == "/"
    for answer in (one.post("/language", {"lang": value, "next": value}), one.get("/sign-in", params={"next": value}), one.get("/nowhere", params={"q": value})):  # fmt: skip
        assert not {"x", "a"} & set(answer.headers)
        assert all("\r" not in text and "\n" not in text for text in answer.headers.values())
        assert all(cookie.startswith(COOKIE) for cookie in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    "path",
    ["/static/../guard.py", "/static/..%2fguard.py", "/static/%2e%2e/guard.py", "/static/..%5cguard.py", "/static//etc/passwd",
     "/static/%2fetc%2fpasswd", "/static/passerelle.css%00.html", "/accounts/..%2f..%2fetc%2fpasswd"],
)  # fmt: skip
def test_no_path_leads_out(portal: Portal, path: str) -> None:
    """No spelling of a path reads a file that is not the portal's own."""
    answer = portal.visitor("administrator", name="root").get(path)
    assert answer.status_code == 404
    assert "import" not in answer.text
    assert "root:" not in answer.text


def test_every_answer_has_its_headers(portal: Portal) -> None:
    """Pages, redirects, files and refusals alike: no inline script, no frame, no sniffing; pages are kept in no cache."""
    one = portal.stranger()
    for answer in (one.get("/sign-in"), one.get("/account"), one.get("/nowhere"), one.get("/static/passerelle.css")):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
    assert one.get("/sign-in").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("told", [True, False], ids=["told", "streamed"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_that_is_too_long_is_not_read(portal: Portal, kind: str, told: bool) -> None:
    """A form over its limit is refused while it arrives (413), whether its length is told or not."""
    piece, sent = b"a" * 65536, 0

    def stream() -> Iterator[bytes]:
        nonlocal sent
        if kind.startswith("multipart"):
            yield b'--x\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n'
        for _ in range(64):
            sent += len(piece)
            yield piece

    content: Any = b"".join(stream()) if told else stream()
    answer = portal.stranger().client.post("/sign-in", content=content, headers={"content-type": kind})
    assert answer.status_code == 413
    assert "over the limit" in words(answer)


def test_a_form_with_too_many_fields_is_refused(portal: Portal) -> None:
    """A form of thousands of fields is refused."""
    form = "&".join(f"f{number}=" for number in range(body.FORM_FIELDS + 1))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert portal.stranger().client.post("/sign-in", content=form, headers=kind).status_code == 400


def test_a_slow_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that trickles in is given up after its time (408)."""
    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    monkeypatch.setattr(body, "SLOWEST", 0.05)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"a", "more_body": True}

    scope = {"type": "http", "headers": [(b"content-type", b"application/x-www-form-urlencoded")], "method": "POST"}
    with pytest.raises(HTTPException) as refused:
        asyncio.run(body.form(Request(scope, receive)))
    assert refused.value.status_code == 408


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/receipts"])
def test_a_body_that_is_broken_off_is_answered(gateway: Gateway, path: str) -> None:
    """Who goes away in the middle of a form or of a call has sent a malformed request (400): no fault of ours, no trace of it."""
    portal = Portal(gateway)
    token = f"Bearer {program(portal, OWN_PARTY).token}"
    kind = (b"content-type", b"application/x-www-form-urlencoded")
    headers = [kind, (b"host", b"testserver"), (b"authorization", token.encode())]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers,
             "scheme": "http", "server": ("testserver", 80), "client": ("192.0.2.1", 5), "http_version": "1.1", "root_path": ""}  # fmt: skip
    told: list[int] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message.get("status", 0))

    asyncio.run(portal.app(scope, receive, send))
    assert told[0] == 400


def test_a_pace_is_kept() -> None:
    """So many calls a minute pass at once, then one in each share of a minute; another visitor is not concerned."""
    now = 1000.0
    pace = Pace(lambda: now)
    assert [pace.wait("one", 3) for _ in range(3)] == [0.0] * 3
    assert pace.wait("one", 3) == pytest.approx(20.0)
    assert pace.wait("two", 3) == 0.0
    now += 20.0
    assert pace.wait("one", 3) == 0.0
    assert pace.wait("one", 3) > 0


def test_the_memory_of_a_pace_has_an_end() -> None:
    """However many come, so many are remembered: who called longest ago is forgotten, who calls now is counted on."""
    pace = Pace(lambda: 1000.0, most=100)
    for number in range(1000):
        assert pace.wait("one", 10_000) == 0.0
        pace.wait(f"other {number}", 1)
    assert len(pace) == 100
    assert pace.wait("other 999", 1) > 0
    assert pace.wait("other 0", 1) == 0.0


def test_a_whole_network_of_ipv6_is_one_address(portal: Portal) -> None:
    """Who has a /64 to themselves has one address in every count, not as many as they like (RFC 6177: the least that a site is given)."""
    statuses = []
    for number in range(6):
        one = portal.stranger(address=f"2001:db8:1:2::{number:x}")
        statuses.append(one.post("/sign-in", {"name": "anyone", "password": "wrong"}).status_code)
    assert statuses == [401] * 5 + [429]
    elsewhere = portal.stranger(address="2001:db8:1:3::1").post("/sign-in", {"name": "anyone", "password": "wrong"})
    assert elsewhere.status_code == 401


def test_who_asks_too_often_is_told_when_to_come_back(portal: Portal) -> None:
    """An expensive way answers 429 with Retry-After once it is taken too often."""
    one = portal.stranger()
    statuses: list[int] = []
    answer = one.post("/sign-in/second", {"code": "0"})
    while answer.status_code == 401 and len(statuses) < 600:  # a slow machine earns one more with each second
        statuses.append(401)
        answer = one.post("/sign-in/second", {"code": "0"})
    assert len(statuses) >= 60
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_hostile_requests_over_a_real_connection(gateway: Gateway) -> None:
    """Two lengths, a length and chunks, a header without end, a bad method: refused by the server, which goes on serving."""
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(Portal(gateway).app, port=0, http="h11", log_config=None, h11_max_incomplete_event_size=32 << 10)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    place = server.servers[0].sockets[0].getsockname()

    def said(raw: bytes) -> bytes:
        with socket.create_connection(place, timeout=5) as line:
            line.sendall(raw)
            return line.recv(65536).partition(b"\r\n")[0]

    head = b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    try:
        assert b" 400 " in said(head + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello")
        smuggled = b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /account HTTP/1.1\r\n\r\n"
        assert said(head + smuggled).split(b" ")[1] in {b"400", b"404"}
        assert b" 400 " in said(head + b"x: " + b"a" * (40 << 10))
        assert b" 400 " in said(b"GET /\x00 HTTP/1.1\r\n\r\n")
        assert b" 200 " in said(b"GET /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
    finally:
        server.should_exit = True
        thread.join(10)
