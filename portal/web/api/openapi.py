"""The API described in OpenAPI 3.1, from the calls themselves and their models: nothing is written twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portal.datasets import FILES
from portal.web.api.calls import Call
from portal.web.api.problems import BY_STATUS, MEDIA_TYPE, TITLES, Problem

REFERENCE = "#/components/schemas/{model}"
PARAMETER = re.compile(r"\{(\w+)\}")
EVERY_CALL = (400, 401, 403, 404, 429)
PARAMETERS: Mapping[str, dict[str, Any]] = {
    "dataset": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,60}$"},
    "parcel": {"type": "string", "pattern": "^p-[0-9a-f]{24}$"},
    "sending": {"type": "string", "pattern": "^s-[0-9a-f]{16}$"},
    "file": {"type": "string", "enum": list(FILES)},
}
"""What stands in paths."""


def described(calls: Sequence[Call]) -> dict[str, Any]:
    """The whole description, as one JSON object."""
    models: set[type[BaseModel]] = {Problem}
    for call in calls:
        models.update(model for model in (call.gives, call.takes) if isinstance(model, type))
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Passerelle",
            "version": version("passerelle"),
            "description": "What a partner does with its programs: the same acts as on its pages. Errors are problem details (RFC 9457).",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "RFC 6750; made on the page /tokens"}},
        },
    }  # fmt: skip


def _operation(call: Call) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": call.name,
        "summary": call.said.en,
        "description": call.said.fr,
        "security": [{"token": [call.scope]}],
        "parameters": [*_in_path(call), *_in_query(call)],
        "responses": {str(call.status): _given(call)} | {str(status): _refusal(status) for status in (*EVERY_CALL, *call.refuses)},
    }  # fmt: skip
    if call.ranges:
        made["responses"] |= {"206": _given(call), "416": {"description": "no such part"}}
    if isinstance(call.takes, type):
        schema = {"$ref": REFERENCE.format(model=call.takes.__name__)}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    elif call.takes or call.streams:
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _in_path(call: Call) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": PARAMETERS[name]}
        for name in PARAMETER.findall(call.path)
    ]


def _in_query(call: Call) -> list[dict[str, Any]]:
    if call.query is None:
        return []
    schema = call.query.model_json_schema()
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": {key: value for key, value in one.items() if key != "title"}}
        for name, one in schema["properties"].items()
    ]  # fmt: skip


def _given(call: Call) -> dict[str, Any]:
    if isinstance(call.gives, tuple):
        content = {
            kind: {"schema": {} if "json" in kind else {"type": "string", "format": "binary"}} for kind in call.gives
        }
        return {"description": call.said.en, "content": content}
    return {"description": call.said.en, "content": {"application/json": {"schema": _schema(call.gives)}}}


def _schema(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _refusal(status: int) -> dict[str, Any]:
    return {
        "description": TITLES[BY_STATUS[status]][1].en,
        "content": {MEDIA_TYPE: {"schema": _schema(Problem)}},
    }
