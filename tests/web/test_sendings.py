"""Files that partners send, on the page and by the API: encrypted and checked as they arrive, run as the inbox is, told of to their sender alone."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from httpx2 import Response
from sqlalchemy import delete, update
from starlette.requests import Request

from flows import assembly
from passerelle.errors import ContractError, IntakeError, PasserelleError, RefusedError, WorkspaceError
from passerelle.handover import waiting
from passerelle.handover.evidence import trust_from
from passerelle.handover.order import SENDING, Served
from passerelle.parcel import open_parcel, verify
from passerelle.store import accounts, partners, purges, sendings
from passerelle.store.tables import holding
from passerelle.workspace.agreement import TablesDisagreeError, verify_tables
from portal import datasets
from portal.sending import ways_to_send
from portal.web import arriving
from retention.plan import plans
from retention.purge import purge
from retention.scope import Scope
from tests.canary import sweep
from tests.gateway import POOLS, Gateway, edited, pools
from tests.web.objects import OWN_PARTY
from tests.web.programs import Program, program
from tests.web.test_canaries import BAD, CANARIES, GOOD, columns
from tests.web.visitors import Portal, Visitor, words

CSP, POOL = "csp-ft-2024", "candidate-pools"
FOR = {"convention": CSP, "exchange": POOL}
NOW = "2025-05-12T06:00:00+02:00"


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway ready for pools of candidates, whose sender has a key too."""
    made = pools(tmp_path).partner("france-travail")
    monkeypatch.setenv("PASSERELLE_NOW", NOW)
    yield made
    made.workspace.close()


@pytest.fixture
def portal(gateway: Gateway) -> Portal:
    return Portal(gateway)


@pytest.fixture
def agency(portal: Portal) -> Program:
    """A program of the sender."""
    return program(portal, "france-travail")


def send(one: Program, content: bytes | Iterator[bytes], period: str = "2025-05", **more: Any) -> Response:
    return one.post("/sendings", params={**FOR, "period": period}, content=content, **more)


def form(one: Visitor, content: bytes, *, token: str | None = None, name: str = "pool.csv", **fields: str) -> Response:
    """The page's form, its file named ``name``."""
    given = {"token": one.token if token is None else token, "which": f"{CSP}/{POOL}", "period": "2025-05", **fields}
    return one.client.post("/sendings", data=given, files={"file": (name, content)})


def run_plan(gateway: Gateway) -> list[dict[str, Any] | PasserelleError]:
    """The daily plan, and each of its orders carried out: its outcome, or why it was refused."""
    outcomes: list[dict[str, Any] | PasserelleError] = []
    for order in assembly.daily_plan(str(gateway.home)):
        try:
            outcomes.append(assembly.run_order(str(gateway.home), order["order_id"]))
        except PasserelleError as error:
            outcomes.append(error)
    return outcomes


def inbox(gateway: Gateway) -> list[Path]:
    """Every file in the inbox, whatever its name."""
    return [path for path in (gateway.home / "inbox").rglob("*") if path.is_file()]


def with_canaries(gateway: Gateway, rows: int = 200) -> bytes:
    """A file with two planted rows, of which one breaks the contract."""
    source = gateway.write(POOLS, rows)
    return edited(source, {3: columns(gateway, POOLS, GOOD), 7: columns(gateway, POOLS, BAD)}).read_bytes()


def test_a_file_is_sent_run_and_told_of(gateway: Gateway, agency: Program, tmp_path: Path) -> None:
    """Sent by the API it waits, encrypted; the daily plan runs it for its sender; then the report and the sealed verdicts are the sender's."""
    content = with_canaries(gateway)
    sent = send(agency, content)
    assert sent.status_code == 200, sent.text
    told = sent.json()
    assert (told["state"], told["new"], told["checked"]["read"], told["checked"]["rejected"]) == (
        "waiting",
        True,
        200,
        1,
    )
    assert sweep([gateway.home], CANARIES) == []
    (outcome,) = run_plan(gateway)
    assert isinstance(outcome, dict)
    assert (outcome["state"], outcome["sender"], outcome["counts"]["accepted"]) == ("delivered", "france-travail", 199)
    assert inbox(gateway) == []
    now = agency.get(f"/sendings/{told['sending']}").json()
    assert (now["state"], now["report"]["counts"]["rejected"]) == ("delivered", 1)
    tar = agency.get(f"/sendings/{told['sending']}/verdicts")
    (tmp_path / "verdicts.tar").write_bytes(tar.content)
    opened = _opened(gateway, tmp_path)
    assert opened.decode().splitlines()[8].startswith("8,rejected,")
    assert sweep([gateway.home, tmp_path / "verdicts.tar"], CANARIES) == []


