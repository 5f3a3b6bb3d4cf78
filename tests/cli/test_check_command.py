"""``diffusion-tui check``: a table or one JSON object, and the exit code of the verdict."""

from __future__ import annotations

import signal
import time

import pytest

from tui_diffusion.cli.signals import Exit
from tui_diffusion.core import schedules
from tui_diffusion.core.parts.schedules import SCHEDULE_PARTS, SchedulePart

from ..command_line import Cli, spawn


@pytest.fixture
def noisy(monkeypatch: pytest.MonkeyPatch) -> str:
    """A schedule that ends before clean data."""

    def function(levels: int) -> schedules.Schedule:
        whole = schedules.flow(levels + 1)
        return schedules.Schedule(whole.alphas[:-1], whole.sigmas[:-1])

    part = SchedulePart(
        name="noisy", function=function, methods=("flow",), formula="t", uses=("levels",)
    )
    monkeypatch.setitem(SCHEDULE_PARTS, "noisy", part)
    return "noisy"


def test_a_table_with_a_verdict_a_line(run_cli: Cli) -> None:
    assert run_cli("check", "schedule", "linear-beta") == Exit.DONE
    assert "sigma at the end" in run_cli.out and "passed" in run_cli.out
    assert "not applicable" in run_cli.out and "leaves no trace of the data" in run_cli.out
    assert run_cli.out.endswith("All 9 checks passed or do not apply.\n")
    assert run_cli.err == ""


def test_json_is_one_object(run_cli: Cli) -> None:
    report = run_cli.json("check", "method", "edm")
    assert list(report) == ["kind", "name", "passed", "checks"]
    assert (report["kind"], report["name"], report["passed"]) == ("method", "edm", True)
    for check in report["checks"]:
        assert list(check) == ["check", "measured", "expected", "verdict", "note"]
        assert check["verdict"] in ("passed", "not applicable")


def test_a_failed_check_is_exit_code_1(run_cli: Cli, noisy: str) -> None:
    assert run_cli("check", "schedule", noisy) == Exit.FAILED
    assert run_cli.out.endswith("2 of 8 checks failed.\n")
    report = run_cli.json("check", "schedule", noisy, code=Exit.FAILED)
    assert not report["passed"]
    failed = {c["check"]: c["measured"] for c in report["checks"] if c["verdict"] == "failed"}
    assert failed == {
        "sigma at the end": pytest.approx(1 / 11),
        "alpha at the end": pytest.approx(10 / 11),
    }


def test_what_is_unknown_is_named_with_what_is_allowed(run_cli: Cli) -> None:
    for words, line in {
        ("sampler", "huen"): "sampler 'huen' is unknown; did you mean heun? allowed: naive, euler",
        ("sampler",): "check: sampler needs a name; allowed: naive, euler",
        ("shedule", "flow"): "kind 'shedule' is unknown; did you mean schedule? allowed: sampler,",
        (): "check needs a kind of part; allowed: sampler, schedule, dataset, network, method",
    }.items():
        assert run_cli("check", *words) == Exit.BAD_INPUT
        assert line in run_cli.err and run_cli.out == ""


@pytest.mark.slow
def test_an_interrupted_check_says_so() -> None:
    process = spawn("check", "sampler", "heun")
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == Exit.INTERRUPTED
    assert err == "diffusion-tui: interrupted\n"
