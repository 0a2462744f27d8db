"""What a visitor can go to: the ways of the visitor's role that have a label, in the order in which they are declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from passerelle.store.accounts import Role
from portal.web.ways import Way


@dataclass(frozen=True, slots=True)
class Menu:
    """Every way of the portal."""

    ways: Sequence[Way]

    def of(self, role: Role) -> list[Way]:
        """The ways in the menu of ``role``."""
        return [way for way in self.ways if role in way.roles and way.navigates is not None]

    def home(self, role: Role) -> str:
        """Where a role begins."""
        return self.of(role)[0].path
