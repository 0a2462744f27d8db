"""The auditor's bundle: one folder that says what was allowed, what left, what was destroyed, and proves it offline (docs/spec/bundle.md)."""

from retention.bundle.evidence import Evidence, Options
from retention.bundle.folder import Bundle, write_bundle

__all__ = ["Bundle", "Evidence", "Options", "write_bundle"]
