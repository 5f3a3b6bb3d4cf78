"""The doctor: what it finds, what it says of it, and that it never fails."""

import io
import json
import os
import subprocess
import sys

import pytest

from tui_diffusion.cli import doctor
from tui_diffusion.core.config.catalog import get_preset
from tui_diffusion.interface.gpus import Gpu
from tui_diffusion.interface.nvidia import Nvidia
from tui_diffusion.interface.themes import theme_names
from tui_diffusion.lab.app import Lab

from ..cases import for_each

if sys.platform != "win32":
    import pty
    import termios

HERE = {"TERM": "xterm-kitty", "LANG": "C.UTF-8"}


@pytest.fixture
def report(monkeypatch):
    """What is found for an environment; torch is asked once and no more."""

    def found(**environ):
        return doctor.examine({**HERE, **environ})

    return found


def test_json_is_one_object_and_nothing_else(home):
    done = subprocess.run(
        [sys.executable, "-m", "tui_diffusion", "doctor", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert found.keys() >= {"terminal", "locale", "multiplexer", "torch", "store", "warnings"}
    assert found["store"]["folder"] == str(home / "runs")
    assert found["store"]["free_bytes"] > 0
    assert found["torch"]["devices"][0]["name"] == "cpu"
    assert not found["terminal"]["interactive"]
    assert not found["settings"]["exists"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_is_found_where_the_output_goes_elsewhere():
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (33, 111))
    environ = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    done = subprocess.run(
        [sys.executable, "-m", "tui_diffusion", "doctor", "--json"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environ,
        timeout=120,
        check=True,
    )
    os.close(ours)
    os.close(theirs)
    terminal = json.loads(done.stdout)["terminal"]
    assert terminal["interactive"]
    assert (terminal["columns"], terminal["lines"]) == (111, 33)


def test_the_text_has_every_sample_and_every_warning(report):
    found = report()
    text = doctor.report_text(found, io.TextIOWrapper(io.BytesIO(), "utf-8"))
    for sample in doctor.SAMPLES.values():
        assert sample in text
    for warning in found["warnings"]:
        assert f"! {warning}" in text
    for word in ("truecolour", "braille", "threads", "runs", "locale", "torch", "settings"):
        assert word in text
    assert doctor.report_text(found, io.TextIOWrapper(io.BytesIO(), "ascii")).isascii()
    found["store"] = {**found["store"], "folder": "/a/long path/" + "x" * 90}
    found["terminal"] = {**found["terminal"], "columns": 80}
    narrow = doctor.report_text(found, io.TextIOWrapper(io.BytesIO(), "utf-8"))
    assert "x" * 90 in narrow, "what could not be copied otherwise is not broken"


@for_each(
    "environ, word",
    [
        ({"TERM": "xterm"}, "TERM=xterm-256color"),
        ({"TERM": "xterm-256color", "SSH_TTY": "x"}, "SendEnv"),
        ({"LC_ALL": "C"}, "LANG=C.UTF-8"),
        ({"TERM": "screen", "STY": "1"}, "GNU screen"),
        ({"TERM": "screen", "TMUX": ""}, "GNU screen"),
        ({"DIFFUSION_TUI_FPS": "x"}, "DIFFUSION_TUI_FPS='x'"),
    ],
)
def test_what_would_help(report, environ, word):
    assert any(word in warning for warning in report(**environ)["warnings"])


def test_tmux_settings_worth_changing():
    terminal = doctor.detect({"TERM": "screen", "TMUX": "x"}, "UTF-8")
    bad = {"escape-time": "500", "set-clipboard": "off", "terminal-features": "xterm*:title"}
    found = doctor._tmux_warnings(terminal, bad)
    for word in ("default-terminal", "escape-time 10", "set-clipboard on", "RGB"):
        assert any(word in warning for warning in found)
    terminal = doctor.detect({"TERM": "tmux-256color", "TMUX": "x"}, "UTF-8")
    good = {"escape-time": "10", "set-clipboard": "on", "terminal-features": "*:RGB"}
    assert doctor._tmux_warnings(terminal, good) == []


def test_a_broken_settings_file_is_a_warning(report, home):
    home.mkdir()
    (home / "settings.toml").write_text("fps = [")
    assert any("settings.toml" in warning for warning in report()["warnings"])


@pytest.mark.parametrize("where", ["settings.toml", "DIFFUSION_TUI_THEME"])
def test_a_theme_that_is_not_there_is_flagged_wherever_it_was_chosen(report, home, where):
    home.mkdir()
    chosen = {where: "purple"} if where.startswith("D") else {}
    (home / "settings.toml").write_text(f'theme = "{"nord" if chosen else "purple"}"')
    (warning,) = [text for text in report(**chosen)["warnings"] if "theme" in text]
    assert where in warning and "'purple' is unknown; textual-dark is used" in warning
    assert set(Lab(get_preset("naive-1d").experiment).available_themes) == set(theme_names())
    assert warning.endswith(", ".join(theme_names()))
    assert not any("theme" in text for text in report(DIFFUSION_TUI_THEME="nord")["warnings"])


def test_nvidia_ml_py_is_looked_for_where_torch_has_a_gpu(report, monkeypatch):
    found = report()
    assert "nvidia-ml-py" in found["libraries"]
    cuda = {**found["torch"], "devices": [{"name": "cuda:0", "label": "NVIDIA H200"}]}
    monkeypatch.setattr(doctor, "_torch", lambda: cuda)
    monkeypatch.setattr(doctor, "find_nvidia", Nvidia)
    version = doctor._version
    for here, gpus, warned in (
        (None, None, "pip install nvidia-ml-py"),
        ("13", None, "cannot read the driver"),
        ("13", [Gpu(0, "NVIDIA H200", 2**30, 2**37, 3)], ""),
    ):
        monkeypatch.setattr(
            doctor, "_version", lambda name, here=here: here if "nvidia" in name else version(name)
        )
        monkeypatch.setattr(doctor, "find_gpus", lambda gpus=gpus: gpus and (lambda: gpus))
        found = report()
        warnings = [text for text in found["warnings"] if "cuda:0" in text]
        assert len(warnings) == bool(warned) and warned in "".join(warnings)
        text = doctor.report_text(found, io.TextIOWrapper(io.BytesIO(), "utf-8"))
        assert ("GPU 0 NVIDIA H200  load   3 %" in text) == (not warned)
        assert ("nvidia-ml-py missing" in text) == (here is None)
