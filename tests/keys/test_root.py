"""Whoever keeps the root key, the ring behaves alike: one set of tests for the file and for a token that never shows its keys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from passerelle.errors import KeyStoreError, UsageError
from passerelle.keys import FileRootKey, KeyRing, RootKeys
from passerelle.workspace import Settings, Workspace
from passerelle.workspace.settings import ROOT_KEYS, root_keys
from tests.gateway import trail_holds
from tests.keys.hardware import TokenKeys, token

CONVENTION = "face-pe-2014"


@pytest.fixture(scope="module")
def hardware() -> Iterator[TokenKeys]:
    """A token."""
    with TemporaryDirectory(prefix="token-") as folder, token(Path(folder) / "socket") as roots:
        yield roots


@pytest.fixture(params=["file", "token"])
def roots(request: pytest.FixtureRequest) -> RootKeys:
    """Each that keeps root keys."""
    return FileRootKey if request.param == "file" else request.getfixturevalue("hardware")


def test_what_is_wrapped_opens_in_its_place_only(roots: RootKeys, tmp_path: Path) -> None:
    """Wrapped data opens under its own context, under no other, under no other key, and not with a byte changed or cut."""
    root = roots.create(tmp_path)
    wrapped = root.wrap(b"secret", "one.keyset")
    assert roots.open(tmp_path).unwrap(wrapped, "one.keyset") == b"secret"
    (tmp_path / "other").mkdir()
    other = roots.create(tmp_path / "other")
    altered = [wrapped[:i] + bytes([wrapped[i] ^ 1]) + wrapped[i + 1 :] for i in range(len(wrapped))]
    attempts = [(root, wrapped, "two.keyset"), (other, wrapped, "one.keyset"), (root, wrapped[:-1], "one.keyset")]
    for key, data, context in [*attempts, *((root, data, "one.keyset") for data in altered)]:
        with pytest.raises(KeyStoreError):
            key.unwrap(data, context)


def test_destruction_is_final_and_repeatable(roots: RootKeys, tmp_path: Path) -> None:
    """A destroyed root key opens nothing, not even from a copy of its file, and may be destroyed again from that copy."""
    root = roots.create(tmp_path)
    wrapped, copy = root.wrap(b"secret", "one.keyset"), (tmp_path / "root.key").read_bytes()
    for _ in range(2):
        root.destroy()
    assert not (tmp_path / "root.key").exists()
    with pytest.raises(KeyStoreError):
        roots.open(tmp_path)
    if isinstance(roots, TokenKeys):  # whoever kept a copy of a file has the key; docs/spec/keys.md, section 5
        (tmp_path / "root.key").write_bytes(copy)
        with pytest.raises(KeyStoreError):
            roots.open(tmp_path).unwrap(wrapped, "one.keyset")
        roots.open(tmp_path).destroy()


def test_a_ring_lives_on_it(roots: RootKeys, tmp_path: Path) -> None:
    """Keys last through rotation and reopening, destroyed ones stay destroyed, and a backup of before opens nothing."""
    ring = KeyRing.create(tmp_path / "keys", roots)
    first, signing = ring.keyset(CONVENTION), ring.signing_public
    ring.keyset("gone")
    shutil.copytree(tmp_path / "keys" / "gen-0001", tmp_path / "backup")
    ring.destroy("gone")
    assert ring.rotate_root() == 2
    again = KeyRing.open(tmp_path / "keys", roots)
    assert (again.keyset(CONVENTION), again.signing_public, again.destroyed()) == (first, signing, frozenset({"gone"}))
    new = tmp_path / "keys" / "gen-0002"
    (new / "gone.destroyed").unlink()
    (new / "gone.keyset").write_bytes((tmp_path / "backup" / "gone.keyset").read_bytes())
    (new / "gone.index").write_bytes((tmp_path / "backup" / "gone.index").read_bytes())
    with pytest.raises(KeyStoreError):
        again.keyset("gone")


def test_a_whole_backup_opens_nothing_where_the_key_was_never_in_it(hardware: TokenKeys, tmp_path: Path) -> None:
    """With the root key in a token, even a backup of the whole folder of keys opens nothing after a rotation."""
    ring = KeyRing.create(tmp_path / "keys", hardware)
    ring.keyset("gone")
    shutil.copytree(tmp_path / "keys", tmp_path / "backup")
    ring.destroy("gone")
    ring.rotate_root()
    with pytest.raises(KeyStoreError):
        KeyRing.open(tmp_path / "backup", hardware).keyset("gone")


def test_a_workspace_lives_on_it(hardware: TokenKeys, tmp_path: Path) -> None:
    """A workspace is made and opened with root keys in a token without another change; its files hold no key."""
    settings = Settings(tmp_path, roots=hardware)
    workspace = Workspace.create(settings)
    keys = workspace.keyset(CONVENTION)
    workspace.keys.rotate_root()
    with workspace.database.begin() as connection:
        workspace.append(connection, "root_rotated", {"generation": 2})
        workspace.ledger.checkpoint(connection, workspace.now())
    workspace.close()
    again = Workspace.open(settings)
    assert again.keyset(CONVENTION) == keys
    trail_holds(again)
    again.close()
    assert (tmp_path / "keys" / "gen-0002" / "root.key").read_text().startswith("token:")
    with pytest.raises(KeyStoreError, match="32 bytes"):
        Workspace.open(Settings(tmp_path))


def test_who_keeps_the_root_key_is_named_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PASSERELLE_ROOT_KEYS names the file, which is the default, or what an installed package declares; else it is refused."""
    declared = tmp_path / "keeper-1.0.dist-info"
    declared.mkdir()
    (declared / "METADATA").write_text("Metadata-Version: 2.1\nName: keeper\nVersion: 1.0\n")
    (declared / "entry_points.txt").write_text(f"[{ROOT_KEYS}]\ntoken = tests.keys.hardware:TokenKeys\n")
    monkeypatch.syspath_prepend(tmp_path)
    home = {"PASSERELLE_HOME": str(tmp_path)}
    assert Settings.read(home).roots is FileRootKey
    token: object = Settings.read({**home, "PASSERELLE_ROOT_KEYS": "token"}).roots
    assert token is TokenKeys
    with pytest.raises(UsageError, match="expected one of file, token"):
        root_keys("vault")
