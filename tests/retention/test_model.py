"""Random lives of a gateway, played on it and on a model of what it promises: after each act both say the same.

MODEL_LIVES=200 MODEL_ACTS=18 pytest tests/retention/test_model.py
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from passerelle.errors import PasserelleError
from passerelle.keys import parse_private, parse_recipient
from passerelle.persons import received
from passerelle.persons.notifying import answer_notice, notices
from passerelle.receipt.attestation import attest, read_request, sign_attestation
from passerelle.store import attestations as requests
from passerelle.store import holdings
from passerelle.trail.tables import count_of_kind
from passerelle.workspace import Settings, partner_keys
from passerelle.workspace.agreement import verify_tables
from retention import attestations, backups
from retention.attesting import record
from retention.plan import plan
from retention.purge import purge
from retention.restoring import restore
from retention.scope import Scope
from retention.suspending import standing
from retention.watchdog import watch
from tests.canary import sweep
from tests.gateway import OFFERS, POOLS, TWO, Gateway, pools, trail_holds, two_recipients
from tests.receipt.conftest import ssh_key
from tests.retention.model import Model, Run
from tests.retention.playing import CONVENTIONS, PERIODS, PERSONS, Playing, bearing
from tests.retention.test_purge import keep, keys_left, opened

LIVES = int(os.environ.get("MODEL_LIVES", "2"))
FIRST = int(os.environ.get("MODEL_FIRST", "1"))
ACTS = int(os.environ.get("MODEL_ACTS", "10"))
Act = tuple[str, int, int, int]
PLAYED = (
    "exchange", "exchange", "exchange", "refuses", "supersede", "resend", "objects", "erases", "erases", "hold", "hold", "lifts", "reviews",
    "letter", "unnecessary", "days", "weeks", "months", "ends", "to_deadline", "purges", "purges", "purges", "watches", "attests", "answers",
    "backs_up", "restores", "rotates", "revokes",
)  # fmt: skip


def acts(seed: int) -> list[Act]:
    """The acts of one life: names and numbers, any of which may be left out."""
    chance = random.Random(seed)  # noqa: S311 -- lives to be played again
    found = [
        (chance.choice(PLAYED), chance.randrange(64), chance.randrange(64), chance.randrange(64)) for _ in range(ACTS)
    ]
    middle = chance.randrange(ACTS)
    ended = ("ends", chance.randrange(64), chance.randrange(64), 0)
    return [("exchange", 0, 15, 0), ("exchange", 1, 15, 1), *found[:middle], ended, *found[middle:]]


class Life(Playing):
    """A life, with what destroys and what brings back; and what must hold after each act, and at its end."""

    def play(self, act: Act) -> None:
        """Do one act on both, and compare."""
        name, *numbers = act
        self.log.append(f"{act} on {self.model.day}")
        getattr(self, name)(*numbers)
        self.compare()
        self.there |= {run.id: set(run.copies) for run in self.model.runs}

    def purges(self, which: int, part: int, when: int) -> None:
        convention = CONVENTIONS[which % 2]
        exchange = [None, None, None, "candidate-pools", "public-job-offers"][part % 5]
        period = PERIODS[when % 3] if when % 4 == 3 else None
        exchange = None if exchange == "public-job-offers" and which % 2 else exchange
        going = [run for run in self.model.within(convention, exchange, period) if self.model.may_go(run)]
        whole = exchange is None and period is None and self.model.whole(convention)
        held = [run for run in self.model.within(convention, exchange, period) if self.model.held(run)]
        scope = Scope(convention, exchange, None, period)
        self._keep_bytes(going)
        done = self.told(None if going else "RefusedError", lambda: purge(self.workspace, convention, scope=scope))
        if done is None:
            return
        runs = [run for run in self.model.runs if run.convention == convention] if whole else going
        self.model.ask_for_purge(convention, runs)
        self._certified(done, going, held, whole)
        for run in runs:
            run.copies, run.cleared = set(), True
        if whole:
            self.model.shut.add(convention)
            self.model.objections = {key: one for key, one in self.model.objections.items() if key[0] != convention}
            self.model.erased = {key for key in self.model.erased if key[0] != convention}

    def _certified(self, done: Any, going: Sequence[Run], held: Sequence[Run], whole: bool) -> None:
        said = json.loads(done.certificate)
        kinds: dict[str, int] = {}
        for run in going:
            for copy in run.copies:
                kinds[copy.split()[0]] = kinds.get(copy.split()[0], 0) + 1
        assert {one["kind"]: one["count"] for one in said["destroyed"]} == kinds
        assert said["whole"] == whole
        assert sum(sum(one["copies"].values()) for one in said["held"]) == sum(len(run.copies) for run in held)
        parties: dict[str, int] = {}
        for run in going if not whole else [run for run in self.model.runs if run.convention == done.convention]:
            for party in run.parcels:
                parties[party] = parties.get(party, 0) + 1
        assert {one["party"]: one["parcels"] for one in said["handed_to_partners"]} == parties

    def watches(self, *_: int) -> None:
        found = watch(self.workspace)
        closed: dict[tuple[str, str], set[str]] = {}
        for run in self.model.runs:
            for party, parcel in run.parcels.items():
                if parcel in run.replaced:
                    closed.setdefault((run.convention, party), set()).add(parcel)
        for (convention, party), parcels in closed.items():
            known = {one for asked in self.model.asked if asked.cause == "superseded" for one in asked.parcels}
            if parcels - known:
                self.model.ask(convention, party, "superseded", parcels - known)
        told = {
            (one.code, str(one.about.get("hold") or one.about.get("party") or one.about.get("convention")))
            for one in found
        }
        codes = {
            "purge_overdue",
            "hold_review_overdue",
            "attestation_overdue",
            "check_failed",
            "purge_not_ended",
            "run_not_ended",
        }
        assert {one for one in told if one[0] in codes} == set(self.model.alerts()), (
            told,
            set(self.model.alerts()),
            self.log,
        )

    def attests(self, which: int, keeps: int, _: int) -> None:
        with self.workspace.database.read() as connection:
            rows = [row for row in requests.requests(connection) if row.party == "mtfp"]
        if not rows:
            return
        row = rows[which % len(rows)]
        said = read_request(row.line)
        kept = tuple(one.parcel for one in said.parcels)[: keeps % 2] if len(said.parcels) > 1 else ()
        data = sign_attestation(attest(said, self.workspace.now(), kept=kept), self.signer)
        record(self.workspace, data)
        destroyed = {one.parcel for one in said.parcels} - set(kept)
        for one in self.model.asked:
            if one.party == "mtfp":
                one.attested |= one.parcels & destroyed

    def answers(self, which: int, *_: int) -> None:
        with self.workspace.database.read() as connection:
            found = [one.row for one in notices(self.workspace, connection)]
        if found:
            row = found[which % len(found)]
            self.told(
                "RefusedError" if row.answered_at else None,
                lambda: answer_notice(self.workspace, row.id, "done", by="dpo"),
            )

    def backs_up(self, which: int, *_: int) -> None:
        folder = self.gateway.folder / "backups" / str(len(self.saved))
        folder.parent.mkdir(exist_ok=True)
        backups.make(self.workspace, folder, by="dpo", expires_on=self.model.day + timedelta(days=20 + which))
        self.saved.append((folder, deepcopy(self.model)))

    def restores(self, which: int, *_: int) -> None:
        if not self.saved:
            return
        folder, before = self.saved[which % len(self.saved)]
        self.workspace.close()
        restore(Settings(self.gateway.home, self.gateway.database_url, self.workspace.now()), folder)
        self.gateway = self.gateway.reopened()
        self.model = self._restored(deepcopy(before))

    def _restored(self, before: Model) -> Model:
        """The model as it was, without what was destroyed since, with what the tombstones bring back."""
        now = self.model
        for run in before.runs:
            run.copies &= self.there.get(run.id, run.copies)
            if run.convention in now.shut:
                run.copies, run.cleared = set(), True
        before.shut, before.day = set(now.shut), now.day
        before.used |= now.shut
        standing = {name: one for name, one in now.holds.items() if one.convention in now.used - now.shut}
        before.holds = {**before.holds, **standing}
        before.erased |= {key for key in now.erased if key[0] not in now.shut}
        for key in now.objections:
            before.objections.setdefault(key, "")
        before.objections = {key: one for key, one in before.objections.items() if key[0] not in now.shut}
        before.erased = {key for key in before.erased if key[0] not in now.shut}
        return before

    def rotates(self, *_: int) -> None:
        with self.workspace.database.begin() as connection:
            assert count_of_kind(connection, "root_rotated") + 1 == self.workspace.keys.generation
            self.workspace.append(connection, "root_rotated", {"generation": self.workspace.keys.rotate_root()})

    def revokes(self, which: int, *_: int) -> None:
        party = ("mtfp", "mtss", "france-travail")[which % 3]
        old = self.gateway.identities[party]
        with suppress(PasserelleError):
            partner_keys.revoke(self.workspace, old.recipient.fingerprint)
            new = type(old).generate()
            self.gateway.enrol(party, new.recipient)
            self.gateway.identities[party] = new

    def _keep_bytes(self, runs: Sequence[Run]) -> None:
        theirs = {run.id for run in runs}
        with self.workspace.database.read() as connection:
            for copy in holdings.present(connection):
                if copy.run in theirs and copy.kind in {"raw", "quarantine"}:
                    self.destroyed.append((copy.location, self.workspace.path(copy.location).read_bytes()))

    def compare(self) -> None:
        """The register, the disk, the index, the holds and the plans are what the model says."""
        with self.workspace.database.read() as connection:
            present = holdings.present(connection)
            shown = {one.id: one for one in standing(self.workspace, connection)}
            plans = {name: plan(self.workspace, connection, name) for name in CONVENTIONS}
            asked = attestations.standing(self.workspace, connection)
            told = {(one.row.delivery, one.row.cause) for one in notices(self.workspace, connection)}
            for person in PERSONS:
                found = received(self.workspace, connection, person, kind="france-travail")
                listed = {(one.delivery, one.recipient, one.superseded_by is not None) for one in found.deliveries}
                assert listed == self.model.received(person), (person, self.log)
                cleared = {one for run in self.model.runs if run.cleared for one in run.parcels.values()}
                assert {one.delivery for one in found.deliveries if one.purged} == cleared & {
                    one.delivery for one in found.deliveries
                }
        ours = sorted((copy.run, copy.kind) for copy in present if copy.ours and copy.kind != "index")
        wanted = sorted((run.id, copy.split()[0]) for run in self.model.runs for copy in run.copies)
        assert ours == wanted, (set(ours) ^ set(wanted), self.log)
        for copy in present:
            if copy.ours:
                assert self.workspace.path(copy.location).exists(), (copy.kind, self.log)
        on_disk = {
            path
            for name in ("holdings", "releases", "staging")
            for path in (self.gateway.home / name).rglob("*")
            if path.is_file()
        }
        assert on_disk == {
            self.workspace.path(copy.location) for copy in present if copy.ours and copy.kind != "index"
        }, self.log
        today = self.model.day
        assert {name: one.state for name, one in shown.items()} == {
            name: one.state(today) for name, one in self.model.holds.items()
        }
        assert {name: one.copies for name, one in shown.items()} == {
            name: self.model.kept_by(one) for name, one in self.model.holds.items()
        }, self.log
        for name, planned in plans.items():
            within = self.model.within(name)
            assert len(planned.copies) == sum(len(run.copies) for run in within if self.model.may_go(run)), (
                name,
                self.log,
            )
            assert sum(sum(one["copies"].values()) for one in planned.held) == sum(
                len(run.copies) for run in within if self.model.held(run)
            ), self.log
        assert sorted(
            (one.convention, one.party, one.parcels, len(one.missing), one.overdue) for one in asked
        ) == sorted(
            (one.convention, one.party, len(one.parcels), len(one.missing), bool(one.missing) and one.due < today)
            for one in self.model.asked
        ), self.log
        assert sorted(one for one, _ in told) == sorted(parcel for parcel, _ in self.model.notices), self.log

    def check_at_end(self, aside: Path) -> None:
        """Trail and tables hold; no value of a person lies anywhere; what is kept opens, what was destroyed does not."""
        trail_holds(self.workspace)
        with self.workspace.database.read() as connection:
            verify_tables(self.workspace.ledger, connection)
            present = holdings.present(connection)
        canaries = {
            f"{name} {index}": value
            for index in range(len(PERSONS))
            for name, value in bearing(index).items()
            if name in {"jobseeker_id", "email", "last_name"}
        }
        assert not sweep(
            [self.gateway.home, self.gateway.folder / "partners", *(one[0] for one in self.saved)], canaries
        ), self.log
        for copy in present:
            if copy.kind == "raw":
                key = self.workspace.keys.copy_key(copy.convention, copy.location)
                assert opened(self.workspace.path(copy.location).read_bytes(), [key.identity]), self.log
        there = {copy.location for copy in present}
        kept = keep(self.gateway, aside)
        identities = keys_left(self.gateway, kept)
        for location, data in self.destroyed:
            if location not in there:
                assert opened(data, identities) is None, (location, self.log)


@pytest.fixture(scope="module")
def born(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path, dict[str, Path], Any]:
    """Two conventions with their pieces on file, three partners, nothing exchanged yet."""
    folder = tmp_path_factory.mktemp("lives")
    gateway = pools(folder / "gateway")
    two_recipients(gateway)
    gateway.partner("france-travail")
    gateway.record(
        ("csp-ft-2024", "instrument_recorded", {"id": "offers-data-exchange-convention", "on": "2025-05-05"})
    )
    key = ssh_key(folder)
    gateway.enrol("mtfp", parse_recipient(key.with_suffix(".pub").read_text()))
    pool = gateway.write(POOLS, 20, seed=2, name="pool.csv")
    files = {POOLS: pool, TWO: pool, OFFERS: gateway.write(OFFERS, 20, name="offers.csv")}
    gateway.move_to("2025-05-12T12:00:00+02:00")
    return gateway, gateway.saved(folder / "saved"), files, parse_private(key.read_bytes())


@pytest.mark.parametrize("seed", range(FIRST, FIRST + LIVES))
def test_a_life(born: Any, seed: int, tmp_path: Path) -> None:
    """Whatever is exchanged, held, erased, purged, saved and restored, in whichever order: gateway and model say the same."""
    gateway, saved, files, signer = born
    made = gateway.restored(saved)
    life = Life(made, Model(date(2025, 5, 12)), files, signer)
    try:
        for act in acts(seed):
            life.play(act)
        life.check_at_end(tmp_path / "kept")
    finally:
        life.workspace.close()
