"""Erasing one person (GDPR art. 17): what would be destroyed is shown first, and the identifier is typed a second time."""

from __future__ import annotations

import hmac
import secrets
from collections import Counter
from collections.abc import Sequence

from starlette.responses import Response

from passerelle.errors import RefusedError, UsageError
from portal.render import Text
from portal.web.pages.dpo.persons import KINDS, LOOKS_A_MINUTE, Asked, conventions, form, searched
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import COPIES, said
from retention.erasing import Preview, erase_person, preview_erasure, preview_sha256

_SECRET = secrets.token_bytes(32)  # of this process: what was shown and for whom, without saying it
CHANGED = UsageError(
    "this is not the identifier that the page was made for, or something changed since: nothing was done; prepare it again",
    fr="ce n'est pas l'identifiant pour lequel la page a été établie, ou la situation a changé : rien n'a été fait ; préparez à nouveau",
)  # fmt: skip


def ask(visit: Visit) -> Response:
    """The form for an erasure."""
    return form(visit, only="erasure")


def prepare(visit: Visit) -> Response:
    """What would be destroyed, what a hold keeps, whom to tell; the search is logged."""
    try:
        asked = Asked.of(visit)
        searched(visit, asked, "person_received")
        shown = _preview(visit, asked)
    except (UsageError, RefusedError) as fault:
        return form(visit, fault, only="erasure")
    rows = [
        {
            "one": one,
            "copies": [(said(COPIES, kind), n) for kind, n in sorted(Counter(copy.kind for copy in one.copies).items())],
        }
        for one in shown
    ]  # fmt: skip
    return visit.page(
        "dpo/erasure.html.jinja",
        rows=rows,
        asked=asked,
        seal=_seal(shown, asked),
        kinds=KINDS,
        conventions=conventions(visit),
    )


def carry_out(visit: Visit) -> Response:
    """Erase, when the identifier is the one that the page was made for and the page still tells the truth."""
    try:
        asked = Asked.of(visit)
        if not hmac.compare_digest(_seal(_preview(visit, asked), asked), visit.given("seal")):
            raise CHANGED
        done = erase_person(
            visit.workspace, asked.identifier, by=visit.account.name, reason=asked.reason, kind=asked.kind,
            convention=asked.convention,
        )  # fmt: skip
    except (UsageError, RefusedError) as fault:
        return form(visit, fault, only="erasure")
    visit.logged.add("person_erase")
    destroyed = {one.convention: [(said(COPIES, kind), n) for kind, n in sorted(one.destroyed.items())] for one in done}
    return visit.page("dpo/erased.html.jinja", done=done, destroyed=destroyed, Text=Text)


def _preview(visit: Visit, asked: Asked) -> list[Preview]:
    return preview_erasure(visit.workspace, asked.identifier, kind=asked.kind, convention=asked.convention)


def _seal(shown: Sequence[Preview], asked: Asked) -> str:
    about = (preview_sha256(shown), asked.identifier, asked.kind or "", asked.convention or "")
    return hmac.new(_SECRET, "\0".join(about).encode(), "sha256").hexdigest()


WAYS = (
    Way("persons.erasure.ask", "/persons/erasure", ask, DPO, fresh=True),
    Way(
        "persons.erasure", "/persons/erasure", prepare, DPO, "POST", logs="person_received", fresh=True,
        per_minute=LOOKS_A_MINUTE,
    ),
    Way(
        "persons.erasure.done", "/persons/erasure/done", carry_out, DPO, "POST", logs="person_erase", fresh=True,
        per_minute=LOOKS_A_MINUTE,
    ),
)  # fmt: skip
