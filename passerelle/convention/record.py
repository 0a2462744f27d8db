"""What must be on record before anything leaves, and what on record stops it (D1, D15, D16, D21)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from passerelle.clock import iso
from passerelle.convention import dates, holds
from passerelle.convention.asking import Asked, Block
from passerelle.convention.event import LEGAL, Event
from passerelle.convention.model import PERSONAL, Convention, NotBeforeEvent
from passerelle.convention.values import Words

PROCESSING_RECORD = "processing-record"


@lru_cache(maxsize=256)
def vocabulary(convention: Convention) -> frozenset[str]:
    """The events that the text of a convention names (a vacancy received, a study finished, …)."""
    names: set[str | None] = {level.event for level in convention.service_levels}
    for exchange in convention.exchanges:
        names |= {exchange.trigger.event, getattr(exchange.due, "event", None)}
        if isinstance(exchange.not_before, NotBeforeEvent):
            names.add(exchange.not_before.event)
    return frozenset(name for name in names if name is not None)


def clock_behind(
    convention: Convention | None, events: Iterable[Event], at: datetime, last_act: datetime | None
) -> Block | None:
    """The clock must not run behind the gateway's last act (D1): its trail, or an event that only the gateway makes."""
    own = LEGAL if convention is None else LEGAL | vocabulary(convention)
    zone = dates.PARIS if convention is None else convention.zone
    acts = [last_act, *(_act(event, at, zone) for event in events if event.type not in own)]
    last = max((act for act in acts if act is not None), default=None)
    if last is None or at >= last:
        return None
    words = Words(
        f"l'horloge indique {iso(at)}, avant le dernier acte enregistré ({iso(last)})",
        f"the clock says {iso(at)}, before the last act on record ({iso(last)})",
    )
    return Block("clock_behind_last_event", None, "hub_policy", words, "operator", ("D1",))


def _act(event: Event, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant of an act of the gateway; one that is dated and recorded later than ``at`` is not known yet (D20)."""
    instant = event.instant("at")
    day = event.day("on", zone=zone)
    if instant is None and day is not None:
        instant = dates.midnight(day, zone)
    if instant is None:
        return event.recorded_at
    return None if event.recorded_at is not None and event.recorded_at > at else instant


def suspended(asked: Asked) -> Block | None:
    """A suspension on record, of the whole convention or of the exchange, until it is resumed."""
    zone = asked.convention.zone
    for event in asked.events:
        if event.type != "suspended" or not event.covers(asked.exchange.id):
            continue
        since = event.day("from", "on", "valid_on", zone=zone) or date.min
        until = event.day("until", "to", zone=zone) or date.max
        resumed = [
            day
            for other in asked.events
            if other.type == "resumed" and other.covers(asked.exchange.id)
            if (day := other.day("on", "from", "valid_on", zone=zone)) is not None and since <= day <= asked.day
        ]
        if since <= asked.day <= until and not resumed:
            words = Words("suspension enregistrée, non levée", "suspension on record, not lifted")
            return Block("suspended", None, "hub_policy", words, "signatories", ("D16",))
    return None


def held(asked: Asked) -> Block | None:
    """Data under a litigation hold that names this exchange serve nothing else while it lasts (D15; GDPR art. 18).

    A hold on one period stops that period; one on a person stops nobody else's rows.
    """
    what = holds.What(frozenset({asked.exchange.id}), asked.request.period)
    for hold in holds.all_of(asked.events, asked.convention.zone):
        named = asked.exchange.id in hold.scope and hold.kind == "litigation"
        if named and hold.covers(what) and hold.lasts(what, asked.day):
            return Block("held", asked.convention.retention.article, hold.basis, hold.words, "dpo", ("D15",))
    return None


def contingency_not_met(asked: Asked) -> Block | None:
    """An exchange that the text makes depend on something waits until ``contingency_met`` says so."""
    exchange = asked.exchange
    if exchange.contingent_on is None or on_record(asked, ("contingency_met",), exchange.id):
        return None
    condition = exchange.contingent_on
    words = Words(f"en attente : {condition.fr}", f"waiting for: {condition.en}")
    return Block("contingent", exchange.article, exchange.basis, words, "signatories", ("D16",))


def missing_instrument(asked: Asked) -> Block | None:
    """An instrument that the exchange requires is not on record, or not in force that day (D16)."""
    required = {one.id: one for one in asked.convention.instruments}
    for name in asked.exchange.requires:
        found = required.get(name)
        if found is not None and not on_record(asked, ("instrument_recorded", "precondition_recorded"), name):
            words = _not_on_file(found.title.fr, found.title.en)
            article = found.article or asked.exchange.article
            return Block(f"missing_instrument:{name}", article, found.basis, words, "signatories", ("D16",))
    return None


def missing_precondition(asked: Asked) -> Block | None:
    """A precondition of the security clause is not on record (D16)."""
    security = asked.convention.security
    required = {} if isinstance(security, str) else {one.id: one for one in security.preconditions}
    for name in asked.exchange.requires:
        found = required.get(name)
        if found is not None and not on_record(asked, ("precondition_recorded", "instrument_recorded"), name):
            words = _not_on_file(found.title.fr, found.title.en)
            return Block(f"missing_precondition:{name}", found.article, found.basis, words, "signatories", ("D16",))
    return None


def missing_processing_record(asked: Asked) -> Block | None:
    """Personal data need a processing record, whatever the text says: legal basis, purpose, notice, retention (D21)."""
    if asked.exchange.data_class not in PERSONAL or on_record(asked, ("precondition_recorded",), PROCESSING_RECORD):
        return None
    words = _not_on_file(
        "fiche de traitement (base légale, finalité, information, conservation)",
        "processing record (legal basis, purpose, notice, retention)",
    )
    reason = f"missing_precondition:{PROCESSING_RECORD}"
    return Block(reason, asked.exchange.article, "hub_policy", words, "dpo", ("D16", "D21"))


def on_record(asked: Asked, types: tuple[str, ...], name: str) -> bool:
    """Whether such an event names ``name`` and is in force on the day asked, for this exchange."""
    zone = asked.convention.zone
    for event in asked.events:
        named = event.says("id") == name or (event.type == "contingency_met" and event.says("exchange") == name)
        if event.type not in types or not named or not event.covers(asked.exchange.id):
            continue
        since = event.day("from", "on", "valid_on", zone=zone) or date.min
        until = event.day("to", "until", zone=zone) or date.max
        if since <= asked.day <= until:
            return True
    return False


def _not_on_file(fr: str, en: str) -> Words:
    return Words(f"pièce non versée ou pas en vigueur ce jour : {fr}", f"not on file, or not in force that day: {en}")
