"""A contract in the Open Data Contract Standard 3.1, whose vocabulary has no legal basis, retention or person class.

Those are custom properties: of the columns (person class, identifier, code list) and of the contract (each exchange that
carries it, with its article, legal basis and retention as the convention says them, ``not_stated`` where it is silent).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from contracts.base import DataContract
from contracts.identifiers import SCHEMES
from contracts.pages import edition
from contracts.registry import contract as find
from contracts.rules import BETWEEN, Between, Identifier, Length, OneOf, Pattern, Rule, whole
from passerelle.contract import Column, Kind
from passerelle.convention.model import Convention, Exchange

API_VERSION = "v3.1.0"
_LOGICAL: Mapping[Kind, str] = {
    Kind.TEXT: "string",
    Kind.CODE: "string",
    Kind.COUNT: "string",
    Kind.INTEGER: "integer",
    Kind.DECIMAL: "number",
    Kind.DATE: "date",
    Kind.BOOLEAN: "boolean",
}

Json = Any


def odcs(contract: DataContract, conventions: Iterable[Convention] = ()) -> dict[str, Json]:
    """``contract`` as an ODCS 3.1 document; ``conventions`` are searched for the exchanges that carry it."""
    latest = contract is find(contract.id)
    return {
        "version": contract.version,
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"urn:passerelle:contract:{contract.id}",
        "name": contract.id,
        "status": "active" if latest else "deprecated",
        "description": {
            "purpose": contract.description["en"],
            "customProperties": _custom(fr=contract.description["fr"]),
        },
        **_support(contract),
        "schema": [_schema(contract)],
        "customProperties": _custom(
            titleFr=contract.title["fr"],
            titleEn=contract.title["en"],
            personClass=_highest(contract),
            exchanges=[_use(one, each) for one in conventions for each in one.exchanges if _carries(each, contract)],
        ),
    }


def _support(contract: DataContract) -> dict[str, Json]:
    """The end of the notice period of a version that a later one replaced."""
    if contract.served_until is None:
        return {}
    end = {
        "property": "endOfSupport",
        "value": contract.served_until.isoformat(),
        "description": "hub policy: no text sets it",
    }
    return {"slaProperties": [end]}


def _custom(**values: Json) -> list[dict[str, Json]]:
    return [{"property": name, "value": value} for name, value in values.items() if value is not None]


def _highest(contract: DataContract) -> str:
    classes = [column.person.value for column in contract.columns]
    return next((one for one in ("direct", "indirect") if one in classes), "none")


def _carries(exchange: Exchange, contract: DataContract) -> bool:
    return exchange.handling is not None and find(exchange.handling.contract) is contract


def _use(convention: Convention, exchange: Exchange) -> dict[str, Json]:
    personal = convention.personal_data
    retention = convention.retention
    return {
        "convention": convention.id,
        "exchange": exchange.id,
        "article": exchange.article or "not_stated",
        "dataClass": exchange.data_class,
        "persons": exchange.persons,
        "purpose": exchange.purpose.en if exchange.purpose else "not_stated",
        "legalBasis": "not_stated" if personal == "not_stated" else personal.legal_basis,
        "retention": {
            "destroy": list(retention.destroy),
            "asSoonAs": retention.as_soon_as,
            "latest": retention.latest.model_dump(mode="json", exclude_defaults=True),
            "basis": retention.basis,
        },
    }


def _schema(contract: DataContract) -> dict[str, Json]:
    quality = [
        {
            "type": "text",
            "name": rule.id,
            "dimension": "conformity",
            "description": f"{rule.column}: {rule.en} / {rule.fr}",
        }
        for rule in contract.rules
    ]
    quality += [
        {
            "type": "text",
            "name": "unique",
            "dimension": "uniqueness",
            "description": f"{' x '.join(key)}: one row for each",
        }
        for key in contract.unique
    ]
    return {
        "name": contract.id,
        "physicalType": "file",
        "logicalType": "object",
        "businessName": contract.title["fr"],
        "description": contract.title["en"],
        "properties": [_property(contract, column) for column in contract.columns],
        "quality": quality,
    }


def _property(contract: DataContract, column: Column) -> dict[str, Json]:
    key = contract.unique[0] if contract.unique else ()
    options = _options([rule for rule in contract.rules if rule.column == column.name], many=column.many)
    if column.kind is Kind.DATE:
        options = {"format": "yyyy-MM-dd", **options}
    return {
        "name": column.name,
        "businessName": column.fr,
        "description": column.en,
        "logicalType": _LOGICAL[column.kind],
        "physicalType": column.kind.value,
        "required": column.required,
        **({"primaryKey": True, "primaryKeyPosition": key.index(column.name) + 1} if column.name in key else {}),
        **({"logicalTypeOptions": options} if options else {}),
        "classification": "restricted" if column.person.value == "direct" else "internal",
        "customProperties": _custom(
            personClass=column.person.value,
            identifier=column.identifier,
            identityPart=column.part,
            freeText=column.free_text or None,
            codeList=edition(column.codes) if column.codes else None,
            listed=BETWEEN if column.many else None,
            values=next(
                (list(r.values) for r in contract.rules if isinstance(r, OneOf) and r.column == column.name), None
            ),
        ),
    }


def _options(rules: Iterable[Rule], *, many: bool) -> dict[str, Json]:
    options: dict[str, Json] = {}
    for rule in rules:
        match rule:
            case Identifier(scheme=scheme):
                options["pattern"] = whole(SCHEMES[scheme].pattern, many=many)
            case Pattern(pattern=pattern):
                options["pattern"] = whole(pattern, many=many)
            case Length(low=low, high=high) if not many:
                options |= {"minLength": low, "maxLength": high}
            case Between(low=date() as first, high=date() as last):
                options |= {"minimum": first.isoformat(), "maximum": last.isoformat()}
            case Between(low=low, high=high):
                options |= {"minimum": low, "maximum": high}
            case _:
                pass
    return options
