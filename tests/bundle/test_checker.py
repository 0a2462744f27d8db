"""The checker that travels finds what was altered, also when the gateway itself signed the lie."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.keys import BUNDLE_NAMESPACE
from passerelle.keys.ssh import allowed_signers, public_blob, public_text
from passerelle.parcel import sign
from passerelle.trail import merkle
from retention.bundle import entries, proving
from tests.bundle.conftest import CSP, Kept

# RFC 8032, 7.1: secret key, public key, message, signature.
RFC_8032 = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)  # fmt: skip
Lie = Callable[[Path], None]


def states(found: list[dict[str, str]]) -> dict[str, str]:
    """Each check and how it came out."""
    return {one["check"]: one["state"] for one in found}


def broken(script: ModuleType, folder: Path, trust: Path | None = None) -> set[str]:
    """The checks that do not hold."""
    return {name for name, state in states(script.examined(folder, trust)).items() if state == "broken"}


def signed_again(kept: Kept, folder: Path, key: Ed25519PrivateKey | None = None) -> Path:
    """List and sign the files anew, with the gateway's own key or with another one."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("SHA256SUMS")
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))
    with_key = key or kept.gateway.workspace.keys.signing_key
    (folder / "SHA256SUMS.sig").write_bytes(sign("".join(lines).encode(), with_key, BUNDLE_NAMESPACE))
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A bundle to alter."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def test_every_altered_byte_is_found(copy: Path, script: ModuleType) -> None:
    """One bit of any file changed, at its start, middle or end, and the bundle does not hold; nor with a file more or less."""
    paths = sorted(path for path in copy.rglob("*") if path.is_file())
    assert len(paths) > 50
    assert broken(script, copy) == set()
    bundle = script.Bundle
    for path in paths:
        data = path.read_bytes()
        places = range(len(data)) if path.name == "SHA256SUMS.sig" else {0, len(data) // 2, len(data) - 1}
        for place in places:
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises((script.Fault, ValueError)):
                _first_two(bundle(copy, None))
        path.write_bytes(data[:-1])
        with pytest.raises((script.Fault, ValueError)):
            _first_two(bundle(copy, None))
        path.unlink()
        assert broken(script, copy), path
        path.write_bytes(data)
    (copy / "evidence" / "more.json").write_text("{}")
    assert broken(script, copy) == {"files"}


def _first_two(bundle: Any) -> None:
    bundle.files()
    bundle.signature()


def test_a_link_is_no_file(copy: Path, script: ModuleType, tmp_path: Path) -> None:
    """A symbolic link in place of a file is found, also when it leads to the same bytes."""
    page = copy / "index.html"
    shutil.move(page, tmp_path / "elsewhere")
    page.symlink_to(tmp_path / "elsewhere")
    assert broken(script, copy) == {"files"}


def test_another_signer_is_found_with_keys_of_ones_own(
    kept: Kept, copy: Path, script: ModuleType, tmp_path: Path
) -> None:
    """A bundle signed anew with another key, its trust replaced, holds by itself, and not with the keys the auditor has."""
    own = Path(shutil.copytree(copy / "trust", tmp_path / "own"))
    key = Ed25519PrivateKey.generate()
    (copy / "trust" / "allowed_signers").write_text(allowed_signers(key.public_key(), namespace=BUNDLE_NAMESPACE))
    signed_again(kept, copy, key)
    assert "signature" not in broken(script, copy)
    assert broken(script, copy, own) == {"signature"}


def rewritten(name: str, change: Callable[[Any], None]) -> Lie:
    """A lie in one document."""

    def lie(folder: Path) -> None:
        path = folder / name
        value = json.loads(path.read_text("utf-8"))
        change(value)
        path.write_text(json.dumps(value), "utf-8")

    return lie


def without_entry(kind: str) -> Lie:
    """Leave an entry of the trail out, with its proof, and count accordingly."""

    def lie(folder: Path) -> None:
        path = folder / "evidence" / "entries.jsonl"
        lines = path.read_text("utf-8").splitlines(keepends=True)
        gone = next(line for line in lines if json.loads(line)["kind"] == kind)
        path.write_text("".join(line for line in lines if line != gone), "utf-8")
        index = json.loads(gone)["index"]
        (folder / f"trail/proofs/{index // 1000:04d}/{index:06d}.tlog-proof").unlink()

    return lie


def other_entry(folder: Path) -> None:
    """Say something else in an entry."""
    path = folder / "evidence" / "entries.jsonl"
    path.write_text(path.read_text("utf-8").replace('"outcome":"block"', '"outcome":"allow"'), "utf-8")


def other_text(folder: Path) -> None:
    """Another text of the convention."""
    path = folder / f"evidence/conventions/{CSP}.yaml"
    path.write_bytes(path.read_bytes() + b"# more\n")


def other_receipt(folder: Path) -> None:
    """A receipt by another key."""
    (path,) = (folder / "evidence" / "receipts").iterdir()
    line = path.read_bytes().partition(b"\n")[0] + b"\n"
    path.write_bytes(line + sign(line, Ed25519PrivateKey.generate(), "passerelle-receipt"))


def other_manifest(folder: Path) -> None:
    """Another manifest."""
    path = min((folder / "evidence" / "manifests").iterdir())
    path.write_bytes(path.read_bytes().replace(b"mtfp", b"mtss"))


def head_rewritten(folder: Path) -> None:
    """A path of consistency that leads elsewhere."""
    path = folder / "trail" / "heads.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    one = json.loads(lines[0])
    one["consistency"][0] = base64.b64encode(bytes(32)).decode()
    path.write_text(json.dumps(one) + "\n" + "".join(lines[1:]), "utf-8")


def other_key(folder: Path) -> None:
    """A receipt signed anew, by a key that is given for the partner's."""
    forger = Ed25519PrivateKey.generate()
    (path,) = (folder / "evidence" / "receipts").iterdir()
    line = path.read_bytes().partition(b"\n")[0] + b"\n"
    path.write_bytes(line + sign(line, forger, "passerelle-receipt"))
    keys = folder / "evidence" / "keys.json"
    value = json.loads(keys.read_text("utf-8"))
    for one in value["partners"]:
        one["public"] = public_text(forger.public_key())
    keys.write_text(json.dumps(value), "utf-8")


def headless(folder: Path) -> None:
    """A head that the trail's key has not signed, in each proof as well."""
    note = (folder / "trail" / "checkpoint").read_text("utf-8")
    text = note.partition("\n\n")[0] + "\n\n"
    for path in (folder / "trail" / "checkpoint", *(folder / "trail" / "proofs").rglob("*.tlog-proof")):
        path.write_text(
            path.read_text("utf-8").replace(note, f"{text}— x {base64.b64encode(bytes(76)).decode()}\n"), "utf-8"
        )


LIES: dict[str, tuple[Lie, str]] = {
    "a decision turned": (other_entry, "proofs"),
    "an entry left out": (without_entry("decision"), "trail_whole"),
    "a head rewritten": (head_rewritten, "heads"),
    "another text": (other_text, "convention"),
    "an event changed": (
        rewritten("evidence/record.json", lambda v: v[0]["payload"].update(on="2020-01-01")),
        "record",
    ),
    "an event left out": (rewritten("evidence/record.json", lambda v: v.pop()), "record"),
    "another recipient": (rewritten("evidence/deliveries.json", lambda v: v[0].update(recipient="mtss")), "deliveries"),
    "a delivery left out": (rewritten("evidence/deliveries.json", lambda v: v.pop()), "deliveries"),
    "another manifest": (other_manifest, "deliveries"),
    "an approval more": (
        rewritten("evidence/keys.json", lambda v: v["partners"][0]["approvals"].append("agent-9")),
        "keys",
    ),
    "another signer of a receipt": (other_receipt, "receipts"),
    "another key for a partner's": (other_key, "receipts"),
    "a head that nobody signed": (headless, "proofs"),
    "entries nested without end": (
        lambda folder: (folder / "evidence" / "entries.jsonl").write_text("[" * 500_000 + "\n"),  # type: ignore[dict-item]
        "proofs",
    ),
    "other figures": (rewritten("bundle.json", lambda v: v["figures"].update(refusals=0)), "figures"),
    "another head": (rewritten("bundle.json", lambda v: v["trail"].update(size=3)), "proofs"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_signed_by_the_gateway_is_found(kept: Kept, copy: Path, script: ModuleType, name: str) -> None:
    """Whoever has the gateway's signing key cannot make a document say other than the trail: the check is named."""
    lie, check = LIES[name]
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    lie(copy)
    assert before != {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert check in broken(script, signed_again(kept, copy))


def test_a_key_given_for_the_partners_is_named(kept: Kept, copy: Path, script: ModuleType) -> None:
    """A key with another fingerprint than the one that the trail tells signs nothing, however the list of keys has it."""
    other_key(copy)
    (told,) = (one for one in script.examined(signed_again(kept, copy)) if one["check"] == "receipts")
    assert told["state"] == "broken"
    assert "is not the trail's" in told["en"]
    assert told["en"].startswith("the key SHA256:")


def test_a_key_that_nobody_trusts_costs_nothing() -> None:
    """A signature by an unknown RSA key whose exponent has no end is refused before anything is computed with it."""
    key = generate_private_key(65537, 2048)
    lines = sign(b"line\n", key, "passerelle-receipt").decode().split("\n")
    blob = base64.b64decode("".join(lines[1:-2]))
    _, space, reserved, algorithm, signature = proving._strings(blob[10:])
    modulus = proving._strings(public_blob(key.public_key()))[2]
    hostile = proving._wire(b"ssh-rsa", b"\x7f" * 2_000_000, modulus)
    made = blob[:10] + proving._wire(hostile, space, reserved, algorithm, signature)
    folded = base64.b64encode(made).decode()
    body = [folded[at : at + 70] for at in range(0, len(folded), 70)]
    armored = "\n".join(["-----BEGIN SSH SIGNATURE-----", *body, "-----END SSH SIGNATURE-----", ""]).encode()
    with pytest.raises(proving.Fault):
        proving.sshsig(b"line\n", armored, [public_blob(key.public_key())], "passerelle-receipt")


def test_it_says_so_in_words(copy: Path, script: ModuleType, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The script tells what does not hold in French or English, and answers 1."""
    assert script.main([str(copy), "--lang", "en"]) == 0
    assert b"The bundle holds." in capfdbinary.readouterr().out
    (copy / "index.html").write_bytes(b"")
    assert script.main([str(copy)]) == 1
    told = capfdbinary.readouterr().out.decode()
    assert "[!!!] fichier modifié : index.html" in told
    assert "LE DOSSIER NE TIENT PAS." in told


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_ed25519_agrees_with_its_standard(public: str, message: str, signature: str) -> None:
    """The vectors of RFC 8032 verify, and no longer with a bit changed or with the other form of the same number."""
    key, text, signed = (bytes.fromhex(one) for one in (public, message, signature))
    assert proving.ed25519(key, text, signed)
    assert not proving.ed25519(key, text + b"x", signed)
    assert not proving.ed25519(key, text, signed[:-1] + bytes([signed[-1] ^ 1]))
    larger = int.from_bytes(signed[32:], "little") + proving.L
    assert not proving.ed25519(key, text, signed[:32] + larger.to_bytes(32, "little"))


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.binary(min_size=64, max_size=64))
def test_ed25519_agrees_with_the_library(seed: bytes, message: bytes, other: bytes) -> None:
    """What the library signs verifies here; what it refuses is refused here."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    assert proving.ed25519(public, message, key.sign(message))
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(other, message)
    assert not proving.ed25519(public, message, other)


def test_a_receipt_signed_with_rsa_verifies() -> None:
    """An SSH signature by an RSA key verifies under that key, not under another, nor in another namespace."""
    key, other = (generate_private_key(65537, 2048) for _ in range(2))
    armored = sign(b"line\n", key, "passerelle-receipt")
    blob = public_blob(key.public_key())
    assert proving.sshsig(b"line\n", armored, [blob], "passerelle-receipt") == blob
    for message, keys, namespace in (
        (b"other\n", [blob], "passerelle-receipt"),
        (b"line\n", [public_blob(other.public_key())], "passerelle-receipt"),
        (b"line\n", [blob], "passerelle-bundle"),
        (b"line\n", [], "passerelle-receipt"),
    ):
        with pytest.raises(proving.Fault):
            proving.sshsig(message, armored, keys, namespace)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.data())
def test_trees_agree_with_those_of_the_trail(size: int, data: st.DataObject) -> None:
    """Roots, audit paths and consistency paths are those of the writer, and none other leads to the root."""
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(size)]
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, frontier = merkle.root(leaves), []  # type: ignore[var-annotated]  # bytes
    for number, leaf in enumerate(leaves):
        proving.grown(frontier, number, leaf)
    assert proving.frontier_root(frontier) == root
    path = merkle.inclusion_proof(leaves, index)
    assert proving.included(index, size, path, leaves[index]) == root
    assert proving.included(index, size, [*path, bytes(32)], leaves[index]) != root
    assert proving.included(index, size, path, bytes(32)) != root
    old, between = merkle.root(leaves[:first]), merkle.consistency_proof(leaves, first)
    assert proving.continues(first, size, old, between) == root
    assert proving.continues(first, size, bytes(32), between) != root
    assert proving.continues(first, size, old, [*between, bytes(32)]) != root


def test_both_sides_choose_the_same_entries() -> None:
    """What the writer and the checker hold to be about a convention is written twice, and the same."""
    assert (frozenset(proving.HOUSE), proving.IDS) == (entries.HOUSE, entries.IDS)
