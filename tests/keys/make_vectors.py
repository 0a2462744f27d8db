"""Writes tests/vectors/keys: run it after a change of the format (``python -m tests.keys.make_vectors``)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from passerelle.canonical import canonical
from passerelle.keys import CopyKey, KeySet, parse_identities, public_text

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "keys"
ROOT = bytes(range(32))
NONCE = bytes(range(12))
CONTEXT = "face-pe-2014.keyset"
PLAIN = b"a secret of the ring"
MASTER = bytes(range(32, 64))
AGE = "age10xnrrmk7r0uunrcjqvkdatwsu7s8jwv0c7rt3rxggmkgntu955dq25yyzj"  # its recipient
REST = "AGE-SECRET-KEY-1GPQ5YS6YG4RYWJZFFF95CN2WFAG9Z5JN2324V46CT9D9KHZATE0S5FAZ64"  # the age identity of the bytes 40 to 5f
SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
RETIRED = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))).public_key()
BLOB = base64.b64decode(public_text(SIGNING).split()[1])

Vector = tuple[str, Mapping[str, str], bytes]


def ssh(blob: bytes, kind: str = "ssh-ed25519") -> str:
    """The text of an SSH key."""
    return f"{kind} {base64.b64encode(blob).decode()}"


def wrapped() -> Iterator[Vector]:
    """Section 2: a value under the root key, bound to its place."""
    good = b"\x01" + NONCE + AESGCM(ROOT).encrypt(NONCE, PLAIN, CONTEXT.encode())
    empty = b"\x01" + NONCE + AESGCM(ROOT).encrypt(NONCE, b"", CONTEXT.encode())
    facts = {"form": "wrapped", "key": ROOT.hex(), "context": CONTEXT}
    yield "wrapped", {**facts, "expect": "ok", "plain": PLAIN.hex()}, good
    yield "wrapped_empty", {**facts, "expect": "ok", "plain": ""}, empty
    faults = {
        "version": b"\x02" + good[1:],
        "nonce": good[:5] + bytes([good[5] ^ 1]) + good[6:],
        "ciphertext": good[:20] + bytes([good[20] ^ 1]) + good[21:],
        "tag": good[:-1] + bytes([good[-1] ^ 1]),
        "cut": good[:-1],
        "longer": good + b"\0",
        "shorter_than_a_tag": good[:28],
        "nothing": b"",
    }
    for name, data in faults.items():
        yield f"wrapped_{name}", {**facts, "expect": "fail"}, data
    yield "wrapped_moved", {**facts, "context": "csp-ft-2024.keyset", "expect": "fail"}, good
    yield "wrapped_other_key", {**facts, "key": bytes(32).hex(), "expect": "fail"}, good


def derived() -> Iterator[Vector]:
    """Section 3: what a key set derives, and a release identity wrapped for one parcel."""
    keys = KeySet("face-pe-2014", MASTER, bytes(16))
    facts = {"form": "derived", "expect": "ok", "master": MASTER.hex()}
    yield (
        "derived_pseudonym",
        {**facts, "purpose": "passerelle/pseudonym/face", "length": "16"},
        keys.pseudonym_key("face"),
    )
    commit = {"form": "commitment", "expect": "ok", "master": MASTER.hex(), "data": b"content".hex()}
    yield "commitment", commit, keys.commit(b"content").encode()
    copy = CopyKey("face-pe-2014", "releases/p-0123.key", parse_identities(REST.encode())[0])
    context = "passerelle/release/face-pe-2014/p-0123"
    data = b"\x01" + NONCE + AESGCM(copy._release_key()).encrypt(NONCE, REST.encode(), context.encode())
    facts = {"form": "release", "key": REST, "convention": "face-pe-2014", "parcel": "p-0123"}
    yield "release", {**facts, "expect": "ok", "identity": REST}, data
    yield "release_of_another_parcel", {**facts, "parcel": "p-4567", "expect": "fail"}, data
    yield "release_of_another_convention", {**facts, "convention": "csp-ft-2024", "expect": "fail"}, data


def copies() -> Iterator[Vector]:
    """Section 3: the keys of copies, wrapped under the key that their key set holds."""
    name = "face-pe-2014.0001.copies"
    plain = canonical({"holdings/face-pe-2014/r-01/raw.age": REST, "orders/shared-studies": REST})
    data = b"\x01" + NONCE + AESGCM(ROOT).encrypt(NONCE, plain, name.encode())
    facts = {"form": "copies", "wrap": ROOT.hex(), "convention": "face-pe-2014", "edition": "1"}
    yield "copies", {**facts, "expect": "ok", "names": "holdings/face-pe-2014/r-01/raw.age orders/shared-studies"}, data
    yield "copies_of_another_edition", {**facts, "edition": "2", "expect": "fail"}, data
    yield "copies_of_another_convention", {**facts, "convention": "csp-ft-2024", "expect": "fail"}, data
    yield "copies_other_key", {**facts, "wrap": MASTER.hex(), "expect": "fail"}, data
    for kind, text in (("list", b"[]"), ("number", b'{"a":1}'), ("no_json", b"{")):
        wrong = b"\x01" + NONCE + AESGCM(ROOT).encrypt(NONCE, text, name.encode())
        yield f"copies_{kind}", {**facts, "expect": "fail"}, wrong


def recipients() -> Iterator[Vector]:
    """Section 6: one line of text."""
    good = {"form": "recipient", "expect": "ok"}
    age_print = "SHA256:e3SWb+nnL+eEjX7CpFyXaHmmUQgqR/QdPjSgMZDVHv0"
    yield "recipient_age", {**good, "kind": "x25519", "text": AGE, "fingerprint": age_print}, AGE.encode()
    text = public_text(SIGNING)
    facts = {
        **good,
        "kind": "ssh-ed25519",
        "text": text,
        "fingerprint": "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg",
    }
    yield "recipient_ssh", facts, text.encode()
    yield "recipient_ssh_comment", facts, f"{text} jean@example.org".encode()
    faults = {
        "checksum": AGE[:-1] + ("q" if AGE[-1] != "q" else "p"),
        "mixed_case": AGE[:10] + AGE[10:].upper(),
        "post_quantum": "age1pq1" + AGE[4:],
        "plugin": "age1yubikey1" + AGE[4:],
        "two_lines": f"{AGE}\n{AGE}",
        "ecdsa": ssh(b"\0\0\0\x13ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
        "ssh_cut": ssh(BLOB[:-1]),
        "ssh_other_kind_inside": ssh(BLOB, "ssh-rsa"),
        "ssh_no_key": "ssh-ed25519",
        "private_age": REST,
        "private_ssh": "-----BEGIN OPENSSH PRIVATE KEY-----",
        "empty": "",
    }
    for name, line in faults.items():
        yield f"recipient_{name}", {"form": "recipient", "expect": "fail"}, line.encode()


def identities() -> Iterator[Vector]:
    """Section 6: an identity file."""
    yield (
        "identity_file",
        {"form": "identity", "expect": "ok", "count": "2"},
        f"# made for a test\n{REST}\n\n{REST}\n".encode(),
    )
    faults = {
        "none": b"# nothing\n",
        "public": AGE.encode(),
        "checksum": (REST[:-1] + "Q").encode(),
        "passphrase": b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        "accents": "é".encode(),
        "long": b"#" * (64 * 1024 + 1),
    }
    for name, data in faults.items():
        yield f"identity_{name}", {"form": "identity", "expect": "fail"}, data


def signers() -> Iterator[Vector]:
    """Section 8: the lines of allowed signers; ``vouches`` are the instants at which the first key counts, or not."""
    key, old = public_text(SIGNING), public_text(RETIRED)
    facts = {"form": "signers", "namespace": "passerelle-manifest"}
    current = f'passerelle namespaces="passerelle-manifest" {key}\n'
    retired = f'passerelle namespaces="passerelle-manifest",valid-before="20260301093000Z" {old}\n'
    good = {**facts, "expect": "ok"}
    yield "signers", {**good, "count": "1", "until": "-"}, current.encode()
    yield "signers_retired", {**good, "count": "2", "until": "2026-03-01T09:30:00Z"}, (retired + current).encode()
    yield (
        "signers_notice",
        {**good, "namespace": "passerelle-notice", "count": "1", "until": "-"},
        (current + current.replace("manifest", "notice")).encode(),
    )
    yield (
        "signers_others_passed_over",
        {**good, "count": "1", "until": "-"},
        f"# comment\nother {key}\n{current}".encode(),
    )
    faults = {
        "another_name": current.replace("passerelle ", "gateway ", 1),
        "another_namespace": current.replace("manifest", "certificate"),
        "no_namespace": f"passerelle {key}\n",
        "valid_after": current.replace('manifest"', 'manifest",valid-after="20260101000000Z"'),
        "no_such_day": retired.replace("20260301", "20260230"),
        "rsa": current.replace("ssh-ed25519", "ssh-rsa"),
        "nothing": "",
    }
    for name, text in faults.items():
        yield f"signers_{name}", {**facts, "expect": "fail"}, text.encode()


def vectors() -> Iterator[Vector]:
    """Every vector: name, header lines, bytes."""
    for family in (wrapped, derived, copies, recipients, identities, signers):
        yield from family()


def write(head: Mapping[str, str], data: bytes) -> bytes:
    """The bytes of a vector's file."""
    return "".join(f"{name}: {value}\n" for name, value in head.items()).encode() + b"\n" + data


def main() -> None:
    """Write them all anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for name, head, data in vectors():
        (FOLDER / f"{name}.txt").write_bytes(write(head, data))


if __name__ == "__main__":
    main()
