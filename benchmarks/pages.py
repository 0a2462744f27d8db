"""How long the portal's pages take: 1,000,000 lines of access log, 10,000 deliveries, 20 requests a second on one core.

    python benchmarks/pages.py [LINES [DELIVERIES [SECONDS]]]        default: 1000000 10000 5

One real exchange is written 10,000 times over, with numbers of its own, into tables and trail. The portal is the real process,
held on one core; each page is asked for at the instant that is its turn, whether or not those before were answered. "first" is
the first look at the page, which may work out what the portal then remembers until something is recorded; the median and the
95th percentile are those of the looks that follow, in milliseconds, and "CPU" is the portal's own time for each of them.
"""

from __future__ import annotations

import html
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from itertools import chain
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import quote

import httpx2
from sqlalchemy import Table, insert, select

from contracts.samples import sample
from flows import assembly
from passerelle.access.batches import BATCH_KIND, MAX_BATCH
from passerelle.access.line import leaf_hash
from passerelle.clock import PretendedClock, iso
from passerelle.handover.order import Order
from passerelle.handover.recording import record_event
from passerelle.keys import Identity
from passerelle.store import accounts, partners, runs
from passerelle.store.access_tables import access, access_batch
from passerelle.store.tables import delivery, holding, profile, run
from passerelle.trail import Entry, merkle
from passerelle.workspace import Settings, Workspace, partner_keys
from portal.web.guard import COOKIE
from portal.web.pages import every_way

AT = datetime.fromisoformat("2025-05-12T06:00:00+02:00")
CSP, POOLS, PARTY, OTHER = "csp-ft-2024", "candidate-pools", "mtfp", "mtss"
FILED = (
    ("instrument_recorded", {"id": "candidate-pool-agreement", "on": "2025-05-05"}),
    ("instrument_recorded", {"id": "security-measures-agreement", "on": "2025-05-05"}),
    ("precondition_recorded", {"id": "sensitivity-assessment", "on": "2025-05-05"}),
    ("precondition_recorded", {"id": "processing-record", "exchange": POOLS, "on": "2025-05-05"}),
)
ACTORS, PIECE, YEAR = (
    50,
    1000,
    timedelta(days=360),
)  # people who look, deliveries written at once, the time they are spread over
RATE, SECONDS, WARM = 20, 5, 3  # requests a second, seconds of each page, looks before
AIM = 0.150  # seconds, the 95th of a hundred
HOPELESS = 2.0  # seconds
BROWSER = "Mozilla/5.0 (bench) Firefox/140.0"
TICKS = os.sysconf("SC_CLK_TCK")
ROLES = ("dpo", "engineer", "partner", "administrator")
SEARCHES = (  # beside those that the pages' own forms offer, one for each field
    ("dpo", "/deliveries?recipient=nobody"), ("dpo", "/deliveries?recipient=mtfp&since=2025-05-01"),
    ("dpo", "/access?convention=csp-ft-2024&since=2024-12-01&until=2024-12-31"), ("dpo", "/access?actor=nobody&partner=mtfp"),
    ("dpo", "/access?actor=person-1&partner=mtfp"), ("dpo", "/access?partner=nobody&action=release_key&actor=person-7"),
    ("dpo", "/registers/breaches/scope?partner=mtfp"),
)  # fmt: skip


def made(home: Path) -> Workspace:
    """A rehearsal whose clock stands still, with two partners and one exchange that was carried out."""
    workspace = Workspace.create(Settings(home, None, AT), rehearsal=True)
    for kind, payload in FILED:
        record_event(workspace, CSP, kind, payload, by="bench")
    for party in (PARTY, OTHER):
        key = Identity.generate().recipient
        with workspace.database.begin() as connection:
            partners.add(connection, party, party, None, at=AT)
        partner_keys.enrol(workspace, party, key.text, by="partner")
        for person in ("first", "second"):
            partner_keys.approve(workspace, key.fingerprint, None, by=person)
    source = home.parent / "sample.csv"
    source.write_bytes(b"".join(sample("candidate_pool", 50, 0.0, 0)))
    assembly.run(workspace, Order(CSP, POOLS, "2025-05", source, "france-travail"))
    return workspace


