"""Acts of a random life, done on a gateway and on its model: exchanges, rights of persons, holds, the end, the clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flows import assembly
from passerelle.convention import Exchange
from passerelle.errors import GateRefusedError, PasserelleError
from passerelle.handover.exchange import run_exchange
from passerelle.handover.order import Order, Tools
from passerelle.handover.resend import resend
from passerelle.persons import record_objection
from passerelle.profile import Finding, Verdict
from passerelle.workspace import Workspace
from retention.erasing import erase_person
from retention.suspending import Asked as Wanted
from retention.suspending import lift, place, review
from tests.gateway import DATASETS, OFFERS, POOLS, TWO, Gateway, edited
from tests.retention.model import Hold, Model, Run, months_after

EXCHANGES = (POOLS, TWO, OFFERS)
CONVENTIONS = ("csp-ft-2024", "two-ministries")
TO = {POOLS: ("mtfp",), TWO: ("mtfp", "mtss"), OFFERS: ("france-travail",)}
PERIODS = ("2025-03", "2025-04", "2025-05")
WIDER = (None, "2025-03", "2025-04", "2025-Q2", "2025")
PERSONS = ("98765431", "98765432", "98765433", "98765434")


def bearing(index: int) -> dict[str, str]:
    """A person as the sender's file has it."""
    letter = "abcd"[index]
    return {
        "jobseeker_id": PERSONS[index], "email": f"canari.{letter}@quintard.fr", "last_name": f"Quintardcanari{letter}",
        "first_name": "Zoé", "birth_date": f"0{index + 1}/02/1990",
    }  # fmt: skip


REFUSED = Verdict(False, (Finding("volume", False, "non", "no"),))


def tools_for(exchange: Exchange) -> Tools:
    """What an exchange is done with; checks that always pass: what they judge is not what is played."""
    passed = Verdict(True, (Finding("volume", True, "oui", "yes"),))
    return replace(assembly.tools_for(exchange), judge=lambda *_: passed)


