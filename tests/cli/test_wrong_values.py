"""Wrong values of every option: one line that says what is allowed, exit code 2, nothing written.

What a field refuses is in ``tests/core/test_refusals.py``; here, that every command passes it on.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tui_diffusion.cli.signals import Exit

from ..command_line import Cli

ODD = ("", "abc", "-1", "nan", "1e400", "9" * 40, "\x1b[2J", "a\nb", "x" * 5000, "--json")

SAMPLING = ("--points", "--sampler", "--levels", "--seed")
EXPORT = ("--points", "--size", "--fps", "--seconds", "--seed", "--view", "--level")


def wrong() -> Iterator[tuple[str, ...]]:
    for command in ("sample", "evaluate"):
        yield from ((command, "RUN", *more) for more in product(SAMPLING, ODD))
        yield from ((command, "RUN", *more) for more in (("extra",), ("--nope",), ("--points",)))
        yield from ((command, *run) for run in ((), *((text,) for text in ODD)))
    for suffix in (".png", ".gif", ".csv", ".py"):
        yield from (("export", "RUN", f"a{suffix}", *more) for more in product(EXPORT, ODD))
    yield from (("export",), ("export", "RUN"), ("export", "RUN", "a.png", "--nope"))
    yield from (("check",), ("check", "sampler"), ("check", "sampler", "heun", "extra"))
    for text in ODD:
        yield "check", text
        yield from (("check", kind, text) for kind in ("sampler", "dataset"))
        yield "check", "dataset", f"file:{text}"
        yield "export", text, "a.png"
        yield "export", "RUN", text
        yield "sample", "RUN", "--out", text
        yield "train", text
        yield "train", "--resume", text
        yield from (("train", "naive-1d", name, text) for name in ("--seed", "--device", "--set"))
        for field in ("training.steps", "training.lr"):
            yield "train", "--resume", "RUN", "--set", f"{field}={text}"


def test_every_wrong_value_is_one_line_that_says_what_is_allowed(
    run_cli: Cli,
    saved: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for case in wrong():
        code = run_cli(*(str(saved) if word == "RUN" else word for word in case))
        assert (code, run_cli.out) == (Exit.BAD_INPUT, ""), case
        assert run_cli.err.count("\n") == 1, case
        assert run_cli.err.rstrip("\n").isprintable(), case
        assert "allowed" in run_cli.err, case
        assert len(run_cli.err) < 800, case
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("sample",), "missing argument 'RUN'; allowed: diffusion-tui sample RUN [--set FIELD="),
        (("sample", "a", "b"), "got unexpected extra argument (b); allowed: diffusion-tui sample"),
        (("export", "a", "b.png", "--forc"), "did you mean --force? allowed: diffusion-tui export"),
        (("evaluate", "a", "--seed"), "option '--seed' requires an argument; allowed: diffusion"),
        (
            ("train", "--devic"),
            "no such option '--devic'; did you mean --device? allowed: diffusion-",
        ),
        (("list", "x"), "unexpected extra argument (x); allowed: diffusion-tui list [--parts FILE"),
    ],
)
def test_a_wrong_use_names_all_that_the_command_takes(
    run_cli: Cli,
    words: tuple[str, ...],
    line: str,
) -> None:
    assert run_cli(*words) == Exit.BAD_INPUT
    assert line in run_cli.err
