"""The register of processing (GDPR art. 30): generated from the conventions, reconciled with what was delivered."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection

from passerelle.contract import Column
from passerelle.convention import Convention, destruction_deadline
from passerelle.convention.model import Exchange
from passerelle.formulas import as_shown
from passerelle.persons.received import named
from passerelle.persons.requesting import Route, routes
from passerelle.store import partners, runs
from passerelle.store.runs import Sent
from passerelle.workspace import Workspace

EVERYONE = frozenset({"any", "all"})
Lang = Literal["fr", "en"]
Finding = Literal["happened", "declared_never_happened", "undeclared"]
ColumnsOf = Callable[[str], Sequence[Column]]

HEADS: dict[Lang, dict[str, str]] = {
    "fr": {
        "convention": "Convention", "exchange": "Échange", "title": "Traitement", "controllers": "Responsables (émetteurs)",
        "recipients": "Destinataires", "officers": "Délégués", "purpose": "Finalité", "legal_basis": "Base légale",
        "article": "Article", "persons": "Personnes", "data": "Données", "retention": "Effacement",
        "security": "Sécurité", "finding": "Constat", "deliveries": "Remises", "first": "Première", "last": "Dernière", "rows": "Lignes",
        "happened": "a eu lieu", "declared_never_happened": "déclaré, jamais advenu", "undeclared": "advenu, non déclaré",
        "heading": "Registre des activités de traitement (article 30 du RGPD)",
    },
    "en": {
        "convention": "Convention", "exchange": "Exchange", "title": "Processing", "controllers": "Controllers (senders)",
        "recipients": "Recipients", "officers": "Officers", "purpose": "Purpose", "legal_basis": "Legal basis",
        "article": "Article", "persons": "Persons", "data": "Data", "retention": "Erasure",
        "security": "Security", "finding": "Finding", "deliveries": "Deliveries", "first": "First", "last": "Last", "rows": "Rows",
        "happened": "happened", "declared_never_happened": "declared, never happened", "undeclared": "happened, not declared",
        "heading": "Record of processing activities (GDPR article 30)",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Activity:
    """One processing: what the convention declares, and what was delivered. What the text does not say is ``not_stated``.

    ``retention`` is the last day for every copy, or the reason why there is none yet, in both languages.
    """

    convention: str
    exchange: str
    title: dict[str, str]
    controllers: tuple[str, ...]
    recipients: tuple[str, ...]
    officers: tuple[Route, ...]
    purpose: dict[str, str] | None
    legal_basis: str
    article: str | None
    persons: str
    data_class: str
    data: tuple[tuple[str, str, str, str], ...]  # name, French, English, person class
    destroy_by: str | None
    retention: dict[str, str]
    security: tuple[str, ...]
    hub_role: str
    finding: Finding
    deliveries: int
    first: str | None
    last: str | None
    rows: int

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        data = [{"name": name, "fr": fr, "en": en, "person": person} for name, fr, en, person in self.data]
        return {**asdict(self), "data": data, "officers": [one.as_json() for one in self.officers]}


def article30(
    workspace: Workspace, connection: Connection, columns_of: ColumnsOf, convention: str | None = None
) -> list[Activity]:
    """Every processing of personal data that a convention declares or that happened under it."""
    names = {one.id: one.name for one in partners.partners(connection)}
    found = []
    for each in [convention] if convention else workspace.convention_ids():
        text = workspace.convention(each)
        sent = runs.sent(connection, convention=each, state="delivered")
        deadline = destruction_deadline(text, workspace.history(connection, each), workspace.now())
        by = deadline.value.isoformat() if isinstance(deadline.value, date) else None
        beside = _Beside(names, by, {"fr": deadline.arithmetic.fr, "en": deadline.arithmetic.en})
        found += [_declared(text, one, sent, columns_of, beside) for one in text.exchanges if one.persons != "none"]
        found += _undeclared(text, sent, beside)
    return found


@dataclass(frozen=True, slots=True)
class _Beside:
    """What stands beside a text: the names of partners, the last day for copies and its arithmetic."""

    names: dict[str, str]
    destroy_by: str | None
    retention: dict[str, str]


def _declared(
    text: Convention, exchange: Exchange, sent: Sequence[Sent], columns_of: ColumnsOf, beside: _Beside
) -> Activity:
    own = [one for one in sent if one.exchange == exchange.id and _allowed(exchange, one)]
    handling, personal = exchange.handling, text.personal_data
    leaving = set(handling.columns) if handling else set()
    columns = [one for one in columns_of(handling.contract) if one.name in leaving] if handling else []
    parties = {*exchange.from_, *exchange.to}
    security = () if isinstance(text.security, str) else text.security.objectives
    return Activity(
        convention=text.id,
        exchange=exchange.id,
        title=exchange.title.model_dump(),
        controllers=tuple(named(text, one, beside.names) for one in exchange.from_),
        recipients=tuple(named(text, one, beside.names) for one in exchange.to),
        officers=tuple(one for one in routes(text) if one.party in parties or parties & EVERYONE),
        purpose=exchange.purpose.model_dump() if exchange.purpose else None,
        legal_basis="not_stated" if isinstance(personal, str) else personal.legal_basis,
        article=exchange.article,
        persons=exchange.persons,
        data_class=exchange.data_class,
        data=tuple((one.name, one.fr, one.en, one.person.value) for one in columns),
        destroy_by=beside.destroy_by,
        retention=beside.retention,
        security=(*security, "sealed to the recipient's key (age, two locks)", "access log", "evidence trail"),
        hub_role=text.hub_role,
        finding="happened" if own else "declared_never_happened",
        **_happened(own),
    )


def _allowed(exchange: Exchange, one: Sent) -> bool:
    return one.recipient in exchange.to or bool(EVERYONE & set(exchange.to))


def _undeclared(text: Convention, sent: Sequence[Sent], beside: _Beside) -> Iterator[Activity]:
    """What was delivered under an exchange, or to a party, that the text does not have: there should be none."""
    stray: dict[tuple[str, str], list[Sent]] = {}
    for one in sent:
        exchange = text.exchange(one.exchange)
        if exchange is None or not _allowed(exchange, one):
            stray.setdefault((one.exchange, one.recipient), []).append(one)
    for (name, recipient), own in sorted(stray.items()):
        yield Activity(
            convention=text.id, exchange=name, title={"fr": name, "en": name}, controllers=(),
            recipients=(named(text, recipient, beside.names),), officers=(), purpose=None, legal_basis="not_stated", article=None,
            persons="not_stated", data_class="not_stated", data=(), destroy_by=beside.destroy_by, retention=beside.retention, security=(),
            hub_role=text.hub_role, finding="undeclared", **_happened(own),
        )  # fmt: skip


def _happened(own: Sequence[Sent]) -> dict[str, Any]:
    days = sorted((one.delivered_at or "")[:10] for one in own)
    return {
        "deliveries": len(own), "first": days[0] if days else None, "last": days[-1] if days else None,
        "rows": sum(one.rows for one in own),
    }  # fmt: skip


def line(one: Activity, lang: Lang) -> dict[str, str]:
    """One processing as cells of text, by column."""
    data = ", ".join((fr if lang == "fr" else en) for _, fr, en, _ in one.data)
    until = f"{one.destroy_by} ({one.retention[lang]})" if one.destroy_by else one.retention[lang]
    return {
        "convention": one.convention, "exchange": one.exchange, "title": one.title[lang],
        "controllers": ", ".join(one.controllers), "recipients": ", ".join(one.recipients),
        "officers": ", ".join(f"{way.name} : {way.dpo}" if lang == "fr" else f"{way.name}: {way.dpo}" for way in one.officers),
        "purpose": one.purpose[lang] if one.purpose else "not_stated", "legal_basis": one.legal_basis,
        "article": one.article or "not_stated", "persons": one.persons, "data": data or "not_stated", "retention": until,
        "security": ", ".join(one.security), "finding": HEADS[lang][one.finding], "deliveries": str(one.deliveries),
        "first": one.first or "", "last": one.last or "", "rows": str(one.rows),
    }  # fmt: skip


def as_csv(found: Sequence[Activity], lang: Lang) -> str:
    """For a spreadsheet in French offices: UTF-8 with BOM, semicolons, no cell that would be a formula."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    cells = [line(one, lang) for one in found]
    keys = [key for key in HEADS[lang] if key not in {"heading", "happened", "declared_never_happened", "undeclared"}]
    writer.writerow([HEADS[lang][key] for key in keys])
    for each in cells:
        writer.writerow([as_shown(each[key]) for key in keys])
    return "\ufeff" + out.getvalue()


def as_page(found: Sequence[Activity], lang: Lang) -> str:
    """A page to print, one section for each processing; it loads nothing."""
    heads = HEADS[lang]
    sections = []
    for one in found:
        cells = line(one, lang)
        rows = "".join(
            f"<tr><th>{html.escape(heads[key])}</th><td>{html.escape(value)}</td></tr>"
            for key, value in cells.items()
            if key != "title"
        )
        sections.append(f"<section><h2>{html.escape(cells['title'])}</h2><table>{rows}</table></section>")
    style = (
        "body{font:14px/1.4 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}th{text-align:left;vertical-align:top;"
        "width:12em;padding:.1em 1em .1em 0}section{break-inside:avoid;border-top:1px solid #999}"
    )
    title = html.escape(heads["heading"])
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title><style>{style}</style></head>'
        f"<body><h1>{title}</h1>{''.join(sections)}</body></html>\n"
    )
