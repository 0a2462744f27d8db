"""The watchdog: every silence is an alert, whatever state the jobs are in; each change is sent once; the clock is not believed blindly."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from passerelle.clock import iso
from passerelle.errors import RefusedError, UsageError
from passerelle.keys import NOTICE_NAMESPACE
from passerelle.parcel import verify_signature
from passerelle.store import access, alerts, database, planned, purges
from passerelle.workspace import Settings, Workspace
from portal.cli import run
from retention import clock
from retention.attestations import request
from retention.watchdog import acknowledge, watch
from retention.webhook import HMAC_HEADER, SSH_HEADER, Webhook
from tests.gateway import CSP_ENDED, CSP_FILED, POOLS, Gateway

CSP = "csp-ft-2024"
DUE = "2025-10-10"
QUIET = {"scheduler_stopped"}  # in most of these tests nobody plans


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A gateway that delivered, under a convention that was ended: its data are due by 10 October 2025."""
    made = Gateway.create(tmp_path, "2025-05-05T10:00:00+02:00").record(*CSP_FILED).partner("mtfp")
    made.move_to("2025-05-12T06:00:00+02:00")
    made.run(POOLS, "2025-05", made.write(POOLS, 20))
    return made.move_to("2025-06-10T11:00:00+02:00").record(CSP_ENDED)


def codes(gateway: Gateway) -> set[str]:
    return {one.code for one in watch(gateway.workspace)} - QUIET


def one_alert(gateway: Gateway, code: str) -> alerts.Alert:
    (found,) = (one for one in watch(gateway.workspace) if one.code == code)
    return found


def test_a_missing_certificate_is_an_alert_until_the_purge(gateway: Gateway) -> None:
    """Nothing on the last day, an alert the day after, cleared once the certificate is there."""
    from retention.purge import purge

    assert "purge_overdue" not in codes(gateway.move_to(f"{DUE}T23:00:00+02:00"))
    gateway.move_to("2025-10-11T06:00:00+02:00")
    first = one_alert(gateway, "purge_overdue")
    again = one_alert(gateway.move_to("2025-10-12T06:00:00+02:00"), "purge_overdue")
    assert (first.id, first.first_seen) == (again.id, again.first_seen)
    assert first.last_seen < again.last_seen
    purge(gateway.workspace, CSP)
    assert "purge_overdue" not in codes(gateway)
    with gateway.workspace.database.read() as connection:
        (cleared,) = (one for one in alerts.alerts(connection) if one.id == first.id)
    assert cleared.cleared_at is not None


def test_a_purge_that_died_is_seen(gateway: Gateway) -> None:
    """A purge that began and has no certificate a day later is an alert, while its lock is held too."""
    gateway.move_to(f"{DUE}T05:00:00+02:00")
    with gateway.workspace.database.begin() as connection:
        purges.open_purge(connection, f"{CSP}.1", CSP, {}, at=gateway.workspace.now())
        gateway.workspace.append(connection, "purge_started", {"convention": CSP, "purge": f"{CSP}.1"})
    gateway.move_to("2025-10-11T06:00:00+02:00")
    with gateway.workspace.lock(f"{CSP}.purge"):
        assert {"purge_not_ended", "purge_overdue"} <= codes(gateway)


def test_a_scheduler_that_stopped_is_an_alert(gateway: Gateway) -> None:
    """More than 26 hours without a daily plan is an alert; the next plan clears it."""
    with gateway.workspace.database.begin() as connection:
        planned.keep_through(connection, gateway.workspace.now())
    assert "scheduler_stopped" not in {one.code for one in watch(gateway.workspace)}
    gateway.move_to(iso(gateway.workspace.now() + timedelta(hours=27)))
    assert one_alert(gateway, "scheduler_stopped").about["since"] == "2025-06-10T09:00:00Z"
    with gateway.workspace.database.begin() as connection:
        planned.keep_through(connection, gateway.workspace.now())
    assert "scheduler_stopped" not in {one.code for one in watch(gateway.workspace)}


def test_an_overdue_attestation_is_an_alert_and_is_recalled(gateway: Gateway) -> None:
    """The watchdog recalls what is not answered, and says so once its day is past."""
    request(gateway.workspace, CSP)
    assert "attestation_overdue" not in codes(gateway)
    gateway.move_to("2025-07-11T12:00:00+02:00")
    assert "attestation_overdue" in codes(gateway)
    assert [one["stage"] for one in gateway.entries("attestation_recalled")] == ["recalled-30"]


