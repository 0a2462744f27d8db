"""SSH signatures: ours verify with ssh-keygen, its verify with ours, and any other byte is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors import EvidenceError, TheirDataError
from passerelle.keys import Signer, allowed_signers, parse_allowed_signers, parse_private, parse_public
from passerelle.parcel import sign, verify_signature

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
MESSAGE = b'{"name":"parcel"}'
SIGNATURE = sign(MESSAGE, KEY)


def keygen(*arguments: str, message: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run ssh-keygen with ``message`` on its standard input."""
    command = ["ssh-keygen", "-Y", *arguments]
    return subprocess.run(command, input=message, capture_output=True, check=False, timeout=60)


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=3000))
def test_ssh_keygen_accepts_our_signature(tmp_path_factory: pytest.TempPathFactory, message: bytes) -> None:
    """``ssh-keygen -Y verify`` finds our signature good, and not good of another message."""
    folder = tmp_path_factory.mktemp("sig")
    (folder / "signers").write_text(allowed_signers(PUBLIC))
    (folder / "sig").write_bytes(sign(message, KEY))
    command = [
        "verify",
        "-f",
        f"{folder}/signers",
        "-I",
        "passerelle",
        "-n",
        "passerelle-manifest",
        "-s",
        f"{folder}/sig",
    ]
    done = keygen(*command, message=message)
    assert done.stdout.startswith(b'Good "passerelle-manifest" signature for passerelle')
    assert keygen(*command, message=message + b" ").returncode != 0


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=3000))
def test_we_make_what_ssh_keygen_makes(tmp_path_factory: pytest.TempPathFactory, message: bytes) -> None:
    """Ed25519 is deterministic: ``ssh-keygen -Y sign`` writes our very bytes, and we accept them."""
    folder = tmp_path_factory.mktemp("sig")
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (folder / "key").write_bytes(private)
    (folder / "key").chmod(0o600)
    theirs = keygen("sign", "-f", f"{folder}/key", "-n", "passerelle-manifest", message=message).stdout
    assert theirs == sign(message, KEY)
    assert verify_signature(message, theirs, [PUBLIC]) == PUBLIC


def test_each_changed_byte_of_a_signature_is_refused() -> None:
    """A signature with any one byte changed, cut or added does not verify."""
    altered = [
        SIGNATURE[:i] + bytes([SIGNATURE[i] ^ bit]) + SIGNATURE[i + 1 :]
        for i in range(len(SIGNATURE))
        for bit in (1, 32)
    ]
    for bad in [*altered, SIGNATURE[:-1], SIGNATURE + b"\n", SIGNATURE.replace(b"\n", b"\r\n"), b""]:
        with pytest.raises(EvidenceError):
            verify_signature(MESSAGE, bad, [PUBLIC])


@given(st.binary(max_size=400))
def test_any_bytes_raise_only_our_error(data: bytes) -> None:
    """Bytes that are no signature raise EvidenceError."""
    for armored in (data, SIGNATURE[:29] + data, data + SIGNATURE):
        if armored != SIGNATURE:
            with pytest.raises(EvidenceError):
                verify_signature(MESSAGE, armored, [PUBLIC])


def test_another_message_key_or_namespace_is_refused() -> None:
    """A good signature is refused for another message, by another key, in another namespace, and when nobody is trusted."""
    other = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(EvidenceError, match="not of these bytes"):
        verify_signature(MESSAGE + b" ", SIGNATURE, [PUBLIC])
    with pytest.raises(EvidenceError, match="expected a trusted key"):
        verify_signature(MESSAGE, SIGNATURE, [other])
    with pytest.raises(EvidenceError, match="expected a trusted key"):
        verify_signature(MESSAGE, SIGNATURE, [PUBLIC], namespace="passerelle-receipt")
    with pytest.raises(EvidenceError, match="at least one key"):
        verify_signature(MESSAGE, SIGNATURE, [])
    assert verify_signature(MESSAGE, SIGNATURE, [other, PUBLIC]) == PUBLIC


def test_allowed_signers_are_read_strictly(tmp_path: Path) -> None:
    """The line we hand out is read back; other names, namespaces and kinds of key are passed over; none is refused."""
    line = allowed_signers(PUBLIC)
    assert parse_allowed_signers(f"# the gateway\n{line}\nsomebody else\n") == (Signer(PUBLIC),)
    done = keygen(
        "find-principals", "-f", str(_written(tmp_path, line)), "-s", str(_written(tmp_path, SIGNATURE.decode(), "s"))
    )
    assert done.stdout == b"passerelle\n"
    for text in (
        "",
        line.replace("passerelle ", "mallory "),
        line.replace("-manifest", "-other"),
        line.replace("AAAA", "AAAB"),
    ):
        with pytest.raises(EvidenceError, match="none came"):
            parse_allowed_signers(text)


def _written(folder: Path, text: str, name: str = "signers") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("bits", [2048, 3072])
def test_rsa_signs_as_ssh_keygen_does(tmp_path: Path, bits: int) -> None:
    """An RSA key gives the very bytes of ``ssh-keygen -Y sign``; another byte, key or message is refused."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "rsa", "-b", str(bits), "-N", "", "-f", tmp_path / "key"], check=True, timeout=60
    )
    key = parse_private((tmp_path / "key").read_bytes())
    public = parse_public((tmp_path / "key.pub").read_text())
    theirs = keygen("sign", "-f", f"{tmp_path}/key", "-n", "passerelle-receipt", message=MESSAGE).stdout
    assert sign(MESSAGE, key, "passerelle-receipt") == theirs
    assert verify_signature(MESSAGE, theirs, [PUBLIC, public], "passerelle-receipt") == public
    lines = theirs.split(b"\n")
    lines[-4] = lines[-4][::-1]
    for message, armored in ((MESSAGE + b" ", theirs), (MESSAGE, b"\n".join(lines))):
        with pytest.raises(EvidenceError):
            verify_signature(message, armored, [public], "passerelle-receipt")


@pytest.mark.parametrize("kind", [["ecdsa"], ["rsa", "-b", "1024"], ["ed25519"]])
def test_keys_that_do_not_sign_for_us_are_refused(tmp_path: Path, kind: list[str]) -> None:
    """Another kind of key, a weak one, one with a passphrase, and what is no key are refused without their content."""
    phrase = "a phrase" if kind == ["ed25519"] else ""
    made = subprocess.run(
        ["ssh-keygen", "-q", "-t", *kind, "-N", phrase, "-f", tmp_path / "key"], check=False, timeout=60
    )
    private = (tmp_path / "key").read_bytes() if made.returncode == 0 else b"-----BEGIN OPENSSH PRIVATE KEY-----"
    with pytest.raises(TheirDataError, match="SSH key that signs"):
        parse_private(private)
    if not phrase:
        public = (tmp_path / "key.pub").read_text() if made.returncode == 0 else "age1qqqq"
        with pytest.raises(TheirDataError, match="SSH key that signs"):
            parse_public(public)
