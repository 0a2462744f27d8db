"""Steps 1 and 7: the gate is asked, and its answer is recorded either way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from passerelle.clock import iso
from passerelle.convention import Convention, Decision, Exchange, Request, decide
from passerelle.errors import GateRefusedError, KeyStoreError, RefusedError, UsageError
from passerelle.handover import approval
from passerelle.keys import parse_recipient
from passerelle.store import partners
from passerelle.store.partners import PartnerKey
from passerelle.trail import Entry
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
    """Ask the gate and put its answer in the trail, in the caller's transaction.

    A convention whose file changed is refused before its text is asked, until two people approved the change.
    """
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
    decision = approval.refused(workspace, connection, text, request) or decide(
        text, workspace.history(connection, convention), request
    )
    body = {
        "convention": convention,
        "convention_sha256": decision.convention_sha256,
        "exchange": exchange,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "warning": decision.warning,
        "article": decision.article,
        "basis": decision.basis,
        "stage": stage,
    }
    # The refusal of a clock that runs behind is told at the last instant on record (D1): the trail takes no earlier one.
    told_at = max(request.at, request.last_act or request.at)
    workspace.ledger.append(connection, Entry("decision", iso(told_at), body))
    return decision


def insist(decision: Decision) -> Decision:
    """Give back a decision that allows; raise one that blocks.

    Raises:
        GateRefusedError: with the reason code, the article and who decides.
    """
    if decision.outcome == "block":
        which, words = f"{decision.convention}/{decision.exchange}", decision.arithmetic
        hint, hint_fr = _hint(decision)
        raise GateRefusedError(
            f"{which} is refused: {words.en}",
            fr=f"{which} est refusé : {words.fr}",
            reason=decision.reason or "",
            article=decision.article,
            hint=hint,
            hint_fr=hint_fr,
        )
    return decision


def _hint(decision: Decision) -> tuple[str, str]:
    """What to do next, in English and in French."""
    kind, _, what = (decision.reason or "").partition(":")
    show, record = (f"passerelle convention {verb} {decision.convention}" for verb in ("show", "record"))
    signed = f"{record} instrument_recorded --id {what} --evidence FILE"
    filed = f"{record} precondition_recorded --id {what} --exchange {decision.exchange} --evidence FILE"
    return {
        "missing_instrument": (f"once it is signed: {signed}", f"une fois signé : {signed}"),
        "missing_precondition": (f"once it is done: {filed}", f"une fois faite : {filed}"),
        "start_undetermined": (
            f"once it is signed: {record} signed --valid-on DATE --evidence FILE",
            f"une fois signée : {record} signed --valid-on DATE --evidence FILE",
        ),
        approval.REASON: (
            f"two people read the file, then each: passerelle convention approve {decision.convention} --by NAME",
            f"deux personnes lisent le fichier, puis chacune : passerelle convention approve {decision.convention} --by NOM",
        ),
        "not_an_exchange_of_this_convention": (f"{show} lists its exchanges", f"{show} donne la liste des échanges"),
        "unknown_party": (f"{show} lists its parties", f"{show} donne la liste des parties"),
    }.get(kind, (f"{show} tells the dates and who decides", f"{show} donne les dates et qui décide"))


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
    senders = ", ".join(exchange.from_)
    raise UsageError(
        f"several parties may send {exchange.id}",
        hint=f"--as one of {senders}",
        fr=f"plusieurs parties peuvent envoyer {exchange.id}",
        hint_fr=f"--as avec l'une de : {senders}",
    )


def recipients_of(convention: Convention, exchange: Exchange, sender: str) -> tuple[str, ...]:
    """Who receives: the exchange's recipients but the sender."""
    everyone = [party.id for party in convention.parties]
    named = everyone if {"any", "all"} & set(exchange.to) else list(exchange.to)
    return tuple(party for party in named if party != sender)


def with_keys(connection: Connection, sender: str, recipients: tuple[str, ...], at: datetime) -> Parties:
    """The recipients with the keys their parcels are sealed to at an instant: while two overlap, to both.

    Raises:
        RefusedError: a recipient has no approved key that is valid: nothing can be sealed to it.
        KeyStoreError: a stored key is not the one that was approved.
    """
    keys = {party: approved_keys(connection, party, at) for party in recipients}
    for party, approved in keys.items():
        if not approved and (known := partners.approved(connection, party)):
            raise _not_valid(party, known, at)
        if not approved:
            raise RefusedError(
                f"{party} has no approved key: nothing can be sealed to it",
                hint=f"passerelle partner key add {party} --recipient age1…, then two approvals",
                fr=f"{party} n'a aucune clé approuvée : rien ne peut lui être scellé",
                hint_fr=f"passerelle partner key add {party} --recipient age1…, puis deux approbations",
            )
    return Parties(sender, recipients, keys)


def _not_valid(party: str, known: list[PartnerKey], at: datetime) -> RefusedError:
    """The refusal of a party whose approved keys are all expired, or valid later only."""
    expired = max((key.not_after for key in known if key.not_after and key.state_at(at) == "expired"), default=None)
    future = min((key.not_before for key in known if key.not_before), default=None)
    said, dit = ("is not valid yet", "n'est pas encore valable") if expired is None else ("has expired", "a expiré")
    when = (expired or future or "")[:10]
    return RefusedError(
        f"the key of {party} {said} ({when}): nothing can be sealed to it",
        hint=f"passerelle partner key add {party} --recipient age1…, then two approvals; two keys may overlap",
        fr=f"la clé de {party} {dit} ({when}) : rien ne peut lui être scellé",
        hint_fr=f"passerelle partner key add {party} --recipient age1…, puis deux approbations ; deux clés peuvent se recouvrir",
    )


def stale_keys(connection: Connection, recipient: str, sealed_to: Collection[str], at: datetime) -> RefusedError | None:
    """The refusal of a parcel sealed to a key that was revoked, or ran out, since; None when all its keys are valid."""
    if set(sealed_to) <= {key.fingerprint for key in partners.approved(connection, recipient, at)}:
        return None
    return RefusedError(
        f"a key of {recipient} was revoked or ran out while its parcel was made: nothing is delivered",
        hint="run the command again: the parcel is sealed to the keys that are valid now",
        fr=f"une clé de {recipient} a été révoquée ou est échue pendant la préparation du colis : rien n'est remis",
        hint_fr="recommencez : le colis sera scellé aux clés valables à présent",
    )


def approved_keys(connection: Connection, party: str, at: datetime) -> list[PartnerKey]:
    """The approved keys of a party that are valid at an instant; an empty list when it has none.

    Raises:
        KeyStoreError: a stored key is not the one that was approved.
    """
    approved = partners.approved(connection, party, at)
    if any(parse_recipient(key.recipient).fingerprint != key.fingerprint for key in approved):
        raise KeyStoreError(
            f"a stored key of {party} is not the one whose fingerprint was approved",
            hint="the database was altered: revoke the key, enrol it again, and look at the trail",
            fr=f"une clé enregistrée de {party} n'est pas celle dont l'empreinte a été approuvée",
            hint_fr="la base a été altérée : révoquez la clé, inscrivez-la à nouveau et examinez le registre",
        )
    return approved
