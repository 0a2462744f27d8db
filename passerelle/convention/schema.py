"""The JSON Schema of the format, generated from the model: ``python -m passerelle.convention.schema > FILE``."""

from __future__ import annotations

import json
import sys
from typing import Any

from passerelle.convention.model import Convention


def schema() -> str:
    """The schema as the committed text: indented JSON, one final newline."""
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Convention.model_json_schema()}
    return json.dumps(_any_of(document), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


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
