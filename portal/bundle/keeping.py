"""The parts of the page of a bundle about who keeps what: keys, accesses, copies, holds, backups, requests of persons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from portal.bundle.blocks import Cell, Grid, Section, Tongue, code, on, when
from portal.bundle.words import ANSWERS, ATTESTED, COVERS, GROUNDS, HOLDS, RIGHTS
from portal.render import number, size
from portal.words import ACCESS_OUTCOMES, COPIES, KEY_STATES, NO_VALUE, PURGE_STATES, action, ground, reason, said
from retention.bundle import Evidence


def keys(t: Tongue, e: Evidence) -> Section:
    """Who approved whose key, and until when it was good."""
    section, known = (
        Section("keys", t.say("Les clés et ceux qui les ont approuvées", "The keys and who approved them")),
        e.documents["keys"],
    )
    heads = [t.say("Partenaire", "Partner"), t.say("Empreinte", "Fingerprint"), t.say("Inscrite", "Enrolled"), t.say("Valable", "Valid"), t.say("État", "State"), t.say("Approuvée par", "Approved by")]  # fmt: skip
    rows = []
    for one in known["partners"]:
        until = one["revoked_at"] or one["not_after"]
        valid = (
            t.say("sans terme", "without end")
            if until is None
            else t.say(f"jusqu'au {on(t, until)}", f"until {on(t, until)}")
        )
        rows.append([one["party"], code(one["fingerprint"]), f"{on(t, one['enrolled_at'])}, {one['enrolled_by']}", valid, t.text(said(KEY_STATES, one["state"])), ", ".join(one["approvals"]) or None])  # fmt: skip
    section.grids.append(
        t.grid(t.say("Clés des destinataires", "Keys of the recipients"), heads, rows, "evidence/keys.json")
    )
    heads = [t.say("Empreinte", "Fingerprint"), t.say("Signe jusqu'au", "Signs until")]
    rows = [
        [code(one["fingerprint"]), when(t, one["until"]) if one["until"] else t.say("en usage", "in use")]
        for one in known["gateway"]
    ]
    section.grids.append(
        t.grid(
            t.say("Clés de signature de la passerelle", "Signing keys of the gateway"),
            heads,
            rows,
            "evidence/keys.json",
        )
    )
    return section


def accesses(t: Tongue, e: Evidence) -> Section:
    """Who looked at or took what."""
    known = e.documents["accesses"]
    section = Section("accesses", t.say("Qui a consulté ou retiré quoi", "Who looked at or took what"))
    section.paragraphs.append(
        t.say(
            "Le journal des accès garde douze mois. "
            + ("Les agents y sont nommés." if e.about["names"] else "Les agents y sont numérotés : un même numéro désigne la même personne dans ce dossier, et dans lui seul."),
            "The access log keeps twelve months. "
            + ("Those who work are named." if e.about["names"] else "Those who work are numbered: one number is one person in this bundle, and in it alone."),
        )
    )  # fmt: skip
    if known["findings"]:
        section.paragraphs.append(
            t.say(
                f"Attention : au moment de l'export, le journal des accès présentait {t.count(known['findings'], ('altération', 'altérations'), ('', ''))}.",
                f"Mind: when this was exported, the access log showed {t.count(known['findings'], ('', ''), ('alteration', 'alterations'))}.",
            )
        )
    heads = [t.say("Le", "On"), t.say("Qui", "Who"), t.say("Quoi", "What"), t.say("Objet", "Subject"), t.say("Personnes, lignes", "Persons, rows"), t.say("Issue", "Outcome")]  # fmt: skip
    rows = [
        [when(t, one["at"]), one["actor"], t.text(action(one["action"])), code(one["subject"]), t.figure(one["count"]), t.text(said(ACCESS_OUTCOMES, one["outcome"]))]
        for one in known["lines"]
    ]  # fmt: skip
    section.grids.append(t.grid(t.say("Accès", "Accesses"), heads, rows, "evidence/accesses.json"))
    return section


def destruction(t: Tongue, e: Evidence) -> Section:
    """What is to be destroyed and when, what was, what is left."""
    known = e.documents["destruction"]
    plan, deadline = known["plan"], known["plan"]["deadline"]
    section = Section("destruction", t.say("La destruction", "The destruction"))
    value = on(t, deadline["value"]) if isinstance(deadline["value"], str) else t.text(NO_VALUE.get(deadline["status"]))
    section.paragraphs.append(
        t.say(
            f"Échéance : {value} ({t.text(ground(deadline['basis'], deadline['article']))}). Calcul : {deadline['arithmetic']['fr']}.",
            f"Deadline: {value} ({t.text(ground(deadline['basis'], deadline['article']))}). Arithmetic: {deadline['arithmetic']['en']}.",
        )
    )
    if not plan["allowed"]:
        section.paragraphs.append(
            t.say("La destruction ne peut pas avoir lieu à ce jour : ", "No destruction may run to date: ")
            + t.text(reason(plan["reason"]))
            + "."
        )
    heads = [t.say("Copies", "Copies"), t.say("Chez", "With"), t.say("Faites", "Made"), t.say("Détruites", "Destroyed"), t.say("Présentes", "Present"), t.say("Dernière destruction", "Last destroyed")]  # fmt: skip
    us, them = t.say("la passerelle", "the gateway"), t.say("un partenaire", "a partner")
    rows: list[list[Cell | str | None]] = [
        [t.text(said(COPIES, one["kind"])), us if one["ours"] else them, t.figure(one["made"]), t.figure(one["destroyed"]), t.figure(one["present"]), when(t, one["last_destroyed_at"])]
        for one in known["holdings"]
    ]  # fmt: skip
    section.grids.append(
        t.grid(t.say("Registre des copies", "Register of copies"), heads, rows, "evidence/destruction.json")
    )
    if known["purges"]:
        heads = [
            t.say("Destruction", "Destruction"),
            t.say("Commencée", "Started"),
            t.say("Achevée", "Ended"),
            t.say("État", "State"),
        ]
        rows = [
            [
                code(one["purge"]),
                when(t, one["planned_at"]),
                when(t, one["ended_at"]),
                t.text(said(PURGE_STATES, one["state"])),
            ]
            for one in known["purges"]
        ]
        section.grids.append(t.grid(t.say("Destructions", "Destructions"), heads, rows, "evidence/destruction.json"))
    section.grids += custody(t, known)
    for body in known["certificates"]:
        section.grids.append(_certificate(t, body))
    return section


def _certificate(t: Tongue, body: Mapping[str, Any]) -> Grid:
    title = t.say(
        f"Certificat {body['purge']}, signé, achevé le {when(t, body['completed_at'])}",
        f"Certificate {body['purge']}, signed, completed on {when(t, body['completed_at'])}",
    )
    heads = [t.say("Copies détruites", "Copies destroyed"), t.say("Nombre", "Count"), t.say("Taille", "Size")]
    rows = [
        [t.text(said(COPIES, one["kind"])), t.figure(one["count"]), Cell(size(one["bytes"], t.lang), "n")]
        for one in body["destroyed"]
    ]
    return t.grid(title, heads, rows, f"evidence/certificates/{body['purge']}.json")


def custody(t: Tongue, known: Mapping[str, Any]) -> Iterator[Grid]:
    """What suspends the destruction, and the backups that hold copies."""
    if known["holds"]:
        heads = [
            t.say("Motif", "Ground"),
            t.say("Depuis le", "Since"),
            t.say("Portée", "Scope"),
            t.say("Levée le", "Lifted on"),
        ]
        rows: list[list[Cell | str]] = [
            [t.text(said(HOLDS, one["kind"])), on(t, one["since"]), _scope(t, one), on(t, one["lifted_on"])]
            for one in known["holds"]
        ]
        yield t.grid(t.say("Suspensions de la destruction", "Holds"), heads, rows, "evidence/destruction.json")
    if known["attestations"]:
        heads = [t.say("Partenaire", "Partner"), t.say("Demandée le", "Requested on"), t.say("Due le", "Due on"), t.say("Colis", "Parcels"), t.say("Attestés", "Attested"), t.say("État", "State")]  # fmt: skip
        late = t.say(", en retard", ", overdue")
        asked = [
            [
                one["party"], when(t, one["asked_at"]), on(t, one["due"]), t.figure(one["parcels"]), t.figure(one["attested"]),
                t.text(said(ATTESTED, one["state"])) + (late if one["overdue"] else ""),
            ]
            for one in known["attestations"]
        ]  # fmt: skip
        title = t.say(
            "Attestations de destruction demandées aux partenaires", "Attestations of destruction asked of partners"
        )
        yield t.grid(title, heads, asked, "evidence/destruction.json")
    if known["backups"]:
        heads = [t.say("Sauvegarde", "Backup"), t.say("Du", "Of"), t.say("Contient", "Holds"), t.say("Expire le", "Expires on"), t.say("Détruite le", "Destroyed on")]  # fmt: skip
        rows = [
            [code(one["id"]), when(t, one["taken_at"]), ", ".join(t.text(said(COVERS, part)) for part in one["covers"]), on(t, one["expires_on"]), when(t, one["destroyed_at"])]
            for one in known["backups"]
        ]  # fmt: skip
        yield t.grid(t.say("Sauvegardes", "Backups"), heads, rows, "evidence/destruction.json")


def _scope(t: Tongue, one: Mapping[str, Any]) -> str:
    named = [*one["scope"], *([one["period"]] if one["period"] else [])]
    if one["persons"]:
        named.append(t.say(f"{number(one['persons'], 'fr')} personne(s)", f"{number(one['persons'], 'en')} person(s)"))
    return ", ".join(named) or t.say("toute la convention", "the whole convention")


def persons(t: Tongue, e: Evidence) -> Section:
    """Requests of persons and notices to recipients, by number."""
    section = Section("persons", t.say("Les demandes des personnes", "The requests of persons"))
    known = e.documents["persons"]
    section.paragraphs.append(
        t.say(
            "Demandes qui désignaient cette convention, et avis donnés aux destinataires (articles 12 à 21 du RGPD). Aucune personne n'y est nommée.",
            "Requests that named this convention, and notices to recipients (GDPR articles 12 to 21). Nobody is named.",
        )
    )
    if not known["requests"] and not known["notices"]:
        section.paragraphs.append(t.say("Aucune demande, aucun avis.", "No request, no notice."))
        return section
    heads = [t.say("Demande", "Request"), t.say("Droit", "Right"), t.say("Reçue le", "Received on"), t.say("Réponse due le", "Answer due on"), t.say("Répondue le", "Answered on"), t.say("Réponse", "Answer")]  # fmt: skip
    rows = [
        [code(one["id"]), t.text(said(RIGHTS, one["right"])), on(t, one["received_on"]), on(t, one["due"]), when(t, one["answered_at"]), t.text(said(ANSWERS, one["answer"]))]
        for one in known["requests"]
    ]  # fmt: skip
    section.grids.append(t.grid(t.say("Demandes", "Requests"), heads, rows, "evidence/persons.json"))
    if known["notices"]:
        heads = [t.say("Destinataire", "Recipient"), t.say("Objet", "About"), t.say("Colis", "Parcel"), t.say("Avisé le", "Told on"), t.say("Réponse le", "Answer on"), t.say("Réponse", "Answer")]  # fmt: skip
        rows = [
            [one["recipient"], t.text(said(GROUNDS, one["ground"])), code(one["delivery"]), when(t, one["made_at"]), when(t, one["answered_at"]), t.text(said(ANSWERS, one["answer"]))]
            for one in known["notices"]
        ]  # fmt: skip
        section.grids.append(
            t.grid(t.say("Avis aux destinataires", "Notices to recipients"), heads, rows, "evidence/persons.json")
        )
    return section
