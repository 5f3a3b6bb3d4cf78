"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tui_diffusion import program as cli

LONG = ("--set", "training.steps=100000000", "--set", "training.lr=1e-6")
"""A training that goes on until it is ended."""
SHORT = ("--set", "training.steps=30", "--set", "sampling.points=50")
"""A training of 30 steps, sampled with 50 points."""

TRAIN_KEYS = {
    *("experiment", "run", "seed", "device", "steps", "seconds", "steps_per_second"),
    *("loss", "sample", "target"),
}
"""What every report of a training holds."""


class Cli:
    """Run the command in this process; remember what it wrote and how it ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        self._monkeypatch.setattr(sys, "argv", ["diffusion-tui", *arguments])
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        self.out, self.err = self._capsys.readouterr()
        assert code is None or isinstance(code, int)
        return int(code or 0)

    def json(self, *arguments: str, code: int = 0):
        """The one JSON object that the command printed, alone on standard output."""
        assert self(*arguments, "--json") == code, self.err
        assert self.out.count("\n") == 1
        assert self.out.endswith("\n")

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is not JSON")

        value = json.loads(self.out, parse_constant=refuse)
        assert isinstance(value, dict)
        return value


def spawn(*arguments: str, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui_diffusion", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
