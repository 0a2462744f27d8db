"""What a party finds in its folder: the request to attest a destruction, its recalls, and the escalation; French and English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from passerelle.errors import PasserelleError, UsageError
from passerelle.handover.folders import folder_of, not_written
from passerelle.keys import NOTICE_NAMESPACE
from passerelle.keys.ssh import SIGNER
from passerelle.parcel import sign
from passerelle.parcel.notices import written_date
from passerelle.receipt.attestation import NAMESPACE, Asked, read_request
from passerelle.store.attestations import NoticeRow, RequestRow, requests
from passerelle.workspace import Workspace
from passerelle.workspace.files import write_whole

STAGES = ("asked", "recalled-15", "recalled-30", "escalated")
ASKED, ESCALATED = STAGES[0], STAGES[-1]
SIGNATURE_SUFFIX = ".sig"
NOT_STATED = "not_stated"

TITLES = {
    "asked": ("DEMANDE D'ATTESTATION DE DESTRUCTION", "REQUEST TO ATTEST A DESTRUCTION"),
    "recalled-15": ("PREMIER RAPPEL : ATTESTATION DE DESTRUCTION", "FIRST REMINDER: ATTESTATION OF DESTRUCTION"),
    "recalled-30": ("SECOND RAPPEL : ATTESTATION DE DESTRUCTION", "SECOND REMINDER: ATTESTATION OF DESTRUCTION"),
    "escalated": (
        "ATTESTATION DE DESTRUCTION : SAISINE DU DÉLÉGUÉ À LA PROTECTION DES DONNÉES",
        "ATTESTATION OF DESTRUCTION: PUT TO THE DATA PROTECTION OFFICER",
    ),
}
CAUSES = {
    "purge": ("la fin de la convention", "the end of the convention"),
    "superseded": ("le remplacement de ces colis", "the replacement of these parcels"),
    "asked": ("une demande du délégué à la protection des données", "a request of the data protection officer"),
}
NO_ROUTE = (
    "La convention n'indique pas de délégué à la protection des données pour ce destinataire.",
    "The convention states no data protection officer for this recipient.",
)

TEXT = """{title_fr}

Demande         {request}
Destinataire    {party}
Convention      {convention}
Demandé le      {asked_fr}
À attester au   {due_fr} (délai fixé par la passerelle, non par la convention)
Motif           {cause_fr}
{route_fr}
Colis dont la destruction n'est pas attestée :

{parcels_fr}

Ce que vous avez à faire :

1. Détruisez toutes les copies de ces colis et de ce que vous en avez extrait, sauvegardes comprises.
2. Signez l'attestation avec votre clé SSH inscrite à la passerelle :

    passerelle attestation give {file} --identity VOTRE_CLÉ --trust DOSSIER --out {request}.attested

   Sans ce programme, la page docs/spec/attestation.md dit comment l'écrire et la signer
   (ssh-keygen -Y sign -n {namespace}).
3. Remettez ce fichier à votre correspondant. Un colis que vous devez garder se nomme avec --kept :
   l'attestation est alors inscrite comme partielle.

{title_en}

Request         {request}
Recipient       {party}
Convention      {convention}
Asked on        {asked_en}
To attest by    {due_en} (a rule of the gateway, not of the convention)
Reason          {cause_en}
{route_en}
Parcels of which the destruction is not attested:

{parcels_en}

What you have to do:

1. Destroy every copy of these parcels and of what you took out of them, backups included.
2. Sign the attestation with your SSH key enrolled at the gateway, as shown above.
3. Hand that file to your contact. A parcel that you must keep is named with --kept:
   the attestation is then recorded as partial.

VÉRIFIER / CHECK

    {verify}
"""


def dpo_of(workspace: Workspace, convention: str, party: str) -> str:
    """The route to a party's data protection officer, as the convention states it; ``not_stated`` otherwise."""
    try:
        parties = workspace.convention(convention).parties
    except PasserelleError:
        return NOT_STATED
    found = next((one.dpo for one in parties if one.id == party), NOT_STATED)
    return found if isinstance(found, str) else found.email