def _opened(gateway: Gateway, folder: Path) -> bytes:
    """The verdicts, opened by the sender with its own key."""
    verified = verify(folder / "verdicts.tar", trust_from(gateway.home / "trust", "france-travail"))
    return open_parcel(verified.parcel, [gateway.identities["france-travail"]], None, folder / "out").path.read_bytes()


def test_the_page_sends_too(gateway: Gateway, portal: Portal) -> None:
    """The form takes a file whatever its name says; the page of the sending has counts and rules, no value."""
    one = portal.visitor("partner", "france-travail")
    answer = form(one, with_canaries(gateway), name="../../../etc/passwd\r\nx: y")
    assert answer.status_code == 303, words(answer)
    page = one.get(answer.headers["location"])
    assert "email" in words(page)
    assert "waits for its exchange" in words(page)
    (path,) = inbox(gateway)
    assert path.parent == gateway.home / "inbox" / CSP / POOL / "2025-05"
    assert SENDING.fullmatch(path.name)
    assert answer.headers["location"] in one.get("/sendings").text


def test_the_same_content_is_taken_once(gateway: Gateway, agency: Program) -> None:
    """Sent again while it waits, and after it was delivered, it is the same sending; for another period it is another."""
    content = gateway.write(POOLS, 50).read_bytes()
    first, again = send(agency, content).json(), send(agency, content).json()
    assert (again["sending"], again["new"]) == (first["sending"], False)
    assert len(inbox(gateway)) == 1
    run_plan(gateway)
    after = send(agency, content).json()
    assert (after["sending"], after["new"], after["state"]) == (first["sending"], False, "delivered")
    assert send(agency, content, period="2025-06").json()["new"] is True


def test_a_file_that_breaks_its_contract_is_refused_and_gone(gateway: Gateway, agency: Program) -> None:
    """Too many bad rows: the check tells at once, the run refuses it, the file goes, the reason is its sender's; it may be sent again."""
    content = gateway.write(POOLS, 100, 0.5).read_bytes()
    which = send(agency, content).json()["sending"]
    (outcome,) = run_plan(gateway)
    assert isinstance(outcome, ContractError)
    told = agency.get(f"/sendings/{which}").json()
    assert (told["state"], told["reason"]) == ("refused", "ContractError")
    assert told["report"]["outcome"]["state"] == "refused"
    assert inbox(gateway) == []
    assert run_plan(gateway) == []
    assert send(agency, content).json()["new"] is True
    (waits,) = inbox(gateway)
    waits.unlink()
    assert run_plan(gateway) == []
    assert [one["sending"] for one in agency.get("/sendings").json()["items"]] == [which]


def test_what_could_not_run_waits(gateway: Gateway, agency: Program) -> None:
    """A run that the gateway could not carry out leaves the file waiting; the next plan takes it."""
    which = send(agency, gateway.write(POOLS, 50).read_bytes()).json()["sending"]
    with gateway.workspace.database.begin() as connection:
        for key in partners.keys(connection, "mtfp"):
            partners.revoke(connection, key.fingerprint, at=gateway.workspace.now())
    (outcome,) = run_plan(gateway)
    assert isinstance(outcome, PasserelleError)
    assert agency.get(f"/sendings/{which}").json()["state"] == "waiting"
    assert len(inbox(gateway)) == 1


@pytest.mark.parametrize(
    "content", [b"", b"nothing;of;the;kind\r\n1;2;3;4\r\n", b"\x00" * 5000, b"PK\x03\x04" + b"x" * 100]
)
def test_what_is_in_no_format_leaves_nothing(gateway: Gateway, agency: Program, content: bytes) -> None:
    """A file in none of the contract's formats is refused at once, with what was expected; nothing of it is kept."""
    answer = send(agency, content)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:passerelle:problem:data"
    assert inbox(gateway) == []
    assert agency.get("/sendings").json()["items"] == []


