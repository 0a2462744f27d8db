"""The access log: who looked at or took what, when and why; kept 12 months, tamper-evident (docs/spec/access-log.md).

``passerelle.store.access`` writes a line. Here: ``looking`` (write it before anything is shown), ``batches`` (roots into the
trail), ``verifying``, ``expiring``, ``searching``, ``alerting``; ``line`` and
``comparing`` are pure.
"""

from passerelle.access.batches import BATCH_KIND, seal, seal_when_due
from passerelle.access.comparing import Finding
from passerelle.access.expiring import expire
from passerelle.access.looking import Look, looking, refusing, write_in
from passerelle.access.searching import Line, Search, every, page
from passerelle.access.verifying import Report, inspect

__all__ = [
    "BATCH_KIND",
    "Finding",
    "Line",
    "Look",
    "Report",
    "Search",
    "every",
    "expire",
    "inspect",
    "looking",
    "page",
    "refusing",
    "seal",
    "seal_when_due",
    "write_in",
]
