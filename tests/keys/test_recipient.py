"""Recipients and identities are read strictly; a private key sent by mistake is named as such."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.errors import TheirDataError
from passerelle.keys import Identity, parse_identities, parse_recipient, read_identities


def ssh_key(folder: Path, *arguments: str, name: str = "key", passphrase: str = "") -> Path:
    """A key pair made by ssh-keygen; the private file."""
    path = folder / name
    command = ["ssh-keygen", "-q", "-N", passphrase, "-C", "jean.dupont@example.org", "-f", str(path), *arguments]
    subprocess.run(command, check=True, timeout=60)
    return path


def test_an_age_recipient_is_read() -> None:
    """An age1… recipient keeps its text; its fingerprint is the SHA-256 of that text."""
    made = Identity.generate().recipient
    again = parse_recipient(f"  {made.text}\n")
    assert again == made
    assert made.kind == "x25519"
    done = subprocess.run(
        ["sh", "-c", f"printf %s {made.text} | openssl dgst -sha256 -binary | base64"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert made.fingerprint == "SHA256:" + done.stdout.strip().rstrip("=")


@pytest.mark.parametrize(
    ("kind", "arguments"), [("ssh-ed25519", ["-t", "ed25519"]), ("ssh-rsa", ["-t", "rsa", "-b", "2048"])]
)
def test_an_ssh_recipient_is_read(tmp_path: Path, kind: str, arguments: list[str]) -> None:
    """An SSH public key loses its comment; its fingerprint is what ``ssh-keygen -lf`` prints."""
    public = ssh_key(tmp_path, *arguments).with_suffix(".pub")
    recipient = parse_recipient(public.read_text())
    printed = subprocess.run(["ssh-keygen", "-lf", str(public)], capture_output=True, text=True, check=True, timeout=60)
    assert recipient.kind == kind
    assert recipient.fingerprint == printed.stdout.split()[1]
    assert "dupont" not in recipient.text


def test_a_private_key_is_named_as_such(tmp_path: Path) -> None:
    """A private key pasted as a recipient gets its own refusal, which does not show it."""
    openssh = ssh_key(tmp_path, "-t", "ed25519").read_text()
    for text in (openssh, Identity.generate().secret, Identity.generate().secret.lower()):
        with pytest.raises(TheirDataError, match="this is a private key") as caught:
            parse_recipient(text)
        assert text[30:60] not in f"{caught.value}{caught.value.hint}"


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    """ECDSA keys, short RSA keys, post-quantum and plugin recipients, and anything else are refused."""
    ecdsa = ssh_key(tmp_path, "-t", "ecdsa", name="ecdsa").with_suffix(".pub").read_text()
    short = ssh_key(tmp_path, "-t", "rsa", "-b", "1024", name="short").with_suffix(".pub").read_text()
    good = Identity.generate().recipient.text
    plugin = "age1pq1" + "q" * 60
    for text in (
        ecdsa,
        short,
        good[:-1],
        good[:-1] + "q" * 2,
        good.upper(),
        plugin,
        "",
        "ssh-ed25519 ",
        f"{good}\n{good}",
    ):
        with pytest.raises(TheirDataError):
            parse_recipient(text)


@given(st.text() | st.text(alphabet="age1sh-rdx5929 ABC\n=/+").map(lambda text: "ssh-rsa " + text))
def test_any_text_raises_only_our_error(text: str) -> None:
    """Any text is a recipient or raises TheirDataError."""
    with pytest.raises(TheirDataError):
        parse_recipient(text)


def test_identity_files_are_read(tmp_path: Path) -> None:
    """An age identity file with comments and an OpenSSH private key both give identities."""
    one, two = Identity.generate(), Identity.generate()
    (tmp_path / "age.txt").write_text(
        f"# created: 2026\n# public key: {one.recipient.text}\n{one.secret}\n\n{two.secret}\n"
    )
    assert read_identities(tmp_path / "age.txt") == (one, two)
    assert read_identities(ssh_key(tmp_path, "-t", "ed25519"))[0].kind == "ssh"


def test_what_is_no_identity_is_refused(tmp_path: Path) -> None:
    """An empty file, a public key, bytes, a key under passphrase and a missing file are refused, their content unseen."""
    locked = ssh_key(tmp_path, "-t", "ed25519", passphrase="locked away").read_bytes()
    public = Identity.generate().recipient.text
    for data in (b"", b"# nothing\n", public.encode(), b"\xff\xfe", locked, b"AGE-SECRET-KEY-1QQQ", b"jean.dupont"):
        with pytest.raises(TheirDataError) as caught:
            parse_identities(data)
        assert data.decode("latin-1").strip("# \n") not in str(caught.value) or not data.strip(b"# \n")
    with pytest.raises(TheirDataError, match="FileNotFoundError"):
        read_identities(tmp_path / "missing")


def test_the_recipient_of_an_ssh_identity_is_in_its_public_file(tmp_path: Path) -> None:
    """Asking an SSH identity for its recipient is refused."""
    with pytest.raises(TheirDataError, match="age identity"):
        _ = read_identities(ssh_key(tmp_path, "-t", "ed25519"))[0].recipient