@dataclass
class Playing:
    """A gateway and its model, side by side; each act says what it expects of the one by the other."""

    gateway: Gateway
    model: Model
    files: dict[str, Path]
    signer: Any
    saved: list[tuple[Path, Model]] = field(default_factory=list)
    there: dict[str, set[str]] = field(default_factory=dict)
    destroyed: list[tuple[str, bytes]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Workspace:
        return self.gateway.workspace

    def told(self, expected: str | None, act: Callable[[], Any]) -> Any:
        """What an act gives; where the model expects a refusal, that it is refused, with words in both languages."""
        error, given = None, None
        try:
            given = act()
        except PasserelleError as caught:
            error = caught
        said = None if error is None else error.reason if isinstance(error, GateRefusedError) else type(error).__name__
        assert (said is None) == (expected is None), (expected, said, str(error), self.log)
        if expected is not None and expected != "*":
            assert said in expected.split("|"), (expected, said, str(error))
        return given

    def exchange(self, which: int, who: int, when: int) -> None:
        self._exchange(EXCHANGES[which % 3], who % 16, PERIODS[when % 3], which // 3 % 3)

    def _exchange(self, which: str, who: int, period: str, variant: int, closes: Run | None = None) -> None:
        convention, _, exchange = which.partition("/")
        had = frozenset(one for bit, one in enumerate(PERSONS) if who >> bit & 1) if which != OFFERS else frozenset()
        source = self._file(which, who if had else 0, variant)
        content = f"{exchange} {sorted(had)} {variant}"
        order = self.gateway.order(which, period, source)
        if closes is not None:
            content += f" in place of {min(closes.parcels.items())}"
            order = replace(order, supersedes=min(closes.parcels.items())[1], reason="erasure")
        made = next(
            (
                run
                for run in self.model.runs
                if run.original is None
                and run.parcels
                and (run.convention, run.exchange, run.period, run.content) == (convention, exchange, period, content)
            ),
            None,
        )
        expected = self._why_not(convention, exchange, period)
        if expected is None and closes is not None and closes.cleared:
            expected = "RefusedError"
        outcome = self.told(expected, lambda: run_exchange(self.workspace, order, tools_for(self._exchange_of(order))))
        if outcome is None:
            return
        self.model.used.add(convention)
        if made is not None:
            assert outcome.state == "duplicate"
            return
        assert outcome.state == "delivered", outcome.state
        out = self.model.left_out(convention, had)
        assert outcome.counts.get("left_out", 0) == len(out)
        parcels = {one.recipient: one.parcel for one in outcome.deliveries}
        assert set(parcels) == set(TO[which])
        copies = {"raw", "quarantine", *(f"release {party}" for party in parcels)}
        left, today = had - out, self.model.day
        run = Run(
            outcome.run, convention, exchange, DATASETS[which], period, content, had, left, parcels, copies, today
        )
        run.erased = any((convention, one) in self.model.erased for one in out)
        if run.erased and not self.model.may_be_held(run):
            run.copies -= {"raw", "quarantine"}
        self.model.runs.append(run)
        if closes is not None:
            self._replace(closes)

    def refuses(self, which: int, who: int, when: int) -> None:
        """A file of candidates that the checks refuse: only its rejected rows stay, for their own short life."""
        named, period, variant = EXCHANGES[which % 2], PERIODS[when % 3], which // 3 % 3
        convention, _, exchange = named.partition("/")
        had = frozenset(one for bit, one in enumerate(PERSONS) if who % 16 >> bit & 1)
        content, before = f"{exchange} {sorted(had)} {variant}", {one.id for one in self.gateway.runs()}
        order = self.gateway.order(named, period, self._file(named, who % 16 if had else 0, variant))
        if any(
            (one.convention, one.period, one.content) == (convention, period, content) and one.parcels
            for one in self.model.runs
        ):
            return
        expected = self._why_not(convention, exchange, period) or "ContractError"
        tools = replace(tools_for(self._exchange_of(order)), judge=lambda *_: REFUSED)
        self.told(expected, lambda: run_exchange(self.workspace, order, tools))
        if expected == "ContractError":
            self.model.used.add(convention)
            (new,) = {one.id for one in self.gateway.runs()} - before
            run = Run(
                new,
                convention,
                exchange,
                DATASETS[named],
                period,
                content,
                had,
                frozenset(),
                {},
                {"quarantine"},
                self.model.day,
            )
            run.erased = any((convention, one) in self.model.erased for one in had)
            self.model.runs.append(run)

    def _exchange_of(self, order: Order) -> Exchange:
        found = self.workspace.convention(order.convention).exchange(order.exchange)
        assert found is not None
        return found

    def _replace(self, closes: Run) -> None:
        for run in self.model.runs:
            if run.first is closes.first:
                for party, parcel in run.parcels.items():
                    if parcel not in run.replaced:
                        run.replaced.add(parcel)
                        run.copies.discard(f"release {party}")

    def _why_not(self, convention: str, exchange: str, period: str) -> str | None:
        if not self.model.in_force(convention):
            return "*"
        if self.model.blocked(convention, exchange, period):
            return "held"
        return "*" if convention in self.model.shut else None

    def _file(self, which: str, who: int, variant: int) -> Path:
        base = self.files[which]
        if which == OFFERS:
            lines = base.read_bytes().split(b"\r\n")
            path = base.with_name(f"offers-{variant}.csv")
            path.write_bytes(b"\r\n".join(lines[: len(lines) - 1 - variant]) + b"\r\n")
            return path
        path = base.with_name(f"pool-{who}-{variant}.csv")
        if not path.exists():
            shutil.copy(base, path)
            rows = {index: bearing(index) for index in range(len(PERSONS)) if who >> index & 1}
            edited(path, {**rows, 10: {"mobility_km": str(11 + variant)}})
        return path

    def _pick(self, number: int) -> Run | None:
        found = [run for run in self.model.runs if run.original is None and run.parcels and not run.replaced]
        return found[number % len(found)] if found else None

    def supersede(self, which: int, who: int, variant: int) -> None:
        run = self._pick(which)
        if run is not None:
            self._exchange(f"{run.convention}/{run.exchange}", who % 16, run.period, 3 + variant % 3, closes=run)

    def resend(self, which: int, to: int, _: int) -> None:
        run = self._pick(which)
        if run is None:
            return
        party = sorted(run.parcels)[to % len(run.parcels)]
        expected = self._why_not(run.convention, run.exchange, run.period)
        same = run.left == run.had - self.model.left_out(run.convention, run.had)
        made = next((one for one in self.model.runs if one.original is run and party in one.parcels), None)
        if expected is None and (run.cleared or "raw" not in run.copies or (not same and made is None)):
            expected = "RefusedError"
        outcome = self.told(
            expected, lambda: resend(self.workspace, run.parcels[party], "lost", tools_for, actor="test")
        )
        if outcome is None or made is not None:
            return
        copies = {"quarantine", f"release {party}"}
        (sent,) = outcome.deliveries
        again = replace(
            run, id=outcome.run, parcels={party: sent.parcel}, copies=copies, original=run, replaced=set(), erased=False
        )
        self.model.runs.append(again)

    def objects(self, which: int, who: int, _: int) -> None:
        convention, person = CONVENTIONS[which % 2], PERSONS[who % 4]
        expected = "RefusedError" if convention in self.model.shut else None
        self.told(expected, lambda: record_objection(self.workspace, convention, "france-travail", person, by="dpo"))
        if expected is None:
            self.model.used.add(convention)
            self.model.objections[convention, person] = ""

    def erases(self, which: int, who: int, _: int) -> None:
        convention, person = CONVENTIONS[which % 2], PERSONS[who % 4]
        expected = "RefusedError" if convention in self.model.shut else None
        runs = [run for run in self.model.runs if run.convention == convention and (person in run.left or run.erased)]
        made = self.told(
            expected, lambda: erase_person(self.workspace, person, by="dpo", reason="art. 17", convention=convention)
        )
        if expected is not None:
            return
        self.model.used.add(convention)
        self.model.erased.add((convention, person))
        gone = 0
        for run in runs:
            if not self.model.held(run):
                gone += len(run.copies & {"raw", "quarantine"})
                run.copies -= {"raw", "quarantine"}
        assert sum(made[0].destroyed.values()) == gone, self.log
        for run in runs:
            for parcel in run.parcels.values():
                if parcel not in run.replaced and person in run.left:
                    self.model.notices.setdefault((parcel, person), None)

    def hold(self, what: int, when: int, kind: int) -> None:
        convention = CONVENTIONS[what % 2]
        names = [(), ("candidate-pools",), ("candidate_pool",), ("public-job-offers",), ()][what // 2 % 5]
        if convention == CONVENTIONS[1] and names == ("public-job-offers",):
            names = ("candidate-pools",)
        period = WIDER[when % 5] if what % 3 else None
        person = PERSONS[when % 4] if kind % 3 == 0 else None
        lost = convention in self.model.shut or (person is not None and convention not in self.model.used)
        expected = "RefusedError" if lost else None
        called = ("litigation", "legal_obligation")[kind // 3 % 2]
        last = self.model.day + timedelta(days=20 + kind)
        wanted = Wanted(called, "dossier 12", "DPO", last, names, period, person)  # type: ignore[arg-type]
        made = self.told(expected, lambda: place(self.workspace, convention, wanted, by="dpo"))
        if made is not None:
            self.model.holds[made.id] = Hold(convention, called, frozenset(names), period, person, self.model.day, last)

    def lifts(self, which: int, *_: int) -> None:
        names = sorted(self.model.holds)
        if not names:
            return
        one = self.model.holds[names[which % len(names)]]
        expected = "RefusedError" if one.lifted else None
        self.told(expected, lambda: lift(self.workspace, names[which % len(names)], reason="désistement", by="dpo"))
        one.lifted = one.lifted or self.model.day

    def reviews(self, which: int, after: int, _: int) -> None:
        names = sorted(self.model.holds)
        if not names:
            return
        one, following = self.model.holds[names[which % len(names)]], self.model.day + timedelta(days=after - 2)
        expected = "RefusedError" if one.lifted else "UsageError" if after <= 2 else None
        self.told(
            expected,
            lambda: review(self.workspace, names[which % len(names)], reason="revu", following=following, by="dpo"),
        )
        one.review = one.review if expected else following

    def letter(self, which: int, *_: int) -> None:
        convention = CONVENTIONS[which % 2]
        if convention not in self.model.letters:
            told = {"by": "cheops", "form": "registered_letter_ar", "received_on": self.model.day.isoformat()}
            self.gateway.record((convention, "termination_letter", told))
            self.model.letters[convention] = self.model.day

    def unnecessary(self, which: int, what: int, _: int) -> None:
        convention = CONVENTIONS[which % 2]
        name = ["candidate-pools", "candidate-pools", "public-job-offers" if which % 2 == 0 else "candidate-pools", ""][
            what % 4
        ]
        told = {"on": self.model.day.isoformat(), **({"exchange": name} if name else {})}
        self.gateway.record((convention, "declared_unnecessary", told))
        self.model.unnecessary.setdefault(convention, {}).setdefault(name, self.model.day)

    def _move(self, day: date) -> None:
        if day > self.model.day:
            self.model.day = day
            self.gateway.move_to(f"{day.isoformat()}T12:00:00+02:00")

    def days(self, count: int, *_: int) -> None:
        self._move(self.model.day + timedelta(days=1 + count % 6))

    def weeks(self, count: int, *_: int) -> None:
        self._move(self.model.day + timedelta(days=7 + count % 30))

    def months(self, count: int, *_: int) -> None:
        self._move(months_after(self.model.day, 1 + count % 3))

    def ends(self, which: int, off: int, _: int) -> None:
        """A letter that ends a convention, and the days until its copies are about to be due."""
        self.letter(which)
        self.to_deadline(which, off, 0)

    def to_deadline(self, which: int, off: int, _: int) -> None:
        last = self.model.deadline(CONVENTIONS[which % 2])
        if last is not None:
            self._move(last + timedelta(days=off % 5 - 3))
