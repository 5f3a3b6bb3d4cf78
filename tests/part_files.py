"""Part files for tests: what they are written from, and registries that are restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from tui_diffusion.core.parts.registries import REGISTRIES, changed, part_files

HEAD = """\
from typing import Annotated, Literal

import torch
from pydantic import Field

from tui_diffusion.core import Level
from tui_diffusion.parts import dataset, method, network, sampler, schedule

"""


def written(folder: Path, text: str, name: str = "my_parts.py") -> Path:
    """Write a part file and return its path; its first line of its own is line 9."""
    file = folder / name
    file.write_text(HEAD + dedent(text))
    return file


@contextmanager
def restored() -> Iterator[None]:
    """Take out, at the end, every part that was added meanwhile."""
    before = {kind: dict(parts) for kind, parts in REGISTRIES.items()}
    files = dict(part_files)
    try:
        yield
    finally:
        for kind, parts in before.items():
            REGISTRIES[kind].clear()
            REGISTRIES[kind].update(parts)
        part_files.clear()
        part_files.update(files)
        changed()
