"""What pydantic found wrong, as faults with a line, what was expected and what kind of thing came."""

from __future__ import annotations

import difflib
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError

from passerelle.convention.model import Convention
from passerelle.convention.reading import Fault, Place, Tree, shown

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (str, "text"),
    (int, "a whole number"),
    (float, "a decimal number"),
    (date, "a date"),
    (tuple, "a list"),
    (dict, "a mapping"),
    (type(None), "null"),
)
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "date_type": "a date (YYYY-MM-DD, without quotes)",
    "tuple_type": "a list",
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "string_too_short": "text that is not empty",
    "none_required": "null",
}
_HINTS = {
    ("text", "a boolean"): "on, off, yes and no are booleans in YAML 1.1: put quotes around the word",
    ("text", "a date"): "put quotes around it, if it is meant as text",
    ("text", "a whole number"): "put quotes around it, if it is meant as text",
    ("a date (YYYY-MM-DD, without quotes)", "text"): "write 2024-03-12, without quotes",
}


def kind(value: Any) -> str:
    """What kind of thing a value of the file is, never the value."""
    return next((name for type_, name in _KINDS if isinstance(value, type_)), "something else")


def from_validation(error: ValidationError, tree: Tree) -> list[Fault]:
    """The faults of the model, except where the writing itself was already found wrong."""
    spoilt = {fault.place for fault in tree.faults if fault.place}
    faults = []
    for item in error.errors(include_url=False):
        place = _place(item["loc"], tree)
        if not any(place[: len(bad)] == bad for bad in spoilt):
            faults.append(_fault(item, place, tree))
    return faults


def _place(loc: tuple[str | int, ...], tree: Tree) -> Place:
    """The place in the file of a place in the model: without the tags of unions, which the file does not have."""
    place: Place = ()
    for step in loc:
        if (*place, step) in tree.lines:
            place = (*place, step)
    return place


def _fault(item: Any, place: Place, tree: Tree) -> Fault:
    line = tree.lines.get(place, 1)
    came = kind(item["input"])
    name = item["type"]
    context = item.get("ctx", {})
    if name == "missing":
        key = str(item["loc"][-1])
        return Fault(line, f"the key '{key}'", "a block without it", _missing_hint(key), place)
    if name == "extra_forbidden":
        key = str(item["loc"][-1])
        return Fault(line, "a key of the format", f"the unknown key {shown(key)}", _closest(key), place)
    if name == "rule":
        return Fault(line, str(context["expected"]), str(context["got"]), None, place)
    expected = _expected(name, context)
    if name == "literal_error" and came == "text":
        came = "another word"
    elif name == "string_pattern_mismatch":
        came = "text in another form"
    elif name in ("string_too_long", "too_long", "too_short", "string_too_short"):
        came = f"{came} of another length"
    return Fault(line, expected, came, _HINTS.get((expected, came)), place)


def _expected(name: str, context: Any) -> str:
    if name == "literal_error":
        return str(context["expected"])
    if name in ("union_tag_invalid", "union_tag_not_found"):
        field = str(context["discriminator"]).strip("'")
        tags = context.get("expected_tags")
        return f"a block whose {field} is {tags}" if tags else f"a block with the key '{field}'"
    if name == "string_pattern_mismatch":
        return f"text of the form {context['pattern']}"
    if name == "string_too_long":
        return f"at most {context['max_length']} characters"
    if name == "too_short":
        return f"a list of at least {context['min_length']}"
    if name in ("greater_than_equal", "less_than_equal"):
        return f"a number {'>=' if name.startswith('g') else '<='} {context.get('ge', context.get('le'))}"
    return _EXPECTED.get(name, "a value of the format")


def _missing_hint(key: str) -> str | None:
    if key == "basis":
        return "stated, interpreted or hub_policy"
    if key == "clause":
        return "{ref: …}, or not_stated when the basis is hub_policy"
    return None


def _keys(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for block in _all_blocks(BaseModel):
        if block.__module__.startswith(model.__module__.rpartition(".")[0]):
            found |= {field.alias or name for name, field in block.model_fields.items()}
    return found


def _all_blocks(model: type[BaseModel]) -> set[type[BaseModel]]:
    return {model}.union(*(_all_blocks(child) for child in model.__subclasses__()))


def _closest(key: str) -> str | None:
    near = difflib.get_close_matches(key, _keys(Convention), 1)
    return f"did you mean '{near[0]}'?" if near else None
