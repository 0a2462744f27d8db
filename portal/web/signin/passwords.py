"""Passwords: Argon2id (RFC 9106), with the parameters that it recommends second, for where memory is scarce."""

from __future__ import annotations

import secrets
from functools import cache
from threading import BoundedSemaphore

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from passerelle.errors import UsageError
from passerelle.store.partners import person

SALT_BYTES, HASH_BYTES = 16, 32
PASSES, LANES, MEMORY_KIB = 3, 4, 64 * 1024  # RFC 9106 section 4, second recommendation
SHORTEST, LONGEST = 12, 128  # characters (CNIL 2022-100 with a second factor; ASVS 5.0 6.2.1, 6.2.9)
AT_ONCE = 4  # computed side by side: 256 MiB, however many come
FEW = 5  # different characters: fewer are no secret

_TURNS = BoundedSemaphore(AT_ONCE)


def hashed(password: str) -> str:
    """The PHC string of a password."""
    made = Argon2id(
        salt=secrets.token_bytes(SALT_BYTES), length=HASH_BYTES, iterations=PASSES, lanes=LANES, memory_cost=MEMORY_KIB
    )
    with _TURNS:
        return made.derive_phc_encoded(password.encode())


def matches(password: str, kept: str | None) -> bool:
    """Whether ``password`` is the one kept; takes as long where none is kept, so that time tells no account."""
    held = kept or _nobody()
    try:
        with _TURNS:
            Argon2id.verify_phc_encoded(password.encode(errors="replace")[: 4 * LONGEST], held)
    except InvalidKey:
        return False
    return kept is not None


def insist(password: str, name: str) -> None:
    """Refuse a password that is easily guessed.

    Raises:
        UsageError: too short, too long, of few different characters, or with the account's name in it.
    """
    length = len(password)
    if not SHORTEST <= length <= LONGEST:
        raise UsageError(
            f"expected a password of {SHORTEST} to {LONGEST} characters, {length} came",
            hint="a sentence of some words is good, spaces included",
            fr=f"le mot de passe a de {SHORTEST} à {LONGEST} caractères, celui-ci en a {length}",
            hint_fr="une phrase de quelques mots convient, espaces comprises",
        )
    if len(set(password)) < FEW or person(name) in person(password):
        raise UsageError(
            "this password is easily guessed: few different characters, or the account's name",
            hint="a sentence of some words is good",
            fr="ce mot de passe se devine : peu de caractères différents, ou le nom du compte",
            hint_fr="une phrase de quelques mots convient",
        )


@cache
def _nobody() -> str:
    return hashed(secrets.token_urlsafe(SHORTEST))
