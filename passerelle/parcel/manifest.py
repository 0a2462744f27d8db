"""The manifest: a Frictionless Data Package descriptor (datapackage.org, version 2) in canonical JSON (RFC 8785).

The models are strict: a key that is not in them, a wrong type, or a value out of bounds is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from passerelle.errors import EvidenceError, ParcelError
from passerelle.parcel import archive, limits
from passerelle.parcel.forms import read_form
from passerelle.parcel.reasons import ResendReason, SupersedeReason

MEDIA_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def _instant(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text):
        raise ValueError("expected an instant in UTC with seconds")
    datetime.fromisoformat(text)
    return text


def _day(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("expected a date")
    date.fromisoformat(text)
    return text


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("expected a value or no such key, null came")
    return value


def _yes(value: bool) -> bool:
    if not value:
        raise ValueError("expected true")
    return value


Instant = Annotated[str, AfterValidator(_instant)]
Day = Annotated[str, AfterValidator(_day)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,119}\z")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
Hash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}\z")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}\z")]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
Positive = Annotated[int, Field(ge=1, le=2**53 - 1)]
Version = Annotated[int, Field(ge=1, le=1)]  # a Literal would take true for 1
Yes = Annotated[bool, AfterValidator(_yes)]
Given = AfterValidator(_given)  # of what may be absent and is never null


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Bilingual(_Part):
    fr: Text
    en: Text


class Source(_Part):
    """Who the data come from: the attribution that reuse demands."""

    title: Text
    path: Text | None = None


class Licence(_Part):
    name: Word
    title: Text | None = None
    path: Text | None = None


class Dialect(_Part):
    """How the CSV is written (datapackage.org, Table Dialect)."""

    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)]
    line_terminator: Literal["\n", "\r\n"] = Field(alias="lineTerminator")
    quote_char: Literal['"'] = Field(alias="quoteChar")
    double_quote: Yes = Field(alias="doubleQuote")
    header: Yes


CSV = Dialect(delimiter=",", lineTerminator="\n", quoteChar='"', doubleQuote=True, header=True)


class Missing(_Part):
    value: Annotated[str, StringConstraints(max_length=20)]
    label: Word


class Constraints(_Part):
    required: bool


class ManifestField(_Part):
    """One column; ``title`` is French."""

    name: Word
    type: Literal["string", "integer", "number", "date", "boolean"]
    title: Text
    title_en: Text
    description: Text | None = None
    constraints: Annotated[Constraints | None, Given] = None
    missing_values: Annotated[Annotated[tuple[Missing, ...], Field(min_length=1)] | None, Given] = Field(
        default=None, alias="missingValues"
    )


class TableSchema(_Part):
    fields: Annotated[tuple[ManifestField, ...], Field(min_length=1)]
    missing_values: tuple[str, ...] = Field(alias="missingValues")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({one.name for one in self.fields}) != len(self.fields):
            raise ValueError("a field is named twice")
        return self


class Resource(_Part):
    """The extract, or the verdicts on a sender's rows, as it is once opened."""

    name: Literal["extract", "verdicts"]
    path: Literal["extract.csv", "extract.parquet", "verdicts.csv"]
    type: Literal["table"]
    format: Literal["csv", "parquet"]
    mediatype: Word
    encoding: Annotated[Literal["utf-8"] | None, Given] = None
    dialect: Annotated[Dialect | None, Given] = None
    table: TableSchema = Field(alias="schema")
    bytes: Count
    hash: Hash
    rows: Count

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.path != f"{self.name}.{self.format}" or self.mediatype != MEDIA_TYPES[self.format]:
            raise ValueError("path, format and mediatype do not agree")
        if {self.dialect is not None, self.encoding is not None} != {self.format == "csv"}:
            raise ValueError("csv has a dialect and an encoding, parquet has neither")
        return self


class Counts(_Part):
    """Rows: read from the source, accepted and rejected by the contract, extracted for this recipient."""

    read: Count
    accepted: Count
    rejected: Count
    extracted: Count
    left_out: Annotated[Positive | None, Given] = None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.accepted + self.rejected != self.read:
            raise ValueError("accepted and rejected do not add up to read")
        return self


class Formulas(_Part):
    """How many cells of one column begin as a spreadsheet's formula does."""

    column: Word
    cells: Positive


class FreeTextNote(_Part):
    """Personal data found in one column of free text: how many were counted or masked, or how many rows were refused."""

    column: Word
    kind: Literal["email", "iban", "avs", "nir", "phone", "name"]
    action: Literal["count", "mask", "refuse"]
    count: Positive


class Lock(_Part):
    """One layer of encryption; any of the keys with these fingerprints opens it."""

    kind: Literal["release", "recipient"]
    fingerprints: Annotated[tuple[Fingerprint, ...], Field(min_length=1)]


class DecisionNote(_Part):
    """The gate's answer under which the parcel was made."""

    outcome: Literal["allow", "allow_with_warning"]
    reason: Word | None
    warning: Text | None


class DestroyBy(_Part):
    """When every copy must be gone; ``date`` is null as long as the end of the convention is not known."""

    date: Day | None
    basis: Literal["stated", "interpreted", "hub_policy"]
    article: Word | None
    arithmetic: Bilingual


