"""The command ``check``: conformance of a part."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import click

from . import completion
from .examples import examples
from .options import json_option, parts_option
from .progress import with_bar
from .results import print_json
from .signals import Exit

if TYPE_CHECKING:
    from ..core.conformance.check import Check, Conformance


@click.command(epilog=examples("check"))
@click.argument("kind", metavar="KIND", required=False, shell_complete=completion.kinds)
@click.argument("name", metavar="NAME", required=False, shell_complete=completion.parts)
@parts_option
@json_option
def check(kind: str | None, name: str | None, as_json: bool) -> None:
    """Check a part against the exact truth.

    KIND is sampler, schedule, dataset, network or method, and NAME one of them. A sampler is judged
    with the ideal denoiser: order of convergence, evaluations a step, stability, bias; `docs
    extending` lists the checks. The exit code is 1 if one fails.
    """
    from ..core.conformance.kinds import check_name

    # Before anything imports torch, so that a typing error is answered at once.
    kind, name = check_name(kind, name)

    from ..core.conformance.report import check_part

    report = with_bar(f"checking {name}", lambda progress: check_part(kind, name, progress))
    if as_json:
        print_json(_as_json(report))
    else:
        from .tables import print_conformance

        print_conformance(report)
    if not report.passed:
        sys.exit(Exit.FAILED)


def _as_json(report: Conformance) -> dict[str, Any]:
    checks = [
        {
            "check": check.name,
            "measured": _measured(check),
            "expected": check.expected,
            "verdict": check.verdict,
            "note": check.note or None,
        }
        for check in report.checks
    ]
    return {"kind": report.kind, "name": report.name, "passed": report.passed, "checks": checks}


def _measured(check: Check) -> float | str | None:
    """Return the measured number or text; text for a number that JSON does not have."""
    if isinstance(check.measured, float) and not math.isfinite(check.measured):
        return check.value
    return check.measured
