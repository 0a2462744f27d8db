"""One byte changed anywhere in a delivered parcel, or in what the trail has stored, is found: what, and where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from passerelle.errors import KeyStoreError, ParcelError
from passerelle.handover.evidence import trust_from
from passerelle.parcel import Trust, read_parcel, verify
from passerelle.trail.fsck import TrailFaultsError, check
from passerelle.trail.tables import trail_checkpoint, trail_entry, trail_head
from tests.gateway import POOLS, STUDIES, Gateway, pools, studies, trail_holds

MEMBERS = {
    "extract.csv.age", "manifest.json", "manifest.json.sig", "manifest.tlog-proof", "LISEZMOI.txt", "README.txt",
}  # fmt: skip


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that delivered one small study."""
    made = studies(tmp_path_factory.mktemp("tampered"))
    made.run(STUDIES, "2019", made.write(STUDIES, 20))
    yield made
    made.workspace.close()


@pytest.fixture(scope="module")
def parcel(gateway: Gateway) -> Path:
    """The delivered parcel."""
    return gateway.parcels("region-paca")[0]


@pytest.fixture(scope="module")
def trust(gateway: Gateway) -> Trust:
    """What the recipient holds beforehand."""
    return trust_from(gateway.home / "trust", "region-paca")


def changed(path: Path, offset: int, mask: int) -> None:
    """Change one byte in place; the same again takes the change back."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ mask]))


def member_at(path: Path, offset: int) -> str:
    """Which part of the tar a byte belongs to."""
    for member in read_parcel(path).members:
        if offset < member.offset:
            return "header"
        if offset < member.offset + member.size:
            return member.name
        if offset < member.offset + -(-member.size // 512) * 512:
            return "padding"
    return "end"


@pytest.mark.slow
def test_every_byte_of_a_parcel_counts(parcel: Path, trust: Trust) -> None:
    """Whatever byte of a delivered parcel is changed, verification fails and names the member or the bytes of the tar."""
    size = parcel.stat().st_size
    places = [member_at(parcel, offset) for offset in range(size)]
    told: Counter[str] = Counter()
    for offset in range(size):
        changed(parcel, offset, 1 << offset % 8)
        with pytest.raises(ParcelError) as fault:
            verify(parcel, trust)
        changed(parcel, offset, 1 << offset % 8)
        where = fault.value.where or ""
        assert fault.value.message
        if places[offset] in MEMBERS:
            assert places[offset] in where or (places[offset] == "manifest.json.sig" and "manifest.json" in where), (offset, where)  # fmt: skip
        else:
            assert re.search(r"byte|extract|manifest|txt", where), (offset, where)
        told[places[offset]] += 1
    assert MEMBERS | {"header", "padding", "end"} == told.keys()
    assert verify(parcel, trust).parcel.manifest.resource.rows == 20


@settings(max_examples=150)
@given(data=st.data())
def test_any_change_of_a_byte_is_found(parcel: Path, trust: Trust, data: st.DataObject) -> None:
    """Any byte turned into any other is found; put back, the parcel verifies."""
    offset = data.draw(st.integers(0, parcel.stat().st_size - 1))
    mask = data.draw(st.integers(1, 255))
    changed(parcel, offset, mask)
    try:
        with pytest.raises(ParcelError) as fault:
            verify(parcel, trust)
    finally:
        changed(parcel, offset, mask)
    assert fault.value.where


def test_a_cut_or_longer_parcel_is_found(parcel: Path, trust: Trust, tmp_path: Path) -> None:
    """A parcel cut anywhere, or with bytes added, does not verify."""
    whole = parcel.read_bytes()
    copy = tmp_path / "copy.tar"
    for size in range(0, len(whole), 97):
        copy.write_bytes(whole[:size])
        with pytest.raises(ParcelError):
            verify(copy, trust)
    copy.write_bytes(whole + b"\0")
    with pytest.raises(ParcelError, match="nothing more"):
        verify(copy, trust)


def test_a_parcel_for_another_party_is_refused(parcel: Path, gateway: Gateway) -> None:
    """A whole parcel is refused by a party that it is not for."""
    with pytest.raises(ParcelError, match="expected a parcel for pole-emploi, it is for region-paca"):
        verify(parcel, trust_from(gateway.home / "trust", "pole-emploi"))


def test_a_parcel_of_another_gateway_is_refused(parcel: Path, tmp_path: Path) -> None:
    """A whole parcel is refused by who trusts another gateway."""
    other = pools(tmp_path)
    other.workspace.close()
    with pytest.raises(ParcelError, match="key"):
        verify(parcel, trust_from(other.home / "trust"))


def faults(connection: Connection, gateway: Gateway) -> tuple[str, ...]:
    """What the checker says of an altered trail."""
    with pytest.raises(TrailFaultsError) as caught:
        check(connection, gateway.workspace.ledger.verifier_key)
    return caught.value.faults


def test_every_stored_entry_counts(gateway: Gateway) -> None:
    """Whatever byte of a stored entry is changed, the checker names that entry, also among others that were changed."""
    assert trail_holds(gateway.workspace).size > 10
    with gateway.workspace.database.engine.connect() as connection:
        rows = connection.execute(select(trail_entry.c.index, trail_entry.c.body)).all()
        alone = [[(place, body, len(body) * place // len(rows))] for place, body in rows]
        longest = max(len(body) for _, body in rows)
        together = [[(place, body, at) for place, body in rows if at < len(body)] for at in range(longest)]
        for changed in (*alone, *together):
            with connection.begin_nested() as undo:
                for place, body, at in changed:
                    altered = body[:at] + bytes([body[at] ^ 1 << at % 8]) + body[at + 1 :]
                    connection.execute(update(trail_entry).where(trail_entry.c.index == place).values(body=altered))
                told = faults(connection, gateway)
                undo.rollback()
            for place, _, at in changed:
                assert any(fault.startswith(f"entry {place}:") for fault in told), (place, at, told)
        connection.rollback()
    assert sum(len(one) for one in together) == sum(len(body) for _, body in rows) > 2_000
    trail_holds(gateway.workspace)


@pytest.mark.parametrize("table", [trail_checkpoint, trail_head], ids=["checkpoints", "head"])
def test_every_stored_head_counts(gateway: Gateway, table: object) -> None:
    """Whatever byte of a stored head is changed, the checker names it."""
    columns = {trail_checkpoint: ("root", "note"), trail_head: ("frontier",)}[table]  # type: ignore[index]  # one of two tables
    name = {trail_checkpoint: "checkpoint", trail_head: "trail_head"}[table]  # type: ignore[index]  # one of two tables
    key = {trail_checkpoint: trail_checkpoint.c.size, trail_head: trail_head.c.id}[table]  # type: ignore[index]  # one of two tables
    with gateway.workspace.database.engine.connect() as connection:
        for column in columns:
            for place, stored in connection.execute(select(key, table.c[column])).all():  # type: ignore[attr-defined]  # a table
                data = stored if isinstance(stored, bytes) else stored.encode()
                for offset in range(0, len(data), 11):
                    altered = data[:offset] + bytes([data[offset] ^ 1 << offset % 7]) + data[offset + 1 :]
                    value = altered if isinstance(stored, bytes) else altered.decode("utf-8", "replace")
                    with connection.begin_nested() as undo:
                        connection.execute(update(table).where(key == place).values({column: value}))  # type: ignore[arg-type]  # a table
                        told = faults(connection, gateway)
                        undo.rollback()
                    assert any(name in fault for fault in told), (place, offset, told)
        connection.rollback()
    trail_holds(gateway.workspace)


def test_a_release_key_cannot_be_given_another_parcel(tmp_path: Path) -> None:
    """The second lock's key that is stored for one parcel, put in the place of another's, does not open."""
    made = pools(tmp_path)
    for period in ("2025-04", "2025-05"):
        made.run(POOLS, period, made.write(POOLS, 20))
    first, second = sorted((made.home / "releases").iterdir())
    second.write_bytes(first.read_bytes())
    parcel = next(path for path in made.parcels("mtfp") if path.stem == second.stem)
    with pytest.raises(KeyStoreError):
        made.opened(parcel, "mtfp", tmp_path / "out")
    made.workspace.close()
