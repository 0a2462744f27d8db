"""The typed model of a convention file (format ``passerelle-convention/1``): what docs/spec/convention.md describes.

``not_stated`` is a value, never an absent key: what the text does not say is said. Every block that carries a rule has its
``basis`` (stated by the text, interpreted from it, or the hub's own policy) and its ``clause``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, StringConstraints, model_validator

from passerelle.convention.blocks import (
    Bilingual,
    Block,
    DatedPeriod,
    Day,
    EventName,
    Grounded,
    Identifier,
    Moment,
    OrNotStated,
    Period,
    Positive,
    Text,
    broken,
)
from passerelle.convention.duration import Amendments, Term, Termination

FORMAT = "passerelle-convention/1"
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DataClass = Literal["open", "aggregate", "business", "personal", "special_category"]
Persons = Literal["none", "agents", "candidates", "jobseekers", "trainees", "employer_contacts"]
PERSONAL = frozenset({"personal", "special_category"})


class Source(Block):
    """The signed text that the file reads: its hash, what kind of text it is, and what is odd in it."""

    file: Text
    sha256: Sha256
    kind: Literal["signed_convention", "convention_text", "signed_charter", "template_charter", "press_release"]
    language: Literal["fr", "de", "en"]
    remarks: tuple[Text, ...] = ()


class WorkingDays(Grounded):
    """The calendar that working days are counted with (D12)."""

    country: Literal["FR", "CH"]
    subdivision: OrNotStated[Text]
    week: Annotated[tuple[Weekday, ...], Field(min_length=1)]


class Dpo(Grounded):
    """Whom persons write to about one party's processing: a function's address, never a person's name."""

    email: Text
    post: OrNotStated[Text]


class Party(Block):
    """An organisation that the text binds or names as present."""

    id: Identifier
    name: OrNotStated[Text]
    kind: Literal[
        "ministry", "public_operator", "public_body", "local_authority", "association", "foundation", "employer"
    ]
    signatory: bool
    dpo: OrNotStated[Dpo]
    note: Text | None = None


class ThirdParty(Block):
    """An organisation that sends or receives under the text without being a party to it."""

    id: Identifier
    name: Text
    role: Text


class Signature(Grounded):
    signed_on: OrNotStated[Day]
    place: OrNotStated[Text]


class Instrument(Grounded):
    """A document that the text announces or that an exchange needs before it may run."""

    id: Identifier
    title: Bilingual
    kind: Literal["annex", "amendment", "agreement", "dedicated_convention", "territorial_agreement", "source_document"]
    due: OrNotStated[Moment]


class Precondition(Grounded):
    id: Identifier
    title: Bilingual


class Trigger(Block):
    kind: Literal["on_event", "on_schedule", "on_request", "continuous", "not_stated"]
    event: EventName | None = None
    every: Literal["day", "month", "quarter", "year", "to_be_agreed"] | None = None
    basis: Literal["stated", "interpreted", "hub_policy"]


class NotBeforeDate(Block):
    day: Day


class NotBeforeEvent(Block):
    working_days: Positive
    event: EventName


class Cardinality(Block):
    """At most ``max`` units per ``per``; an express request on file lifts it."""

    max: Positive
    unit: EventName
    per: EventName
    lifted_by: EventName | None = None


DatasetVersion = Annotated[
    str, StringConstraints(pattern=r"^[a-z]+(_[a-z]+)*(@[0-9]+\.[0-9]+\.[0-9]+)?$", max_length=96)
]
"""A data contract: its latest version, or the one that is named, as in job_offers@1.0.0."""


FreeTextAction = Literal["count", "mask", "refuse"]


class FreeText(Block):
    """What is done with each kind of personal data found in texts that leave: counted, masked, or the row refused.

    Every kind is decided: what is not said is not allowed.
    """

    columns: Annotated[tuple[Text, ...], Field(min_length=1)]
    email: FreeTextAction
    iban: FreeTextAction
    avs: FreeTextAction
    nir: FreeTextAction
    phone: FreeTextAction
    name: FreeTextAction

    @property
    def actions(self) -> dict[str, str]:
        """The action for each kind."""
        return {kind: str(getattr(self, kind)) for kind in type(self).model_fields if kind != "columns"}


class Handling(Block):
    """The hub's own settings for an exchange that carries rows."""

    basis: Literal["hub_policy"]
    contract: DatasetVersion
    columns: tuple[Text, ...]
    pseudonyms: tuple[Text, ...]
    rejects: Literal["refuse", "quarantine"]
    max_rejected_share: Annotated[float, Field(ge=0, le=1)]
    sender: Identifier
    formats: Annotated[tuple[Literal["csv", "parquet"], ...], Field(min_length=1)]
    free_text: FreeText | None = None


class DisclosureControl(Block):
    """Thresholds of published tables (counts, and denominators of rates), and who is taken to compare them.

    ``dominance``: the share of a count that one contributor may make up. ``pool``: a recipient compares what it has itself;
    ``everyone``, all recipients put together what they have.
    """

    min_count: Positive
    min_denominator: Positive
    dominance: Annotated[float, Field(gt=0, lt=1)] | None = None
    pool: Literal["recipient", "everyone"] = "recipient"
    basis: Literal["stated", "interpreted", "hub_policy"]


