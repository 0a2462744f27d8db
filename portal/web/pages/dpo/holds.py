"""Holds: what must be kept beyond its day, why, by whom, until when; placing one, looking at it again, lifting it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from passerelle.access import Look, looking
from passerelle.errors import PasserelleError, RefusedError, UsageError
from portal.render import Text
from portal.web.listing import Column, Filter, Listing, paged
from portal.web.pages import asked
from portal.web.pages.dpo.persons import KINDS
from portal.web.visit import AbsentError, Visit
from portal.web.ways import DPO, Way
from portal.words import COPIES, HOLD_STATES, REASONS, said
from retention.looks import SCOPE as ACCESS_LOG
from retention.suspending import Asked, Standing, kept, lift, place, review, standing

HASH = re.compile(r"[0-9a-f]{64}")
TONES = {"active": "", "review_overdue": "bad", "lifted": "good"}
NATURES = tuple((kind, REASONS[kind]) for kind in ("litigation", "legal_obligation"))
COLUMNS = (
    Column("hold", Text("suspension", "hold"), "code"),
    Column("state", Text("état", "state"), "words"),
    Column("convention", Text("convention", "convention")),
    Column("scope", Text("porte sur", "keeps"), "words"),
    Column("kind", Text("nature", "kind"), "words"),
    Column("since", Text("depuis", "since"), "day"),
    Column("review", Text("réexamen", "review"), "day"),
    Column("owner", Text("responsable", "owner")),
    Column("reason", Text("motif", "reason")),
    Column("copies", Text("copies", "copies"), "number"),
)


def every(visit: Visit) -> Response:
    """Every hold: those past their review first, those lifted last."""
    wanted, state = asked.text(visit, "convention"), asked.text(visit, "state")
    if wanted is not None:
        visit.workspace.convention(wanted)
    with visit.workspace.database.read() as connection:
        found = [one for one in standing(visit.workspace, connection, wanted) if state in {None, one.state}]
    shown, cursor = paged(found, visit.asked("after"), visit.rows, lambda one: one.id)
    return visit.listing(
        Listing(
            Text("Suspensions", "Holds"),
            Text(
                "Ce qu'un contentieux ou la loi oblige à conserver au-delà de son jour : ce qui est nommé, et rien d'autre.",
                "What a litigation or the law keeps beyond its day: what is named, and nothing else.",
            ),
            COLUMNS, [_row(visit, one) for one in shown],
            Text("Aucune suspension : tout sera détruit à son jour.", "No hold: everything is destroyed on its day."),
            (
                Filter("convention", Text("Convention", "Convention")),
                Filter("state", Text("État", "State"), "choice", list(HOLD_STATES.items())),
            ), cursor,
        ),
        "dpo/holds.html.jinja",
    )  # fmt: skip


def new(visit: Visit) -> Response:
    """The form that places a hold."""
    return _new(visit)


def _new(visit: Visit, fault: PasserelleError | None = None) -> Response:
    visit.shows_nothing()
    return visit.page(
        "dpo/hold-new.html.jinja", 400 if fault else 200, fault=asked.fault_in_words(fault), natures=NATURES, kinds=KINDS,
        scopes=_scopes(visit), chosen=visit.given("about") or visit.asked("about"), again=_again(visit),
    )  # fmt: skip


def _again(visit: Visit) -> dict[str, str]:
    """What the form said in words, to be shown in it again; not what names the person."""
    given = {name: visit.given(name) for name in ("reason", "owner", "period")}
    return {name: "" if asked.names(text, visit.given("identifier")) else text for name, text in given.items()}


def put(visit: Visit) -> Response:
    """Place a hold; of a person's identifier a keyed tag is kept, nothing else."""
    name, _, within = visit.given("about").partition("/")
    by, reason, person = visit.account.name, visit.given("reason"), visit.given("identifier") or None
    try:
        for kept_text in (reason, visit.given("owner"), visit.given("period")):
            asked.insist_unnamed(kept_text, person or "")
        meant = Asked(
            kind="legal_obligation" if visit.given("kind") == "legal_obligation" else "litigation", reason=reason,
            owner=visit.given("owner") or by, review=asked.a_day(visit.given("review"), "review"),
            names=(within,) if within else (), period=visit.given("period") or None, person=person,
            person_kind=visit.given("person_kind") or None,
            since=asked.a_day(visit.given("since"), "since") if visit.given("since") else None,
            evidence_sha256=_evidence(visit),
        )  # fmt: skip
        with looking(visit.workspace, Look(by, "hold_placed", name, reason, convention=name)):
            found = place(visit.workspace, name, meant, by=by)
    except (UsageError, RefusedError) as fault:
        return _new(visit, fault)
    visit.logged.add("hold_placed")
    words = Text(f"Suspension {found.id} placée : {found.copies} copies retenues.", f"Hold {found.id} placed: {found.copies} copies kept.")  # fmt: skip
    return visit.go(visit.href("hold", hold=found.id), words)


def one(visit: Visit) -> Response:
    """One hold: what it keeps, and what would go the same day if it were lifted."""
    return _one(visit, _known(visit))


