"""Steps 1 and 7: the gate is asked, and its answer is recorded either way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from passerelle.convention import Convention, Decision, Exchange, Request, decide
from passerelle.errors import GateRefusedError, RefusedError, UsageError
from passerelle.store import partners
from passerelle.store.partners import PartnerKey
from passerelle.workspace import Workspace

Stage = Literal["start", "delivery"]


@dataclass(frozen=True, slots=True)
class Parties:
    """Who sends, and who receives with which approved keys."""

    sender: str
    recipients: tuple[str, ...]
    keys: dict[str, list[PartnerKey]]


def ask(
    workspace: Workspace,
    connection: Connection,
    exchange: str,
    *,
    convention: str,
    period: str,
    parties: tuple[str, tuple[str, ...]],
    stage: Stage,
) -> Decision:
    """Ask the gate and put its answer in the trail, in the caller's transaction."""
    text = workspace.convention(convention)
    sender, recipients = parties
    request = Request(
        exchange=exchange,
        at=workspace.now(),
        sender=sender,
        recipients=recipients,
        period=period,
        stage=stage,
        last_act=workspace.last_act(connection),
    )
    decision = decide(text, workspace.history(connection, convention), request)
    workspace.append(
        connection,
        "decision",
        {
            "convention": convention,
            "convention_sha256": decision.convention_sha256,
            "exchange": exchange,
            "outcome": decision.outcome,
            "reason": decision.reason,
            "warning": decision.warning,
            "article": decision.article,
            "basis": decision.basis,
            "stage": stage,
        },
    )
    return decision


def insist(decision: Decision) -> Decision:
    """Give back a decision that allows; raise one that blocks.

    Raises:
        GateRefusedError: with the reason code, the article and who decides.
    """
    if decision.outcome == "block":
        raise GateRefusedError(
            f"{decision.convention}/{decision.exchange} is refused: {decision.reason} ({decision.article or 'hub policy'})",
            reason=decision.reason or "",
            article=decision.article,
            hint=_hint(decision),
        )
    return decision


def _hint(decision: Decision) -> str:
    kind, _, what = (decision.reason or "").partition(":")
    record = f"passerelle convention record {decision.convention}"
    return {
        "missing_instrument": f"once it is signed: {record} instrument_recorded --id {what} --evidence FILE",
        "missing_precondition": f"{record} precondition_recorded --id {what} --exchange {decision.exchange} --evidence FILE",
        "start_undetermined": f"{record} signed --valid-on DATE --evidence FILE",
        "not_an_exchange_of_this_convention": f"passerelle convention show {decision.convention} lists its exchanges",
        "unknown_party": f"passerelle convention show {decision.convention} lists its parties",
    }.get(kind, f"passerelle convention show {decision.convention} tells the dates and who decides")


def exchange_of(convention: Convention, exchange_id: str) -> Exchange | None:
    """The exchange of that id, or None: the gate answers for one that the convention does not know."""
    return next((exchange for exchange in convention.exchanges if exchange.id == exchange_id), None)


def sender_of(exchange: Exchange, wanted: str | None) -> str:
    """Who sends: as asked, or the only party that may, or the sender that the exchange's handling names.

    Raises:
        UsageError: several parties may send and none was named.
    """
    if wanted is not None:
        return wanted
    if len(exchange.from_) == 1 and exchange.from_[0] not in {"any", "all"}:
        return exchange.from_[0]
    if exchange.handling is not None and exchange.handling.sender:
        return exchange.handling.sender
    raise UsageError(f"several parties may send {exchange.id}", hint=f"--as one of {', '.join(exchange.from_)}")


def recipients_of(convention: Convention, exchange: Exchange, sender: str) -> tuple[str, ...]:
    """Who receives: the exchange's recipients but the sender."""
    everyone = [party.id for party in convention.parties]
    named = everyone if {"any", "all"} & set(exchange.to) else list(exchange.to)
    return tuple(party for party in named if party != sender)


def with_keys(connection: Connection, sender: str, recipients: tuple[str, ...]) -> Parties:
    """The recipients with the keys their parcels are sealed to.

    Raises:
        RefusedError: a recipient has no approved key: nothing can be sealed to it.
    """
    keys = {party: partners.approved(connection, party) for party in recipients}
    for party, approved in keys.items():
        if not approved:
            raise RefusedError(
                f"{party} has no approved key: nothing can be sealed to it",
                hint=f"passerelle partner key add {party} --recipient age1…, then two approvals",
            )
    return Parties(sender, recipients, keys)
