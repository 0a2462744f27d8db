"""index.html, LISEZMOI.txt and README.txt: what an auditor reads. The page loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from importlib.resources import files
from typing import Any

from passerelle.trail import Entry, Recorded
from passerelle.trail.show import render
from portal.bundle import keeping, sections
from portal.bundle.blocks import Section, Tongue, civil, code, when
from portal.bundle.telling import READ_ME, checking, essentials, glossary, proven
from portal.bundle.words import EVENTS
from portal.picture import picture
from portal.render import Lang
from portal.words import moment, named
from retention.bundle import Evidence


def pages(evidence: Evidence) -> dict[str, bytes]:
    """The pages by their names in the folder."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("portal.bundle").joinpath("page.html.jinja").read_text("utf-8"))
    views = [_view(Tongue("fr"), evidence), _view(Tongue("en"), evidence)]
    about = {"title": evidence.about["title"]["fr"], "views": views}
    return {
        "index.html": template.render(**about).encode(),
        "LISEZMOI.txt": READ_ME["fr"].format(**evidence.about).encode(),
        "README.txt": READ_ME["en"].format(**evidence.about).encode(),
    }


def _view(t: Tongue, e: Evidence) -> dict[str, Any]:
    about, made = e.about, moment(e.about["made_at"], t.lang)
    return {
        "lang": t.lang,
        "kind": t.say("Dossier d'audit", "Auditor's bundle"),
        "title": about["title"][t.lang],
        "made": t.say(
            f"Convention {about['convention']}. Établi le {made} par la passerelle {about['trail']['origin']}, sur les "
            f"{about['trail']['size']} premières écritures de son registre de preuve.",
            f"Convention {about['convention']}. Written on {made} by the gateway {about['trail']['origin']}, over the first "
            f"{about['trail']['size']} entries of its trail.",
        ),
        "rehearsal": t.say(
            "Répétition générale : l'horloge et les données de ce dossier sont fictives.",
            "Rehearsal: the clock and the data of this bundle are pretended.",
        )
        if about.get("rehearsal")
        else "",
        "contents": t.say("Sommaire", "Contents"),
        "essential": t.say("L'essentiel", "The essentials"),
        "points": essentials(t, e),
        "totals": _totals(t, e),
        "sections": list(_sections(t, e)),
        "end": t.say(
            "Cette page ne charge rien et n'exécute rien. Elle ne contient aucune donnée des personnes dont il est question dans les fichiers.",
            "This page loads nothing and runs nothing. It holds no data of the persons that the files are about.",
        ),
    }


def _totals(t: Tongue, e: Evidence) -> list[tuple[str, str]]:
    names = {
        "deliveries": t.say("envois", "deliveries"), "rows": t.say("lignes sorties", "rows sent"), "recipients": t.say("destinataires", "recipients"),
        "refusals": t.say("refus", "refusals"), "receipts": t.say("accusés de réception", "receipts"), "certificates": t.say("certificats de destruction", "certificates of destruction"),
        "entries": t.say("écritures prouvées", "entries proven"),
    }  # fmt: skip
    return [(words, t.figure(e.about["figures"][name]).words) for name, words in names.items()]


def _sections(t: Tongue, e: Evidence) -> Iterator[Section]:
    yield Section("life", t.say("La vie de la convention", "The convention's life"), picture=_picture(t.lang, e))
    yield sections.dates(t, e)
    yield sections.allowed(t, e)
    yield sections.left(t, e)
    yield sections.decisions(t, e)
    yield sections.controls(t, e)
    yield keeping.keys(t, e)
    yield _incidents(t, e)
    yield keeping.accesses(t, e)
    yield keeping.persons(t, e)
    yield keeping.destruction(t, e)
    yield _chronicle(t, e)
    yield from proven(t, e)
    yield checking(t, e)
    yield glossary(t)


def _recorded(entries: Iterable[Any]) -> list[Recorded]:
    return [Recorded(one.index, Entry(one.kind, one.at, one.body)) for one in entries]


def _incidents(t: Tongue, e: Evidence) -> Section:
    from retention.bundle.evidence import is_incident

    section = Section("incidents", t.say("Les incidents", "The incidents"))
    found = [one for one in e.entries if is_incident(one)]
    exposed = e.documents["incidents"]["exposures"]
    if not found and not exposed:
        section.paragraphs.append(t.say("Aucun incident n'est consigné.", "No incident is on record."))
    if found:
        section.grids.append(_sentences(t, t.say("Incidents consignés", "Incidents on record"), found))
    if exposed:
        section.paragraphs.append(
            t.say(
                "Un événement connu après coup met en cause les envois suivants : au vu de ce que l'on sait aujourd'hui, ils n'auraient pas dû partir.",
                "An event that became known later calls these deliveries into question: by what is known today they should not have left.",
            )
        )
        heads = [
            t.say("Colis", "Parcel"),
            t.say("Échange", "Exchange"),
            t.say("Destinataire", "Recipient"),
            t.say("Remis le", "Delivered on"),
        ]
        rows = [
            [code(one["delivery"]), one["exchange"], one["recipient"], when(t, one["delivered_at"])] for one in exposed
        ]
        section.grids.append(
            t.grid(
                t.say("Envois mis en cause", "Deliveries called into question"), heads, rows, "evidence/incidents.json"
            )
        )
    return section


def _chronicle(t: Tongue, e: Evidence) -> Section:
    section = Section("chronicle", t.say("Le registre, écriture par écriture", "The trail, entry by entry"))
    section.grids.append(_sentences(t, t.say("Écritures prouvées", "Entries proven"), e.entries))
    return section


def _sentences(t: Tongue, title: str, entries: Iterable[Any]) -> Any:
    heads = [t.say("N°", "No."), t.say("Le", "On"), t.say("Écriture", "Entry")]
    rows = [
        [t.figure(row.index), when(t, row.at), row.text]
        for row in render(_recorded(entries), t.lang, named(EVENTS, t.lang))
    ]
    return t.grid(title, heads, rows, "evidence/entries.jsonl")


def _picture(lang: Lang, e: Evidence) -> str:
    """The life of the convention as inline SVG, whose ids are those of its language."""
    shown, known = e.documents["convention"], e.documents["calendar"]
    first, last = (date.fromisoformat(known[name]) for name in ("from", "to"))
    drawn = picture(shown, [*known["entries"], *_done(e)], lang, first, last)
    for one in (f"{shown['id']}-title", f"{shown['id']}-desc", "unsure"):
        drawn = drawn.replace(one, f"{lang}-{one}")
    return drawn[drawn.index("<svg") :]


def _done(e: Evidence) -> Iterator[dict[str, Any]]:
    """Days of delivery and of destruction, as entries of the calendar."""
    exchanges = {one["id"]: one for one in e.documents["convention"]["exchanges"]}
    nothing = {"article": None, "arithmetic": {"fr": "", "en": ""}}
    for on, name in sorted(
        {(civil(one["delivered_at"]).isoformat(), one["exchange"]) for one in e.documents["deliveries"]}
    ):
        known = exchanges.get(name, {"title": {"fr": name, "en": name}, "basis": "hub_policy"})
        yield {
            **nothing,
            "date": on,
            "kind": "delivered",
            "subject": name,
            "title": known["title"],
            "basis": known["basis"],
        }
    for one in e.documents["destruction"]["purges"]:
        if one["ended_at"]:
            title = {"fr": "Données détruites", "en": "Data destroyed"}
            yield {
                **nothing,
                "date": civil(one["ended_at"]).isoformat(),
                "kind": "purged",
                "subject": None,
                "title": title,
                "basis": "hub_policy",
            }