def test_only_ones_own_exchanges_and_periods_are_taken(gateway: Gateway, portal: Portal, agency: Program) -> None:
    """An exchange that one does not send, one that is none, a path or a period that is none: refused before a byte is read."""
    content = gateway.write(POOLS, 5).read_bytes()
    receiver = program(portal, "mtfp")
    assert send(receiver, content).status_code == 400
    for changed in ({"exchange": "nothing"}, {"convention": "../.."}, {"exchange": "../../keys"}, {"period": "2025-13"}, {"period": "../x"}, {"period": "2025-02-30"}):  # fmt: skip
        answer = agency.post("/sendings", params={**FOR, "period": "2025-05", **changed}, content=content)
        assert answer.status_code == 400, changed
    assert inbox(gateway) == []


def test_another_partys_sending_is_as_absent_as_none(gateway: Gateway, portal: Portal, agency: Program) -> None:
    """Its page and its verdicts, and those of a number that nobody has: one answer; it is in no list of another's."""
    which = send(agency, gateway.write(POOLS, 5).read_bytes()).json()["sending"]
    other = program(portal, OWN_PARTY)
    answers = [other.get(f"/sendings/{one}{end}") for one in (which, "s-" + "0" * 16, "x") for end in ("", "/verdicts")]
    assert {answer.status_code for answer in answers} == {404}
    assert other.get("/sendings", params={"after": which}).json() == {"items": [], "next": None}
    assert agency.get(f"/sendings/{which}/verdicts").status_code == 409


