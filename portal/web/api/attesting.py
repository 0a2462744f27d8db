"""What a party is asked to attest, and its signed attestations."""

from __future__ import annotations

from passerelle.store import attestations as store
from portal.render import Text
from portal.web.api.calls import RAW, ROOT, Asked, Call
from portal.web.api.models import AttestationRequest, AttestationRequests, Attested
from retention.attestations import standing
from retention.attesting import record

RECORDS_A_MINUTE = 30


def every(asked: Asked) -> AttestationRequests:
    """The requests made to the party, the latest first, each with the line that was asked."""
    with asked.workspace.database.begin() as connection:
        asked.log(connection, "attestations_read", "attestations", partner=asked.party)
    with asked.workspace.database.read() as connection:
        found = standing(asked.workspace, connection, party=asked.party)
        lines = {row.id: row.line.decode() for row in store.requests(connection, party=asked.party)}
    items = [
        AttestationRequest(
            request=one.request, convention=one.convention, cause=one.cause, asked_at=one.asked_at, due=one.due, state=one.state,
            overdue=one.overdue, parcels=one.parcels, attested=one.attested, line=lines[one.request],
        )
        for one in reversed(found)
    ]  # fmt: skip
    return AttestationRequests(items=items)


def give(asked: Asked) -> Attested:
    """Verify a signed attestation and record it; the same again changes nothing."""
    found = record(asked.workspace, asked.data, party=asked.party)
    return Attested(sha256=found.sha256, missing=list(found.missing))


CALLS = (
    Call("attestations", f"{ROOT}/attestations", every, "read", AttestationRequests, Text("Les attestations de destruction qui vous sont demandées", "The attestations of destruction that you are asked for"), logs="attestations_read"),
    Call("attest", f"{ROOT}/attestations", give, "send", Attested, Text("Donner une attestation signée", "Give a signed attestation"), "POST", takes=RAW, status=201, per_minute=RECORDS_A_MINUTE, refuses=(408, 409, 413, 422)),
)  # fmt: skip
