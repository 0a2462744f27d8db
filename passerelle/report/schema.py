"""The JSON Schema of a report: ``python -m passerelle.report.schema > docs/spec/report.schema.json``."""

from __future__ import annotations

import json
import sys

from passerelle.report.model import Report


def schema() -> str:
    """The schema as the committed text: indented JSON, one final newline."""
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Report.model_json_schema()}
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
