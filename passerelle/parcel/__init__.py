"""Parcels: the sealed extract for one recipient, in a form that stock tools check and open. See docs/spec/parcel.md."""

from passerelle.parcel.facts import Facts, Sealed, build_manifest
from passerelle.parcel.manifest import (
    CSV,
    Bilingual,
    Counts,
    DecisionNote,
    DestroyBy,
    Dialect,
    Formulas,
    FreeTextNote,
    Gist,
    Licence,
    Lock,
    Manifest,
    Resends,
    Source,
    Supersedes,
    Trail,
    gist,
    parse_manifest,
)
from passerelle.parcel.notices import notice_hashes, notices
from passerelle.parcel.opening import Opened, open_parcel
from passerelle.parcel.sealing import ExtractSink, Sealer
from passerelle.parcel.sshsig import sign, verify_signature
from passerelle.parcel.verifying import Check, Parcel, Trust, Verified, examine, read_parcel, verify

__all__ = [
    "CSV",
    "Bilingual",
    "Check",
    "Counts",
    "DecisionNote",
    "DestroyBy",
    "Dialect",
    "ExtractSink",
    "Facts",
    "Formulas",
    "FreeTextNote",
    "Gist",
    "Licence",
    "Lock",
    "Manifest",
    "Opened",
    "Parcel",
    "Resends",
    "Sealed",
    "Sealer",
    "Source",
    "Supersedes",
    "Trail",
    "Trust",
    "Verified",
    "build_manifest",
    "examine",
    "gist",
    "notice_hashes",
    "notices",
    "open_parcel",
    "parse_manifest",
    "read_parcel",
    "sign",
    "verify",
    "verify_signature",
]
