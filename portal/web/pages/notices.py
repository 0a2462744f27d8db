"""What a partner has to know or to do, and whom to write to."""

from __future__ import annotations

from starlette.responses import Response

from portal.notices import Notice, contacts_of, notices_of
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.visit import Visit
from portal.web.ways import PARTNER, Way

KINDS = {
    "superseded": Text("colis remplacé", "parcel superseded"),
    "attestation": Text("attestation demandée", "attestation asked for"),
    "person": Text("avis de l'article 19", "notice of article 19"),
    "key": Text("clé", "key"),
    "version": Text("version d'un contrat", "version of a contract"),
    "breach": Text("violation de données", "personal data breach"),
}
TONES = {"breach": "bad", "version": ""}
COLUMNS = (
    Column("since", Text("depuis", "since"), "day"),
    Column("kind", Text("objet", "subject"), "words"),
    Column("said", Text("ce qu'il faut savoir", "what to know"), "words"),
    Column("due", Text("avant le", "by"), "day"),
    Column("convention", Text("convention", "convention")),
    Column("about", Text("numéro", "number"), "code"),
)


def every(visit: Visit) -> Response:
    """The notices that concern the visitor's party, and the data protection officer of each party."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "deliveries_read", "notices", partner=visit.party)
    with visit.workspace.database.read() as connection:
        found = notices_of(visit.workspace, connection, visit.party)
        contacts = contacts_of(visit.workspace, connection, visit.party)
    rows = [
        {
            "since": one.since[:10], "kind": KINDS[one.kind], "kind_tone": TONES.get(one.kind, "warn"), "said": one.said,
            "due": one.due, "convention": one.convention, "about": one.about, "about_href": _place(visit, one),
        }
        for one in found
    ]  # fmt: skip
    listing = Listing(
        Text("Avis", "Notices"),
        Text("Ce qui vous concerne aujourd'hui, et à qui écrire.", "What concerns you today, and whom to write to."),
        COLUMNS, rows, Text("Rien ne vous attend.", "Nothing waits for you."),
    )  # fmt: skip
    return visit.listing(listing, "partner/notices.html.jinja", contacts=contacts)


def _place(visit: Visit, one: Notice) -> str | None:
    """The page where a notice is acted on; None where there is none but a letter."""
    if one.kind == "superseded":
        return visit.href("parcel", delivery=one.about)
    if one.kind == "attestation":
        return visit.href("asked.one", asked=one.about)
    if one.kind == "version":
        return visit.href("dataset", dataset=one.about.partition("@")[0])
    return visit.href("keys") if one.kind == "key" else None


WAYS = (Way("own-notices", "/notices", every, PARTNER, logs="deliveries_read", navigates=("Avis", "Notices")),)
