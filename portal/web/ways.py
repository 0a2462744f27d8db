"""A way into the portal: a path, who may take it, and what the access log keeps of it.

Every route is one ``Way``; there is no other. tests/web holds the list to the table of docs/threats.md, role by role.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from starlette.responses import Response

from passerelle.store.accounts import ROLES, Role

if TYPE_CHECKING:
    from portal.web.visit import Visit

Page = Callable[["Visit"], Response]
EVERYONE: frozenset[Role] = frozenset(ROLES)
NOBODY: frozenset[Role] = frozenset()
DPO: frozenset[Role] = frozenset({"dpo"})
ENGINEER: frozenset[Role] = frozenset({"engineer"})
PARTNER: frozenset[Role] = frozenset({"partner"})
ADMINISTRATOR: frozenset[Role] = frozenset({"administrator"})


@dataclass(frozen=True, slots=True)
class Way:
    """One route.

    ``roles`` may take it; a ``public`` way is taken without a session. ``logs`` is the action of the access log that the page
    MUST have written before it is shown. ``fresh``: the second factor must have been given minutes ago (release key, approvals).
    ``per_minute`` is how often one visitor may take it. ``navigates`` puts it into the role's menu under that French and English label.
    """

    name: str
    path: str
    page: Page
    roles: frozenset[Role] = NOBODY
    method: Literal["GET", "POST"] = "GET"
    public: bool = False
    logs: str | None = None
    fresh: bool = False
    navigates: tuple[str, str] | None = None
    streams: bool = False  # the page reads the body itself, as it arrives
    per_minute: int | None = None

    def __post_init__(self) -> None:
        if self.public == bool(self.roles):
            raise ValueError(f"{self.name}: a way is public or has roles")