def multiply(workspace: Workspace, count: int) -> None:
    """Write the delivery that was made ``count`` times over: runs, parcels, copies, and what the trail tells of each."""
    with workspace.database.read() as connection:
        (first,) = runs.runs(connection)
        ((parcel, manifest),) = connection.execute(select(delivery.c.id, delivery.c.manifest))
        kept = [
            (table, dict(row))
            for table, named in ((run, run.c.id), (delivery, delivery.c.run), (holding, holding.c.run), (profile, profile.c.run))
            for row in connection.execute(select(table).where(named == first.id)).mappings()
        ]  # fmt: skip
        entries = workspace.ledger.entries(connection, 0, workspace.ledger.size(connection))
        told = [found.entry for found in entries if first.id in found.entry.leaf().decode()]
    for start in range(2, count + 1, PIECE):
        copies = [
            _Copy(first.id, parcel, bytes(manifest), number, count)
            for number in range(start, min(start + PIECE, count + 1))
        ]
        with workspace.database.begin() as connection:
            pairs = [(one, each) for one in copies for each in told]
            indexes = workspace.ledger.append_many(connection, [one.entry(each) for one, each in pairs])
            intents = {one.number: index for index, (one, each) in zip(indexes, pairs, strict=True) if each.kind == "delivery_intent"}  # fmt: skip
            for table, row in kept:
                connection.execute(insert(table), [one.row(table, row, intents[one.number]) for one in copies])
    with workspace.database.begin() as connection:
        workspace.ledger.checkpoint(connection, AT)


@dataclass(frozen=True)
class _Copy:
    """One delivery more: what names the run, the parcel and the manifest names those of ``number``, of ``count`` over a year."""

    run: str
    parcel: str
    manifest: bytes
    number: int
    count: int

    def entry(self, told: Entry) -> Entry:
        """An entry of the trail, of this delivery."""
        body = json.loads(self._named(json.dumps(told.body)))
        own = {"sequence": self.number, "period": _period(self.number)}
        return Entry(told.kind, told.at, body | {key: value for key, value in own.items() if key in body})

    def row(self, table: Table, row: dict[str, Any], intent: int) -> dict[str, Any]:
        """A row of a table, of this delivery."""
        at = iso(AT - YEAR * (1 - self.number / self.count))
        own = {"sequence": self.number, "period": _period(self.number), "entry": intent} | dict.fromkeys(
            ("intent_at", "delivered_at", "started_at", "ended_at"), at
        )
        named = {key: self._named(value) if isinstance(value, str | bytes) else value for key, value in row.items()}
        return {key: own.get(key, value) for key, value in named.items() if (table, key) != (holding, "id")}

    def _named(self, text: Any) -> Any:
        for old, new in self._names:
            text = text.replace(old, new) if isinstance(text, str) else text.replace(old.encode(), new.encode())
        return text

    @cached_property
    def _names(self) -> tuple[tuple[str, str], ...]:
        names = (self.run, _run(self.number)), (self.parcel, _parcel(self.number))
        manifest = self.manifest
        for old, new in names:
            manifest = manifest.replace(old.encode(), new.encode())
        return *names, (sha256(self.manifest).hexdigest(), sha256(manifest).hexdigest())


def _run(number: int) -> str:
    return f"r-{number:016x}"


def _parcel(number: int) -> str:
    return f"p-{number:024x}"


def _period(number: int) -> str:
    return f"{1000 + number // 12}-{number % 12 + 1:02}"


