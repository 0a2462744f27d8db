"""The rights of persons: their keyed tags, and who is left out of extracts (GDPR art. 17, 21)."""

from __future__ import annotations

from passerelle.persons.leaving_out import LeftOut, left_out
from passerelle.persons.objecting import Bearing, Recorded, bearing, record_objection, withdraw_objection
from passerelle.persons.received import Answer, Expired, Received, received
from passerelle.persons.tags import NAME_BIRTH, SCHEMES, Keyed, identifier_tag, keyed, kinds_of, scheme_named

__all__ = [
    "NAME_BIRTH",
    "SCHEMES",
    "Answer",
    "Bearing",
    "Expired",
    "Keyed",
    "LeftOut",
    "Received",
    "Recorded",
    "bearing",
    "identifier_tag",
    "keyed",
    "kinds_of",
    "left_out",
    "received",
    "record_objection",
    "scheme_named",
    "withdraw_objection",
]
