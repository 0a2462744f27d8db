"""Proofs that an entry is in the trail (c2sp.org/tlog-proof), read and verified offline. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from passerelle.errors import TrailError
from passerelle.trail import merkle
from passerelle.trail.checkpoint import Checkpoint, open_checkpoint, read_number
from passerelle.trail.entry import Entry
from passerelle.trail.note import VerifierKey, decode64, encode64

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_BYTES = 512 * 1024
MAX_PATH = 63  # hashes, in a tree of less than 2**63 leaves
WHERE = "tlog-proof"


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as written, nothing verified: ``extra`` is opaque, the trail puts the proven entry there."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def write(self) -> bytes:
        """The text of the proof; ``read_proof`` gives the same value back."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [encode64(item) for item in self.path]
        return ("\n".join(lines) + "\n\n" + self.checkpoint).encode()


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry that is in the trail, where, and the head it was proven against."""

    index: int
    entry: Entry
    checkpoint: Checkpoint


def read_proof(text: bytes) -> Proof:
    """Parse a proof.

    Raises:
        TrailError: it is not one.
    """
    if len(text) > MAX_PROOF_BYTES:
        raise TrailError(f"expected at most {MAX_PROOF_BYTES} bytes, found {len(text)}", where=WHERE)
    try:
        head, _, checkpoint = text.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError as error:
        raise TrailError(f"not UTF-8 at byte {error.start}", where=WHERE) from None
    lines = head.split("\n")
    if lines.pop(0) != HEADER:
        raise TrailError(f"expected the first line {HEADER}", where=WHERE)
    extra = decode64(lines.pop(0)[6:], f"{WHERE}, extra") if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise TrailError("expected a line with the index", where=WHERE)
    index = read_number(lines.pop(0)[6:], f"{WHERE}, index")
    if len(lines) > MAX_PATH:
        raise TrailError(f"expected at most {MAX_PATH} hashes, found {len(lines)}", where=WHERE)
    path = tuple(decode64(line, f"{WHERE}, hash {number}", merkle.HASH_SIZE) for number, line in enumerate(lines, 1))
    if not checkpoint:
        raise TrailError("expected an empty line and a checkpoint", where=WHERE)
    return Proof(index, path, checkpoint, extra)


def verify_proof(
    proof_text: bytes, leaf_data: bytes, verifier_key: str | VerifierKey, origin: str | None = None
) -> Checkpoint:
    """Verify offline that ``leaf_data`` is in the log whose key is ``verifier_key``.

    Returns:
        The verified checkpoint that the proof was made against.

    Raises:
        TrailError: the proof or its checkpoint is malformed, is of another log, or does not hold for this data.
    """
    return _verify(read_proof(proof_text), leaf_data, verifier_key, origin)


def verify_entry(proof_text: bytes, verifier_key: str | VerifierKey) -> Proven:
    """Verify offline the entry that a proof of ours carries in its ``extra`` line.

    Raises:
        TrailError: as ``verify_proof``, and when the proof carries no well-formed entry.
    """
    proof = read_proof(proof_text)
    if proof.extra is None:
        raise TrailError("the proof carries no entry", where=WHERE)
    checkpoint = _verify(proof, proof.extra, verifier_key, None)
    return Proven(proof.index, Entry.parse(proof.extra), checkpoint)


def _verify(proof: Proof, leaf_data: bytes, verifier_key: str | VerifierKey, origin: str | None) -> Checkpoint:
    checkpoint = open_checkpoint(proof.checkpoint, verifier_key, origin)
    merkle.verify_inclusion(proof.index, checkpoint.size, merkle.leaf_hash(leaf_data), proof.path, checkpoint.root)
    return checkpoint
