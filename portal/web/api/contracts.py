"""The contracts of what the party sends and receives, and the files that go with them."""

from __future__ import annotations

from starlette.responses import StreamingResponse

from contracts.base import DataContract
from contracts.versions import diff, form
from portal import datasets
from portal.datasets import FILES
from portal.render import Text
from portal.web.api.calls import ROOT, Asked, Call
from portal.web.api.models import (
    Change,
    Column,
    Contract,
    Dataset,
    Datasets,
    Difference,
    OneVersion,
    Rule,
    Use,
    Version,
    Words,
)
from portal.web.visit import AbsentError

DOWNLOADS_A_MINUTE = 30


def every(asked: Asked) -> Datasets:
    """The datasets of the party's exchanges."""
    found: dict[str, list[datasets.Use]] = {}
    for use in _uses(asked):
        found.setdefault(use.dataset.partition("@")[0], []).append(use)
    return Datasets(items=[_dataset(name, own) for name, own in found.items()])


def one(asked: Asked) -> Contract:
    """A contract: its columns, rules, versions and what changes between them."""
    chosen = _chosen(asked)
    latest, *before = datasets.versions(chosen.id)
    return Contract(
        dataset=chosen.id, version=chosen.version, served_until=_day(chosen), title=Words(**chosen.title),
        description=Words(**chosen.description),
        columns=[
            Column(name=c.name, meaning=Words(fr=c.fr, en=c.en), kind=c.kind.value, person=c.person.value, required=c.required,
                   codes=f"{c.codes.name} {c.codes.version}" if c.codes else None)
            for c in chosen.columns
        ],
        rules=[Rule(id=rule.id, column=rule.column, said=Words(fr=rule.fr, en=rule.en)) for rule in chosen.rules],
        dialects=[dialect.id for dialect in chosen.dialects],
        differences=[_difference(each, latest) for each in before],
    )  # fmt: skip


def file(asked: Asked) -> StreamingResponse:
    """A file that goes with a contract."""
    chosen, name = _chosen(asked), asked.part("file")
    if name not in FILES:
        raise AbsentError
    return StreamingResponse(FILES[name].chunks(chosen), media_type=FILES[name].media_type)


def _uses(asked: Asked) -> list[datasets.Use]:
    with asked.workspace.database.read() as connection:
        return datasets.uses(asked.workspace, connection, asked.party)


def _chosen(asked: Asked) -> DataContract:
    name = asked.part("dataset")
    own = any(use.dataset.partition("@")[0] == name for use in _uses(asked))
    chosen = datasets.version(name, asked.asks(OneVersion).version) if own else None
    if chosen is None:
        raise AbsentError
    return chosen


def _dataset(name: str, own: list[datasets.Use]) -> Dataset:
    served = datasets.versions(name)
    return Dataset(
        dataset=name,
        title=Words(**served[0].title),
        versions=[Version(version=one.version, served_until=_day(one)) for one in served],
        uses=[
            Use(convention=use.convention, exchange=use.exchange, title=Words(fr=use.title.fr, en=use.title.en), article=use.article, side=use.side)
            for use in own
        ],
    )  # fmt: skip


def _difference(old: DataContract, new: DataContract) -> Difference:
    found = diff(form(old.reference), form(new.reference)).as_json()
    changes = [
        Change(level=one["level"], column=one["column"], said=Words(fr=one["fr"], en=one["en"]))
        for one in found["changes"]
    ]
    return Difference(old=found["old"], new=found["new"], level=found["verdict"], changes=changes)


def _day(one: DataContract) -> str | None:
    return one.served_until.isoformat() if one.served_until else None


MEDIA_TYPES = tuple(dict.fromkeys(offered.media_type for offered in FILES.values()))
CALLS = (
    Call("contracts", f"{ROOT}/contracts", every, "read", Datasets, Text("Les jeux de données de vos échanges", "The datasets of your exchanges")),
    Call("contract", f"{ROOT}/contracts/{{dataset}}", one, "read", Contract, Text("Un contrat de données", "A data contract"), query=OneVersion),
    Call("contract_file", f"{ROOT}/contracts/{{dataset}}/{{file}}", file, "read", MEDIA_TYPES, Text("Un fichier qui va avec un contrat : schéma, échantillons, verdicts attendus", "A file that goes with a contract: schema, samples, expected verdicts"), query=OneVersion, per_minute=DOWNLOADS_A_MINUTE),
)  # fmt: skip
