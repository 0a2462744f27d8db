"""Sealing and opening age files as streams: with our code, with pyrage, with the age program, and on the public vectors."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import tracemalloc
import zlib
from collections import defaultdict
from pathlib import Path

import pyrage  # type: ignore[import-untyped]  # no stubs in the wheel
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors import EvidenceError, TheirDataError, UsageError
from passerelle.keys import (
    Identity,
    Recipient,
    age,
    age_sink,
    age_source,
    decrypt,
    parse_identities,
    parse_recipient,
    read_identities,
)
from tests.keys.test_recipient import ssh_key

CHUNK = 65536
SIZES = st.integers(0, 3 * CHUNK) | st.sampled_from(
    [CHUNK - 1, CHUNK, CHUNK + 1, 16 * CHUNK, 16 * CHUNK + 1, 32 * CHUNK]
)
ALICE, BOB = Identity.generate(), Identity.generate()


def sealed(plain: bytes, *recipients: Recipient) -> bytes:
    """``plain`` as an age file."""
    out = io.BytesIO()
    with age_sink(out, recipients) as sink:
        sink.write(plain)
    return out.getvalue()


def opened(data: bytes, *identities: Identity) -> bytes:
    """What ``data`` hides, by ``decrypt`` and by ``age_source``, which must agree."""
    out = io.BytesIO()
    decrypt(io.BytesIO(data), out, identities)
    with age_source(io.BytesIO(data), identities) as source:
        assert source.read() == out.getvalue()
    return out.getvalue()


@settings(deadline=None, max_examples=40)
@given(SIZES, st.lists(st.integers(1, 2 * CHUNK), max_size=5), st.integers(0, 255))
def test_any_length_in_any_pieces_comes_back(size: int, cuts: list[int], seed: int) -> None:
    """Plain bytes of any length, written in any pieces, are opened by each recipient, with pyrage and with our code."""
    plain = hashlib.shake_128(bytes([seed])).digest(size)
    out = io.BytesIO()
    with age_sink(out, [ALICE.recipient, BOB.recipient]) as sink:
        at = 0
        for cut in [*cuts, size]:
            assert sink.write(memoryview(plain)[at : at + cut]) == len(plain[at : at + cut])
            at += cut
        assert sink.tell() == size
    assert pyrage.decrypt(out.getvalue(), [ALICE.native()]) == plain
    assert opened(out.getvalue(), BOB) == plain


def test_the_age_program_and_we_understand_each_other(tmp_path: Path) -> None:
    """The age program opens what we seal to age and SSH keys, and we open what it seals."""
    plain = b"x" * (3 * CHUNK + 5)
    (tmp_path / "age").write_text(ALICE.secret + "\n")
    keys = [(tmp_path / "age", ALICE.recipient)]
    for arguments in (["-t", "ed25519"], ["-t", "rsa", "-b", "2048"]):
        key = ssh_key(tmp_path, *arguments, name=arguments[1])
        keys.append((key, parse_recipient(key.with_suffix(".pub").read_text())))
    ours = sealed(plain, *(recipient for _, recipient in keys))
    for key, recipient in keys:
        run = ["age", "-d", "-i", str(key)]
        assert subprocess.run(run, input=ours, capture_output=True, check=True, timeout=60).stdout == plain
        assert opened(ours, *read_identities(key)) == plain
        run = ["age", "-r", recipient.text]
        theirs = subprocess.run(run, input=plain, capture_output=True, check=True, timeout=60).stdout
        assert opened(theirs, *read_identities(key)) == plain


def test_only_the_recipients_are_named() -> None:
    """The header has one X25519 stanza for each recipient and no other that opens: the spare one is gone."""
    header = sealed(b"", ALICE.recipient, BOB.recipient).partition(b"\n---")[0]
    assert header.count(b"\n-> X25519 ") == 2
    assert header.count(b"\n-> ") == 2 + header.count(b"-grease")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Sealing and opening 64 MiB keep less than 12 MiB."""
    path = tmp_path / "x.age"
    tracemalloc.start()
    with path.open("wb") as file, age_sink(file, [ALICE.recipient]) as sink:
        for _ in range(64):
            sink.write(bytes(1024 * 1024))
    with path.open("rb") as sealed_file, age_source(sealed_file, [ALICE]) as source:
        assert sum(iter(lambda: len(source.read(1024 * 1024)), 0)) == 64 * 1024 * 1024
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 1024 * 1024


def test_nobody_is_no_recipient_and_no_identity() -> None:
    """Sealing to nobody and opening with nothing are refused."""
    with pytest.raises(UsageError, match="recipient"):
        age_sink(io.BytesIO(), [])
    with pytest.raises(UsageError, match="identity"):
        decrypt(io.BytesIO(sealed(b"", ALICE.recipient)), io.BytesIO(), [])


def test_a_sink_left_with_an_exception_makes_no_whole_file() -> None:
    """What was written before an exception does not open, and the sink takes no more."""
    out = io.BytesIO()
    sink = age_sink(out, [ALICE.recipient])
    sink.write(bytes(20 * CHUNK))
    with pytest.raises(ZeroDivisionError), sink:
        raise ZeroDivisionError
    with pytest.raises(UsageError, match="closed"):
        sink.write(b"more")
    with pytest.raises(EvidenceError, match="altered or cut"):
        opened(out.getvalue(), ALICE)


