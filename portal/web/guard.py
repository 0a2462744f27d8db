"""The one door: every request passes here before a page is made, and every answer before it is sent.

In order: the form's size, session, origin of a change, role, token of a change, pace, freshness of the second factor, the page, its
line in the access log. What does not exist and what is not the visitor's get the same answer.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import ceil
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from passerelle.boundary import sealed
from passerelle.errors import OurWayError, PasserelleError, TrailError
from passerelle.store import accounts
from passerelle.store.accounts import Session
from passerelle.workspace import Workspace
from portal.faults import told
from portal.render import Lang, Text, language
from portal.web.body import form as form_of
from portal.web.menu import Menu
from portal.web.pace import Pace, place_of
from portal.web.remembered import Remembered
from portal.web.setup import Setup
from portal.web.visit import AbsentError, Visit
from portal.web.ways import Way

COOKIE = "passerelle"
SECURE_COOKIE = "__Host-passerelle"  # RFC 6265bis section 4.1.3.2: this host only, over TLS only
TOKEN_FIELD = "token"  # noqa: S105 - the name of a form's field

AT_ONCE_SECONDS = 30  # before someone who sends too much at once tries again

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """Makes the endpoint of a way. ``secure``: the portal is reached over TLS."""

    workspace: Workspace
    menu: Menu
    secure: bool
    setup: Setup = field(default_factory=Setup)
    pace: Pace = field(default_factory=Pace)
    remembered: Remembered = field(default_factory=Remembered)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return SECURE_COOKIE if self.secure else COOKIE

    def endpoint(self, way: Way) -> Endpoint:
        """What Starlette calls for ``way``."""

        async def answer(request: Request) -> Response:
            form = FormData()
            if way.method == "POST" and not way.streams:
                form = await form_of(request)
            try:
                return await run_in_threadpool(sealed(self._answer), way, request, form)
            except PasserelleError as fault:  # the session or the page itself could not be made
                return failed(Visit(request, self.workspace, way, self.menu, None, spoken(request)), fault)
            finally:
                await form.close()

        return answer

    def _answer(self, way: Way, request: Request, form: FormData) -> Response:
        self.workspace.refresh()
        visit = self.visit(way, request, form)
        try:
            refused = self._refusal(visit)
            if refused is not None:
                return refused
            answer = way.page(visit)
            visit.insist_logged()
        except AbsentError:
            return absent(visit)
        except PasserelleError as fault:
            return failed(visit, fault)
        return answer

    def visit(self, way: Way, request: Request, form: FormData) -> Visit:
        """The visit that a request makes."""
        found = self._session(request)
        lang: Lang = "en" if (found and found.lang) == "en" else spoken(request)
        if found and found.lang == "fr":
            lang = "fr"
        return Visit(request, self.workspace, way, self.menu, found, lang, form)

    def _session(self, request: Request) -> Session | None:
        token = request.cookies.get(self.cookie)
        if not token:
            return None
        now = self.workspace.now()
        with self.workspace.database.read() as connection:
            found = accounts.session_of(connection, token, browser=browser(request), at=now)
            stale = found is not None and accounts.is_stale(connection, found.key, now)
        if found is not None and stale:
            with self.workspace.database.begin() as connection:
                accounts.seen(connection, found.key, at=now)
        return found

    def _refusal(self, visit: Visit) -> Response | None:
        """Why this visit gets no page, or None."""
        way = visit.way
        if way.method == "POST" and not same_origin(visit.request, insist=way.public):
            return absent(visit)
        if way.public:
            return self._slow(visit)
        if visit.session is None:
            return _sign_in_first(visit)
        if visit.account.role not in way.roles:
            raise AbsentError
        if way.method == "POST" and not way.streams and not has_token(visit, visit.given(TOKEN_FIELD)):
            return expired(visit)
        if (slow := self._slow(visit)) is not None:
            return slow
        if way.fresh and not visit.is_fresh:
            return RedirectResponse(visit.href("sign-in.again") + "?next=" + quote(_next(visit)), 303)
        return None

    def _slow(self, visit: Visit) -> Response | None:
        """What someone is told who takes an expensive way too often, or None."""
        way = visit.way
        if way.per_minute is None:
            return None
        who = visit.session.account.id if visit.session else place_of(visit.request)
        left = self.pace.wait(f"{way.name} {who}", way.per_minute)
        return too_often(visit, ceil(left)) if left > 0 else None


def has_token(visit: Visit, given: str) -> bool:
    """Whether a change carries the token of its session (OWASP CSRF cheat sheet, synchronizer token)."""
    return visit.session is not None and hmac.compare_digest(given.encode(), visit.session.csrf.encode())


def same_origin(request: Request, *, insist: bool = False) -> bool:
    """Whether a change comes from our own pages, as the browser says (Fetch Metadata, and Origin where it is sent).

    With ``insist`` one of the two must be there: a form without a session has no token of its own (login CSRF).
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    if origin is None:
        return site is not None or not insist
    ours = {f"{request.url.scheme}://{request.headers.get('host', '')}", request.app.state.door.setup.origin}
    return origin in ours