def test_a_disputed_deadline_that_comes_near_is_an_alert(tmp_path: Path) -> None:
    """Thirty days before its earliest reading a disputed deadline is told, and no purge is called for but of what is due anyway."""
    made = Gateway.create(tmp_path, "2025-05-05T10:00:00+02:00").record(*CSP_FILED).partner("mtfp")
    made.run(POOLS, "2025-05", made.write(POOLS, 20))
    made.move_to("2026-12-16T12:00:00+01:00")
    made.record((CSP, "denounced", {"by": "unml", "sent_on": "2026-12-09", "received_on": "2026-12-15"}))
    told = {"deadline_disputed", "purge_overdue"}
    assert not codes(made.move_to("2027-04-10T12:00:00+02:00")) & told
    assert codes(made.move_to("2027-04-11T12:00:00+02:00")) & told == {"deadline_disputed"}
    assert one_alert(made, "deadline_disputed").about["due"] == "2027-05-11"
    made.record((CSP, "declared_unnecessary", {"on": "2027-04-10", "exchange": "candidate-pools"}))
    assert codes(made) & told == told
    assert one_alert(made, "purge_overdue").about["due"] == "2027-04-10"


def test_a_part_that_is_due_before_or_after_the_rest_is_overdue_by_its_own_day(gateway: Gateway) -> None:
    """Declared no longer necessary, a dataset is due that day; after a hold, on the day of the lifting, not on the old deadline."""
    gateway.record((CSP, "hold_placed", {"id": "h1", "on": "2025-06-10", "exchange": "candidate-pools"}))
    gateway.move_to("2025-11-20T12:00:00+01:00").record((CSP, "hold_lifted", {"id": "h1", "on": "2025-11-20"}))
    assert "purge_overdue" not in codes(gateway)
    assert one_alert(gateway.move_to("2025-11-21T12:00:00+01:00"), "purge_overdue").about["due"] == "2025-11-20"


def test_a_dataset_declared_unnecessary_and_still_there_is_an_alert(gateway: Gateway) -> None:
    """While the convention is in force nothing else is due; the day after the declaration its copies are overdue."""
    gateway.record((CSP, "declared_unnecessary", {"on": "2025-06-10", "exchange": "candidate-pools"}))
    assert "purge_overdue" not in codes(gateway)
    assert one_alert(gateway.move_to("2025-06-11T12:00:00+02:00"), "purge_overdue").about["due"] == "2025-06-10"


def test_who_took_note_is_kept_and_the_trail_names_nobody(gateway: Gateway) -> None:
    """An acknowledged alert stands without failing; raised anew, it is acknowledged by nobody."""
    gateway.move_to("2025-10-11T06:00:00+02:00")
    one = one_alert(gateway, "purge_overdue")
    done = acknowledge(gateway.workspace, one.id, by="Anne Dupont", reason="purge on Monday")
    assert (done.acknowledged_by, done.open) == ("Anne Dupont", False)
    assert one_alert(gateway, "purge_overdue").reason == "purge on Monday"
    assert gateway.entries("alert_acknowledged") == [{"alert": one.id, "code": "purge_overdue", "convention": CSP}]
    for name, reason in ((" ", "why"), ("who", "")):
        with pytest.raises(UsageError):
            acknowledge(gateway.workspace, one.id, by=name, reason=reason)
    with pytest.raises(UsageError):
        acknowledge(gateway.workspace, "al-0000000000000000", by="a", reason="b")


