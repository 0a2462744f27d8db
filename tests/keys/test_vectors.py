"""The formats of docs/spec/keys.md hold on tests/vectors/keys: one fault a file, told by its ``expect``."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from passerelle.clock import iso
from passerelle.errors import PasserelleError
from passerelle.keys import CopyKey, KeySet, parse_allowed_signers, parse_identities, parse_recipient, wrapping
from passerelle.keys.copies import name_of, read_copies
from tests.keys.make_vectors import FOLDER, vectors, write

Head = dict[str, str]


def read(path: Path) -> tuple[Head, bytes]:
    """The header lines of a vector, and the bytes to read."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    return dict(line.split(": ", 1) for line in head.decode().split("\n")), body


def keyset(head: Head, convention: str = "face-pe-2014") -> KeySet:
    """A key set with the vector's master."""
    return KeySet(convention, bytes.fromhex(head["master"]), bytes(16))


def wrapped(head: Head, body: bytes) -> None:
    assert wrapping.unwrap(bytes.fromhex(head["key"]), body, head["context"]).hex() == head["plain"]


def derived(head: Head, body: bytes) -> None:
    master, length = bytes.fromhex(head["master"]), int(head["length"])
    assert wrapping.derive(master, head["purpose"], length) == body
    by_the_page = HKDF(algorithm=SHA256(), length=length, salt=None, info=head["purpose"].encode()).derive(master)
    assert by_the_page == body


def commitment(head: Head, body: bytes) -> None:
    data = bytes.fromhex(head["data"])
    assert keyset(head).commit(data).encode() == body
    key = wrapping.derive(bytes.fromhex(head["master"]), "passerelle/commit", 32)
    assert hmac.new(key, data, hashlib.sha256).hexdigest().encode() == body


def release(head: Head, body: bytes) -> None:
    key = CopyKey(head["convention"], f"releases/{head['parcel']}.key", parse_identities(head["key"].encode())[0])
    found = key.unwrap_release(body, head["parcel"])
    assert found.secret == head["identity"]


def copies(head: Head, body: bytes) -> None:
    name = name_of(head["convention"], int(head["edition"]))
    assert " ".join(sorted(read_copies(bytes.fromhex(head["wrap"]), body, name))) == head["names"]


def recipient(head: Head, body: bytes) -> None:
    found = parse_recipient(body.decode())
    assert (found.kind, found.text, found.fingerprint) == (head["kind"], head["text"], head["fingerprint"])
    data = found.text.encode() if found.kind == "x25519" else base64.b64decode(found.text.split()[1])
    assert found.fingerprint == "SHA256:" + base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def identity(head: Head, body: bytes) -> None:
    assert len(parse_identities(body)) == int(head["count"])


def signers(head: Head, body: bytes) -> None:
    found = parse_allowed_signers(body.decode(), namespace=head["namespace"])
    assert len(found) == int(head["count"])
    assert ("-" if found[0].before is None else iso(found[0].before)) == head["until"]


FORMS = {form.__name__: form for form in (wrapped, derived, commitment, copies, release, recipient, identity, signers)}
PATHS = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_vector_is_read_or_refused_as_it_says(path: Path) -> None:
    """What the vector expects happens, and what is refused raises one of our errors."""
    head, body = read(path)
    form = FORMS[head["form"]]
    if head["expect"] == "ok":
        form(head, body)
        return
    with pytest.raises(PasserelleError):
        form({"plain": "", "names": "", "count": "0", "until": "", **head}, body)


def test_there_are_vectors_of_each_form() -> None:
    """Each form has vectors that hold, each that can be refused has faults, and the files are what the maker writes."""
    seen = {(head["form"], head["expect"]) for head, _ in map(read, PATHS)}
    assert {form for form, expect in seen if expect == "ok"} == FORMS.keys()
    assert {form for form, expect in seen if expect == "fail"} == FORMS.keys() - {"derived", "commitment"}
    assert {path.stem: path.read_bytes() for path in PATHS} == {
        name: write(head, data) for name, head, data in vectors()
    }


def test_every_shared_vector_goes_through_a_wrapper_of_ours(shared: Path) -> None:
    """Each folder of the public vectors, and each Wycheproof file, is read by a test, so that a new one cannot lie there unused."""
    tests = "\n".join(path.read_text("utf-8") for path in sorted(FOLDER.parents[1].rglob("test_*.py")))
    places = [path for path in (shared / "vectors").iterdir() if path.is_dir()]
    assert len(places) >= 5
    for place in places:
        assert f'"vectors" / "{place.name}"' in tests, place.name
    files = sorted((shared / "vectors" / "wycheproof").iterdir())
    assert len(files) >= 6
    for file in files:
        assert f'"{file.name}"' in tests, file.name
