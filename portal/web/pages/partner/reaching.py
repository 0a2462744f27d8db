"""A partner's own parcel, found by the address of a page; whatever is not its own does not exist."""

from __future__ import annotations

from passerelle.handover.own import own_parcel
from passerelle.store.runs import Delivery
from portal.web.visit import AbsentError, Visit


def parcel_of(visit: Visit) -> Delivery:
    """The parcel that the address names.

    Raises:
        AbsentError: there is none, or it is another party's.
    """
    with visit.workspace.database.read() as connection:
        found = own_parcel(connection, visit.party, visit.part("delivery"))
    if found is None:
        raise AbsentError
    return found


def seen(visit: Visit, found: Delivery) -> None:
    """Write that the visitor looks at a parcel."""
    with visit.workspace.database.begin() as connection:
        visit.log(
            connection, "deliveries_read", found.id, partner=found.recipient, convention=found.convention,
            exchange=found.exchange, delivery=found.id, run=found.run,
        )  # fmt: skip


def sent_file(visit: Visit, key: str, most: int) -> bytes:
    """The bytes of a file of the form, one more than ``most`` at the most; none where no file was chosen."""
    sent = visit.form.get(key)
    return b"" if sent is None or isinstance(sent, str) else sent.file.read(most + 1)
