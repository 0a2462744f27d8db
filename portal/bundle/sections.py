"""The parts of the page of a bundle: what was allowed, what left, who looked, what was destroyed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from portal.bundle.blocks import Grid, Section, Tongue, code, on, when
from portal.bundle.words import EVENTS, SAYS
from portal.render import day
from portal.words import (
    DATES,
    EVERYONE,
    NO_VALUE,
    OUTCOME,
    RUN_STATES,
    STATUS,
    WHO_DECIDES,
    ground,
    reason,
    said,
)
from retention.bundle import Evidence

SHORT = 16  # characters of a hash in a table; the document has it whole


def dates(t: Tongue, e: Evidence) -> Section:
    """Each derived date with its ground and its arithmetic; how unclear clauses were read; what the text leaves unsaid."""
    shown, titles = e.documents["convention"], _titles(t, e)
    section = Section("dates", t.say("Les dates et leur calcul", "The dates and their arithmetic"))
    section.paragraphs.append(
        t.say(
            "Aucune date n'est saisie : chacune se déduit du texte signé et des événements consignés. Le fondement dit si le texte "
            "l'énonce, s'il a fallu l'interpréter, ou si c'est une règle de la passerelle.",
            "No date is typed in: each follows from the signed text and the events on record. The basis says whether the text states "
            "it, whether it had to be interpreted, or whether it is a rule of the gateway.",
        )
    )
    heads = [t.say("Date", "Date"), t.say("Le", "On"), t.say("Fondement", "Basis"), t.say("Calcul", "Arithmetic")]
    rows = []
    for name, one in shown["dates"].items():
        known = titles.get(name.partition(":")[2]) or t.text(DATES.get(name, name))
        value = on(t, one["value"]) if isinstance(one["value"], str) else t.text(NO_VALUE.get(one["status"]))
        if one["status"] == "disputed":
            value += t.say(" (contestée)", " (disputed)")
        rows.append([known, value, t.text(ground(one["basis"], one["article"])), one["arithmetic"][t.lang]])
    section.grids.append(t.grid(t.say("Dates déduites", "Derived dates"), heads, rows, "evidence/convention.json"))
    read = [
        [one["about"][t.lang], ", ".join(_reading(t, r) for r in one["readings"]), _reading(t, one["default"]), t.text(said(WHO_DECIDES, one["who_decides"]))]
        for one in shown["interpretations"]
    ]  # fmt: skip
    if read:
        heads = [t.say("Clause", "Clause"), t.say("Lectures possibles", "Possible readings"), t.say("Retenue", "Taken"), t.say("Qui tranche", "Who decides")]  # fmt: skip
        section.grids.append(
            t.grid(t.say("Clauses interprétées", "Clauses interpreted"), heads, read, "evidence/convention.json")
        )
    return section


INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$")


def _reading(t: Tongue, value: Any) -> str:
    text = str(value)
    try:
        return when(t, text) if INSTANT.match(text) else day(date.fromisoformat(text), t.lang)
    except ValueError:
        return text


def _titles(t: Tongue, e: Evidence) -> dict[str, str]:
    found = {one["subject"]: one["title"][t.lang] for one in e.documents["calendar"]["entries"] if one.get("subject")}
    return found | {one["id"]: one["title"][t.lang] for one in e.documents["convention"]["exchanges"]}


def allowed(t: Tongue, e: Evidence) -> Section:
    """The file of the convention, its parties and exchanges, its record."""
    shown, approvals = e.documents["convention"], e.documents["approvals"]
    section = Section("allowed", t.say("Ce qui était autorisé", "What was allowed"))
    section.paragraphs.append(
        t.say(
            f"La passerelle applique le fichier evidence/conventions/{shown['id']}.yaml, d'empreinte SHA-256 {shown['sha256']}, "
            f"établi d'après le texte signé {shown['source']['file']} ({shown['source']['sha256']}).",
            f"The gateway goes by the file evidence/conventions/{shown['id']}.yaml, SHA-256 {shown['sha256']}, written from the signed "
            f"text {shown['source']['file']} ({shown['source']['sha256']}).",
        )
    )
    if not approvals["accepted"]:
        section.paragraphs.append(
            t.say(
                "Attention : ce fichier diffère de celui qui a été accepté. Tout envoi est refusé tant que deux personnes ne l'ont "
                f"pas approuvé ({len(approvals['approvals'])} à ce jour).",
                "Mind: this file differs from the one that was accepted. Everything is refused until two people have approved it "
                f"({len(approvals['approvals'])} so far).",
            )
        )
    unsaid = t.say("non indiqué", "not stated")
    heads = [
        t.say("Partie", "Party"),
        t.say("Désignée ici par", "Called here"),
        t.say("Signataire", "Signatory"),
        t.say("DPO", "DPO"),
    ]
    rows = [
        [unsaid if one["name"] == "not_stated" else one["name"], code(one["id"]), t.say("oui", "yes") if one["signatory"] else t.say("non", "no"), unsaid if one["dpo"] == "not_stated" else one["dpo"]]
        for one in shown["parties"]
    ]  # fmt: skip
    section.grids.append(t.grid(t.say("Parties", "Parties"), heads, rows, "evidence/convention.json"))
    section.grids += [_exchanges(t, shown), _record(t, e)]
    return section


def _exchanges(t: Tongue, shown: Mapping[str, Any]) -> Grid:
    heads = [t.say("Échange", "Exchange"), t.say("De – vers", "From – to"), t.say("À ce jour", "To date"), t.say("Pourquoi", "Why"), t.say("Fondement", "Basis")]  # fmt: skip
    rows = []
    for one in shown["exchanges"]:
        way = " → ".join(
            ", ".join(t.text(EVERYONE.get(party, party)) for party in one[side]) for side in ("from", "to")
        )
        rows.append([one["title"][t.lang], way, t.text(OUTCOME[one["decision"]]), one["arithmetic"][t.lang], t.text(ground(one["basis"], one["article"]))])  # fmt: skip
    return t.grid(
        t.say("Échanges prévus par le texte", "Exchanges that the text provides for"),
        heads,
        rows,
        "evidence/convention.json",
    )


def _record(t: Tongue, e: Evidence) -> Grid:
    heads = [t.say("Consigné le", "Recorded on"), t.say("Événement", "Event"), t.say("Ce qu'il dit", "What it says"), t.say("Par", "By")]  # fmt: skip
    rows = []
    for one in e.documents["record"]:
        told = [f"{t.text(said(SAYS, name))} {_plain(t, value)}" for name, value in sorted(one["payload"].items())]
        told += [t.say(f"{name} : non repris", f"{name}: left out") for name in one["withheld"]]
        rows.append(
            [on(t, one["recorded_at"]), t.text(said(EVENTS, one["type"])), ", ".join(told) or None, one["recorded_by"]]
        )
    return t.grid(t.say("Événements consignés", "Events on record"), heads, rows, "evidence/record.json")


def _plain(t: Tongue, value: Any) -> str:
    return ", ".join(_plain(t, one) for one in value) if isinstance(value, list) else _reading(t, value)


def left(t: Tongue, e: Evidence) -> Section:
    """Each delivery: to whom, when, how much, under which article, receipted or not."""
    section, titles = (
        Section("left", t.say("Ce qui est sorti, vers qui, à quel titre", "What left, to whom, on which ground")),
        _titles(t, e),
    )
    sent = e.documents["deliveries"]
    if not sent:
        section.paragraphs.append(
            t.say(
                "Rien n'a quitté la passerelle au titre de cette convention.",
                "Nothing left the gateway under this convention.",
            )
        )
        return section
    heads = [
        t.say("Remis le", "Delivered on"), t.say("Échange, période", "Exchange, period"), t.say("Destinataire, n°", "Recipient, no."),
        t.say("Lignes", "Rows"), t.say("Article", "Article"), t.say("Accusé de réception", "Receipt"), t.say("Bordereau, écriture", "Manifest, entry"),
    ]  # fmt: skip
    rows = [
        [
            when(t, one["delivered_at"]), f"{titles.get(one['exchange'], one['exchange'])}, {one['period']}",
            f"{one['recipient']}, {one['sequence']}", t.figure(one["rows"]), t.text(ground(one["basis"], one["article"])), _receipt(t, one),
            code(f"{one['manifest_sha256'][:SHORT]}… n° {one['entry']}"),
        ]
        for one in sent
    ]  # fmt: skip
    section.grids.append(t.grid(t.say("Envois", "Deliveries"), heads, rows, "evidence/deliveries.json"))
    return section


def _receipt(t: Tongue, one: Mapping[str, Any]) -> str:
    if one["superseded_by"]:
        return t.say("remplacé par un envoi corrigé", "superseded by a corrected one")
    if one["receipted_at"]:
        return t.say(f"signé le {on(t, one['receipted_at'])}", f"signed on {on(t, one['receipted_at'])}")
    return t.say("en retard", "late") if one["late"] else t.say("pas encore reçu", "not received yet")


def decisions(t: Tongue, e: Evidence) -> Section:
    """What was asked of the gate and what it answered."""
    section, titles = Section("decisions", t.say("Les décisions", "The decisions")), _titles(t, e)
    section.paragraphs.append(
        t.say(
            "Chaque demande reçoit une réponse motivée, au départ puis à la livraison ; un refus laisse la même trace qu'une autorisation.",
            "Each request gets an answer with its reason, at the start and again at delivery; a refusal leaves the same trace as a permission.",
        )
    )
    heads = [t.say("Écriture", "Entry"), t.say("Le", "On"), t.say("Échange", "Exchange"), t.say("Réponse", "Answer"), t.say("Motif", "Reason"), t.say("Fondement", "Basis")]  # fmt: skip
    stages = {"start": t.say("au départ", "at the start"), "delivery": t.say("à la livraison", "at delivery")}
    rows = [
        [
            t.figure(one["index"]), when(t, one["at"]), titles.get(one["exchange"], one["exchange"]),
            f"{t.text(OUTCOME[one['outcome']])} ({stages[one['stage']]})", t.text(reason(one.get("reason") or one.get("warning"))),
            t.text(ground(one["basis"], one.get("article"))) if "basis" in one else None,
        ]
        for one in e.documents["decisions"]
    ]  # fmt: skip
    section.grids.append(t.grid(t.say("Décisions", "Decisions"), heads, rows, "evidence/decisions.json"))
    return section


def controls(t: Tongue, e: Evidence) -> Section:
    """What the data contract and the checks said of each file: counts, never a value."""
    section, titles = Section("controls", t.say("Le contrôle des fichiers", "The control of the files")), _titles(t, e)
    heads = [
        t.say("Reçu le", "Taken in on"), t.say("Échange, période", "Exchange, period"), t.say("Contrat de données", "Data contract"),
        t.say("Lues", "Read"), t.say("Acceptées", "Accepted"), t.say("Rejetées", "Rejected"), t.say("Contrôles d'ensemble", "Checks of the whole"), t.say("Issue", "Outcome"),
    ]  # fmt: skip
    rows = []
    for one in e.documents["runs"]:
        judged, checked = one["judged"] or {}, one["checked"]
        verdict = (
            None
            if checked is None
            else t.say("passés", "passed")
            if checked["passed"]
            else ", ".join(checked["failed"])
        )
        state = t.text(said(RUN_STATES, one["state"])) + (
            f" – {t.text(reason(one['reason']))}" if one["reason"] else ""
        )
        rows.append(
            [
                when(t, one["started_at"]), f"{titles.get(one['exchange'], one['exchange'])}, {one['period']}", code(one["contract"]), t.figure((one["intake"] or {}).get("rows")),
                t.figure(judged.get("accepted")), t.figure(judged.get("rejected")), verdict, state,
            ]
        )  # fmt: skip
    section.grids.append(t.grid(t.say("Fichiers reçus", "Files taken in"), heads, rows, "evidence/runs.json"))
    return section


def standing(t: Tongue, e: Evidence) -> str:
    """How the convention stands, in one sentence."""
    told = e.documents["convention"]["in_force"]
    status = t.text(STATUS[e.documents["convention"]["status"]])
    return t.say(
        f"Convention {status} : {told['arithmetic']['fr']}.", f"Convention {status}: {told['arithmetic']['en']}."
    )