def test_a_database_that_takes_no_writing_hides_nothing(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the write lock, what is missing is still told, and that nothing could be kept."""
    gateway.move_to("2025-10-11T06:00:00+02:00")
    monkeypatch.setattr(database, "BUSY_TIMEOUT_SECONDS", 0.05)
    other = Workspace.open(Settings(gateway.home, None, gateway.workspace.now()))
    with gateway.workspace.database.begin():
        found = {one.code for one in watch(other)}
    other.close()
    assert {"purge_overdue", "check_failed"} <= found


class Server:
    """A receiver on the loopback: what it was sent, and the statuses that it answers."""

    def __init__(self, *statuses: int) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.statuses = list(statuses)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                outer.headers.append(dict(self.headers))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 204)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/alerts"

    def told(self) -> list[list[tuple[str, str]]]:
        return [[(one["code"], one["change"]) for one in json.loads(body)["alerts"]] for body in self.bodies]


@pytest.fixture
def server() -> Iterator[Server]:
    """A receiver that takes everything."""
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def quiet(gateway: Gateway) -> None:
    """Plan, so that the scheduler is at work."""
    with gateway.workspace.database.begin() as connection:
        planned.keep_through(connection, gateway.workspace.now())


def test_each_change_is_sent_once_and_signed(gateway: Gateway, server: Server) -> None:
    """Raised once, cleared once; the body bears the HMAC of the secret and the signature of the gateway's key."""
    from retention.purge import purge

    hook = Webhook(server.url, b"secret")
    gateway.move_to("2025-10-11T06:00:00+02:00")
    quiet(gateway)
    for _ in range(2):
        watch(gateway.workspace, webhook=hook)
    purge(gateway.workspace, CSP)
    for _ in range(2):
        watch(gateway.workspace, webhook=hook)
    assert ("purge_overdue", "raised") in server.told()[0]
    assert ("purge_overdue", "cleared") in server.told()[1]
    assert len(server.told()) == 2
    body, headers = server.bodies[0], server.headers[0]
    assert headers[HMAC_HEADER] == hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    import base64

    key = gateway.workspace.keys.signing_key.public_key()
    verify_signature(body, base64.b64decode(headers[SSH_HEADER]), [key], NOTICE_NAMESPACE)
    assert set(json.loads(body)["alerts"][0]) == {"about", "change", "code", "first_seen", "id"}


def test_what_is_not_taken_is_tried_again(gateway: Gateway) -> None:
    """Three tries with a pause that doubles; then an alert of its own, and the next watch sends what was not sent."""
    made = Server(500, 302, 503)
    pauses: list[float] = []
    hook = Webhook(made.url, None, pauses.append)
    gateway.move_to("2025-10-11T06:00:00+02:00")
    quiet(gateway)
    found = {one.code for one in watch(gateway.workspace, webhook=hook)}
    assert {"purge_overdue", "webhook_failed"} <= found
    assert (len(made.bodies), pauses) == (3, [0.5, 1.0])
    assert {one.code for one in watch(gateway.workspace, webhook=hook)} == found - {"webhook_failed"}
    assert ("purge_overdue", "raised") in made.told()[3]
    made.http.shutdown()
    made.http.server_close()
    assert not hook.send(b"{}", None)


@pytest.mark.parametrize(
    "url", ["http://example.org/a", "https://a:b@example.org", "file:///etc/passwd", "https://", "https://x:99999"]
)
def test_an_unsafe_address_is_refused(url: str) -> None:
    """Alerts go over https, or to this machine; no password stands in the address."""
    with pytest.raises(UsageError):
        Webhook.of({"PASSERELLE_ALERT_WEBHOOK": url})
    assert Webhook.of({}) is None


def test_a_clock_set_back_a_day_runs_nothing(gateway: Gateway) -> None:
    """A day behind the trail: the watchdog says so, nothing is destroyed, and the clock cannot be confirmed."""
    gateway.move_to("2025-06-09T11:00:00+02:00")
    assert "clock_behind" in codes(gateway)
    for act in (lambda: clock.confirm(gateway.workspace, by="anne"), lambda: insist(gateway)):
        with pytest.raises(RefusedError, match="clock_behind_last_event"):
            act()
    with gateway.workspace.database.begin() as connection:
        assert clock.note(gateway.workspace, connection).state == "behind"


def test_a_clock_behind_the_last_check_is_behind(gateway: Gateway) -> None:
    """The watchdog's own last look counts, though it leaves nothing in the trail."""
    watch(gateway.move_to("2025-07-10T11:00:00+02:00").workspace)
    gateway.move_to("2025-07-10T09:00:00+02:00")
    assert "clock_behind" in codes(gateway)


def insist(gateway: Gateway) -> None:
    with gateway.workspace.database.read() as connection:
        clock.insist_on_clock(gateway.workspace, connection)


def test_a_clock_that_jumped_a_year_destroys_nothing_unconfirmed(gateway: Gateway) -> None:
    """A year ahead of the last act nothing is destroyed until the clock is confirmed, which the trail tells."""
    from retention.purge import purge

    gateway.move_to("2026-06-10T11:00:00+02:00")
    assert "clock_jumped" in codes(gateway)
    with pytest.raises(RefusedError, match="clock_jumped"):
        purge(gateway.workspace, CSP)
    assert gateway.entries("purge_started") == []
    assert clock.confirm(gateway.workspace, by="anne").days == 365
    assert clock.confirm(gateway.workspace, by="anne").state == "right"
    assert gateway.entries("clock_confirmed") == [{"since": "2025-06-10T09:00:00Z", "days": 365}]
    with gateway.workspace.database.read() as connection:
        looks = [
            (one["actor"], one["subject"]) for one in access.lines(connection) if one["action"] == "clock_confirmed"
        ]
    assert looks == [("anne", "clock")]
    assert len(gateway.entries("access_batch")) == 1
    assert "clock_jumped" not in codes(gateway)
    purge(gateway.workspace, CSP)
    assert len(gateway.entries("purge_certificate")) == 1


def test_a_jump_that_was_seen_is_not_forgotten(gateway: Gateway) -> None:
    """What is done at the jumped time does not hide the jump; a clock that is set right again needs no confirmation."""
    watch(gateway.move_to("2026-06-10T11:00:00+02:00").workspace)
    with gateway.workspace.database.begin() as connection:
        assert clock.note(gateway.workspace, connection).state == "jumped"
    gateway.move_to("2026-06-10T12:00:00+02:00")
    with pytest.raises(RefusedError, match="clock_jumped"):
        insist(gateway)
    gateway.move_to("2025-06-10T12:00:00+02:00")
    assert "clock_jumped" not in codes(gateway)
    insist(gateway)


def test_on_the_real_clock_a_week_without_a_look_is_a_jump(gateway: Gateway) -> None:
    """Outside rehearsals every step counts: eight days between two acts, though acts followed, are a jump."""
    watch(gateway.workspace)
    gateway.workspace.rehearsal = False
    gateway.move_to("2025-06-17T10:00:00+02:00")
    insist(gateway)
    gateway.move_to("2025-06-19T11:00:00+02:00")
    with pytest.raises(RefusedError, match="clock_jumped"):
        insist(gateway)
    request(gateway.workspace, CSP)
    with pytest.raises(RefusedError, match="clock_jumped"):
        insist(gateway)


@pytest.fixture
def told(gateway: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command and gives its status, and its JSON value or what it printed."""
    monkeypatch.setenv("PASSERELLE_HOME", str(gateway.home))
    monkeypatch.setenv("PASSERELLE_LANG", "fr")

    def call(*words: object) -> tuple[int, Any]:
        monkeypatch.setenv("PASSERELLE_NOW", iso(gateway.workspace.now()))
        status = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, json.loads(out) if "--json" in words and out else out + err

    return call


def test_through_the_commands(gateway: Gateway, told: Any, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The DPO sees what is late with status 1, takes note of it, and is told on the webhook."""
    monkeypatch.setenv("PASSERELLE_ALERT_WEBHOOK", server.url)
    gateway.move_to("2025-10-11T06:00:00+02:00")
    status, found = told("watchdog", "--json")
    assert status == 1
    assert "purge_overdue" in {one["code"] for one in found}
    assert ("purge_overdue", "raised") in server.told()[0]
    assert "destruction en retard" in told("watchdog")[1]
    for one in found:
        assert told("watchdog", "acknowledge", one["id"], "--as", "anne", "--reason", "vu")[0] == 0
    status, found = told("watchdog", "--json")
    assert (status, {one["acknowledged_by"] for one in found}) == (0, {"anne"})
    assert told("watchdog", "acknowledge", "al-1", "--as", "anne", "--reason", "vu")[0] == 2
    gateway.move_to("2027-01-11T06:00:00+02:00")
    status, found = told("watchdog", "clock", "--json")
    assert (status, found["state"]) == (1, "jumped")
    status, said = told("purge", "run", CSP, "--confirm")
    assert (status, "clock_jumped" in said) == (1, True)
    assert told("watchdog", "clock", "--confirm")[0] == 0
    assert told("purge", "run", CSP, "--confirm")[0] == 0
