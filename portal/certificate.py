"""A certificate of destruction as a page to print and file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from portal.papers import KEPT, NO_BACKUP, OTHER_USES, part
from portal.render import Screen, Text, Tone, number, size
from portal.words import COPIES, ground, moment, reason, said


def on(value: str | None) -> date | None:
    """A date of a JSON body, as a date."""
    return None if value is None else date.fromisoformat(value)


def show_certificate(out: Screen, body: Mapping[str, Any]) -> None:
    """What was destroyed, when and why then; what that proves, what it cannot; how to check the page itself."""
    out.heading(Text(f"Certificat de destruction {body['purge']}", f"Certificate of destruction {body['purge']}"))
    deadline = body["deadline"]
    out.facts(
        [
            (Text("convention", "convention"), body["convention"]),
            (Text("empreinte de son texte", "hash of its text"), body["convention_sha256"]),
            (Text("partie", "part"), part(body)),
            (Text("motif", "reason"), reason(body["reason"])),
            (Text("échéance", "deadline"), on(deadline["value"])),
            (Text("fondement", "basis"), ground(deadline["basis"], deadline["article"])),
            (Text("calcul", "arithmetic"), deadline["arithmetic"][out.lang]),
            (Text("commencée", "started"), moment(body["planned_at"], out.lang)),
            (Text("achevée", "completed"), moment(body["completed_at"], out.lang)),
        ]
    )
    _destroyed(out, body)
    _kept(out, body)
    for title, sentences in (
        (Text("Ce qui est prouvé", "What is proved"), body["proved"]),
        (
            Text("Ce que les partenaires ont à attester", "What is asked of partners, and what they attest"),
            body["attested"],
        ),
        (Text("Sauvegardes", "Backups"), _backups(body)),
        (Text("Ce que ce certificat ne peut pas prouver", "What this certificate cannot prove"), body["not_proved"]),
    ):
        if sentences:
            out.heading(title)
        for sentence in sentences:
            out.say(f"– {sentence[out.lang]}")
    _how_to_check(out, body)


def _backups(body: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a certificate tells of backups; nothing where it was written before it told of them."""
    return body.get("backups", []) or [{"fr": NO_BACKUP.fr, "en": NO_BACKUP.en}] * ("backups" in body)


def _destroyed(out: Screen, body: Mapping[str, Any]) -> None:
    out.heading(Text("Détruit", "Destroyed"))
    titles = [Text("copies", "copies"), Text("nombre", "count"), Text("taille", "size")]
    rows = [
        (said(COPIES, one["kind"]), number(one["count"], out.lang), size(one["bytes"], out.lang))
        for one in body["destroyed"]
    ]
    out.table(titles, rows, right=frozenset({1, 2}))
    generation = body["keys"]["root_generation"]
    keys = (
        Text("de la convention", "convention's keys")
        if body["whole"]
        else Text("de ces copies", "keys of these copies")
    )
    out.say(
        Text(
            f"Les clés {keys.fr}, et la clé racine d'avant la génération {generation}.",
            f"The {keys.en}, and the root key before generation {generation}.",
        )
    )
    handed = body["handed_to_partners"]
    if handed:
        parties = ", ".join(f"{one['party']} ({one['parcels']})" for one in handed)
        out.say(Text(f"Colis remis avant la destruction : {parties}.", f"Parcels handed over before: {parties}."))
    if body["person_index"]["kept"]:
        out.say(body["person_index"][out.lang])


def _kept(out: Screen, body: Mapping[str, Any]) -> None:
    if body.get("held"):
        out.heading(KEPT)
        titles = [
            Text("suspension", "hold"),
            Text("nature", "kind"),
            Text("échange", "exchange"),
            Text("copies", "copies"),
        ]
        rows = [
            (one["hold"], reason(one["kind"]), one["exchange"], number(sum(one["copies"].values()), out.lang))
            for one in body["held"]
        ]
        out.table(titles, rows, right=frozenset({3}))


def _how_to_check(out: Screen, body: Mapping[str, Any]) -> None:
    out.heading(Text("Vérifier ce certificat", "To check this certificate"))
    which = body["purge"]
    out.say(
        Text(
            f"Il est signé et inscrit au registre de preuve {body['trail']['origin']}, à l'écriture {body['trail']['size']}.",
            f"It is signed, and entered in the trail {body['trail']['origin']} as entry {body['trail']['size']}.",
        )
    )
    for command in (
        f"passerelle purge certificate {which} --out certificate",
        (
            "ssh-keygen -Y verify -f trust/allowed_signers -I passerelle -n passerelle-certificate"
            " -s certificate/certificate.json.sig < certificate/certificate.json"
        ),
        "passerelle trail verify",
    ):
        out.say(f"  {command}", Tone.FAINT)
    out.say(OTHER_USES)
