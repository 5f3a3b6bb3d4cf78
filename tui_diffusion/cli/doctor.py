"""The capabilities of this terminal and this machine, with advice."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import Any, TextIO

from .. import __version__
from ..core.paths import settings_file, store
from ..core.training.speeds import cpu_name
from ..interface.capabilities import Terminal, detect
from ..interface.glyphs import GLYPHS
from ..interface.gpus import find_gpus
from ..interface.nvidia import Nvidia, find_nvidia
from ..interface.settings import WRITTEN_TABLES, Settings, from_environment, load
from .gpu_report import cuda_devices, gpu_rows, gpu_warnings, speed_report, speed_rows
from .results import standard_output

SAMPLES = {
    "braille": "⠁⠃⠇⡇⡏⡟⡿⣿ ⣀⣤⣶⣿ ⠉⠒⠤⣀",
    "blocks": "▀▄█▌▐ ░▒▓ ┌─┬─┐ │ └─┴─┘",
    "ascii": ".:-=+*#%@ +--+ |",
}
"""A sample of each set of glyphs, for a check by eye."""
_COLOUR_SAMPLES = (
    ("truecolour", "\x1b[38;2;86;180;233m██\x1b[38;2;230;159;0m██\x1b[38;2;0;158;115m██\x1b[0m"),
    ("256", "\x1b[38;5;75m██\x1b[38;5;214m██\x1b[38;5;36m██\x1b[0m"),
    ("16", "\x1b[96m██\x1b[93m██\x1b[92m██\x1b[0m"),
)
_GPU_LIBRARY = "nvidia-ml-py"
_LIBRARIES = ("torch", "numpy", "textual", "rich", "plotext", "pydantic", "tomlkit", "click",
              "safetensors", _GPU_LIBRARY)  # fmt: skip
_ROOM = 200 * 1024**2
"""Free bytes on the store's disk below which a warning appears."""