def looked(workspace: Workspace, count: int, parcels: int) -> None:
    """Write ``count`` lines of the access log over the last twelve months, sealed in batches; the indexes come after the lines."""
    names = [column.name for column in access.columns]
    statement = f"INSERT INTO access ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names of ours
    with workspace.database.begin() as connection:
        for index in access.indexes:
            index.drop(connection)
        for start in range(1, count + 1, MAX_BATCH):
            rows = [_line(number, count, parcels) for number in range(start, min(start + MAX_BATCH, count + 1))]
            connection.exec_driver_sql(statement, [tuple(row.values()) for row in rows])
            leaves = [leaf_hash(row) for row in rows]
            facts = {"first": start, "last": start + len(rows) - 1, "since": rows[0]["at"], "until": rows[-1]["at"]}
            root = merkle.root(leaves)
            sealed = Entry(BATCH_KIND, iso(AT), {**facts, "count": len(rows), "root_sha256": root.hex()})
            entry = workspace.ledger.append(connection, sealed)
            connection.execute(insert(access_batch).values(**facts, root=root, leaves=b"".join(leaves), entry=entry))
        for index in access.indexes:
            index.create(connection)


def _line(number: int, count: int, parcels: int) -> dict[str, Any]:
    """One line of the log, its columns in their order."""
    actions = ("deliveries_read", "access_read", "trail_read", "release_key", "purge_plan_read")
    return {
        "id": number, "number": number, "at": iso(AT - YEAR + YEAR / count * (number - 1)), "actor": f"person-{number % ACTORS}",
        "action": actions[number % 5], "subject": "deliveries", "reason": "", "partner": (PARTY, OTHER)[number % 2],
        "convention": CSP, "exchange": POOLS, "delivery": _parcel(number % parcels), "run": None, "count": number % 1000,
        "outcome": "allowed", "salt": secrets.token_bytes(16),
    }  # fmt: skip


