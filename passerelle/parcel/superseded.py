"""The notice to a recipient that a parcel it has was replaced: text that anyone reads, signed as manifests are.

It lies beside the parcel, as ``PARCEL.superseded.txt`` and ``PARCEL.superseded.txt.sig`` (docs/spec/parcel.md, section 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from passerelle.clock import iso
from passerelle.keys.ssh import NOTICE_NAMESPACE, SIGNER
from passerelle.parcel.notices import written_date
from passerelle.parcel.reasons import SUPERSEDES, SupersedeReason

SUFFIX = ".superseded.txt"
SIGNATURE_SUFFIX = ".sig"

TEXT = """COLIS REMPLACÉ : {earlier}

Destinataire    {recipient}
Convention      {convention}
Échange         {exchange}
Période         {period}
Remplacé le     {date_fr}
Par le colis    {later}
Motif           {reason_fr}

Ce que vous avez à faire :

1. N'utilisez plus le colis {earlier} ni ce que vous en avez extrait.
2. Détruisez-en toutes les copies, ouvertes ou non, sauvegardes comprises.
3. Confirmez-le par écrit à votre correspondant, en citant ce numéro.

{lock_fr}

PARCEL SUPERSEDED: {earlier}

Recipient       {recipient}
Convention      {convention}
Exchange        {exchange}
Period          {period}
Superseded on   {date_en}
By the parcel   {later}
Reason          {reason_en}

What you have to do:

1. Do not use parcel {earlier} any more, nor what you took out of it.
2. Destroy every copy of it, opened or not, backups included.
3. Confirm it in writing to your contact, with this number.

{lock_en}

VÉRIFIER / CHECK ({instant})

    {verify}
"""
LOCK = {
    2: (
        "La passerelle a détruit la clé du second verrou de ce colis et ne la remettra plus.",
        "The gateway has destroyed the key of this parcel's second lock and hands it over no more.",
    ),
    1: (
        "Ce colis n'a qu'un verrou : votre clé l'ouvre toujours.",
        "This parcel has one lock only: your key still opens it.",
    ),
}


@dataclass(frozen=True, slots=True)
class Superseded:
    """What a notice says; ``at`` is the instant from which ``later`` counts, ``locks`` how many ``earlier`` had."""

    earlier: str
    later: str
    recipient: str
    convention: str
    exchange: str
    period: str
    reason: SupersedeReason
    at: datetime
    locks: int


def superseded_notice(said: Superseded) -> bytes:
    """The notice, in French and English; the same facts give the same bytes."""
    (reason_fr, reason_en), (lock_fr, lock_en) = SUPERSEDES[said.reason], LOCK[said.locks]
    name = notice_name(said.earlier)
    return TEXT.format(
        earlier=said.earlier,
        later=said.later,
        recipient=said.recipient,
        convention=said.convention,
        exchange=said.exchange,
        period=said.period,
        date_fr=written_date(said.at.date(), "fr"),
        date_en=written_date(said.at.date(), "en"),
        reason_fr=reason_fr,
        reason_en=reason_en,
        lock_fr=lock_fr,
        lock_en=lock_en,
        instant=iso(said.at),
        verify=f"ssh-keygen -Y verify -f allowed_signers -I {SIGNER} -n {NOTICE_NAMESPACE} "
        f"-s {name}{SIGNATURE_SUFFIX} < {name}",
    ).encode()


def notice_name(parcel: str) -> str:
    """The name of the notice about a parcel."""
    return parcel + SUFFIX
