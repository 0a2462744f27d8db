"""What a visitor can go to: the ways of the visitor's role that have a label, in the order in which they are declared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from passerelle.store.accounts import Role
from portal.web.ways import Way

PART = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass(frozen=True)
class Menu:
    """Every way of the portal."""

    ways: Sequence[Way]

    @cached_property
    def _paths(self) -> dict[str, str]:
        return {way.name: way.path for way in self.ways}

    def path(self, name: str, parts: Mapping[str, str]) -> str:
        """The path of the way ``name`` with ``parts`` in it, each one part whatever it holds.

        Raises:
            KeyError: there is no such way, or it wants another part.
        """
        return PART.sub(lambda found: quote(parts[found[1]], safe=""), self._paths[name])

    def of(self, role: Role) -> list[Way]:
        """The ways in the menu of ``role``."""
        return [way for way in self.ways if role in way.roles and way.navigates is not None]

    def home(self, role: Role) -> str:
        """Where a role begins."""
        return self.of(role)[0].path