def signed_in(workspace: Workspace) -> dict[str, str]:
    """The token of someone of each role."""
    with workspace.database.begin() as connection:
        for number in range(200):
            accounts.add(connection, f"person-{number}", "engineer", None, by="bench", at=AT)
        people = {role: accounts.add(connection, role, role, PARTY if role == "partner" else None, by="bench", at=AT) for role in accounts.ROLES}  # fmt: skip
        return {
            role: accounts.open_session(connection, one, browser=BROWSER, at=AT)
            for role, one in people.items()
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Portal:
    """The real portal at ``address``, the tokens of someone of each role, and the fingerprint of a partner's key."""

    address: str
    process: int
    tokens: dict[str, str]
    key: str

    def client(self, role: str) -> httpx2.Client:
        """A browser of that role."""
        headers = {"user-agent": BROWSER, "cookie": f"{COOKIE}={self.tokens[role]}", "accept-language": "fr"}
        return httpx2.Client(base_url=self.address, headers=headers, timeout=120)

    def cpu(self) -> float:
        """Seconds of processor that it has taken so far."""
        fields = Path(f"/proc/{self.process}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def serving(home: Path, tokens: dict[str, str], key: str) -> Iterator[Portal]:
    """The portal of that workspace, on one core."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    core = max(os.sched_getaffinity(0))
    program = f"import os; os.sched_setaffinity(0, {{{core}}}); from portal.cli import main; main()"
    environment = {**os.environ, "PASSERELLE_HOME": str(home), "PASSERELLE_NOW": AT.isoformat()}
    with subprocess.Popen([sys.executable, "-c", program, "serve", "--port", str(port)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as portal:  # fmt: skip
        assert portal.stdout
        portal.stdout.readline()
        try:
            yield Portal(f"http://localhost:{port}", portal.pid, tokens, key)
        finally:
            portal.terminate()


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of the first look, of each that followed from the instant that was its turn, and of processor for one of these."""

    first: float
    looks: list[float]
    cpu: float

    @property
    def median(self) -> float:
        return quantiles(self.looks, n=20)[9]

    @property
    def most(self) -> float:
        """The 95th of a hundred."""
        return quantiles(self.looks, n=20)[18]


def timed(portal: Portal, role: str, path: str, seconds: int) -> Measured:
    """Ask for a page ``RATE`` times a second."""
    with portal.client(role) as client, ThreadPoolExecutor(RATE) as pool:

        def asks(turn: float) -> float:
            time.sleep(max(turn - time.perf_counter(), 0))
            answer = client.get(path)
            assert answer.is_success, (path, answer.status_code, answer.text[-400:])
            return time.perf_counter() - turn

        first, *_, alone = [asks(time.perf_counter()) for _ in range(WARM)]
        if alone > HOPELESS:
            return Measured(first, [alone, alone], alone)  # more at once would only wait
        before, began = portal.cpu(), time.perf_counter() + 0.1
        looks = list(pool.map(asks, [began + number / RATE for number in range(RATE * seconds)]))
        return Measured(first, looks, (portal.cpu() - before) / len(looks))


def pages(portal: Portal) -> Iterator[tuple[str, str, float]]:
    """Each page of each role, the page after the first of a list, a search by each field that its form has; seconds of a first look."""
    known = {"which": CSP, "parcel": _parcel(1000), "run": _run(1000)}
    for way in every_way():
        role = next((one for one in ROLES if one in way.roles), None)
        named = set(re.findall(r"{(\w+)}", way.path)) <= known.keys()
        if way.method != "GET" or role is None or not named or way.per_minute is not None:
            continue
        path = way.path.format(**known)
        with portal.client(role) as client:
            answer = client.get(path)
        if answer.status_code == httpx2.codes.OK:
            yield role, path, answer.elapsed.total_seconds()
            for one in (
                *re.findall(r'rel="next" href="([^"]+)"', answer.text),
                *_searches(path, answer.text, portal.key),
            ):
                yield role, html.unescape(one), 0.0
    yield from ((role, path, 0.0) for role, path in SEARCHES)


def _searches(path: str, page: str, key: str) -> Iterator[str]:
    """One search for each field of the form of a page; a choice is made where there is one."""
    said = {
        "convention": CSP, "exchange": POOLS, "recipient": PARTY, "partner": PARTY, "party": PARTY, "since": "2025-01-01",
        "until": "2025-03-01", "actor": "person-7", "delivery": _parcel(1000), "action": "release_key", "name": "person-4",
        "key": quote(key), "from": "2025-01-01", "to": "2026-12-31",
    }  # fmt: skip
    for form in re.findall(r'<form class="search".*?</form>', page, re.DOTALL):
        yield from (f"{path}?{name}={said[name]}" for name in re.findall(r'<input [^>]*name="(\w+)"', form))
        choices = re.findall(r'<select [^>]*name="(\w+)">(.*?)</select>', form, re.DOTALL)
        for name, options in choices:
            yield from (f"{path}?{name}={value}" for value in re.findall(r'value="([^"]+)"', options)[:1])


def main() -> None:
    """Fill a workspace, ask for each page, and tell the milliseconds."""
    given = [int(one) for one in sys.argv[1:]]
    lines, deliveries, seconds = chain(given, (1_000_000, 10_000, SECONDS)[len(given) :])
    with tempfile.TemporaryDirectory() as folder:
        home, began = Path(folder) / "home", time.perf_counter()
        workspace = made(home)
        workspace.clock = PretendedClock(AT)
        multiply(workspace, deliveries)
        looked(workspace, lines, deliveries)
        tokens = signed_in(workspace)
        with workspace.database.read() as connection:
            key = partners.keys(connection, PARTY)[0].fingerprint
        workspace.close()
        print(f"{lines:,} lines of access log, {deliveries:,} deliveries, made in {time.perf_counter() - began:.0f} s; {RATE} requests a second, one core")  # fmt: skip
        print(f"{'first':>8} {'median':>8} {'p95':>8} {'CPU':>8}         milliseconds")
        over, count = [], 0
        with serving(home, tokens, key) as portal:
            for role, path, earlier in pages(portal):
                found, count = timed(portal, role, path, seconds), count + 1
                over += [f"{role} {path}"] if found.most > AIM else []
                figures = (max(found.first, earlier), found.median, found.most, found.cpu)
                print(*(f"{1000 * one:8.0f}" for one in figures), f" {'over' if found.most > AIM else '':5} {role:13} {path}", flush=True)  # fmt: skip
    held = "held" if not over else "NOT held"
    print(f"{held}: 95th percentile under {1000 * AIM:.0f} ms on {count - len(over)} of {count} pages and searches")
    print(*(f"  over: {one}" for one in over), sep="\n", end="\n" if over else "")


if __name__ == "__main__":
    main()
