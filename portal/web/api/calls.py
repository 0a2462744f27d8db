"""A call of the API: its path, the scope it asks of a token, what it takes and gives, what the access log keeps of it.

Every route under ``/api/v1`` is one ``Call``; there is no other. tests/web holds the list to the table of docs/threats.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from passerelle.errors import OurWayError
from passerelle.store import access
from passerelle.store.accounts import Account
from passerelle.store.api_tokens import Scope, Token
from passerelle.workspace import Workspace
from portal.render import Lang, Text
from portal.web.visit import AbsentError

ROOT = "/api/v1"
CALLS_A_MINUTE = 120
RAW: Literal["raw"] = "raw"  # a body that is a file, as it is
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """One route. ``gives`` is the model of its answer, or the media types of its bytes.

    ``logs`` is the action of the access log that it MUST have written before it answers. ``streams``: it reads the body itself, as
    it arrives. ``refuses`` are statuses of its own, beside those that every call may answer.
    """

    name: str
    path: str
    act: Callable[[Asked], BaseModel | Response]
    scope: Scope
    gives: type[BaseModel] | tuple[str, ...]
    said: Text
    method: Literal["GET", "POST"] = "GET"
    query: type[BaseModel] | None = None
    takes: type[BaseModel] | Literal["raw"] | None = None
    status: int = 200
    logs: str | None = None
    streams: bool = False
    per_minute: int = CALLS_A_MINUTE
    refuses: tuple[int, ...] = ()
    ranges: bool = False  # parts of it are given (RFC 9110, section 14)


@dataclass(slots=True)
class Asked:
    """One request to the API, its token verified: who asks, what for."""

    request: Request
    workspace: Workspace
    call: Call
    token: Token
    account: Account
    lang: Lang
    query: BaseModel | None = None
    body: BaseModel | None = None
    data: bytes = b""
    logged: set[str] = field(default_factory=set)

    @property
    def party(self) -> str:
        """Whom the token's owner works for.

        Raises:
            AbsentError: for nobody.
        """
        if self.account.party is None:
            raise AbsentError
        return self.account.party

    @property
    def now(self) -> datetime:
        """The instant, by the workspace's clock."""
        return self.workspace.now()

    @property
    def why(self) -> str:
        """What the access log has as the reason: by which token."""
        return f"api {self.token.id}"

    def part(self, key: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[key])

    def asks(self, kind: type[Model]) -> Model:
        """The fields of the query."""
        assert isinstance(self.query, kind)  # noqa: S101 - read by the door as the call declares
        return self.query

    def gave(self, kind: type[Model]) -> Model:
        """The body."""
        assert isinstance(self.body, kind)  # noqa: S101 - read by the door as the call declares
        return self.body

    def log(self, connection: Connection, action: str, subject: str, **about: Any) -> None:
        """Write a line of the access log under the name of the token's owner, with the token as the reason."""
        at = self.now.replace(microsecond=0)
        access.log(connection, actor=self.account.name, action=action, subject=subject, at=at, reason=self.why, **about)
        self.logged.add(action)

    def insist_logged(self) -> None:
        """Refuse to give what the access log had to keep and did not.

        Raises:
            OurWayError: the call wrote no line.
        """
        if self.call.logs is not None and self.call.logs not in self.logged:
            raise OurWayError(f"the call {self.call.name} must write {self.call.logs} into the access log, and did not")
