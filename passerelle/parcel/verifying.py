"""Reading a parcel and verifying it: every byte of the tar is accounted for, or the error says which part is not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from passerelle.errors import EvidenceError, ParcelError
from passerelle.keys.ssh import Signer, fingerprint
from passerelle.parcel import archive
from passerelle.parcel.archive import Member
from passerelle.parcel.manifest import Manifest, parse_manifest
from passerelle.parcel.notices import notice_hashes
from passerelle.parcel.sealing import digest_range
from passerelle.parcel.sshsig import verify_signature


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel whose form is right; nothing is verified yet."""

    path: Path
    manifest: Manifest
    manifest_bytes: bytes
    signature: bytes
    proof: bytes
    notices: Mapping[str, bytes]
    members: tuple[Member, ...]

    @property
    def extract(self) -> Member:
        """The sealed extract, the first member."""
        return self.members[0]


@dataclass(frozen=True, slots=True)
class Trust:
    """What a verifier holds beforehand, never out of the parcel itself.

    ``signers`` are the gateway's keys, the retired ones too (``parse_allowed_signers``). ``verify_proof`` is called with the manifest and the
    proof, and MUST raise unless the proof shows that very manifest in the trail. ``recipient`` is the party who verifies,
    None when anyone does.
    """

    signers: tuple[Signer, ...]
    verify_proof: Callable[[bytes, bytes], None]
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """A parcel that held in every point; ``signer`` is the fingerprint of the key that signed it."""

    parcel: Parcel
    manifest_sha256: str
    signer: str


@dataclass(frozen=True, slots=True)
class Check:
    """One of the checks of ``verify`` by itself; ``fault`` is None when it holds."""

    name: Literal["form", "signature", "hashes", "recipient", "proof"]
    fault: EvidenceError | None


def read_parcel(path: Path) -> Parcel:
    """Read the members of the tar at ``path``, the extract left where it is.

    Raises:
        ParcelError: the tar is not byte for byte what this format writes around its members, a member is missing, twice,
            too long or out of place, or the manifest is malformed.
    """
    try:
        with path.open("rb") as file:
            found = list(archive.members(file))
            _check_names([member.name for member in found])
            small = {member.name: _small(file, member) for member in found[1:]}
    except OSError as error:
        raise ParcelError(
            f"the parcel cannot be read ({type(error).__name__})",
            where=path.name,
            fr=f"le colis ne peut pas être lu ({type(error).__name__})",
        ) from None
    manifest = parse_manifest(small[archive.MANIFEST])
    if found[0].name != manifest.member:
        raise ParcelError(f"expected {manifest.member}, as the manifest says", where=found[0].name)
    notices = {name: small[name] for name in archive.texts_of(found[0].name)}
    data, signature, proof = (small[name] for name in (archive.MANIFEST, archive.SIGNATURE, archive.PROOF))
    return Parcel(path, manifest, data, signature, proof, notices, tuple(found))


def verify(path: Path, trust: Trust) -> Verified:
    """Verify the parcel at ``path``.

    1. Every byte of the tar is accounted for. 2. The signature is of this manifest, by a key we trust. 3. The headers have
    its instant, and the sealed extract is the one it speaks of. 4. So are the notices. 5. It is for us. 6. The manifest is
    in the trail.

    Raises:
        ParcelError: one of these does not hold; ``where`` names the member and the bytes.
    """
    parcel = read_parcel(path)  # 1
    signer = _signer(parcel, trust)  # 2
    _check_hashes(parcel, trust)  # 3, 4
    _check_recipient(parcel, trust)  # 5
    _check_proof(parcel, trust)  # 6
    return Verified(parcel, hashlib.sha256(parcel.manifest_bytes).hexdigest(), signer)


def examine(path: Path, trust: Trust) -> list[Check]:
    """What ``verify`` checks, one by one, for whoever wants to see which holds; nothing is asked of a form that is not right."""
    try:
        parcel = read_parcel(path)
    except ParcelError as fault:
        return [Check("form", fault)]
    checks: list[tuple[Literal["signature", "hashes", "recipient", "proof"], Callable[[Parcel, Trust], object]]] = [
        ("signature", _signer), ("hashes", _check_hashes), ("recipient", _check_recipient), ("proof", _check_proof),
    ]  # fmt: skip
    return [Check("form", None), *(Check(name, _fault_of(check, parcel, trust)) for name, check in checks)]