class Exchange(Grounded):
    """A flow that an article of the convention allows, promises, or makes depend on something else."""

    id: Identifier
    title: Bilingual
    from_: Annotated[tuple[Identifier, ...], Field(min_length=1, alias="from")]
    to: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    data_class: DataClass
    persons: Persons
    trigger: Trigger
    due: OrNotStated[Moment]
    not_before: NotBeforeDate | NotBeforeEvent | None = None
    requires: tuple[Identifier, ...] = ()
    status: Literal["active", "contingent", "pending_instrument"]
    contingent_on: Bilingual | None = None
    consent: Literal["each_record"] | None = None
    cardinality: Cardinality | None = None
    purpose: Bilingual | None = None
    attribution: Bilingual | None = None
    disclosure_control: DisclosureControl | None = None
    note: Text | None = None
    handling: Handling | None

    @model_validator(mode="after")
    def _coherent(self) -> Exchange:
        if self.data_class in PERSONAL and self.persons == "none":
            raise broken("whose data they are, since the class is personal", "persons: none")
        if (self.status == "contingent") != (self.contingent_on is not None):
            raise broken("contingent_on if the status is contingent, and only then", f"the status {self.status}")
        if self.status == "pending_instrument" and not self.requires:
            raise broken("what a pending exchange requires", "nothing")
        return self


class ServiceLevel(Grounded):
    """A clock between an event and an answer: hours elapsed (D13), days of the calendar (D13b)."""

    id: Identifier
    title: Bilingual
    exchange: OrNotStated[Identifier]
    event: EventName
    within: Period


class Cadence(Block):
    """How often something must have happened; years are the contract's unless the text speaks of civil years (D14)."""

    per: Literal["month", "quarter", "semester", "year", "event", "instance", "continuous", "not_stated"]
    at_least: Positive = 1
    years: Literal["contract", "calendar"] = "contract"


class Obligation(Grounded):
    """Something to do and to evidence: a meeting, a report, a review."""

    id: Identifier
    title: Bilingual
    who: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    cadence: Cadence
    due: OrNotStated[Moment]
    minutes: bool = False


class Processors(Grounded):
    condition: Literal["equivalent_guarantees"]


class Security(Grounded):
    objectives: tuple[Text, ...]
    preconditions: tuple[Precondition, ...]
    processors: OrNotStated[Processors]


class PersonalData(Grounded):
    """What the text says of personal data: whose, what for, and how persons are told."""

    persons: Annotated[tuple[Persons, ...], Field(min_length=1)]
    purposes: Annotated[tuple[Text, ...], Field(min_length=1)]
    legal_basis: OrNotStated[Text]
    information: OrNotStated[Bilingual]
    rights: OrNotStated[Bilingual]


class Hold(Grounded):
    kind: Literal["litigation", "legal_obligation"]


class Retention(Grounded):
    """When copies must be gone: as soon as they are unnecessary, at the latest ``latest`` after the end (D11)."""

    destroy: Annotated[tuple[Literal["data", "copies", "hub_copies"], ...], Field(min_length=1)]
    as_soon_as: Literal["no_longer_necessary"]
    latest: DatedPeriod
    holds: tuple[Hold, ...]
    note: Text | None = None


class Interpretation(Block):
    """An ambiguous point: how it may be read, how the hub reads it until told otherwise, and who decides."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Z]+-I[0-9]+$")]
    about: Bilingual
    readings: tuple[Text, ...] = ()
    default: Text
    why: Text | None = None
    who_decides: Literal["signatories", "dpo", "oce"]


class Convention(Block):
    """One convention: a text, read. ``sha256`` is the hash of the file that it was loaded from."""

    format: Literal["passerelle-convention/1"]
    id: Identifier
    parent: Identifier | None = None
    template: Identifier | None = None
    title: Bilingual
    source: Source
    jurisdiction: Literal["FR", "CH-GE"]
    governing_law: OrNotStated[Text]
    timezone: Literal["Europe/Paris", "Europe/Zurich"]
    working_days: WorkingDays
    hub_role: OrNotStated[Literal["processor", "joint_controller", "controller"]]
    parties: Annotated[tuple[Party, ...], Field(min_length=2)]
    third_parties: tuple[ThirdParty, ...] = ()
    signature: Signature
    term: Term
    termination: OrNotStated[tuple[Termination, ...]]
    amendments: OrNotStated[Amendments]
    instruments: tuple[Instrument, ...]
    exchanges: Annotated[tuple[Exchange, ...], Field(min_length=1)]
    service_levels: tuple[ServiceLevel, ...] = ()
    obligations: tuple[Obligation, ...]
    security: OrNotStated[Security]
    personal_data: OrNotStated[PersonalData]
    retention: Retention
    interpretations: tuple[Interpretation, ...]
    silences: tuple[Text, ...]

    _sha256: str = PrivateAttr(default="")
    _lineage: tuple[tuple[str, str], ...] = PrivateAttr(default=())
    _exchanges: Mapping[str, Exchange] = PrivateAttr(default_factory=dict)

    def model_post_init(self, _context: Any) -> None:
        self._exchanges = {exchange.id: exchange for exchange in self.exchanges}

    __hash__ = object.__hash__  # rules are cached per loaded convention

    def __repr__(self) -> str:
        return f"Convention({self.id!r})"

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes of the file, in hexadecimal; empty for a convention that no file holds."""
        return self._sha256

    @property
    def lineage(self) -> tuple[tuple[str, str], ...]:
        """The files that this one inherits from, nearest first: the id and the SHA-256 of each."""
        return self._lineage

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def exchange(self, id: str) -> Exchange | None:  # noqa: A002 - the word of the format
        """The exchange of that id, or None."""
        return self._exchanges.get(id)

    def knows(self, party: str) -> bool:
        """Whether the text names that organisation, as a party or not."""
        return any(party == known.id for known in self.parties) or any(
            party == known.id for known in self.third_parties
        )

    def signatories(self) -> tuple[str, ...]:
        return tuple(party.id for party in self.parties if party.signatory)

    def modes(self) -> tuple[Termination, ...]:
        """The ways to end the convention that its text gives."""
        return () if isinstance(self.termination, str) else self.termination