def _one(visit: Visit, found: Standing, fault: PasserelleError | None = None) -> Response:
    visit.shows_nothing()
    with visit.workspace.database.read() as connection:
        copies = [(said(COPIES, each.kind), each) for each in kept(visit.workspace, connection, found)]
    return visit.page(
        "dpo/hold.html.jinja", 400 if fault else 200, found=found, fault=asked.fault_in_words(fault), copies=copies,
        state=HOLD_STATES[found.state], tone=TONES[found.state], scope=_scope(found), kind=REASONS[found.kind],
        going=sum(each.going for _, each in copies), total=sum(each.copies for _, each in copies),
    )  # fmt: skip


def look_again(visit: Visit) -> Response:
    """Note that the hold was looked at again and stays, and when the next look is due."""
    found, by, reason = _known(visit), visit.account.name, visit.given("reason")
    try:
        following = asked.a_day(visit.given("review"), "review")
        with looking(visit.workspace, Look(by, "hold_reviewed", found.id, reason, convention=found.convention)):
            review(
                visit.workspace, found.id, reason=reason, following=following, by=by, evidence_sha256=_evidence(visit)
            )
    except (UsageError, RefusedError) as fault:
        return _one(visit, found, fault)
    visit.logged.add("hold_reviewed")
    return visit.go(visit.href("hold", hold=found.id), Text("Réexamen enregistré : la suspension demeure.", "Review recorded: the hold stays."))  # fmt: skip


def take_off(visit: Visit) -> Response:
    """Lift the hold: what it kept beyond its day is due at once."""
    found, by, reason = _known(visit), visit.account.name, visit.given("reason")
    try:
        with looking(visit.workspace, Look(by, "hold_lifted", found.id, reason, convention=found.convention)):
            lift(visit.workspace, found.id, reason=reason, by=by, evidence_sha256=_evidence(visit))
    except (UsageError, RefusedError) as fault:
        return _one(visit, found, fault)
    visit.logged.add("hold_lifted")
    return visit.go(visit.href("plan", which=found.convention), Text(f"Suspension {found.id} levée : ce qu'elle retenait au-delà de son jour est dû dès aujourd'hui.", f"Hold {found.id} lifted: what it kept beyond its day is due today."))  # fmt: skip


def _known(visit: Visit) -> Standing:
    wanted = visit.part("hold")
    with visit.workspace.database.read() as connection:
        found = [one for one in standing(visit.workspace, connection) if one.id == wanted]
    if not found:
        raise AbsentError
    return found[0]


def _evidence(visit: Visit) -> str | None:
    """The hash of the document that was sent, or the hash that was typed.

    Raises:
        UsageError: what was typed is no SHA-256.
    """
    sent, typed = visit.form.get("evidence"), visit.given("evidence_sha256").lower()
    if isinstance(sent, UploadFile) and sent.size:
        return hashlib.sha256(sent.file.read()).hexdigest()
    if typed and not HASH.fullmatch(typed):
        raise UsageError("expected the SHA-256 of the document: 64 hexadecimal digits", fr="il faut l'empreinte SHA-256 de la pièce : 64 chiffres hexadécimaux")  # fmt: skip
    return typed or None


def _scopes(visit: Visit) -> list[tuple[str, Text]]:
    """What a hold may name: each convention, its exchanges, its datasets, its lines of the access log."""
    found = []
    for name in visit.workspace.convention_ids():
        found.append((name, Text(f"{name} : tout", f"{name}: everything")))
        text = visit.workspace.convention(name)
        exchanges = [one.id for one in text.exchanges]
        datasets = {one.handling.contract for one in text.exchanges if one.handling is not None} - set(exchanges)
        parts = [
            *((one, Text(f"échange {one}", f"exchange {one}")) for one in exchanges),
            *((one, Text(f"jeu de données {one}", f"dataset {one}")) for one in sorted(datasets)),
            (ACCESS_LOG, Text("journal des accès", "access log")),
        ]
        found += [(f"{name}/{one}", Text(f"{name} : {words.fr}", f"{name}: {words.en}")) for one, words in parts]
    return found


def _scope(one: Standing) -> Text:
    parts = [*one.scope, *([one.period] if one.period else [])]
    fr, en = (", ".join([*parts, *([person] if one.person else [])]) for person in ("une personne", "one person"))
    return Text(fr or "toute la convention", en or "the whole convention")


def _row(visit: Visit, one: Standing) -> dict[str, Any]:
    return {
        "hold": one.id, "hold_href": visit.href("hold", hold=one.id), "state": HOLD_STATES[one.state],
        "state_tone": TONES[one.state], "convention": one.convention, "scope": _scope(one), "kind": REASONS[one.kind],
        "since": one.since, "review": one.review, "owner": one.owner, "reason": one.reason, "copies": one.copies,
    }  # fmt: skip


WAYS = (
    Way("holds", "/holds", every, DPO, navigates=("Suspensions", "Holds")),
    Way("hold.new", "/holds/new", new, DPO),
    Way("hold.place", "/holds/new", put, DPO, "POST", logs="hold_placed"),
    Way("hold", "/holds/{hold}", one, DPO),
    Way("hold.review", "/holds/{hold}/review", look_again, DPO, "POST", logs="hold_reviewed"),
    Way("hold.lift", "/holds/{hold}/lift", take_off, DPO, "POST", logs="hold_lifted", fresh=True),
)
