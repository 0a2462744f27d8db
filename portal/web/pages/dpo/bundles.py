"""The auditor's bundle of a convention: made, told in the access log, streamed; nothing of it stays in the gateway."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from starlette.responses import Response, StreamingResponse

from passerelle.access import Look
from passerelle.errors import PasserelleError, RefusedError, UsageError
from portal.bundle.archive import archived
from portal.web.pages import asked
from portal.web.pages.dpo.persons import conventions
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from retention.bundle import Options

CHUNK = 1 << 18
MADE_A_MINUTE = 4


def show(visit: Visit) -> Response:
    """The form, and what is in a bundle."""
    return _show(visit)


def _show(visit: Visit, fault: PasserelleError | None = None) -> Response:
    visit.shows_nothing()
    return visit.page(
        "dpo/bundle.html.jinja", 400 if fault else 200, fault=asked.fault_in_words(fault), conventions=conventions(visit),
        chosen=visit.given("convention") or visit.asked("convention"),
    )  # fmt: skip


def make(visit: Visit) -> Response:
    """Make the bundle and hand it over as one archive."""
    which = visit.given("convention")
    options = Options(names=bool(visit.given("names")), whole_trail=not visit.given("without_rest"))
    try:
        look = Look(visit.account.name, "bundle_export", which, asked.reason(visit), convention=which)
        file = archived(visit.workspace, which, look, options)
    except (UsageError, RefusedError) as fault:
        return _show(visit, fault)
    visit.logged.add("bundle_export")
    headers = {
        "Content-Disposition": f'attachment; filename="{which}.zip"', "Content-Length": str(os.fstat(file.fileno()).st_size),
    }  # fmt: skip
    return StreamingResponse(_chunks(file), media_type="application/zip", headers=headers)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


WAYS = (
    Way("bundle", "/bundle", show, DPO, fresh=True, navigates=("Dossier d'audit", "Auditor's bundle")),
    Way("bundle.make", "/bundle", make, DPO, "POST", logs="bundle_export", fresh=True, per_minute=MADE_A_MINUTE),
)