def _fault_of(check: Callable[[Parcel, Trust], object], parcel: Parcel, trust: Trust) -> EvidenceError | None:
    try:
        check(parcel, trust)
    except EvidenceError as fault:
        return fault
    return None


def _check_names(names: list[str]) -> None:
    if not names or names[0] not in archive.EXTRACTS:
        raise ParcelError("expected the sealed extract as first member", where="byte 0 of the tar")
    following = archive.after(names[0])
    for position, expected in enumerate(following, 1):
        if position >= len(names):
            raise ParcelError("the member is missing", where=expected)
        if names[position] != expected:
            raise ParcelError(f"expected {expected} in its place", where=names[position])
    if len(names) > len(following) + 1:
        raise ParcelError("expected no further member", where=names[len(following) + 1])


def _small(file: BinaryIO, member: Member) -> bytes:
    if member.size > archive.MAX_BYTES[member.name]:
        raise ParcelError(f"expected at most {archive.MAX_BYTES[member.name]} bytes", where=member.name)
    file.seek(member.offset)
    return file.read(member.size)


def _signer(parcel: Parcel, trust: Trust) -> str:
    where = f"{archive.MANIFEST} or {archive.SIGNATURE}"
    try:
        key = verify_signature(parcel.manifest_bytes, parcel.signature, [signer.key for signer in trust.signers])
    except EvidenceError as error:
        fr = "la signature n'est pas celle de ce bordereau par une clé de la passerelle à laquelle vous vous fiez"
        raise ParcelError(error.message, where=where, fr=fr) from None
    if not any(one.vouches_at(parcel.manifest.instant) for one in trust.signers if one.key == key):
        raise ParcelError(
            "signed with a key that had been retired before",
            where=where,
            fr="ce bordereau est signé d'une clé que la passerelle avait déjà retirée",
        )
    return fingerprint(key)


def _check_hashes(parcel: Parcel, _trust: Trust) -> None:
    _check_instants(parcel)
    _check_extract(parcel)
    _check_notices(parcel)


def _check_recipient(parcel: Parcel, trust: Trust) -> None:
    recipient = parcel.manifest.passerelle.recipient
    if trust.recipient is not None and trust.recipient != recipient:
        raise ParcelError(
            f"expected a parcel for {trust.recipient}, it is for {recipient}",
            where=archive.MANIFEST,
            fr=f"ce colis est pour {recipient}, non pour {trust.recipient}",
        )


def _check_proof(parcel: Parcel, trust: Trust) -> None:
    try:
        trust.verify_proof(parcel.manifest_bytes, parcel.proof)
    except EvidenceError as error:
        fr = "rien ne prouve que ce colis soit inscrit au registre de preuve, ou c'est un autre registre"
        raise ParcelError(str(error), where=archive.PROOF, hint=error.hint, fr=error.fr or fr) from error


def _check_instants(parcel: Parcel) -> None:
    for member in parcel.members:
        if member.mtime != int(parcel.manifest.instant.timestamp()):
            raise ParcelError(
                "the header's instant is not the manifest's",
                fr="la date d'un membre de l'archive n'est pas celle du bordereau",
                where=f"{member.name}: header at byte {member.offset - archive.BLOCK} of the tar",
            )


def _check_extract(parcel: Parcel) -> None:
    terms, member = parcel.manifest.passerelle, parcel.extract
    where = f"{member.name}: bytes {member.offset} to {member.offset + member.size - 1} of the tar"
    if member.size != terms.cipher_bytes:
        raise ParcelError(
            f"expected {terms.cipher_bytes} bytes, as the manifest says, found {member.size}", where=where
        )
    with parcel.path.open("rb") as file:
        if digest_range(file, member.offset, member.size) != terms.cipher_sha256:
            fr = "l'empreinte de l'extrait scellé n'est pas celle du bordereau : il a été altéré ou remplacé"
            raise ParcelError("sha256 differs from the manifest", where=where, fr=fr)


def _check_notices(parcel: Parcel) -> None:
    expected = parcel.manifest.passerelle.notices
    for name, digest in notice_hashes(parcel.notices).items():
        if digest != dict(expected)[name]:  # type: ignore[index]  # the names are those of the manifest's model
            raise ParcelError("sha256 differs from the manifest", where=name)
