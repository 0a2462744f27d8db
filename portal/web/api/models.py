"""What the calls of the API give and take."""

from __future__ import annotations

from typing import Annotated, Literal

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