def examine(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return everything that `diffusion-tui doctor` prints, as plain values. Imports torch."""
    file = settings_file()
    kept, problem = load(file)
    warnings = [problem] if problem else []
    try:
        kept = from_environment(kept, environ)
    except ValueError as error:
        warnings.append(str(error))
    warnings += _theme_warnings(kept.theme, file, environ)
    terminal = detect(environ, locale.getencoding(), glyphs=kept.glyphs)
    size = shutil.get_terminal_size(_size())
    # This command's output may be piped; the lab's would not be.
    interactive = sys.stdin.isatty() and (standard_output().isatty() or sys.stderr.isatty())
    settings = _multiplexer_settings(terminal, environ)
    torch = _torch()
    nvidia = find_nvidia()
    gpu_load = _gpu_load(torch, nvidia)
    if gpu_load["why"]:
        warnings.append(gpu_load["why"])
    warnings += gpu_warnings(nvidia, torch, environ)
    disk = _disk()
    warnings += _warnings(terminal, environ, tuple(size), interactive, settings, torch, disk)
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "terminal": {
            **asdict(terminal),
            "program": environ.get("TERM_PROGRAM", ""),
            "colorterm": environ.get("COLORTERM", ""),
            "no_color": bool(environ.get("NO_COLOR")),
            "interactive": interactive,
            "columns": size.columns,
            "lines": size.lines,
        },
        "locale": {
            "encoding": locale.getencoding(),
            "stdout": standard_output().encoding or "",
            **{name: environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")},
        },
        "multiplexer": {"name": terminal.multiplexer, "settings": settings},
        "torch": torch,
        "nvidia": {**asdict(nvidia), "visible": environ.get("CUDA_VISIBLE_DEVICES")},
        "gpu_load": gpu_load,
        "speeds": speed_report(kept.speeds),
        "store": disk,
        "settings": {"file": str(file), "exists": file.exists(), **_chosen(kept)},
        "warnings": warnings,
    }


def _size() -> tuple[int, int]:
    """Return columns and lines of the controlling terminal, even if the output is redirected."""
    for stream in (sys.stderr, sys.stdin):
        with suppress(OSError, ValueError):
            return os.get_terminal_size(stream.fileno())
    return 0, 0


def _chosen(settings: Settings) -> dict[str, Any]:
    return {name: value for name, value in asdict(settings).items() if name not in WRITTEN_TABLES}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _torch() -> dict[str, Any]:
    """Return torch's devices and threads; report a failed import instead of raising it."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return {"version": None, "error": " ".join(str(error).split()), "devices": [], "threads": 0}
    devices: list[dict[str, Any]] = [{"name": "cpu", "label": cpu_name()}]
    gpus, fault = cuda_devices(torch)
    devices += gpus
    if torch.backends.mps.is_available():
        devices.append({"name": "mps", "label": "Apple GPU"})
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda,
        "hip": torch.version.hip,
        "cuda_fault": fault,
        "architectures": torch.cuda.get_arch_list(),
        "error": None,
        "devices": devices,
        "threads": torch.get_num_threads(),
        "cores": _cores(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS", ""),
    }


def _gpu_load(torch: Mapping[str, Any], nvidia: Nvidia) -> dict[str, Any]:
    """Return whether the lab can show the load of torch's GPUs, and if not, the reason."""
    gpus = [device["name"] for device in torch["devices"] if device["name"].startswith("cuda")]
    # A driver that gave no answer in time would not give one here.
    why, read = "", None if nvidia.fault else find_gpus()
    if gpus and _version(_GPU_LIBRARY) is None:
        why = f"the lab shows no load of {', '.join(gpus)}: pip install {_GPU_LIBRARY}"
    elif gpus and read is None:
        why = f"the lab shows no load of {', '.join(gpus)}: {_GPU_LIBRARY} cannot read the driver"
        why += f" ({nvidia.fault})" if nvidia.fault else ""
    return {"shown": [gpu.text() for gpu in read()] if read is not None else [], "why": why}


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not available on this system
        return os.cpu_count() or 1


def _disk() -> dict[str, Any]:
    """Return the folder of runs, whether it is writable, and the free space on its disk."""
    folder = store()
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    runs, free = 0, None
    try:
        runs = sum(1 for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else 0
        free = shutil.disk_usage(there).free
    except OSError:
        pass
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return {"folder": str(folder), "runs": runs, "writable": writable, "free_bytes": free}


def _multiplexer_settings(terminal: Terminal, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the relevant settings of tmux, if it is in use and answers."""
    if terminal.multiplexer != "tmux" or not environ.get("TMUX") or not shutil.which("tmux"):
        return {}
    settings: dict[str, str] = {}
    for option in ("default-terminal", "escape-time", "set-clipboard", "focus-events",
                   "terminal-features", "terminal-overrides"):  # fmt: skip
        scope = "-g" if option == "default-terminal" else "-s"
        try:
            done = subprocess.run(
                ["tmux", "show-options", f"{scope}v", option],
                capture_output=True,
                text=True,
                timeout=2,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return settings
        if done.returncode == 0:
            settings[option] = " ".join(done.stdout.split())
    return settings


def _theme_warnings(theme: str, file: Path, environ: Mapping[str, str]) -> list[str]:
    """Return a warning if the selected theme does not exist."""
    from ..interface.themes import theme_names

    known = theme_names()
    if theme in known:
        return []
    variable = "DIFFUSION_TUI_THEME"
    where = variable if environ.get(variable) else str(file)
    usual = Settings().theme
    return [f"{where}: theme {theme!r} is unknown; {usual} is used; allowed: {', '.join(known)}"]


def _warnings(
    terminal: Terminal,
    environ: Mapping[str, str],
    size: tuple[int, ...],
    interactive: bool,
    settings: Mapping[str, str],
    torch: Mapping[str, Any],
    disk: Mapping[str, Any],
) -> list[str]:
    """Return the problems, each with its remedy."""
    warnings = []
    columns, lines = size
    if not interactive:
        warnings.append(
            "no terminal here: the lab cannot open; train, sample and export can be used"
        )
    elif columns < 60 or lines < 18:
        warnings.append(f"the terminal is {columns}×{lines}: the lab needs 60×18; make it larger")
    elif columns < 100:
        warnings.append(f"{columns} columns: the lab shows one panel at a time; all three from 100")
    if terminal.glyphs == "ascii" and terminal.glyphs_why != "as asked":
        warnings.append(
            f"ASCII only, since {terminal.glyphs_why}: set LANG=C.UTF-8 or en_US.UTF-8 where the "
            "terminal shows UTF-8"
        )
    if terminal.colours == "16" and terminal.term != "linux":
        warnings.append(
            f"16 colours, since {terminal.colours_why}: set TERM=xterm-256color where the terminal "
            "has more"
        )
    if terminal.colours == "256" and not environ.get("COLORTERM"):
        hint = ", and let SSH pass it on (SendEnv, AcceptEnv)" if terminal.remote else ""
        warnings.append(
            f"256 colours: for truecolour, where there is, set COLORTERM=truecolor{hint}"
        )
    if terminal.multiplexer == "tmux":
        warnings += _tmux_warnings(terminal, settings)
    if terminal.multiplexer == "screen":
        warnings.append(
            "GNU screen: no truecolour before version 5; 'term screen-256color' and "
            "'defutf8 on' in .screenrc help"
        )
    if torch["error"]:
        warnings.append(f"torch cannot be loaded: {torch['error']}; reinstall it")
    elif not torch["omp_num_threads"] and torch["cores"] < (os.cpu_count() or 1):
        warnings.append(
            f"{torch['cores']} of {os.cpu_count()} cores are this process's own: set "
            "OMP_NUM_THREADS=1 if training is slow"
        )
    if not disk["writable"]:
        warnings.append(f"runs cannot be written to {disk['folder']}: set DIFFUSION_TUI_HOME")
    free = disk["free_bytes"]
    if free is not None and free < _ROOM:
        warnings.append(f"{free / 1024**2:.0f} MiB are free for runs: make room, or set "
                     "DIFFUSION_TUI_HOME")  # fmt: skip
    return warnings


def _tmux_warnings(terminal: Terminal, settings: Mapping[str, str]) -> list[str]:
    warnings = []
    if not terminal.term.startswith(("tmux-256", "screen-256", "tmux-direct")):
        warnings.append("tmux: set -g default-terminal tmux-256color")
    delay = settings.get("escape-time", "")
    if delay.isdecimal() and int(delay) > 50:
        warnings.append(f"tmux waits {delay} ms after escape: set -s escape-time 10")
    # with "external", tmux forwards only its own copies
    if settings.get("set-clipboard", "on") != "on":
        warnings.append("tmux keeps copies from the terminal: set -s set-clipboard on")
    features = settings.get("terminal-features", "") + settings.get("terminal-overrides", "")
    if settings and "RGB" not in features and "Tc" not in features:
        warnings.append("tmux brings truecolour down to 256: set -as terminal-features ',*:RGB'")
    return warnings


_IN_ONE_PIECE: Mapping[str, Any] = {"break_on_hyphens": False, "break_long_words": False}
"""Options of `textwrap` that keep a path in one piece, so that it can be copied."""


def report_text(report: Mapping[str, Any], file: TextIO) -> str:
    """Format a report in the characters that ``file`` can encode."""
    terminal, torch, disk = report["terminal"], report["torch"], report["store"]
    encoding = file.encoding or "ascii"
    settings, words = report["settings"], report["locale"]
    missing = {_GPU_LIBRARY: "missing (needed for the load of GPUs alone)"}
    libraries = ", ".join(
        f"{name} {version or missing.get(name, 'missing')}"
        for name, version in report["libraries"].items()
    )
    named = ", ".join(f"{n}={words[n]}" for n in ("LC_ALL", "LC_CTYPE", "LANG") if words[n])
    size = f"{terminal['columns']}×{terminal['lines']}" if terminal["columns"] else "unknown"
    chosen = ", ".join(f"{n} {settings[n]}" for n in ("theme", "fps", "points", "glyphs"))
    where = " over SSH" if terminal["remote"] else ""
    rows = [
        ("diffusion-tui", f"{report['version']}, Python {report['python']}, {report['system']}"),
        ("libraries", libraries),
        ("terminal", f"TERM={terminal['term']} {terminal['program']}".rstrip() + where),
        ("size", f"{size} (60×18 at least, all panels from 100 columns)"),
        ("colours", f"{terminal['colours']}: {terminal['colours_why']}"),
        ("glyphs", f"{terminal['glyphs']}: {terminal['glyphs_why']}"),
        ("locale", f"{words['encoding']} ({named or 'none is named'})"),
        ("multiplexer", _multiplexer_row(report["multiplexer"])),
    ]
    if torch["error"]:
        rows.append(("torch", f"cannot be loaded: {torch['error']}"))
    else:
        cuda = f", CUDA {torch['cuda']}" if torch["cuda"] else ""
        rows.append(("torch", f"{torch['version']}{cuda}"))
        rows += [("device", f"{device['name']}  {device['label']}") for device in torch["devices"]]
        rows += gpu_rows(report["nvidia"], report["libraries"][_GPU_LIBRARY])
        rows += [("GPU load", gpu) for gpu in report["gpu_load"]["shown"]]
        rows.append(("threads", f"{torch['threads']} of torch, {torch['cores']} cores; a small "
                                "network is trained with 1"))  # fmt: skip
        rows += speed_rows(report["speeds"])
    free = disk["free_bytes"]
    room = f", {free / 1024**3:.1f} GiB free" if free is not None else ""
    rows.append(("runs", f"{disk['folder']}: {disk['runs']}{room}"))
    absent = "" if settings["exists"] else " (not there yet)"
    rows.append(("settings", f"{settings['file']}{absent}: {chosen}"))
    width = max(60, terminal["columns"] or 10_000)
    lines = [
        fill(f"{name:<14} {value}", width, subsequent_indent=" " * 15, **_IN_ONE_PIECE)
        for name, value in rows
    ]
    lines.append("\nWhich of these look right here? --ascii and the setting 'glyphs' choose.")
    lines += [f"  {name:<10} {SAMPLES[name]}" for name in GLYPHS]
    if file.isatty() and terminal["colours"] != "none":
        lines += [f"  {name:<10} {sample}" for name, sample in _COLOUR_SAMPLES]
    lines.append("")
    lines += [
        fill(f"! {warning}", width, subsequent_indent="  ", **_IN_ONE_PIECE)
        for warning in report["warnings"]
    ] or ["Nothing to fix."]
    return "\n".join(lines).encode(encoding, "replace").decode(encoding)


def _multiplexer_row(multiplexer: Mapping[str, Any]) -> str:
    if not multiplexer["name"]:
        return "none"
    options = ", ".join(f"{n} {v or '(empty)'}" for n, v in multiplexer["settings"].items()
                      if not n.startswith("terminal-"))  # fmt: skip
    return f"{multiplexer['name']}" + (f": {options}" if options else "")