def request_name(request: str) -> str:
    """The name of a request's file in its party's folder."""
    return f"{request}.request"


def notice_name(request: str, stage: str) -> str:
    """The name of the text that tells of a request."""
    return f"{request}.{stage}.txt"


def signed_request(workspace: Workspace, row: RequestRow) -> bytes:
    """The request's file: its line and the signature of the gateway's key in use."""
    return row.line + sign(row.line, workspace.keys.signing_key, NOTICE_NAMESPACE)


def request_file(workspace: Workspace, request_id: str) -> bytes:
    """The signed request, as it lies in the party's folder.

    Raises:
        UsageError: there is none of that id.
    """
    with workspace.database.read() as connection:
        found = requests(connection, id=request_id)
    if not found:
        raise UsageError(
            "unknown request",
            hint="passerelle attestation list shows them",
            fr="demande inconnue",
            hint_fr="passerelle attestation list les montre",
        )
    return signed_request(workspace, found[0])


def put_notice(workspace: Workspace, row: RequestRow, notice: NoticeRow, missing: Sequence[str], dpo: str) -> None:
    """Write a notice into its party's folder, the request itself beside it.

    Raises:
        OurWayError: the folder does not take it.
    """
    folder, name = folder_of(workspace, row.party), notice_name(row.id, notice.stage)
    text = notice_text(workspace, row, notice, missing, dpo)
    failure: OSError | None = None
    try:
        write_whole(folder / request_name(row.id), signed_request(workspace, row), 0o644)
        write_whole(
            folder / f"{name}{SIGNATURE_SUFFIX}", sign(text, workspace.keys.signing_key, NOTICE_NAMESPACE), 0o644
        )
        write_whole(folder / name, text, 0o644)
    except OSError as error:
        failure = error
    if failure is not None:
        raise not_written(failure)


def notice_text(workspace: Workspace, row: RequestRow, notice: NoticeRow, missing: Sequence[str], dpo: str) -> bytes:
    """The text in French and English; it lists what is not attested."""
    zone = workspace.convention(row.convention).zone
    asked = datetime.fromisoformat(row.asked_at).astimezone(zone).date()
    parcels = [one for one in read_request(row.line).parcels if one.parcel in missing]
    name = notice_name(row.id, notice.stage)
    (title_fr, title_en), (cause_fr, cause_en) = TITLES[notice.stage], CAUSES[row.cause]
    route_fr, route_en = _route(notice.stage, dpo)
    return TEXT.format(
        title_fr=title_fr,
        title_en=title_en,
        request=row.id,
        party=row.party,
        convention=row.convention,
        asked_fr=written_date(asked, "fr"),
        asked_en=written_date(asked, "en"),
        due_fr=written_date(date.fromisoformat(row.due), "fr"),
        due_en=written_date(date.fromisoformat(row.due), "en"),
        cause_fr=cause_fr,
        cause_en=cause_en,
        route_fr=route_fr,
        route_en=route_en,
        parcels_fr="\n".join(_parcel(one, "fr") for one in parcels),
        parcels_en="\n".join(_parcel(one, "en") for one in parcels),
        file=request_name(row.id),
        namespace=NAMESPACE,
        verify=f"ssh-keygen -Y verify -f allowed_signers -I {SIGNER} -n {NOTICE_NAMESPACE} "
        f"-s {name}{SIGNATURE_SUFFIX} < {name}",
    ).encode()


def _route(stage: str, dpo: str) -> tuple[str, str]:
    if stage != ESCALATED:
        return "", ""
    fr, en = NO_ROUTE if dpo == "not_stated" else (f"À l'attention de : {dpo}", f"For the attention of: {dpo}")
    return f"\n{fr}\n", f"\n{en}\n"


def _parcel(one: Asked, language: str) -> str:
    day = written_date(date.fromisoformat(one.delivered_at[:10]), language)
    number, on = ("n°", "remis le") if language == "fr" else ("no.", "delivered on")
    article = f", {one.article}" if one.article else ""
    return f"  {one.parcel}  {one.exchange}, {one.period}, {number} {one.sequence}, {on} {day}{article}"
