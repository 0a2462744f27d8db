"""The JSON Schema of the format, generated from the model: ``python -m passerelle.convention.schema > FILE``."""

from __future__ import annotations

import json
import sys

from passerelle.convention.model import Convention


def schema() -> str:
    """The schema as the committed text: indented JSON, one final newline."""
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Convention.model_json_schema()}
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
