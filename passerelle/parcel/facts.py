"""What the gateway knows of a parcel, and the manifest made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.contract import Column, Kind
from passerelle.parcel.manifest import (
    CSV,
    MEDIA_TYPES,
    Bilingual,
    Counts,
    DecisionNote,
    DestroyBy,
    Dialect,
    Formulas,
    FreeTextNote,
    Licence,
    Lock,
    Resends,
    Source,
    Supersedes,
    Trail,
    parse_manifest,
)

SCHEMA = "https://datapackage.org/profiles/2.0/datapackage.json"
FORMAT_VERSION = 1
TYPES = {
    Kind.TEXT: "string",
    Kind.CODE: "string",
    Kind.INTEGER: "integer",
    Kind.COUNT: "integer",
    Kind.DECIMAL: "number",
    Kind.DATE: "date",
    Kind.BOOLEAN: "boolean",
}


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is known of an extract once it is sealed; SHA-256 in hex, sizes in bytes, locks in the order they open."""

    name: str
    plain_sha256: str
    plain_bytes: int
    cipher_sha256: str
    cipher_bytes: int
    locks: tuple[Lock, ...]

    def as_json(self) -> dict[str, Any]:
        """A JSON value to record between sealing and finishing."""
        return {
            "name": self.name,
            "plain_sha256": self.plain_sha256,
            "plain_bytes": self.plain_bytes,
            "cipher_sha256": self.cipher_sha256,
            "cipher_bytes": self.cipher_bytes,
            "locks": [lock.model_dump(mode="json") for lock in self.locks],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Sealed:
        """The inverse of ``as_json``."""
        locks = tuple(Lock(kind=one["kind"], fingerprints=tuple(one["fingerprints"])) for one in value["locks"])
        return cls(**{**value, "locks": locks})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the manifest and the notices say besides the sealed bytes; ``columns`` are those of the extract, in order."""

    parcel: str
    created: datetime
    title: Bilingual
    sources: Sequence[Source]
    columns: Sequence[Column]
    convention: str
    convention_sha256: str
    exchange: str
    article: str
    purpose: Bilingual
    period: str
    contract: str
    contract_version: str
    sender: str
    recipient: str
    sequence: int
    counts: Counts
    decision: DecisionNote
    destroy_by: DestroyBy
    spreadsheet_formulas: bool
    trail: Trail
    licenses: Sequence[Licence] = ()
    dialect: Dialect = CSV
    secrecy: str = "*"
    resends: Resends | None = None
    supersedes: Supersedes | None = None
    rehearsal: bool = False
    formulas: Sequence[Formulas] = ()
    free_text: Sequence[FreeTextNote] = ()


def build_manifest(facts: Facts, sealed: Sealed, notices: Mapping[str, str]) -> bytes:
    """The manifest of one parcel; ``notices`` are the ``sha256:…`` of LISEZMOI.txt and README.txt.

    Raises:
        ParcelError: a fact is missing or out of bounds.
    """
    value: dict[str, Any] = {
        "$schema": SCHEMA,
        "name": facts.parcel,
        "title": facts.title.fr,
        "title_en": facts.title.en,
        "created": iso(facts.created),
        "sources": [_dump(source) for source in facts.sources],
        "resources": [_resource(facts, sealed)],
        "passerelle": _terms(facts, sealed, notices),
    }
    if facts.licenses:
        value["licenses"] = [_dump(licence) for licence in facts.licenses]
    data = canonical(value)
    parse_manifest(data)
    return data


def _resource(facts: Facts, sealed: Sealed) -> dict[str, Any]:
    name, _, form = sealed.name.rpartition(".")
    value: dict[str, Any] = {
        "name": name,
        "path": sealed.name,
        "type": "table",
        "format": form,
        "mediatype": MEDIA_TYPES.get(form, ""),
        "schema": {"fields": list(_fields(facts.columns, facts.secrecy)), "missingValues": [""]},
        "bytes": sealed.plain_bytes,
        "hash": f"sha256:{sealed.plain_sha256}",
        "rows": facts.counts.extracted,
    }
    if form == "csv":
        value |= {"encoding": "utf-8", "dialect": facts.dialect.model_dump(by_alias=True)}
    return value


def _fields(columns: Iterable[Column], secrecy: str) -> Iterable[dict[str, Any]]:
    for column in columns:
        value: dict[str, Any] = {
            "name": column.name,
            "type": TYPES[column.kind],
            "title": column.fr,
            "title_en": column.en,
            "constraints": {"required": column.required},
        }
        if column.kind is Kind.COUNT:
            value["missingValues"] = [
                {"value": "", "label": "not stated"},
                {"value": secrecy, "label": "statistical secrecy"},
            ]
        yield value


def _terms(facts: Facts, sealed: Sealed, notices: Mapping[str, str]) -> dict[str, Any]:
    plain = (
        "convention",
        "convention_sha256",
        "exchange",
        "article",
        "period",
        "contract",
        "contract_version",
        "sender",
    )
    parts = ("purpose", "counts", "decision", "destroy_by", "trail")
    return {
        "version": FORMAT_VERSION,
        **{name: getattr(facts, name) for name in plain},
        **{name: _dump(getattr(facts, name)) for name in parts},
        "recipient": facts.recipient,
        "sequence": facts.sequence,
        "spreadsheet_formulas": facts.spreadsheet_formulas,
        "locks": [_dump(lock) for lock in sealed.locks],
        "cipher_sha256": sealed.cipher_sha256,
        "cipher_bytes": sealed.cipher_bytes,
        "notices": dict(notices),
        **{name: _dump(one) for name in ("resends", "supersedes") if (one := getattr(facts, name)) is not None},
        **({"rehearsal": True} if facts.rehearsal else {}),
        **{
            name: [_dump(one) for one in found] for name in ("formulas", "free_text") if (found := getattr(facts, name))
        },
    }


def _dump(part: BaseModel) -> dict[str, Any]:
    value: dict[str, Any] = part.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return value
