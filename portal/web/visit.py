"""One visit of a page: who looks, in which language, at which workspace; and what the page answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from passerelle.access import Look
from passerelle.access.looking import harmless
from passerelle.errors import OurWayError
from passerelle.store import access, accounts
from passerelle.store.accounts import Account, Session
from passerelle.workspace import Workspace
from portal.render import Lang, Text
from portal.web import looks
from portal.web.listing import EXPORTED_ROWS, PAGE_ROWS, Listing, as_csv, as_json
from portal.web.menu import Menu
from portal.web.remembered import Remembered
from portal.web.suggesting import BY_FIELD, Suggested
from portal.web.ways import Way

T = TypeVar("T")
FRESH = timedelta(minutes=5)  # how long a second factor counts for what asks for it anew


class AbsentError(Exception):
    """There is no such thing, or it is not for this visitor: one answer for both."""


@dataclass(slots=True)
class Visit:
    """What a page is given. ``form`` holds the fields of a POST, its token verified already."""

    request: Request
    workspace: Workspace
    way: Way
    menu: Menu
    session: Session | None
    lang: Lang
    form: FormData = field(default_factory=FormData)
    logged: set[str] = field(default_factory=set)

    @property
    def account(self) -> Account:
        """Who looks.

        Raises:
            AbsentError: nobody has signed in.
        """
        if self.session is None:
            raise AbsentError
        return self.session.account

    @property
    def party(self) -> str:
        """Whom a partner's account works for.

        Raises:
            AbsentError: the visitor is no partner's.
        """
        if self.account.party is None:
            raise AbsentError
        return self.account.party

    def remembered(self, connection: Connection, work: Callable[..., T], *about: str) -> T:
        """What ``work`` answers on this workspace and ``about``, as the portal remembers it (portal/web/remembered.py)."""
        kept: Remembered = self.request.app.state.door.remembered
        name = (work.__module__, work.__qualname__, *about)
        return kept.of(self.workspace, connection, name, lambda *given: work(*given, *about))

    @property
    def now(self) -> datetime:
        """The instant, by the workspace's clock."""
        return self.workspace.now()

    @property
    def is_fresh(self) -> bool:
        """Whether the second factor was given minutes ago."""
        return self.session is not None and self.now < self.session.proved_at + FRESH

    @property
    def export(self) -> str | None:
        """The format asked for instead of a page, in the address or in the form: csv or json."""
        asked = self.request.query_params.get("format") or self.given("format")
        return asked if asked in {"csv", "json"} else None

    @property
    def rows(self) -> int:
        """How many rows a list may give at once."""
        return EXPORTED_ROWS if self.export else PAGE_ROWS

    def asked(self, key: str) -> str:
        """A field of the query, without spaces around it and NUL, which no database takes; empty where it is not given."""
        return self.request.query_params.get(key, "").replace("\0", "").strip()

    def given(self, key: str) -> str:
        """A field of the form, without spaces around it; empty where it is not given, or is a file."""
        value = self.form.get(key, "")
        return value.replace("\0", "").strip() if isinstance(value, str) else ""

    def part(self, key: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[key])

    def href(self, name: str, /, **parts: str) -> str:
        """The path of a way."""
        return self.menu.path(name, parts)

    def log(self, connection: Connection, action: str, subject: str, **about: Any) -> None:
        """Write a line of the access log, under the visitor's name; its transaction ends before anything is shown.

        What was typed and is no id is not kept: it may be a person's value.
        """
        look = harmless(Look(self.account.name, action, subject, **about))
        access.log(connection, **asdict(look), at=self.now)
        self.logged.add(action)

    def shows_nothing(self) -> None:
        """Say that the answer shows nothing of what the access log keeps: a form, with what is wrong in it."""
        if self.way.logs is not None:
            self.logged.add(self.way.logs)

    def page(self, template: str, /, status: int = 200, **values: Any) -> Response:
        """A page made from ``template``."""
        speak = looks.speaking(self.lang)
        made = looks.environment().get_template(template)
        body = made.render(
            **speak,
            lines=lambda columns, rows: looks.lines(columns, rows, speak),
            visit=self,
            notice=self._notice(),
            **values,
        )
        return Response(body, status, media_type="text/html")

    def listing(self, listing: Listing, template: str = "listing.html.jinja", **values: Any) -> Response:
        """A list, as a page or in the format that the query asks for."""
        if self.export is None:
            return self.page(template, listing=listing, most=EXPORTED_ROWS, among=self._suggested(listing), **values)
        body, kind = (as_csv(listing, self.lang), "text/csv") if self.export == "csv" else (as_json(listing, self.lang), "application/json")  # fmt: skip
        answer = _download(body, kind, f"{self.way.name}.{self.export}")
        if listing.cursor is not None:  # RFC 8288: the rows that this file has no place for
            answer.headers["Link"] = f'<{self.same(after=listing.cursor)}>; rel="next"'
        return answer

    def _suggested(self, listing: Listing) -> dict[str, Suggested]:
        """What the fields of a search can be asked for; to a partner, whom other texts do not concern, nothing is told."""
        wanted = {one.key for one in listing.filters if one.kind == "text"} & BY_FIELD.keys()
        if not wanted or self.account.role not in {"dpo", "engineer"}:
            return {}
        with self.workspace.database.read() as connection:
            return {key: self.remembered(connection, BY_FIELD[key], self.lang) for key in wanted}

    def same(self, **changed: str | None) -> str:
        """The address of this page with some fields of the query changed; None takes one out."""
        fields: Mapping[str, str | None] = {**self.request.query_params, **changed}
        query = urlencode({key: value for key, value in fields.items() if value})
        return self.request.url.path + (f"?{query}" if query else "")

    def go(self, path: str, said: Text | None = None) -> Response:
        """Go to another page, which shows the sentence ``said`` once."""
        if said is not None and self.session is not None:
            with self.workspace.database.begin() as connection:
                accounts.notice(connection, self.session.key, getattr(said, self.lang))
        return RedirectResponse(path, 303)

    def _notice(self) -> str | None:
        if self.session is None or not self.session.notice:
            return None
        with self.workspace.database.begin() as connection:
            return accounts.take_notice(connection, self.session.key)

    def insist_logged(self) -> None:
        """Refuse to show what the access log had to keep and did not.

        Raises:
            OurWayError: the page wrote no line.
        """
        if self.way.logs is not None and self.way.logs not in self.logged:
            raise OurWayError(f"the page {self.way.name} must write {self.way.logs} into the access log, and did not")


def _download(body: bytes, kind: str, name: str) -> Response:
    return Response(body, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
