"""What is due, when and why: the plan, the register of obligations, the rehearsal of a convention's life.

    items = plan(Known(convention, events, deliveries), start, end, now)

Pure, as the rule core is: the text, its history and what was delivered come in as values, and so does the instant. Nothing
is stored: a plan is computed again whenever it is asked, and the key of each item says whether it was told before.
"""

from passerelle.planning.answers import Answers
from passerelle.planning.item import Delivery, Evidence, Item, Known
from passerelle.planning.planner import Standing, plan, standing
from passerelle.planning.register import Entry, late, register
from passerelle.planning.rehearsal import Change, rehearse

__all__ = [
    "Answers",
    "Change",
    "Delivery",
    "Entry",
    "Evidence",
    "Item",
    "Known",
    "Standing",
    "late",
    "plan",
    "register",
    "rehearse",
    "standing",
]
