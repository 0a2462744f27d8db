"""The JSON Schema of the format, generated from the model: ``python -m passerelle.convention.schema > FILE``."""

from __future__ import annotations

import json
import sys
from typing import Any

from passerelle.convention.inheriting import INHERITED, Instance
from passerelle.convention.model import Convention


def schema() -> str:
    """The schema as the committed text: indented JSON, one final newline."""
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_three_kinds()}
    return json.dumps(_any_of(document), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _three_kinds() -> dict[str, Any]:
    """A whole convention, a child that leaves out what it inherits, an instance of a template."""
    whole, instance = Convention.model_json_schema(), Instance.model_json_schema()
    blocks = {**whole.pop("$defs"), **instance.pop("$defs")}
    properties = {key: value for key, value in whole["properties"].items() if key not in ("parent", "template")}
    child = {
        **whole,
        "title": "Child",
        "description": "A convention that inherits from its parent what it does not state.",
        "properties": {**properties, "parent": instance["properties"]["template"]},
        "required": [key for key in [*whole["required"], "parent"] if key not in INHERITED],
    }
    kinds = {"Convention": {**whole, "properties": properties}, "Child": child, "Instance": instance}
    return {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in kinds], "$defs": {**blocks, **kinds}}


def _any_of(node: Any) -> Any:
    """``oneOf`` as ``anyOf``, but for blocks told apart by a key: ``not_stated`` is also a text."""
    if isinstance(node, list):
        return [_any_of(one) for one in node]
    if not isinstance(node, dict):
        return node
    loose = "oneOf" in node and "discriminator" not in node
    return {"anyOf" if loose and key == "oneOf" else key: _any_of(value) for key, value in node.items()}


if __name__ == "__main__":
    sys.stdout.write(schema())
