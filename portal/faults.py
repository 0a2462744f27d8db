"""Errors in the reader's language: their own French where they have it, else what went wrong and their own words."""

from __future__ import annotations

from typing import Literal

from passerelle.errors import (
    ContractError,
    ConventionFileError,
    IntakeError,
    KeyStoreError,
    OurWayError,
    ParcelError,
    PasserelleError,
    RefusedError,
    TheirDataError,
    TrailError,
    UsageError,
)

# What went wrong, by who must act (passerelle/errors.py): said in French where the error itself speaks English only.
LEADS: tuple[tuple[type[PasserelleError], str], ...] = (
    (UsageError, "la commande ne peut pas être comprise"),
    (ContractError, "le fichier enfreint son contrat de données"),
    (IntakeError, "le fichier n'est pas ce que son émetteur annonce"),
    (TheirDataError, "ce qui est donné n'a pas la forme voulue"),
    (ConventionFileError, "le fichier de convention n'a pas la forme voulue"),
    (RefusedError, "refusé"),
    (KeyStoreError, "une clé manque, est détruite ou ne peut pas être lue"),
    (OurWayError, "la passerelle n'a pas pu"),
    (ParcelError, "le colis n'est pas tel qu'il a été scellé, ou ne s'ouvre pas"),
    (TrailError, "le registre de preuve ne tient pas"),
    (PasserelleError, "preuve non établie"),
)


def told(error: PasserelleError, lang: Literal["fr", "en"]) -> str:
    """What an error says, in the reader's language: where it has no French, what went wrong, then its own words."""
    place = f"{error.where}: " if error.where else ""
    if lang == "en":
        return f"{place}{error.message}"
    if error.fr is not None:
        return f"{place}{error.fr}"
    lead = next(words for kind, words in LEADS if isinstance(error, kind))
    return f"{lead} ({place}{error.message})"
