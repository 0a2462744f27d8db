"""Between whom, from when, how many, with whose consent, through whose hands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from passerelle.convention import due
from passerelle.convention.asking import Asked, Block
from passerelle.convention.blocks import Basis
from passerelle.convention.event import Event
from passerelle.convention.values import Words

EVERYONE = frozenset({"any", "all"})
_UNGUARANTEED = frozenset({"", "none", "not_recorded", "not_stated", "unknown"})


def not_an_exchange() -> Block:
    words = Words("aucun article ne prévoit cet échange", "no article provides for this exchange")
    return Block("not_an_exchange_of_this_convention", None, "stated", words, "signatories")


def unknown_party(asked: Asked) -> Block | None:
    """The sender and the recipients must be those that the article names."""
    exchange, request = asked.exchange, asked.request
    senders = () if request.sender is None else (request.sender,)
    for parties, allowed in ((senders, exchange.from_), (request.recipients, exchange.to)):
        for party in parties:
            if not asked.convention.knows(party):
                words = Words("organisme que le texte ne nomme pas", "an organisation that the text does not name")
                return Block("unknown_party", exchange.article, exchange.basis, words, "signatories")
            if party not in allowed and not EVERYONE & set(allowed):
                words = Words(
                    "l'article ne fait pas de cette partie un émetteur ou un destinataire de cet échange",
                    "the article does not make this party a sender or a recipient of this exchange",
                )
                reason = "not_an_exchange_of_this_convention"
                return Block(reason, exchange.article, exchange.basis, words, "signatories")
    return None


def too_early(asked: Asked) -> Block | None:
    """Before the earliest date that the text gives (D12)."""
    exchange = asked.exchange
    if exchange.not_before is None:
        return None
    answer = due.not_before(due.Case(asked.convention, asked.events, asked.request.at, asked.request.args), exchange)
    if isinstance(answer.value, date) and asked.day >= answer.value:
        return None
    return Block("too_early", answer.article, answer.basis, answer.arithmetic, "signatories", answer.rules)


def over_cardinality(asked: Asked) -> Block | None:
    """More units than the text allows, unless an express request on record lifts the limit."""
    limit = asked.exchange.cardinality
    if limit is None:
        return None
    args = asked.request.args
    number = args.get(limit.unit, args.get("count"))
    if number is None:
        return None
    allowed = _lifted(asked.events, limit.lifted_by, limit.per, args.get(limit.per), limit.max)
    if isinstance(number, int) and not isinstance(number, bool) and (allowed is None or number <= allowed):
        return None
    words = Words(f"au plus {allowed} par envoi", f"at most {allowed} at a time")
    return Block("cardinality", asked.exchange.article, asked.exchange.basis, words, "signatories")


def _lifted(events: Iterable[Event], lifted_by: str | None, per: str, which: object, limit: int) -> int | None:
    """The limit after express requests for that unit: theirs, none when they give no number, else the text's."""
    for event in events:
        if event.type == lifted_by and event.says(per) in (None, which):
            given = [value for key, value in event.payload.items() if key.startswith("max_")]
            number = given[0] if given and isinstance(given[0], int) else None
            if number is None:
                return None
            limit = max(limit, number)
    return limit


def consent_missing(asked: Asked) -> Block | None:
    """Every record needs the person's consent: the caller must say that it has it, or the register must."""
    if asked.exchange.consent is None or asked.request.args.get("consent") is True:
        return None
    refused = asked.request.args.get("consent") is False
    if not refused and any(
        event.type == "consent_recorded" and event.covers(asked.exchange.id) for event in asked.events
    ):
        return None
    words = Words("l'accord des personnes n'est pas établi", "the persons' consent is not established")
    return Block("consent_missing", asked.exchange.article, asked.exchange.basis, words, "persons")


def processor_without_guarantees(asked: Asked) -> Block | None:
    """A processor on the route needs a contract with equivalent guarantees on record (GDPR art. 28)."""
    via = asked.request.via
    if via is None or _guaranteed(asked.events, via):
        return None
    security = asked.convention.security
    clause = None if isinstance(security, str) or isinstance(security.processors, str) else security.processors
    words = Words(
        "sous-traitant sans contrat à garanties équivalentes enregistré",
        "processor without a contract of equivalent guarantees on record",
    )
    basis: Basis = "hub_policy" if clause is None else clause.basis
    article = None if clause is None else clause.article
    return Block("processor_without_equivalent_guarantees", article, basis, words, "signatories", ("D16",))


def _guaranteed(events: Iterable[Event], via: str) -> bool:
    declared = [event for event in events if event.type == "processor_declared" and event.says("name") == via]
    said = declared[-1].says("guarantees") if declared else None
    return said is True or (isinstance(said, str) and said not in _UNGUARANTEED)
