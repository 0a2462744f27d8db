"""The key ring: one key set per convention, generations of the root key, destruction for ever."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors import KeyStoreError
from passerelle.keys import Identity, KeyRing, parse_allowed_signers


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing.create(tmp_path / "keys")


def folder_of(tmp_path: Path) -> Path:
    """The folder of the generation in force."""
    (folder,) = (tmp_path / "keys").glob("gen-*")
    return folder


def test_keys_last(ring: KeyRing, tmp_path: Path) -> None:
    """A key set made at first use is the same after reopening and after a rotation of the root."""
    first = ring.keyset("face-pe-2014")
    assert KeyRing.open(tmp_path / "keys").keyset("face-pe-2014") == first
    assert ring.rotate_root() == 2
    assert ring.generation == 2
    assert KeyRing.open(tmp_path / "keys").keyset("face-pe-2014") == first


def test_nobody_else_may_read_the_files(ring: KeyRing, tmp_path: Path) -> None:
    """Every file of the ring has mode 0600, every folder 0700."""
    ring.keyset("face-pe-2014")
    ring.rotate_root()
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys", folder_of(tmp_path))} == {0o700}


def test_no_secret_lies_open_but_the_root_key(ring: KeyRing, tmp_path: Path) -> None:
    """The bytes of a key set and of the signing keys are in no file as they are."""
    keys = ring.keyset("face-pe-2014")
    secrets = [
        keys.master,
        keys.master.hex().encode(),
        ring.new_copy_key("face-pe-2014", "raw.age").identity.secret.encode(),
        keys.index_key,
        ring.signing_key.private_bytes_raw(),
        ring.trail_key.private_bytes_raw(),
    ]
    contents = [path.read_bytes() for path in (tmp_path / "keys").rglob("*") if path.is_file()]
    assert len(contents) == 8
    assert not [1 for content in contents for secret in secrets if secret in content]


def test_conventions_and_recipients_have_keys_of_their_own(ring: KeyRing) -> None:
    """Two conventions share no key; two recipients of one convention get different pseudonym keys of 16 bytes."""
    one, two = ring.keyset("one"), ring.keyset("two")
    assert not {one.master, one.index_key} & {two.master, two.index_key}
    assert one.pseudonym_key("face") != one.pseudonym_key("region")
    assert one.pseudonym_key("face") != two.pseudonym_key("face")
    assert one.pseudonym_key("face") == ring.keyset("one").pseudonym_key("face")
    assert (len(one.pseudonym_key("face")), len(one.index_key), len(one.commit(b"x"))) == (16, 16, 64)
    assert one.commit(b"x") != two.commit(b"x")


def test_destruction_is_for_ever(ring: KeyRing, tmp_path: Path) -> None:
    """Destroyed keys are refused, may be destroyed again, stay destroyed through rotation; the index key stays."""
    index = ring.keyset("face-pe-2014").index_key
    for _ in range(2):
        ring.destroy("face-pe-2014")
        with pytest.raises(KeyStoreError, match="destroyed"):
            ring.keyset("face-pe-2014")
        ring.rotate_root()
        assert KeyRing.open(tmp_path / "keys").destroyed() == {"face-pe-2014"}
        assert ring.index_key("face-pe-2014") == index


def test_a_convention_may_be_destroyed_before_first_use(ring: KeyRing) -> None:
    """A convention that never had keys can be destroyed, and never gets any."""
    ring.destroy("face-pe-2014")
    with pytest.raises(KeyStoreError, match="destroyed"):
        ring.keyset("face-pe-2014")


def test_the_index_key_goes_last(ring: KeyRing) -> None:
    """The person-index key is destroyed on its own, after the key set only, and for ever."""
    ring.keyset("face-pe-2014")
    with pytest.raises(KeyStoreError, match="lives still"):
        ring.destroy_index("face-pe-2014")
    ring.destroy("face-pe-2014")
    for _ in range(2):
        ring.destroy_index("face-pe-2014")
        ring.rotate_root()
        with pytest.raises(KeyStoreError, match="destroyed"):
            ring.index_key("face-pe-2014")
    assert ring.destroyed() == {"face-pe-2014"}


def test_a_restored_backup_opens_nothing_after_a_rotation(ring: KeyRing, tmp_path: Path) -> None:
    """Wrapped keys of the old generation, put back into the new one, do not open."""
    ring.keyset("face-pe-2014")
    old = folder_of(tmp_path)
    name, backup = "face-pe-2014.keyset", (old / "face-pe-2014.keyset").read_bytes()
    root = (old / "root.key").read_bytes()
    ring.destroy("face-pe-2014")
    ring.rotate_root()
    new = folder_of(tmp_path)
    assert not [path for path in (tmp_path / "keys").rglob("*") if path.is_file() and root in path.read_bytes()]
    (new / name).write_bytes(backup)
    (new / "face-pe-2014.destroyed").unlink()
    with pytest.raises(KeyStoreError, match="does not open"):
        ring.keyset("face-pe-2014")


def test_keys_cannot_change_places(ring: KeyRing, tmp_path: Path) -> None:
    """A wrapped file under the name of another does not open."""
    ring.keyset("one")
    ring.keyset("two")
    folder = folder_of(tmp_path)
    (folder / "one.keyset").write_bytes((folder / "two.keyset").read_bytes())
    with pytest.raises(KeyStoreError, match="does not open"):
        ring.keyset("one")


@pytest.mark.parametrize("name", ["one.keyset", "one.index", "signing.key"])
def test_each_altered_byte_is_found(ring: KeyRing, tmp_path: Path, name: str) -> None:
    """A wrapped file with one byte changed, or cut, does not open."""
    ring.keyset("one")
    path = folder_of(tmp_path) / name
    whole = path.read_bytes()
    for altered in [*(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(len(whole))), whole[:-1], b""]:
        path.write_bytes(altered)
        with pytest.raises(KeyStoreError):
            ring.signing_key if name == "signing.key" else ring.keyset("one")


def test_a_root_key_that_others_may_read_is_refused(ring: KeyRing, tmp_path: Path) -> None:
    """A root key of mode 0644, of another length, or missing stops every operation."""
    path = folder_of(tmp_path) / "root.key"
    path.chmod(0o644)
    with pytest.raises(KeyStoreError, match="0600"):
        ring.keyset("one")
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(KeyStoreError, match="32 bytes"):
        ring.keyset("one")
    path.unlink()
    with pytest.raises(KeyStoreError, match="cannot be read"):
        KeyRing.open(tmp_path / "keys")


def test_there_is_one_ring_in_a_folder(ring: KeyRing, tmp_path: Path) -> None:
    """Creating over a ring and opening none are refused, and so is a pointer that is not a number."""
    assert ring.generation == 1
    with pytest.raises(KeyStoreError, match="already"):
        KeyRing.create(tmp_path / "keys")
    with pytest.raises(KeyStoreError, match="no key ring"):
        KeyRing.open(tmp_path / "elsewhere")
    (tmp_path / "keys" / "CURRENT").write_text("../gen-0001")
    with pytest.raises(KeyStoreError, match="number"):
        KeyRing.open(tmp_path / "keys")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(max_size=90).filter(lambda text: not text.replace("-", "a").isalnum()))
def test_names_that_are_no_convention_are_refused(ring: KeyRing, name: str) -> None:
    """A name that is not a convention id reaches no file."""
    for act in (ring.keyset, ring.index_key, ring.destroy, ring.destroy_index):
        with pytest.raises(KeyStoreError, match="convention id"):
            act(name)


def test_a_release_identity_dies_with_the_key_set(ring: KeyRing) -> None:
    """A release identity opens for its own parcel and key only."""
    release = Identity.generate()
    ring.keyset("one"), ring.keyset("two")
    keys = ring.new_copy_key("one", "releases/parcel-1.key")
    beside = ring.new_copy_key("one", "releases/parcel-2.key")
    wrapped = keys.wrap_release(release, "parcel-1")
    assert keys.unwrap_release(wrapped, "parcel-1") == release
    assert release.secret.encode() not in wrapped
    for other, parcel in ((keys, "parcel-2"), (beside, "parcel-1"), (ring.new_copy_key("two", "p"), "parcel-1")):
        with pytest.raises(KeyStoreError, match="does not open"):
            other.unwrap_release(wrapped, parcel)


def test_what_is_forgotten_never_opens_again(ring: KeyRing, tmp_path: Path) -> None:
    """A backup of the copies' keys from before opens under no key of today; the others keep their keys, and so do tokens."""
    before = ring.keyset("one")
    kept, gone = ring.new_copy_key("one", "kept"), ring.new_copy_key("one", "gone")
    backup = (folder_of(tmp_path) / "one.0001.copies").read_bytes()
    assert ring.forget("one", frozenset({"gone", "never made"})) == 1
    assert ring.forget("one", frozenset({"gone"})) == 0
    assert (ring.copy_key("one", "kept"), ring.copy_keys("one")) == (kept, frozenset({"kept"}))
    assert ring.keyset("one") == before
    with pytest.raises(KeyStoreError, match="destroyed, or never made"):
        ring.copy_key("one", "gone")
    for edition in (1, 2):
        (folder_of(tmp_path) / f"one.{edition:04d}.copies").write_bytes(backup)
        with pytest.raises(KeyStoreError) if edition == 2 else nullcontext():
            assert ring.copy_keys("one") == frozenset({"kept"})
    assert gone.identity.secret.encode() not in backup


