"""Opening a parcel: the page on which the browser does it with the partner's key, and the key of the second lock."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.errors import RefusedError
from passerelle.handover import own
from passerelle.handover.evidence import hand_release_key, trust_from
from passerelle.keys import fingerprint
from passerelle.store import partners
from portal.web.pages.delivered import manifest_of
from portal.web.pages.partner.parcels import title_of
from portal.web.pages.partner.reaching import parcel_of, seen
from portal.web.visit import Visit
from portal.web.ways import PARTNER, Way

KEYS_A_MINUTE = 20


def show(visit: Visit) -> Response:
    """What the browser needs to open the parcel with a key that stays in it.

    Raises:
        RefusedError: the parcel was superseded, destroyed, or is not there.
    """
    found = parcel_of(visit)
    seen(visit, found)
    file = own.parcel_file(visit.workspace, found)
    with visit.workspace.database.read() as connection:
        fate = own.fates(connection, [found])[found.id]
        keys = {one.fingerprint: one for one in partners.keys(connection, visit.party)}
    manifest = manifest_of(found)
    assert manifest is not None  # noqa: S101 - a parcel whose file is there has its manifest
    locks, resource = manifest["passerelle"]["locks"], manifest["resources"][0]
    sealed_to = locks[-1]["fingerprints"]
    signers = [fingerprint(one.key) for one in trust_from(visit.workspace.home / "trust").signers]
    return visit.page(
        "partner/open.html.jinja", found=found, fate=fate, file=file, title=title_of(visit, found), two=len(locks) > 1,
        sealed_to=sealed_to, signers=signers, kinds={keys[one].kind for one in sealed_to if one in keys}, resource=resource,
        formulas=manifest["passerelle"]["spreadsheet_formulas"],
    )  # fmt: skip


def hand_key(visit: Visit) -> Response:
    """The second lock's key, as an age identity file; logged by whoever hands it over, a refusal too."""
    parcel = visit.part("delivery")
    try:
        identity = hand_release_key(visit.workspace, parcel, visit.party, actor=visit.account.name)
    except RefusedError:
        parcel_of(visit)  # another's parcel does not exist
        raise
    visit.logged.add("release_key")
    headers = {"Content-Disposition": f'attachment; filename="{parcel}.key.txt"'}
    return Response(identity.secret + "\n", media_type="text/plain", headers=headers)


WAYS = (
    Way("parcel.open", "/parcels/{delivery}/open", show, PARTNER, logs="deliveries_read", fresh=True),
    Way(
        "parcel.key", "/parcels/{delivery}/key", hand_key, PARTNER, "POST", logs="release_key", fresh=True,
        per_minute=KEYS_A_MINUTE,
    ),
)  # fmt: skip