def test_a_file_over_the_limit_leaves_nothing(
    gateway: Gateway, portal: Portal, agency: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told too long it is not read; longer than told it is cut off; neither leaves a byte (413)."""
    monkeypatch.setattr(arriving.blocks_of, "__defaults__", (1 << 20,))
    bomb = gateway.write(POOLS, 40_000).read_bytes()
    assert len(bomb) > 2 << 20
    pieces = (bomb[at : at + 65_536] for at in range(0, len(bomb), 65_536))
    one = portal.visitor("partner", "france-travail")
    assert [send(agency, bomb).status_code, send(agency, pieces).status_code, form(one, bomb).status_code] == [
        413,
        413,
        413,
    ]
    assert inbox(gateway) == []


@pytest.mark.parametrize("moved", [True, False], ids=["moved", "closed"])
def test_who_may_send_no_more_when_the_file_ends_sends_nothing(gateway: Gateway, portal: Portal, moved: bool) -> None:
    """An account that is closed, or given another party, while its file arrives: the file is not taken, for neither party."""
    content = gateway.write(POOLS, 5).read_bytes()

    def ends(account: str) -> None:
        with gateway.workspace.database.begin() as connection:
            if moved:
                accounts.change(connection, account, "partner", OWN_PARTY)
            else:
                accounts.disable(connection, account, at=gateway.workspace.now())

    def arriving_slowly(account: str, before: bytes, after: bytes) -> Iterator[bytes]:
        yield before
        ends(account)
        yield after

    own = program(portal, "france-travail")
    assert send(own, arriving_slowly(own.account, content[:500], content[500:])).status_code == 404
    one = portal.visitor("partner", "france-travail")
    fields = {"token": one.token, "which": f"{CSP}/{POOL}", "period": "2025-05"}
    parts = [
        f'--x\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    head = "".join(parts) + '--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n'
    assert one.session
    body = arriving_slowly(one.session.account.id, head.encode() + content, b"\r\n--x--\r\n")
    kind = {"content-type": "multipart/form-data; boundary=x"}
    assert one.client.post("/sendings", content=body, headers=kind).status_code == 404
    assert inbox(gateway) == []


def test_a_zip_bomb_is_refused(gateway: Gateway, agency: Program) -> None:
    """A small file that unpacks to far more than it may is refused as it is checked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pool.csv", gateway.write(POOLS, 1).read_bytes() + b"\r\n" * (64 << 20))
    assert send(agency, packed.getvalue()).status_code == 422
    assert inbox(gateway) == []


def test_a_slow_file_is_given_up(gateway: Gateway, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that stops, or drips, is given up (408), and leaves nothing."""
    monkeypatch.setattr(arriving, "WAIT", 0.3)
    head = gateway.write(POOLS, 5).read_bytes()

    async def stopping() -> Any:
        yield head
        await asyncio.sleep(1.0)
        yield b"late"

    async def dripping() -> Any:
        for _ in range(20):
            yield b"x"
            await asyncio.sleep(0.1)

    secret = program(portal, "france-travail").token
    for body in (stopping, dripping):
        assert asyncio.run(_posted(portal, secret, body())) == 408
    assert inbox(gateway) == []


async def _posted(portal: Portal, secret: str, body: Any) -> int:
    """The status of a body that is given as it comes, by the protocol itself."""
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        block = await anext(body, None)
        return {"type": "http.request", "body": block or b"", "more_body": block is not None}

    async def send_(message: Any) -> None:
        messages.append(message)

    query = f"convention={CSP}&exchange={POOL}&period=2025-05".encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/api/v1/sendings",
        "raw_path": b"/api/v1/sendings", "query_string": query, "root_path": "", "client": ("192.0.2.1", 1), "server": ("testserver", 80),
        "headers": [(b"host", b"testserver"), (b"authorization", f"Bearer {secret}".encode()), (b"transfer-encoding", b"chunked")],
    }  # fmt: skip
    await portal.app(scope, receive, send_)
    return int(next(message["status"] for message in messages if message["type"] == "http.response.start"))


def test_a_connection_that_breaks_off_leaves_nothing(gateway: Gateway, portal: Portal) -> None:
    """A sender that goes away in the midst of its file leaves nothing of it."""
    secret = program(portal, "france-travail").token

    async def broken() -> int:
        came = iter([{"type": "http.request", "body": gateway.write(POOLS, 5).read_bytes(), "more_body": True}])
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return next(came, {"type": "http.disconnect"})

        async def send_(message: Any) -> None:
            messages.append(message)

        query = f"convention={CSP}&exchange={POOL}&period=2025-05".encode()
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/api/v1/sendings", "raw_path": b"", "query_string": query, "root_path": "", "client": ("192.0.2.1", 1), "server": ("testserver", 80), "headers": [(b"host", b"testserver"), (b"authorization", f"Bearer {secret}".encode())]}  # fmt: skip
        await portal.app(scope, receive, send_)
        return int(messages[0]["status"])

    assert asyncio.run(broken()) == 400
    assert inbox(gateway) == []


def test_only_so_many_arrive_at_once(gateway: Gateway, portal: Portal, agency: Program) -> None:
    """With as many files under way as one party may send at once, the next is told to come back (429)."""
    slots = portal.app.state.slots
    with slots.one("france-travail"), slots.one("france-travail"):
        answer = send(agency, gateway.write(POOLS, 5).read_bytes())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert send(agency, gateway.write(POOLS, 5).read_bytes()).status_code == 200


def test_only_so_many_wait(gateway: Gateway, agency: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many files waiting as a party may have, another is refused."""
    monkeypatch.setattr(waiting, "MOST_WAITING", 2)
    for number in range(2):
        assert send(agency, gateway.write(POOLS, 5, seed=number).read_bytes()).status_code == 200
    assert send(agency, gateway.write(POOLS, 5, seed=9).read_bytes()).status_code == 409


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_the_form_needs_its_token_before_its_file(gateway: Gateway, portal: Portal, token: str) -> None:
    """Without the session's token, or with the file before it, nothing is taken (CSRF)."""
    one = portal.visitor("partner", "france-travail")
    assert form(one, gateway.write(POOLS, 5).read_bytes(), token=token).status_code == 403
    late = (
        '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nx\r\n'
        f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{one.token}\r\n--b--\r\n'
    )
    answer = one.client.post("/sendings", content=late, headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code in {400, 403}
    assert inbox(gateway) == []


@pytest.mark.parametrize(
    "body", [b"", b"--b", b"--b\r\n\r\n", b'--b\r\nContent-Disposition: form-data; name="' + b"x" * 9000, b"\xff" * 100]
)
def test_a_form_that_is_none_is_refused(portal: Portal, gateway: Gateway, body: bytes) -> None:
    """Garbage where a form was expected: 400, and nothing is left."""
    one = portal.visitor("partner", "france-travail")
    for kind in ("multipart/form-data; boundary=b", "multipart/form-data", "multipart/form-data; boundary=" + "b" * 80):
        assert one.client.post("/sendings", content=body, headers={"content-type": kind}).status_code == 400
    assert one.client.post("/sendings", content=body, headers={"content-type": "text/plain"}).status_code == 403
    assert inbox(gateway) == []


def test_what_a_killed_arrival_left_goes_with_the_next(gateway: Gateway, agency: Program) -> None:
    """A half file, or a whole one that nobody was told of, is removed; one that is arriving now is not."""
    folder = gateway.home / "inbox" / CSP / POOL / "2025-05"
    folder.mkdir(parents=True)
    half, orphan = folder / f".s-{'0' * 16}.age.part", folder / f"s-{'1' * 16}.age"
    half.write_bytes(b"x")
    orphan.write_bytes(b"x")
    assert assembly.daily_plan(str(gateway.home)) == []
    assert inbox(gateway) == []
    half.write_bytes(b"x")
    assert send(agency, gateway.write(POOLS, 5).read_bytes()).status_code == 200
    assert not half.exists()


def test_a_sending_that_cannot_be_kept_is_not(
    gateway: Gateway, agency: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database refuses the line, the file is gone and the sender is told."""

    def refuses(*_: object) -> None:
        raise WorkspaceError("no")

    monkeypatch.setattr(sendings, "add", refuses)
    assert send(agency, gateway.write(POOLS, 5).read_bytes()).status_code == 500
    assert inbox(gateway) == []


def test_a_file_that_nothing_takes_goes(gateway: Gateway, agency: Program) -> None:
    """After thirty days of waiting a file is gone, with its line; a day before it is there."""
    send(agency, gateway.write(POOLS, 5).read_bytes())
    for instant, left in (("2025-06-11T05:59:59+02:00", 1), ("2025-06-11T06:00:00+02:00", 0)):
        gateway.move_to(instant)
        waiting.settle(gateway.workspace)
        assert len(inbox(gateway)) == left
    with gateway.workspace.database.read() as connection:
        assert sendings.of(connection, "france-travail", limit=10) == []


def test_an_operator_runs_it_by_hand(gateway: Gateway, agency: Program) -> None:
    """Named as the input of an exchange, the sealed file is run at once; then it is gone from the inbox."""
    which = send(agency, gateway.write(POOLS, 50).read_bytes()).json()["sending"]
    (path,) = inbox(gateway)
    assert gateway.run(POOLS, "2025-05", path, "france-travail").state == "delivered"
    assert inbox(gateway) == []
    assert agency.get(f"/sendings/{which}").json()["state"] == "delivered"


def test_a_purge_takes_what_waits(gateway: Gateway, agency: Program) -> None:
    """The purge of the convention removes a file that waits, its key and its line."""
    gateway.run(POOLS, "2025-04", gateway.write(POOLS, 20, seed=4), "france-travail")
    which = send(agency, gateway.write(POOLS, 5).read_bytes()).json()["sending"]
    gateway.record((CSP, "declared_unnecessary", {"on": "2025-05-12"}))
    assert purge(gateway.workspace, CSP).state == "done"
    assert inbox(gateway) == []
    assert agency.get(f"/sendings/{which}").status_code == 404


def test_a_file_that_waits_is_a_holding(gateway: Gateway, agency: Program) -> None:
    """From its arrival it is registered, told in the trail by ids, counts and commitment, and named in the plan; taken, it is destroyed."""
    content = gateway.write(POOLS, 50).read_bytes()
    which = send(agency, content).json()["sending"]
    (copy,) = gateway.present(kind="inbox")
    (path,) = inbox(gateway)
    assert (copy.run, copy.personal, gateway.workspace.path(copy.location)) == (which, True, path)
    assert copy.bytes == path.stat().st_size
    (told,) = gateway.entries("sending_received")
    assert told["commitment"] == gateway.workspace.keyset(CSP).commit(hashlib.sha256(content).hexdigest().encode())
    named = {"sending": which, "convention": CSP, "exchange": POOL, "period": "2025-05", "sender": "france-travail"}
    assert told == {**named, "rows": 50, "bytes": len(content), "commitment": told["commitment"]}
    with gateway.workspace.database.read() as connection:
        (planned,) = plans(gateway.workspace, connection)
        verify_tables(gateway.workspace.ledger, connection)
    assert (planned.convention, planned.allowed, planned.not_due) == (CSP, False, 1)
    run_plan(gateway)
    assert gateway.present(kind="inbox") == []
    assert gateway.entries("sending_destroyed") == [
        {"sending": which, "convention": CSP, "exchange": POOL, "reason": "taken"}
    ]
    assert copy.location not in gateway.workspace.keys.copy_keys(CSP)


def test_a_purge_of_what_waits_alone(gateway: Gateway, agency: Program) -> None:
    """A convention of which nothing but a waiting file is held is purged: it stands in the plan and in the certificate."""
    which = send(agency, gateway.write(POOLS, 5).read_bytes()).json()["sending"]
    gateway.record((CSP, "declared_unnecessary", {"on": "2025-05-12"}))
    with gateway.workspace.database.read() as connection:
        (planned,) = plans(gateway.workspace, connection)
    assert [(one["kind"], one["count"]) for one in planned.as_json()["copies"]] == [("inbox", 1)]
    done = purge(gateway.workspace, CSP)
    assert [(one["kind"], one["count"]) for one in json.loads(done.certificate or "")["destroyed"]] == [("inbox", 1)]
    assert inbox(gateway) == []
    assert gateway.present() == []
    assert agency.get(f"/sendings/{which}").status_code == 404
    with gateway.workspace.database.read() as connection:
        verify_tables(gateway.workspace.ledger, connection)


def test_a_purge_of_a_period_takes_what_waits_for_it(gateway: Gateway, agency: Program) -> None:
    """Of two files that wait the one of the period goes with its line and its key; the other stays and can be run."""
    gone, stays = (
        send(agency, gateway.write(POOLS, 20, seed=number).read_bytes(), period).json()["sending"]
        for number, period in enumerate(("2025-04", "2025-05"))
    )
    first, second = (copy.location for copy in gateway.present(kind="inbox"))
    gateway.record((CSP, "declared_unnecessary", {"on": "2025-05-12"}))
    assert purge(gateway.workspace, CSP, scope=Scope(CSP, period="2025-04")).state == "done"
    assert [copy.run for copy in gateway.present()] == [stays]
    assert gateway.workspace.keys.copy_keys(CSP) & {first, second} == {second}
    assert [agency.get(f"/sendings/{one}").status_code for one in (gone, stays)] == [404, 200]


def test_nothing_arrives_while_it_would_be_destroyed(gateway: Gateway) -> None:
    """A purge that begins while a file arrives makes the file be refused, and nothing of it is left."""
    gateway.run(POOLS, "2025-04", gateway.write(POOLS, 20, seed=4), "france-travail")
    content = gateway.write(POOLS, 5).read_bytes()

    def arriving() -> Iterator[bytes]:
        yield content[:100]
        gateway.record((CSP, "declared_unnecessary", {"on": "2025-05-12"}))
        with gateway.workspace.database.begin() as connection:
            purges.open_purge(connection, f"{CSP}.1", CSP, {"ids": []}, at=gateway.workspace.now())
        yield content[100:]

    about = announced(gateway)
    with pytest.raises(RefusedError):
        waiting.receive(gateway.workspace, about, arriving(), actor="test", today=date(2025, 5, 12))
    assert inbox(gateway) == []
    assert gateway.present(kind="inbox") == []


def announced(gateway: Gateway) -> waiting.Announced:
    (use,) = [use for use in ways_to_send(gateway.workspace, "france-travail") if use.exchange == POOL]
    versions = [Served(one, one.served_until) for one in datasets.pinned(use.dataset)]
    return waiting.Announced(CSP, POOL, "2025-05", "france-travail", versions)


def test_of_two_that_arrive_at_once_one_is_kept(gateway: Gateway) -> None:
    """The same content twice at the same time: both are told of the one sending that waits."""
    content = gateway.write(POOLS, 50).read_bytes()
    about, met = announced(gateway), threading.Barrier(2, timeout=90)

    def blocks() -> Iterator[bytes]:
        yield content
        met.wait()

    def take(_: int) -> tuple[sendings.Sending, bool]:
        return waiting.receive(gateway.workspace, about, blocks(), actor="test", today=date(2025, 5, 12))

    with ThreadPoolExecutor(2) as pool:
        (one, first), (two, second) = pool.map(take, range(2))
    assert one.id == two.id
    assert {first, second} == {True, False}
    assert len(inbox(gateway)) == len(gateway.present(kind="inbox")) == len(gateway.entries("sending_received")) == 1


def test_what_arrives_now_is_no_leftover(gateway: Gateway) -> None:
    """A plan made while a file arrives, or is about to be told, leaves it alone."""
    content = gateway.write(POOLS, 50).read_bytes()

    def blocks() -> Iterator[bytes]:
        yield content[:1000]
        waiting.settle(gateway.workspace)
        yield content[1000:]

    kept, new = waiting.receive(gateway.workspace, announced(gateway), blocks(), actor="test", today=date(2025, 5, 12))
    assert new
    waiting.settle(gateway.workspace)
    assert [copy.run for copy in gateway.present(kind="inbox")] == [kept.id]
    assert len(inbox(gateway)) == 1


def test_a_row_that_was_taken_out_is_found(gateway: Gateway, agency: Program) -> None:
    """A waiting file that was taken out of the register behind the gateway's back: nothing is purged before it is explained."""
    send(agency, gateway.write(POOLS, 5).read_bytes())
    for statement, words_ in (
        (update(holding).values(destroyed_at="2025-05-12T04:00:00Z"), "no destruction"),
        (delete(holding), "is missing"),
    ):
        with gateway.workspace.database.begin() as connection:
            connection.execute(statement)
        with gateway.workspace.database.read() as connection, pytest.raises(TablesDisagreeError, match=words_):
            verify_tables(gateway.workspace.ledger, connection)


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda content: content.replace(b";", b",", 1), "header"),
        (lambda content: content.replace(b"\r\n", b"\r\n\x81", 2), "encoding"),
        (lambda content: b"%PDF-1.7" + content, "another kind"),
    ],
    ids=["header", "encoding", "kind"],
)
def test_what_begins_wrong_is_not_read_on(gateway: Gateway, edit: Callable[[bytes], bytes], word: str) -> None:
    """A header, an encoding or a kind of file that no dialect has: refused from the first 64 KiB; the rest is not asked for."""
    content = edit(gateway.write(POOLS, 4000).read_bytes())
    asked = 0

    def blocks() -> Iterator[bytes]:
        nonlocal asked
        for at in range(0, len(content), 16_384):
            asked += 1
            yield content[at : at + 16_384]

    assert len(content) > 5 * 65_536, word
    with pytest.raises(IntakeError):
        waiting.receive(gateway.workspace, announced(gateway), blocks(), actor="test", today=date(2025, 5, 12))
    assert asked == 4
    assert inbox(gateway) == []
    assert gateway.present(kind="inbox") == []
    assert gateway.workspace.keys.copy_keys(CSP) == frozenset()


def test_what_is_judged_whole_is_read_to_its_end(gateway: Gateway, agency: Program) -> None:
    """A packed file, and a long file that is good, are taken: only what no dialect can begin with is refused before its end."""
    content = gateway.write(POOLS, 4000).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("pool.csv", content)
    whole = send(agency, content).json()
    assert whole["checked"]["read"] == 4000
    answer = send(agency, packed.getvalue(), "2025-04").json()
    assert answer["checked"]["read"] == 4000


def test_fields_before_the_file_are_few() -> None:
    """A form that has field after field and never a file is given up before its fields fill the memory."""
    given = 0

    async def parts() -> dict[str, Any]:
        nonlocal given
        given += 1
        body = f'--b\r\nContent-Disposition: form-data; name="f{given}"\r\n\r\nx\r\n'.encode()
        return {"type": "http.request", "body": body, "more_body": given < 5000}

    def read() -> None:
        kind = (b"content-type", b"multipart/form-data; boundary=b")
        request = Request({"type": "http", "method": "POST", "path": "/", "headers": [kind]}, parts)
        with pytest.raises(arriving.UnreadError):
            arriving.FormWithFile(request, "file").read_fields()

    async def on_a_thread() -> None:
        await to_thread.run_sync(read)

    asyncio.run(on_a_thread())
    assert given < 100


@pytest.mark.parametrize("told", ["-1", "1e3", "²", "9" * 5000])
def test_a_length_that_is_none_is_refused(gateway: Gateway, agency: Program, told: str) -> None:
    """A length that is no number, or has thousands of digits: too long (413), and nothing is read."""
    answer = send(agency, b"x", headers={"content-length": told.encode()})
    assert answer.status_code == 413
    assert inbox(gateway) == []
