"""What the blocks of one convention must say of each other: names that exist, used once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from passerelle.convention.model import Convention, Exchange
from passerelle.convention.reading import Place

Inconsistency = tuple[Place, str, str]
EVERYONE = frozenset({"any", "all"})


def inconsistencies(convention: Convention) -> Iterator[Inconsistency]:
    """Yield (place, expected, got) for every broken reference."""
    for block in ("parties", "third_parties", "instruments", "exchanges", "service_levels", "obligations"):
        yield from _repeated(block, [item.id for item in getattr(convention, block)])
    yield from _repeated("interpretations", [item.id for item in convention.interpretations])
    if len(set(convention.working_days.week)) != len(convention.working_days.week):
        yield ("working_days", "week"), "each day once", "a day twice"
    for index, exchange in enumerate(convention.exchanges):
        yield from _exchange(convention, exchange, ("exchanges", index))
    known = {exchange.id for exchange in convention.exchanges}
    for index, level in enumerate(convention.service_levels):
        if level.exchange not in known | {"not_stated"}:
            yield ("service_levels", index, "exchange"), "an exchange of this file", "an unknown id"
    for index, obligation in enumerate(convention.obligations):
        yield from _parties(convention, obligation.who, ("obligations", index, "who"))
    for index, mode in enumerate(convention.modes()):
        if mode.reasons_from is not None:
            yield from _parties(convention, (mode.reasons_from,), ("termination", index, "reasons_from"))


def _exchange(convention: Convention, exchange: Exchange, place: Place) -> Iterator[Inconsistency]:
    yield from _parties(convention, exchange.from_, (*place, "from"))
    yield from _parties(convention, exchange.to, (*place, "to"))
    for index, required in enumerate(exchange.requires):
        if required not in requirements(convention):
            yield (*place, "requires", index), "an instrument or a precondition of this file", "an unknown id"
    handling = exchange.handling
    if handling is not None and handling.sender not in exchange.from_ and not EVERYONE & set(exchange.from_):
        yield (*place, "handling", "sender"), "a sender of this exchange", "another id"
    if handling is not None and handling.columns:
        for index, column in enumerate(handling.pseudonyms):
            if column not in handling.columns:
                yield (*place, "handling", "pseudonyms", index), "a column of the allow-list", "another column"
        if handling.free_text is not None:
            for index, column in enumerate(handling.free_text.columns):
                if column not in handling.columns:
                    yield (
                        (*place, "handling", "free_text", "columns", index),
                        "a column of the allow-list",
                        "another column",
                    )


def requirements(convention: Convention) -> frozenset[str]:
    """The ids that an exchange may require: instruments and preconditions."""
    security = convention.security
    preconditions = () if isinstance(security, str) else security.preconditions
    return frozenset({item.id for item in convention.instruments} | {item.id for item in preconditions})


def _parties(convention: Convention, ids: Iterable[str], place: Place) -> Iterator[Inconsistency]:
    for index, party in enumerate(ids):
        if party not in EVERYONE and not convention.knows(party):
            yield (*place, index), "a party or a third party of this file", "an unknown id"


def _repeated(block: str, ids: list[str]) -> Iterator[Inconsistency]:
    for index, one in enumerate(ids):
        if one in ids[:index]:
            yield (block, index, "id"), "an id of its own", "the id of another block"
