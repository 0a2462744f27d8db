"""The rule core: a convention's text, what happened to it, and what the two allow.

    convention = load(Path("conventions/csp-ft-2024.yaml"))
    decision = decide(convention, events, Request("candidate-pools", at))

Pure but for ``load``: no clock, no network, no database; time comes in as an argument, events as values. The format of the
files is docs/spec/convention.md, the rules D1 to D21 are cited where they are carried out.
"""

from passerelle.convention.alerting import alerts
from passerelle.convention.destruction import destruction_deadline, internal_purge_target, purge_allowed
from passerelle.convention.event import Event
from passerelle.convention.exposure import retrospective_exposure
from passerelle.convention.force import in_force, last_day_in_force
from passerelle.convention.gate import decide
from passerelle.convention.loading import load, load_folder, parse
from passerelle.convention.model import Convention, DisclosureControl, Exchange, Handling, Party
from passerelle.convention.questions import answer
from passerelle.convention.telling import calendar_entries, show
from passerelle.convention.values import Answer, Decision, Request, Words

__all__ = [
    "Answer",
    "Convention",
    "Decision",
    "DisclosureControl",
    "Event",
    "Exchange",
    "Handling",
    "Party",
    "Request",
    "Words",
    "alerts",
    "answer",
    "calendar_entries",
    "decide",
    "destruction_deadline",
    "in_force",
    "internal_purge_target",
    "last_day_in_force",
    "load",
    "load_folder",
    "parse",
    "purge_allowed",
    "retrospective_exposure",
    "show",
]
