"""The trail's separate checker: rebuilds the log from its stored entries and trusts nothing else that is stored.

It shares no code with the writer: own queries, own hashing, own reading of notes and of entries. What both read is
``kinds.json``, which is part of the format (docs/spec/trail.md).
"""

from passerelle.trail.fsck.check import Report, TrailFaultsError, check

__all__ = ["Report", "TrailFaultsError", "check"]