def test_each_fault_is_named() -> None:
    """A stranger, an altered MAC, an altered payload, a cut one and plain bytes each get their own message."""
    data = sealed(b"x" * 200_000, ALICE.recipient)
    at = data.index(b"\n--- ") + 5
    faults = {
        "the header's MAC is wrong": data[:at] + (b"B" if data[at : at + 1] == b"A" else b"A") + data[at + 1 :],
        "the payload was altered or cut": data[:-1] + bytes([data[-1] ^ 1]),
        "the header is malformed": b"plain text",
    }
    for message, altered in faults.items():
        with pytest.raises(EvidenceError, match=message):
            opened(altered, ALICE)
    with pytest.raises(EvidenceError, match="altered or cut"):
        opened(data[: 100 + CHUNK], ALICE)
    with pytest.raises(EvidenceError, match="no identity given opens it"):
        opened(data, BOB)


def test_the_faults_of_others_come_through() -> None:
    """An error of the reader or of the writer is raised as it was, and a source that is left early ends its thread."""

    class Full:
        def write(self, _data: bytes) -> int:
            raise OSError(28, "no space left on device")

    class Broken:
        def read(self, _size: int = -1) -> bytes:
            raise TheirDataError("the line broke")

    data = sealed(bytes(64 * CHUNK), ALICE.recipient)
    with pytest.raises(OSError, match="no space left"):
        decrypt(io.BytesIO(data), Full(), [ALICE])
    with pytest.raises(TheirDataError, match="the line broke"):
        decrypt(Broken(), io.BytesIO(), [ALICE])
    with age_source(io.BytesIO(data), [ALICE]) as source:
        assert source.read(10) == bytes(10)
    assert source.closed


EXPECTED = {
    "header failure": {"the header is malformed"},
    "HMAC failure": {"the header's MAC is wrong"},
    "payload failure": {"the payload was altered or cut", "the header is malformed"},
    "no match": {"no identity given opens it"},
}


def read_vector(path: Path) -> tuple[dict[str, list[str]], bytes]:
    """The lines and the file of one vector."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    lines = defaultdict(list)
    for line in head.decode().splitlines():
        key, _, value = line.partition(": ")
        lines[key].append(value)
    return lines, zlib.decompress(data) if "compressed" in lines else data


def test_the_public_vectors_open_or_fail_as_they_say(shared: Path) -> None:
    """Each X25519 vector of the age test kit opens to its payload or fails for its own reason.

    Armored, passphrase and post-quantum files are none of this gateway's: every one of them is refused.
    """
    paths = sorted((shared / "vectors" / "age").iterdir())
    seen: defaultdict[str, int] = defaultdict(int)
    for path in paths:
        lines, data = read_vector(path)
        native = [text for text in lines["identity"] if text.startswith("AGE-SECRET-KEY-1")]
        ours = (
            bool(native)
            and len(native) == len(lines["identity"])
            and "armored" not in lines
            and "passphrase" not in lines
        )
        identities = [parse_identities(text.encode())[0] for text in native] or [ALICE]
        expect = lines["expect"][0] if ours else "refused"
        seen[expect] += 1
        if expect == "success":
            assert hashlib.sha256(opened(data, *identities)).hexdigest() == lines["payload"][0], path.name
            continue
        with pytest.raises(EvidenceError) as caught:
            opened(data, *identities)
        assert expect == "refused" or caught.value.message in EXPECTED[expect], path.name
    assert len(paths) == sum(seen.values()) == 143
    assert min(seen[expect] for expect in (*EXPECTED, "success")) >= 1
    assert seen["success"] >= 10


def test_the_key_agreement_agrees_with_the_x25519_vectors(shared: Path) -> None:
    """A stanza sealed with a vector's shared secret gives its file key; low-order shares, which give zeros, are refused."""
    groups = json.loads((shared / "vectors" / "wycheproof" / "x25519_test.json").read_text())["testGroups"]
    seen = {"opened": 0, "refused": 0}
    for case in (case for group in groups for case in group["tests"]):
        scalar = X25519PrivateKey.from_private_bytes(bytes.fromhex(case["private"]))
        share, secret, file_key = bytes.fromhex(case["public"]), bytes.fromhex(case["shared"]), bytes(range(16))
        key = age._hkdf(secret, share + scalar.public_key().public_bytes_raw(), age.X25519_INFO)
        body = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
        lines = [base64.b64encode(data).decode().rstrip("=") for data in (share, body)]
        stanza = f"-> X25519 {lines[0]}\n{lines[1]}\n".encode()
        if secret == bytes(32):
            seen["refused"] += 1
            with pytest.raises(ValueError, match="shared key"):
                age._file_key(stanza, scalar)
        else:
            seen["opened"] += 1
            assert age._file_key(stanza, scalar) == file_key, case["tcId"]
    assert seen["opened"] > 200
    assert seen["refused"] > 20
