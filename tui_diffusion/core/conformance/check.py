"""One check of a part with its verdict, and the report of all checks; loads no torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from .. import notebook
from ..config.errors import ConfigError
from ..faults import PartError
from ..progress import ProgressCallback
from ..short_repr import short_repr
from ..text import shortened

if TYPE_CHECKING:
    from torch import Tensor

Rows = Callable[[], Iterable["Check"]]
"""A measurement that gives some checks."""


class Verdict(StrEnum):
    """The result of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Check:
    """A measured value beside what is expected; ``note`` is the reason for the verdict, or ''.

    ``measured`` is None where nothing was measured.
    """

    name: str
    measured: float | str | None
    expected: str
    verdict: Verdict
    note: str = ""

    @property
    def value(self) -> str:
        """The measured value as text."""
        if self.measured is None:
            return "–"
        return self.measured if isinstance(self.measured, str) else f"{self.measured:.3g}"

    def __str__(self) -> str:
        note = f"; {self.note}" if self.note else ""
        return f"{self.name}: {self.value}, expected {self.expected}: {self.verdict}{note}"


@dataclass(frozen=True)
class Conformance:
    """The checks of one part; ``str`` of it is a line for each."""

    kind: str
    name: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.verdict == Verdict.FAILED)

    def __repr__(self) -> str:
        return short_repr(self, "kind", "name", "passed", checks=len(self.checks))

    def __str__(self) -> str:
        verdict = "passed" if self.passed else f"{len(self.failures)} failed"
        title = f"{self.kind} {self.name}: {verdict}"
        return "\n".join([title, *(f"  {check}" for check in self.checks)])

    def _repr_html_(self) -> str:
        rows = {c.name: f"{c.value}, expected {c.expected}: {c.verdict}" for c in self.checks}
        return notebook.table(f"{self.kind} {self.name}", rows)


def judged(
    name: str, measured: float | str | None, expected: str, passed: bool | None, note: str = ""
) -> Check:
    """Return a check that passed or failed, or does not apply if ``passed`` is None."""
    verdicts = {True: Verdict.PASSED, False: Verdict.FAILED, None: Verdict.NOT_APPLICABLE}
    return Check(name, measured, expected, verdicts[passed], note)


def relative_error(value: Tensor, truth: Tensor) -> float:
    """Return the largest difference over the largest true number; inf if one is not finite."""
    off = float((value - truth).abs().max() / truth.abs().max().clamp_min(1e-30))
    return off if math.isfinite(off) else math.inf


def conformance_of(
    kind: str, name: str, measurements: Mapping[str, Rows], progress: ProgressCallback | None
) -> Conformance:
    """Return the checks of all measurements; one that raises gives a failed check of its name.

    The first measurement is that the part can be built: if it raises, the others are omitted, and a
    `ConfigError`, such as that a package is missing, is passed on.
    """
    checks: list[Check] = []
    for done, (title, rows) in enumerate(measurements.items(), 1):
        try:
            checks += rows()
        except Exception as error:  # a part of someone else may raise anything
            if done == 1 and isinstance(error, ConfigError):
                raise
            reason = shortened(" ".join(str(error).split()), 200)
            if not isinstance(error, PartError):  # which names part, line and error itself
                reason = f"{type(error).__name__}{': ' if reason else ''}{reason}"
            checks.append(judged(title, "raised", "no error", False, reason))
            if done == 1:
                break
        if progress is not None:
            progress(done, len(measurements))
    return Conformance(kind, name, tuple(checks))
