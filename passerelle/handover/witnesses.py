"""Witnesses of the trail, as the gateway keeps and requires them."""

from __future__ import annotations

from sqlalchemy import Connection

from passerelle.errors import UsageError
from passerelle.store import partners, settings
from passerelle.trail import witness
from passerelle.trail.note import VerifierKey
from passerelle.workspace import Workspace


def enrol_witness(workspace: Workspace, text: str, party: str) -> VerifierKey:
    """Enrol the verifier key of a partner who cosigns heads; told in the trail.

    Raises:
        TrailError: it is no such key.
        UsageError: the party is no partner.
        RefusedError: name or key are taken.
    """
    key = witness.read_witness(text)
    with workspace.database.begin() as connection:
        if partners.find(connection, party) is None:
            raise UsageError(
                f"unknown partner {party}", hint=f"passerelle partner add {party}", fr=f"partenaire inconnu : {party}"
            )
        if witness.enrol(connection, workspace.ledger, key, party, workspace.now()):
            _tell(workspace, connection, key, party)
    return key


def require_witnesses(workspace: Workspace, number: int) -> None:
    """Require so many witnesses before each purge from now on; at most as many as are enrolled.

    Raises:
        UsageError: fewer are enrolled.
    """
    with workspace.database.begin() as connection:
        enrolled = witness.enrolled(connection)
        if not 0 <= number <= len(enrolled):
            raise UsageError(
                f"expected a number from 0 to {len(enrolled)}, the witnesses enrolled",
                hint="passerelle trail witness add enrols one",
                fr=f"il faut un nombre de 0 à {len(enrolled)}, celui des témoins inscrits",
            )
        settings.write(connection, settings.WITNESSES_REQUIRED, number)
        for key, party in enrolled[-1:]:
            _tell(workspace, connection, key, party, number)


def insist_on_witnesses(workspace: Workspace, connection: Connection, convention: str) -> tuple[str, ...]:
    """The witnesses who saw every delivery under ``convention``, as many as are required before its purge.

    The trail says how many, and who they are; what is on record of them is verified again.

    Raises:
        TrailError: a cosignature on record does not verify.
        RefusedError: fewer did.
    """
    told = [found.entry.body for found in workspace.ledger.find(connection, "witness_enrolled")]
    last = next((body["required"] for body in reversed(told) if "required" in body), 0)
    required = max(settings.read(connection, settings.WITNESSES_REQUIRED), last)
    if not required:
        return ()
    delivered = workspace.ledger.find(connection, "delivered", convention=convention)
    size = max((found.index + 1 for found in delivered), default=0)
    known = {body["witness"]: body["fingerprint"] for body in told}
    return witness.require(required, size, witness.verified(connection, workspace.ledger, size, known))


def _tell(
    workspace: Workspace, connection: Connection, key: VerifierKey, party: str, required: int | None = None
) -> None:
    body = {
        "witness": key.name,
        "fingerprint": witness.key_fingerprint(key),
        "party": party,
        "required": required,
    }
    workspace.append(connection, "witness_enrolled", body)
    workspace.ledger.checkpoint(connection, workspace.now())