class Trail(_Part):
    """The trail that the manifest's entry is in, and its size before that entry when it was known."""

    origin: Word
    size: Count | None = None


class Resends(_Part):
    """The parcel that this one sends again: the same extract, sealed anew."""

    parcel: Id
    reason: ResendReason


class Supersedes(_Part):
    """The parcels that this one takes the place of: their extract was found wrong, their second locks are destroyed."""

    parcels: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)]
    reason: SupersedeReason


class Terms(_Part):
    """What the parcel is under the convention: member ``passerelle`` of the descriptor."""

    version: Version
    convention: Id
    convention_sha256: Hex
    exchange: Id
    article: Word
    purpose: Bilingual
    period: Word
    contract: Id
    contract_version: Word
    sender: Id
    recipient: Id
    sequence: Positive
    counts: Counts
    locks: Annotated[tuple[Lock, ...], Field(min_length=1, max_length=2)]
    cipher_sha256: Hex
    cipher_bytes: Positive
    decision: DecisionNote
    destroy_by: DestroyBy
    spreadsheet_formulas: bool
    formulas: Annotated[Annotated[tuple[Formulas, ...], Field(min_length=1)] | None, Given] = None
    free_text: Annotated[Annotated[tuple[FreeTextNote, ...], Field(min_length=1)] | None, Given] = None
    rehearsal: Annotated[Yes | None, Given] = None
    trail: Trail
    notices: Mapping[Literal["LISEZMOI.txt", "README.txt", "report.json", "report.html"], Hash]
    resends: Resends | None = None
    supersedes: Supersedes | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if [lock.kind for lock in self.locks] not in (["recipient"], ["release", "recipient"]):
            raise ValueError("expected locks recipient, or release then recipient")
        if self.resends is not None and self.supersedes is not None:
            raise ValueError("expected resends or supersedes, both came")
        if self.formulas is not None and not self.spreadsheet_formulas:
            raise ValueError("formulas and spreadsheet_formulas do not agree")
        return self

    @property
    def returned(self) -> bool:
        """Whether it can be verdicts, which go back to the sender: each row read, under one lock."""
        of_all = self.counts.extracted == self.counts.read
        return of_all and self.sender == self.recipient and len(self.locks) == 1

    @property
    def earlier(self) -> tuple[str, ...]:
        """The parcels that this one resends or supersedes."""
        if self.supersedes is not None:
            return self.supersedes.parcels
        return (self.resends.parcel,) if self.resends is not None else ()


class Manifest(_Part):
    """The whole descriptor."""

    profile: Literal["https://datapackage.org/profiles/2.0/datapackage.json"] = Field(alias="$schema")
    name: Id
    title: Text
    title_en: Text
    created: Instant
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    licenses: Annotated[tuple[Licence, ...] | None, Given] = None
    resources: Annotated[tuple[Resource, ...], Field(min_length=1, max_length=1)]
    passerelle: Terms

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if set(self.passerelle.notices) != set(archive.texts_of(self.member)):
            raise ValueError("expected the hash of each member that people read, and no other")
        if self.resource.rows != self.passerelle.counts.extracted:
            raise ValueError("rows and counts.extracted do not agree")
        if self.name in self.passerelle.earlier:
            raise ValueError("a parcel cannot come after itself")
        if self.resource.name == "verdicts" and not self.passerelle.returned:
            raise ValueError("expected verdicts on each row read, under one lock, for the sender itself")
        told = {one.column for one in self.passerelle.formulas or ()} | {
            one.column for one in self.passerelle.free_text or ()
        }
        if told - {field.name for field in self.resource.table.fields}:
            raise ValueError("expected columns of the extract, another came")
        return self

    @property
    def resource(self) -> Resource:
        return self.resources[0]

    @property
    def member(self) -> str:
        """The name of the extract in the tar."""
        return self.resource.path + ".age"

    @property
    def instant(self) -> datetime:
        return datetime.fromisoformat(self.created)


class Gist(NamedTuple):
    """The columns that a manifest says it sent, and the fingerprints of the keys of each lock."""

    columns: frozenset[str]
    locks: tuple[frozenset[str], ...]


def gist(manifest: bytes) -> Gist:
    """The gist of a manifest which this gateway wrote: read, not judged as ``parse_manifest`` does, at a tenth of the cost."""
    told = json.loads(manifest)
    return Gist(
        frozenset(field["name"] for field in told["resources"][0]["schema"]["fields"]),
        tuple(frozenset(lock["fingerprints"]) for lock in told["passerelle"]["locks"]),
    )


def parse_manifest(data: bytes) -> Manifest:
    """The manifest that ``data`` is.

    Raises:
        ParcelError: too long, not canonical JSON, or not a manifest; ``where`` names the key.
    """
    if len(data) > limits.MANIFEST:
        raise ParcelError(f"expected at most {limits.MANIFEST} bytes", where=archive.MANIFEST)
    try:
        return read_form(data, Manifest, archive.MANIFEST)
    except EvidenceError as error:
        raise ParcelError(error.message, where=error.where) from None
