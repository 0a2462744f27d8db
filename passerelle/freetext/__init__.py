"""Personal data in free text: e-mail addresses, telephone, NIR, AVS and account numbers, names after what announces them."""

from __future__ import annotations

from passerelle.freetext.patterns import KINDS, TOKENS
from passerelle.freetext.policy import DEFAULT, Action, Policy, noted, screen
from passerelle.freetext.spotting import Spotted, spot

__all__ = ["DEFAULT", "KINDS", "TOKENS", "Action", "Policy", "Spotted", "noted", "screen", "spot"]
