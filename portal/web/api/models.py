"""What the calls of the API give and take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Instant = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})$")]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Model(BaseModel):
    """No field but those that are declared."""

    model_config = ConfigDict(extra="forbid")


class Words(Model):
    """The same in both languages."""

    fr: str
    en: str


class Myself(Model):
    """Who a token speaks for, and until when."""

    party: str
    token: str
    scopes: list[Literal["read", "send", "open"]]
    expires_at: Instant


class Use(Model):
    """One exchange by which the party sends or receives a dataset."""

    convention: str
    exchange: str
    title: Words
    article: str | None
    side: Literal["sends", "receives"]


class Version(Model):
    """A version that is served; ``served_until`` is the last day of its notice, None for the latest."""

    version: str
    served_until: Day | None


class Dataset(Model):
    """A dataset of the party's exchanges."""

    dataset: str
    title: Words
    versions: list[Version]
    uses: list[Use]


class Datasets(Model):
    """All of them: there are few."""

    items: list[Dataset]


class Column(Model):
    """A column of a contract."""

    name: str
    meaning: Words
    kind: str
    person: str
    required: bool
    codes: str | None


class Rule(Model):
    """A rule of a contract; a row that breaks it is rejected."""

    id: str
    column: str
    said: Words


class Change(Model):
    """What changes from one version to the latest."""

    level: Literal["compatible", "minor", "breaking"]
    column: str | None
    said: Words


class Difference(Model):
    """All that changes from a version that is still served to the latest."""

    old: str
    new: str
    level: Literal["compatible", "minor", "breaking"]
    changes: list[Change]


class Contract(Model):
    """A contract, as its page has it."""

    dataset: str
    version: str
    served_until: Day | None
    title: Words
    description: Words
    columns: list[Column]
    rules: list[Rule]
    dialects: list[str]
    differences: list[Difference]


class OneVersion(Model):
    """Which version: the latest where none is asked for."""

    version: str = Field("", max_length=20)


class ParcelQuery(Model):
    """Which parcels; ``after`` is the ``next`` of the page before."""

    convention: str = Field("", max_length=80)
    exchange: str = Field("", max_length=80)
    after: int | None = Field(None, ge=0, lt=1 << 53)
    limit: int = Field(50, ge=1, le=200)


class Parcel(Model):
    """A parcel and what became of it; ``destroy_by`` is null where the text states no day, or disputes it."""

    parcel: str
    convention: str
    exchange: str
    period: str
    sequence: int
    rows: int
    delivered_at: Instant | None
    opened_at: Instant | None
    receipted_at: Instant | None
    superseded_by: str | None
    resent_as: str | None
    purged: bool
    destroy_by: Day | None
    basis: str | None


class ParcelPage(Model):
    """Some parcels; ``next`` begins the page after, null on the last."""

    items: list[Parcel]
    next: int | None


class WholeParcel(Parcel):
    """A parcel with its manifest (docs/spec/parcel.md); null once its convention's data were destroyed."""

    manifest_sha256: str
    manifest: dict[str, Any] | None


class ReleaseKey(Model):
    """The key of a parcel's second lock: an age identity, for ``age -d -i``."""

    parcel: str
    identity: str


class Recorded(Model):
    """What was recorded, by its hash."""

    sha256: str


class Attested(Recorded):
    """The parcels of the request that the attestation leaves out."""

    missing: list[str]


class AttestationRequest(Model):
    """One request; ``line`` is what was asked (docs/spec/attestation.md)."""

    request: str
    convention: str
    cause: str
    asked_at: Instant
    due: Day
    state: str
    overdue: bool
    parcels: int
    attested: int
    line: str


class AttestationRequests(Model):
    """All of them: there are few."""

    items: list[AttestationRequest]


class Key(Model):
    """A public key of the party; parcels are sealed to it while it is ``approved``."""

    fingerprint: str
    kind: str
    state: str
    approvals: int
    enrolled_at: Instant
    not_before: Instant | None
    not_after: Instant | None
    revoked_at: Instant | None


class Keys(Model):
    """All of them."""

    items: list[Key]


class KeyGiven(Model):
    """A public key: ``age1…``, ``ssh-ed25519 …`` or ``ssh-rsa …``."""

    recipient: str = Field(min_length=1, max_length=4000)


class KeyNamed(Model):
    """A key by its whole fingerprint."""

    fingerprint: str = Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")


class SendingOf(Model):
    """Which exchange a file is for, and which period it covers."""

    convention: str = Field(min_length=1, max_length=80)
    exchange: str = Field(min_length=1, max_length=80)
    period: str = Field(pattern=r"^[0-9]{4}(-[0-9QS][0-9-]{0,4})?$")


class SendingQuery(Model):
    """Which sendings; ``after`` is the ``next`` of the page before."""

    after: str = Field("", max_length=40)
    limit: int = Field(50, ge=1, le=200)


class Broken(Model):
    """A rule that rows broke: how many, and the numbers of the first."""

    rule: str
    column: str
    count: int
    first_rows: list[int]


class Checked(Model):
    """What the contract's check said of a file when it arrived."""

    dataset: str
    version: str
    dialect: str
    read: int
    accepted: int
    rejected: int
    by_rule: list[Broken]


class Sending(Model):
    """A file that the party sent; ``reason`` is why its latest run ended otherwise than delivered."""

    sending: str
    convention: str
    exchange: str
    period: str
    bytes: int
    received_at: Instant
    state: Literal["waiting", "running", "delivered", "duplicate", "refused"]
    reason: str | None
    checked: Checked


class SendingPage(Model):
    """Some sendings; ``next`` begins the page after, null on the last."""

    items: list[Sending]
    next: str | None


class Laid(Sending):
    """A file that was taken; not ``new`` when the same content waits or was delivered for the same period."""

    new: bool


class WholeSending(Sending):
    """A sending with the report of its run (docs/spec/report.md); null before it ran."""

    report: dict[str, Any] | None


class Notice(Model):
    """One thing to know or to do; ``about`` is the number of what it speaks of, ``due`` the day by which to act."""

    kind: Literal["superseded", "attestation", "person", "key", "version", "breach"]
    since: Day
    convention: str | None
    about: str
    said: Words
    due: Day | None


class Contact(Model):
    """The data protection officer of a party, as the convention names one; ``not_stated`` where it does not."""

    convention: str
    party: str
    dpo: str
    post: str | None
    article: str | None


class Notices(Model):
    """All that concerns the party today."""

    items: list[Notice]
    contacts: list[Contact]
