"""What a partner attests to have destroyed, verified and kept exactly as it was signed.

An attestation is its signer's word: the gateway proves who signed what, and when it came.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from passerelle.clock import iso
from passerelle.errors import EvidenceError, RefusedError
from passerelle.receipt.attestation import Attested, read_attestation, read_request, verify_attestation
from passerelle.receipt.recording import signers
from passerelle.store import attestations as store
from passerelle.store import runs
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verified_keys

MAX_AHEAD = timedelta(minutes=5)  # of the partner's clock


def record(workspace: Workspace, data: bytes, *, party: str | None = None) -> Attested:
    """Verify an attestation and keep it; the same file again changes nothing.

    ``party`` is whose attestation it has to be, where whoever brings it may bring no other.

    Raises:
        EvidenceError: it does not hold, or is not of what was delivered.
        RefusedError: nothing of the kind was asked, the party has no approved key that signs, or it is another's.
        TablesDisagreeError: a key counts behind the gateway's back.
    """
    said = read_attestation(data)
    if said.party != (party or said.party):
        raise RefusedError(
            "this is the attestation of another party",
            fr="cette attestation est celle d'un autre destinataire",
        )
    with workspace.database.begin() as connection:
        verified_keys(workspace.ledger, connection)
        asked = store.requests(connection, id=said.request, party=said.party)
        if not asked:
            raise RefusedError(
                f"no request of that id was made to {said.party}",
                hint="passerelle attestation list shows the requests",
                fr=f"aucune demande de ce numéro n'a été faite à {said.party}",
                hint_fr="passerelle attestation list montre les demandes",
            )
        keys = signers(connection, said.party, datetime.fromisoformat(said.at))
        attested = verify_attestation(data, read_request(asked[0].line), keys)
        _check_days(workspace, connection, attested)
        row = store.AttestationRow(
            attested.sha256, said.request, said.party, attested.fingerprint, not attested.missing, said.at,
            iso(workspace.now()), data,
        )  # fmt: skip
        if store.keep(connection, row):
            body = {
                "request": said.request,
                "convention": said.convention,
                "party": said.party,
                "parcels": len(said.destroyed),
                "missing": len(attested.missing),
                "attestation_sha256": attested.sha256,
                "fingerprint": attested.fingerprint,
                "destroyed_on": said.destroyed_on,
            }
            workspace.append(connection, "attestation_recorded", body)
            workspace.ledger.checkpoint(connection, workspace.now())
    return attested


def _check_days(workspace: Workspace, connection: Connection, attested: Attested) -> None:
    said = attested.attestation
    if said.at > iso(workspace.now() + MAX_AHEAD):
        raise EvidenceError("signed after the present instant", where="attestation: at", hint="compare the two clocks")
    last = max(runs.deliveries(connection, id=one.parcel)[0].intent_at for one in said.destroyed)
    if said.destroyed_on < last[:10]:
        raise EvidenceError("destroyed before it was delivered", where="attestation: destroyed_on")