def browser(request: Request) -> str:
    """What a session is bound to beside its token: the kind of browser."""
    return request.headers.get("user-agent", "")[:512]


def absent(visit: Visit) -> Response:
    """There is no such page, or it is not the visitor's: the same words, the same status."""
    return message(
        visit,
        404,
        Text("Cette page n'existe pas, ou ne vous est pas ouverte", "There is no such page, or it is not open to you"),
        Text(
            "Vérifiez l'adresse, ou revenez à l'accueil. Si quelqu'un vous a donné cette adresse, demandez-lui à qui elle s'adresse.",
            "Check the address, or go back to the start. If someone gave you this address, ask whom it is meant for.",
        ),
    )


def failed(visit: Visit, fault: PasserelleError) -> Response:
    """What went wrong, in words made to be shown; what the gateway itself could not do is a fault of the server."""
    status = 500 if isinstance(fault, OurWayError | TrailError) else 400
    return message(
        visit,
        status,
        Text("Cela n'a pas pu être fait", "This could not be done"),
        Text(told(fault, "fr"), told(fault, "en")),
        Text(fault.hint_fr or fault.hint or "", fault.hint or ""),
    )


def too_often(visit: Visit, seconds: int) -> Response:
    """Wait before you try again (RFC 6585 section 4)."""
    answer = message(
        visit,
        429,
        Text("Trop de demandes à la suite", "Too many requests in a row"),
        Text(f"Attendez {seconds} secondes, puis recommencez.", f"Wait {seconds} seconds, then try again."),
    )
    answer.headers["Retry-After"] = str(seconds)
    return answer


def unread(visit: Visit, status: int) -> Response:
    """A request that was not read to its end."""
    size = Text("Ce qui a été envoyé dépasse la limite.", "What was sent is over the limit.")
    slow = Text("L'envoi a duré trop longtemps.", "Sending took too long.")
    if status == 429:  # noqa: PLR2004 - too many at once
        return too_often(visit, AT_ONCE_SECONDS)
    said = {413: size, 408: slow}.get(status, Text("La demande n'a pas la forme voulue.", "The request does not have the form that is needed."))  # fmt: skip
    return message(visit, status, Text("Rien n'a été reçu", "Nothing was received"), said)


def message(visit: Visit, status: int, title: Text, words: Text, hint: Text | None = None) -> Response:
    """A page that says one thing."""
    return visit.page("message.html.jinja", status, title=title, said=words, hint=hint, again=status == 400)  # noqa: PLR2004 - what was asked was wrong


def _sign_in_first(visit: Visit) -> Response:
    return RedirectResponse(visit.href("sign-in") + "?next=" + quote(_next(visit)), 303)


def _next(visit: Visit) -> str:
    """Where to go after signing in: this page when it only shows, else the page that its form is on; never another site."""
    if visit.way.method == "GET":
        return visit.same()
    came = urlsplit(visit.request.headers.get("referer", ""))
    query = f"?{came.query}" if came.query else ""
    return f"{came.path}{query}" if came.netloc == visit.request.headers.get("host") and came.path else "/"


def expired(visit: Visit) -> Response:
    """The form does not carry the token of this session."""
    return message(
        visit,
        403,
        Text("Ce formulaire a expiré", "This form has expired"),
        Text(
            "Rien n'a été changé. Rechargez la page d'où vous venez et recommencez.",
            "Nothing was changed. Load the page you come from again, and start over.",
        ),
    )


def spoken(request: Request) -> Lang:
    """The language that the browser prefers of the two; French unless English comes before it."""
    wanted = [one.split(";")[0].strip().lower()[:2] for one in request.headers.get("accept-language", "").split(",")]
    known = [one for one in wanted if one in {"fr", "en"}]
    return language(known[0] if known else "fr")
