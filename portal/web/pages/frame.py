"""What belongs to no one thing: where a visitor begins, the language, the way out."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from passerelle.store import accounts
from portal.web.visit import Visit
from portal.web.ways import EVERYONE, Way


def start(visit: Visit) -> Response:
    """The first page of the visitor's role."""
    return RedirectResponse(visit.menu.home(visit.account.role), 303)


def speak(visit: Visit) -> Response:
    """Change the language of the session, and go back to the page that was read."""
    wanted = "en" if visit.given("lang") == "en" else "fr"
    assert visit.session is not None  # noqa: S101 - the way has roles
    with visit.workspace.database.begin() as connection:
        accounts.speak(connection, visit.session.key, wanted)
    return RedirectResponse(within(visit.given("next")), 303)


def leave(visit: Visit) -> Response:
    """End the session."""
    assert visit.session is not None  # noqa: S101 - the way has roles
    with visit.workspace.database.begin() as connection:
        accounts.close_session(connection, visit.session.key)
    answer = RedirectResponse("/", 303)
    door = visit.request.app.state.door
    answer.delete_cookie(door.cookie, path="/", secure=door.secure, httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def within(path: str) -> str:
    """``path`` when it is one of ours; the start otherwise, so that no link leads a visitor to another site."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if inside else "/"


WAYS = (
    Way("start", "/", start, EVERYONE),
    Way("language", "/language", speak, EVERYONE, "POST"),
    Way("leave", "/leave", leave, EVERYONE, "POST"),
)
