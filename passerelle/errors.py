"""The errors of Passerelle, by who must act.

    PasserelleError
    ├── UsageError            whoever typed the command
    ├── TheirDataError        the sender of a file
    │   ├── IntakeError           it is not what its dialect declares, or it is over a limit
    │   └── ContractError         too many of its rows break the contract
    ├── RefusedError          whoever decides: the text, its record, an approval
    │   ├── ConventionFileError   a convention file that is not well formed
    │   └── GateRefusedError      the gate's answer is block
    ├── OurWayError           whoever runs the gateway
    │   ├── WorkspaceError        folders, database, clock
    │   └── KeyStoreError         keys missing, destroyed or not readable
    └── EvidenceError         whoever is shown the evidence: it does not hold
        ├── ParcelError
        └── TrailError

A message says what was expected and what came (never a person's value), in lower case, without a final period; ``where``
names the place and ``hint`` says what to do. ``fr`` and ``hint_fr`` say the same in French, where someone else than an
engineer may meet the error.
"""

from __future__ import annotations


class PasserelleError(Exception):
    """Root of every error that the engine raises on purpose; safe to show, to log and to store."""

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        fr: str | None = None,
        hint_fr: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.fr = fr
        self.hint_fr = hint_fr

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class UsageError(PasserelleError):
    """The command or call cannot be understood; exit status 2."""


class TheirDataError(PasserelleError):
    """A file is not what its sender declared."""


class IntakeError(TheirDataError):
    """A file cannot be read as its dialect says; ``where`` has line and column numbers."""


class ContractError(TheirDataError):
    """More rows break the contract than the exchange tolerates."""


class RefusedError(PasserelleError):
    """The convention, or what is on file about it, does not allow the act."""


class ConventionFileError(RefusedError):
    """A convention file breaks the format; ``faults`` has every ``file:line: message``."""

    def __init__(
        self, message: str, *, faults: tuple[str, ...] = (), where: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.faults = faults


class GateRefusedError(RefusedError):
    """The gate answered block; ``reason`` is its code and ``article`` the clause it rests on."""

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        article: str | None = None,
        hint: str | None = None,
        fr: str | None = None,
        hint_fr: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, fr=fr, hint_fr=hint_fr)
        self.reason = reason
        self.article = article

    def __str__(self) -> str:
        return f"{self.message} ({self.reason})"


class OurWayError(PasserelleError):
    """Something of the gateway itself is missing or broken."""


class WorkspaceError(OurWayError):
    """The workspace, its database or its clock cannot be used."""


class KeyStoreError(OurWayError):
    """A key is missing, destroyed, or cannot be read."""


class EvidenceError(PasserelleError):
    """Evidence was checked and does not hold."""


class ParcelError(EvidenceError):
    """A parcel was altered, is not for this recipient, or cannot be opened."""


class TrailError(EvidenceError):
    """The trail, a checkpoint or a proof does not hold."""
