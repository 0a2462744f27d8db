"""Files that rest on another: a child convention inherits from its parent, an instance fills in a template.

A child (a territorial version) states its own parties, term, exchanges and obligations; what protects the data it takes from
its parent unless it says otherwise. An instance is a template with its blank party and its signature filled in, and nothing
else. Events are never inherited: what must be on record must be on record for the convention itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from passerelle.convention.blocks import Bilingual, Block, Day, Identifier, OrNotStated, Text
from passerelle.convention.model import Convention, Dpo, Source

INHERITED = (
    "jurisdiction", "governing_law", "timezone", "working_days", "hub_role", "security", "personal_data", "retention",
)  # fmt: skip
MAX_GENERATIONS = 3  # a framework, its regional version, its local version


class Blank(Block):
    """The party that a template leaves blank."""

    id: Identifier
    name: Text
    dpo: OrNotStated[Dpo] = "not_stated"


class Instance(Block):
    """The file of one signed copy of a template: who signed it besides the others, and when."""

    format: Literal["passerelle-convention/1"]
    id: Identifier
    template: Identifier
    party: Blank
    signed_on: OrNotStated[Day]
    title: Bilingual | None = None
    source: Source | None = None


def child(data: dict[str, Any], parent: Convention) -> dict[str, Any]:
    """The data of a child's file, completed by what it inherits."""
    given = parent.model_dump(by_alias=True)
    return {**{key: given[key] for key in INHERITED if key not in data}, **data}


def blank_of(template: Convention) -> str | None:
    """The id of the party that a template leaves blank; None when there is not exactly one, or it is no template."""
    blanks = [party.id for party in template.parties if party.name == "not_stated"]
    return blanks[0] if template.source.kind == "template_charter" and len(blanks) == 1 else None


def filled(instance: Instance, template: Convention, blank: str) -> dict[str, Any]:
    """The data of the convention that an instance of a template is."""
    data = template.model_dump(by_alias=True)
    _rename(data, blank, instance.party.id)
    for party in data["parties"]:
        if party["id"] == instance.party.id:
            party.update(instance.party.model_dump(by_alias=True))
    source = template.source if instance.source is None else instance.source
    kind = "signed_charter" if instance.source is None else source.kind
    remarks = () if instance.source is None else source.remarks
    title = {
        "fr": f"{template.title.fr} : {instance.party.name}",
        "en": f"{template.title.en}: {instance.party.name}",
    }
    return {
        **data,
        "id": instance.id,
        "template": template.id,
        "title": title if instance.title is None else instance.title.model_dump(),
        "source": {**source.model_dump(), "kind": kind, "remarks": remarks},
        "signature": {**data["signature"], "signed_on": instance.signed_on},
    }


def _rename(data: dict[str, Any], blank: str, name: str) -> None:
    """Put the party's own id wherever the template has the blank's: keys and parcels are of parties, by their ids."""
    for holder, key in _places(data):
        value = holder.get(key)
        if isinstance(value, tuple):
            holder[key] = tuple(name if one == blank else one for one in value)
        elif value == blank:
            holder[key] = name


def _places(data: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where the format has the id of a party."""
    yield from ((party, "id") for party in data["parties"])
    for exchange in data["exchanges"]:
        yield from ((exchange, "from"), (exchange, "to"))
        if exchange["handling"] is not None:
            yield exchange["handling"], "sender"
    yield from ((obligation, "who") for obligation in data["obligations"])
    if isinstance(data["termination"], tuple):
        yield from ((mode, "reasons_from") for mode in data["termination"])
    if isinstance(data["amendments"], dict):
        yield from ((approval, "party") for approval in data["amendments"]["approvals"])