def test_secrets_do_not_show(ring: KeyRing) -> None:
    """The text form of a key set and of an identity names no secret."""
    keys = ring.keyset("one")
    shown = repr(keys) + repr(ring.new_copy_key("one", "raw.age")) + str(keys)
    assert "SECRET" not in shown
    assert keys.master.hex() not in shown


def test_a_rotation_does_not_disturb_readers(ring: KeyRing) -> None:
    """Threads that read keys while the root rotates always get the same keys."""
    expected = ring.keyset("one")
    wrong: list[object] = []

    def read() -> None:
        wrong.extend(1 for _ in range(30) if ring.keyset("one") != expected)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(3):
        ring.rotate_root()
    for reader in readers:
        reader.join()
    assert (ring.generation, wrong) == (4, [])


def test_retired_signing_keys_are_kept_with_their_last_instant(ring: KeyRing) -> None:
    """Each rotation adds a key and gives the one before an end; a rotation of the root keeps them all."""
    began, later = datetime(2026, 3, 1, 9, 30, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    keys = [ring.signing_key.public_key(), ring.rotate_signing(began).key, ring.rotate_signing(later).key]
    ring.rotate_root()
    signers = parse_allowed_signers(ring.allowed_signers)
    assert signers == ring.signers
    assert [(one.key, one.before) for one in signers] == list(zip(keys, [began, later, None], strict=True))
    assert [one.vouches_at(began - timedelta(seconds=1)) for one in signers] == [True, True, True]
    assert [one.vouches_at(began) for one in signers] == [False, True, True]
