"""Why a parcel is sent again, and why one takes the place of another: closed lists, so that no reason can name a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

ResendReason = Literal["lost", "damaged", "key-replaced", "recipient-request"]
SupersedeReason = Literal["corrected", "incomplete", "wrong-period", "wrong-population", "erasure", "sender-request"]

RESENDS: Mapping[str, tuple[str, str]] = {
    "lost": ("perdu", "lost"),
    "damaged": ("endommagé", "damaged"),
    "key-replaced": ("clé du destinataire remplacée", "key of the recipient replaced"),
    "recipient-request": ("à la demande du destinataire", "asked for by the recipient"),
}
SUPERSEDES: Mapping[str, tuple[str, str]] = {
    "corrected": ("données corrigées", "data corrected"),
    "incomplete": ("données incomplètes", "data incomplete"),
    "wrong-period": ("mauvaise période", "wrong period"),
    "wrong-population": ("mauvaise population", "wrong population"),
    "erasure": ("droits exercés par des personnes", "rights exercised by persons"),
    "sender-request": ("à la demande de l'émetteur", "asked for by the sender"),
}
