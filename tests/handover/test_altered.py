from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from passerelle.errors import KeyStoreError, RefusedError, UsageError
from passerelle.keys import Identity
from passerelle.store import partners
from passerelle.store.tables import partner_key
from tests.gateway import CSP_FILED, PACA_SIGNED, POOLS, STUDIES, Gateway


def test_a_recipient_swapped_in_the_database_gets_nothing(tmp_path: Path) -> None:
    """A stored key that is not the one whose fingerprint was approved stops the exchange."""
    one = Gateway.create(tmp_path, "2025-05-06T09:00:00+02:00").record(*CSP_FILED)
    one.partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
    with one.workspace.database.begin() as connection:
        connection.execute(update(partner_key).values(recipient=Identity.generate().recipient.text))
    with pytest.raises(KeyStoreError, match="not the one"):
        one.run(POOLS, "2025-05", one.write(POOLS, 20))
    assert one.parcels("mtfp") == []


@pytest.mark.parametrize("period", ["2019-02-31", "2019-13", "2019-T1", "19", "2019-Q5", "../x"])
def test_a_period_that_is_none_is_refused(tmp_path: Path, period: str) -> None:
    """A period is a year, a month, a day that exists, a quarter or a half-year, each written in one way."""
    one = Gateway.create(tmp_path, "2016-03-31T09:00:00+02:00").record(PACA_SIGNED)
    with pytest.raises(UsageError):
        one.run(STUDIES, period, one.write(STUDIES, 1))


def test_letter_case_makes_nobody_a_second_person(tmp_path: Path) -> None:
    """Who enrolled a key or approved it once does not count again under another spelling of the same name."""
    one = Gateway.create(tmp_path, "2025-05-06T09:00:00+02:00")
    key, now = Identity.generate().recipient, one.workspace.now()
    with one.workspace.database.begin() as connection:
        partners.add(connection, "mtfp", "mtfp", None, at=now)
        facts = {"kind": key.kind, "recipient": key.text, "fingerprint": key.fingerprint}
        partners.enrol(connection, "mtfp", by="Anne Martin", at=now, **facts)
        with pytest.raises(RefusedError):
            partners.approve(connection, key.fingerprint, by="anne  martin ", at=now)
        partners.approve(connection, key.fingerprint, by="Bruno", at=now)
        with pytest.raises(RefusedError):
            partners.approve(connection, key.fingerprint, by="BRUNO", at=now)
        assert partners.approved(connection, "mtfp") == []
