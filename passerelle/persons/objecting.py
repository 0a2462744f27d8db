"""Recording that a person objects to a convention's exchanges (GDPR art. 21), and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from passerelle.contract import Column
from passerelle.convention import Convention
from passerelle.errors import RefusedError, UsageError
from passerelle.persons.tags import identifier_tag, keyed
from passerelle.store import access, objections
from passerelle.store.objections import Ground
from passerelle.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Recorded:
    """An objection on record; ``new`` is False when it was there already."""

    id: str
    new: bool


@dataclass(frozen=True, slots=True)
class Bearing:
    """On which exchanges an objection bears: where the person will be recognised, and where it cannot be."""

    recognised: tuple[str, ...]
    not_recognised: tuple[str, ...]


def record_objection(
    workspace: Workspace,
    convention: str,
    scheme: str,
    identifier: str,
    *,
    by: str,
    exchange: str | None = None,
    ground: Ground = "objection",
    reason: str = "",
) -> Recorded:
    """Keep a person out of every later extract of a convention, or of one exchange; the identifier itself is kept nowhere.

    Raises:
        UsageError: an unknown convention, exchange or kind of identifier, or an identifier that is not one of that kind.
        RefusedError: the convention's data were destroyed.
    """
    _insist(workspace.convention(convention), exchange)
    insist_on_keys(workspace, convention)
    tag = identifier_tag(workspace.keyset(convention).index_key, scheme, identifier)
    at = workspace.now()
    with workspace.database.begin() as connection:
        number, new = objections.record(
            connection, convention, scheme, tag, by=by, at=at, exchange=exchange, ground=ground
        )
        if new:
            made = objections.find(connection, number)
            body = {
                "convention": convention,
                "objection": number,
                "scheme": scheme,
                "ground": ground,
                "exchange": exchange,
                "commitment": made.commitment if made else None,
            }
            workspace.append(connection, "objection_recorded", body)
            workspace.ledger.checkpoint(connection, at)
        access.log(
            connection, actor=by, action="person_erase" if ground == "erasure" else "person_object", subject=number, at=at, reason=reason, convention=convention,
            exchange=exchange, count=1,
        )  # fmt: skip
    return Recorded(number, new)


def withdraw_objection(workspace: Workspace, objection_id: str, *, by: str, reason: str = "") -> None:
    """Take an objection back, at the person's own request.

    Raises:
        UsageError: none of that id stands, or it is an erasure: what was erased does not come back.
    """
    at = workspace.now()
    with workspace.database.begin() as connection:
        found = objections.find(connection, objection_id)
        if found is None or found.ground != "objection":
            raise UsageError(
                "no objection of that id stands",
                hint="passerelle person objections",
                fr="aucune opposition en vigueur ne porte cet identifiant",
                hint_fr="passerelle person objections",
            )
        objections.withdraw(connection, objection_id)
        body = {"convention": found.convention, "objection": objection_id, "exchange": found.exchange}
        workspace.append(connection, "objection_withdrawn", body)
        workspace.ledger.checkpoint(connection, at)
        access.log(
            connection, actor=by, action="person_withdraw", subject=objection_id, at=at, reason=reason,
            convention=found.convention, exchange=found.exchange, count=1,
        )  # fmt: skip


def bearing(
    text: Convention, scheme: str, exchange: str | None, columns_of: Callable[[str], Sequence[Column]]
) -> Bearing:
    """Where a person known by ``scheme`` will be recognised; ``columns_of`` gives the columns of a data contract.

    Exchanges whose rows name nobody are in neither list.
    """
    yes, no = [], []
    for one in text.exchanges:
        if one.handling is None or exchange not in {None, one.id}:
            continue
        schemes = {found.scheme for found in keyed(columns_of(one.handling.contract))}
        if scheme in schemes:
            yes.append(one.id)
        elif schemes or one.persons != "none":
            no.append(one.id)
    return Bearing(tuple(yes), tuple(no))


def insist_on_keys(workspace: Workspace, convention: str) -> None:
    """Refuse what concerns the copies of a convention once there are none any more, and never will be again.

    Raises:
        RefusedError: its keys were destroyed.
    """
    if convention in workspace.keys.destroyed():
        raise RefusedError(
            f"the data of {convention} were destroyed: there is no copy to keep or to erase, and no extract to come",
            hint="passerelle purge status; what its recipients attest: passerelle attestation list",
            fr=f"les données de {convention} ont été détruites : plus aucune copie à retenir ou à effacer, plus aucun extrait à venir",
            hint_fr="passerelle purge status ; ce qu'attestent ses destinataires : passerelle attestation list",
        )


def _insist(text: Convention, exchange: str | None) -> None:
    if exchange is not None and text.exchange(exchange) is None:
        raise UsageError(
            "expected the id of an exchange of this convention",
            hint=f"passerelle convention show {text.id}",
            fr="cette convention n'a pas d'échange de ce nom",
            hint_fr=f"passerelle convention show {text.id}",
        )
