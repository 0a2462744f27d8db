"""What concerns the party today, and whom to write to."""

from __future__ import annotations

from portal.notices import contacts_of, notices_of
from portal.render import Text
from portal.web.api.calls import ROOT, Asked, Call
from portal.web.api.models import Contact, Notice, Notices, Words


def every(asked: Asked) -> Notices:
    """The notices, the latest first, and the data protection officer of each party."""
    with asked.workspace.database.begin() as connection:
        asked.log(connection, "deliveries_read", "notices", partner=asked.party)
    with asked.workspace.database.read() as connection:
        found = notices_of(asked.workspace, connection, asked.party)
        contacts = contacts_of(asked.workspace, connection, asked.party)
    return Notices(
        items=[
            Notice(kind=one.kind, since=one.since[:10], convention=one.convention, about=one.about, said=Words(fr=one.said.fr, en=one.said.en), due=one.due)
            for one in found
        ],
        contacts=[Contact(convention=one.convention, party=one.party, dpo=one.dpo, post=one.post, article=one.article) for one in contacts],
    )  # fmt: skip


CALLS = (
    Call("notices", f"{ROOT}/notices", every, "read", Notices, Text("Ce qui vous concerne aujourd'hui, et à qui écrire", "What concerns you today, and whom to write to"), logs="deliveries_read"),
)  # fmt: skip
