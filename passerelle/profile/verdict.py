"""The verdict that checks give on a profile."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from passerelle.errors import OurWayError


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, said in French and English; ``observed_public`` is an aggregate that may be shown.

    A failed finding of level ``error`` stops the exchange; one of level ``warning`` is shown.
    """

    id: str
    passed: bool
    fr: str
    en: str
    observed_public: str | None = None
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks say of a profile. Passed means that no check of level ``error`` failed."""

    passed: bool
    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        if not self.findings:
            raise OurWayError("expected at least one check, none was run", where="checks")
        if self.passed != all(f.passed or f.level == "warning" for f in self.findings):
            raise OurWayError("the verdict contradicts its findings", where="checks")

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        return {"passed": self.passed, "findings": [asdict(finding) for finding in self.findings]}
