"""Partners' keys, as the hub sees them: which wait for an approval, and approving one with what its owner told.

A key that waits shows the beginning of its fingerprint only: the rest has to come from its owner, on a second channel.
"""

from __future__ import annotations

from starlette.responses import Response

from passerelle.errors import RefusedError, UsageError
from passerelle.store import partners
from passerelle.store.partners import APPROVALS_NEEDED, PartnerKey
from passerelle.workspace import partner_keys as acts
from portal.faults import told
from portal.render import Text
from portal.web.listing import Column, Filter, Listing
from portal.web.visit import Visit
from portal.web.ways import DPO, ENGINEER, Way
from portal.words import KEY_STATES, said

SHOWN = len("SHA256:") + 6  # characters of a fingerprint that waits
CHANNELS = (
    ("phone", Text("téléphone", "telephone")),
    ("video", Text("visioconférence", "video call")),
    ("meeting", Text("rencontre", "meeting")),
    ("letter", Text("lettre", "letter")),
    ("signed-mail", Text("courriel signé", "signed mail")),
)
INCOMPLETE = Text(
    "Il faut l'empreinte entière, de SHA256: à son dernier signe, et le moyen par lequel le titulaire l'a donnée.",
    "The whole fingerprint is needed, from SHA256: to its last sign, and how its owner told it.",
)
TONES = {"pending": "warn", "approved": "good", "revoked": "bad", "expired": "bad"}
TRIES_A_MINUTE = 20


def show(visit: Visit) -> Response:
    """Every key, those that wait first."""
    return _show(visit)


def approve(visit: Visit) -> Response:
    """Record the visitor's approval; who enrolled the key, or approved it already, is refused."""
    fingerprint, channel = "".join(visit.given("fingerprint").split()), visit.given("channel")
    if channel not in dict(CHANNELS) or not acts.WHOLE.fullmatch(fingerprint):
        return _show(visit, INCOMPLETE, 400)
    try:
        found = acts.approve(visit.workspace, fingerprint, channel, by=visit.account.name)
    except (UsageError, RefusedError) as fault:
        return _show(visit, Text(told(fault, "fr"), told(fault, "en")), 400)
    missing = max(APPROVALS_NEEDED - len(found.approvals), 0)
    words = (
        Text("Approbation enregistrée ; il en manque une, d'une autre personne.", "Approval recorded; one more is needed, of another person.")
        if missing
        else Text(f"Clé de {found.partner} approuvée : les colis peuvent lui être scellés.", f"Key of {found.partner} approved: parcels can be sealed to it.")
    )  # fmt: skip
    return visit.go(visit.href("partner-keys"), words)


def _show(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    wanted, after = visit.asked("partner"), visit.asked("after")
    with visit.workspace.database.read() as connection:
        found = partners.keys(connection, wanted or None)
    found.sort(key=lambda one: (one.state != "pending", one.partner, one.enrolled_at, one.fingerprint))
    names = [one.fingerprint for one in found]
    start = names.index(after) + 1 if after in names else 0
    shown = found[start : start + visit.rows]
    listing = Listing(
        title=Text("Clés des partenaires", "Partners' keys"),
        lead=Text(
            "Rien n'est scellé à une clé avant que deux personnes l'aient approuvée, dont aucune ne l'a inscrite.",
            "Nothing is sealed to a key before two people approved it, of whom neither enrolled it.",
        ),
        columns=(
            Column("partner", Text("Partenaire", "Partner"), "code"),
            Column("fingerprint", Text("Empreinte", "Fingerprint"), "code"),
            Column("state", Text("État", "State"), "words"),
            Column("approvals", Text("Approbations", "Approvals"), "number"),
            Column("enrolled_by", Text("Inscrite par", "Enrolled by")),
            Column("enrolled_at", Text("Inscrite le", "Enrolled on"), "moment"),
            Column("not_after", Text("Fin de validité", "End of validity"), "moment"),
        ),
        rows=[_row(one, visit) for one in shown],
        empty=Text(
            "Aucune clé inscrite. Un partenaire inscrit la sienne sur sa page « Mes clés ».",
            "No key is enrolled. A partner enrols its own on its page “My keys”.",
        ),
        filters=(Filter("partner", Text("Partenaire", "Partner")),),
        cursor=shown[-1].fingerprint if start + visit.rows < len(found) else None,
    )
    waits = any(one.state == "pending" for one in found)
    answer = visit.listing(listing, "partner-keys.html.jinja", fault=fault, waits=waits, channels=CHANNELS)
    answer.status_code = status
    return answer


def _row(one: PartnerKey, visit: Visit) -> dict[str, object]:
    state = one.state_at(visit.now)
    return {
        "partner": one.partner,
        "fingerprint": one.fingerprint[:SHOWN] + "…" if one.state == "pending" else one.fingerprint,
        "state": said(KEY_STATES, state),
        "state_tone": TONES.get(state, ""),
        "approvals": len(one.approvals),
        "enrolled_by": one.enrolled_by,
        "enrolled_at": one.enrolled_at,
        "not_after": one.not_after,
    }


WAYS = (
    Way("partner-keys", "/partner-keys", show, DPO | ENGINEER, navigates=("Clés des partenaires", "Partners' keys")),
    Way(
        "partner-keys.approve", "/partner-keys", approve, DPO | ENGINEER, "POST", fresh=True, per_minute=TRIES_A_MINUTE
    ),
)
