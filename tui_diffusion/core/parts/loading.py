"""Part files: loading one, all of it or nothing, and loading it again when it has changed.

A part file is Python that declares parts, see `declare`. It runs in this process with all its
rights, so nothing is loaded that a person did not name.
"""

from __future__ import annotations

import builtins
import io
import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.abc import SourceLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from ..config.errors import ConfigError
from ..text import shown
from .calls import place_of, words_of
from .declare import Declared, declared, replaced
from .part import Part, PartFile
from .reading import read_part_file
from .registries import REGISTRIES, Kind, changed, part_files


def load_parts(path: Path | str) -> PartFile:
    """Load the parts of a file, in place of those that it declared before; return the file.

    Raise `ConfigError`, one line with the file and the line in it, and leave all parts as they were
    if it cannot be loaded.
    """
    file = read_part_file(path)
    if part_files.get(file.path) != file:
        take(run(file))
    return file


@dataclass(frozen=True)
class Loaded:
    """A part file that has run, with its parts, which are not registered yet."""

    file: PartFile
    parts: Declared


def run(file: PartFile) -> Loaded:
    """Run a part file and return its parts; raise `ConfigError`."""
    parts = _declared_by(file)
    if not parts:
        raise ConfigError(
            f"{shown(file.name)}: it declares no part; allowed: functions with a decorator of "
            "tui_diffusion.parts"
        )
    return Loaded(file, parts)


def take(loaded: Loaded, check: Callable[[], None] = lambda: None) -> None:
    """Put the parts of a file into the registries.

    ``check`` is called with the new parts; if it raises `ConfigError`, the former ones come back.
    """
    file, before = loaded.file, {kind: dict(parts) for kind, parts in REGISTRIES.items()}
    _register(loaded.parts, file)
    try:
        check()
    except ConfigError as error:
        for kind, parts in before.items():
            _set(REGISTRIES[kind], parts)
        changed()
        raise ConfigError(f"{shown(file.name)}: {error}", error.field) from None
    part_files[file.path] = file


def run_changed() -> list[Loaded]:
    """Run the loaded files whose contents have changed since; raise `ConfigError`."""
    files = [read_part_file(path) for path in part_files]
    return [run(file) for file in files if file != part_files[file.path]]


def _declared_by(file: PartFile) -> Declared:
    """Run a file and return the parts that it declares."""
    spec = spec_from_file_location(f"parts of {file.path}", file.path, loader=_Loader(file))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    vars(module)["print"] = _print
    former = sys.modules.get(module.__name__)
    # Dataclasses look their module up. The text is kept, because the file may change.
    sys.modules[module.__name__] = module
    try:
        with collected(file) as found:
            spec.loader.exec_module(module)
    except BaseException as error:
        if former is None:
            del sys.modules[module.__name__]
        else:
            sys.modules[module.__name__] = former
        if isinstance(error, KeyboardInterrupt):
            raise
        what = str(error) if isinstance(error, ConfigError) else words_of(error)
        raise ConfigError(f"{place_of(error, file)}: {what}") from None
    text = file.content.decode("utf-8", "replace").splitlines(keepends=True)
    linecache.cache[str(file.path)] = (file.size, None, text, str(file.path))
    return found


@contextmanager
def collected(file: PartFile | None) -> Iterator[Declared]:
    """Collect the parts that are declared meanwhile, instead of registering them.

    What is printed meanwhile goes to standard error.
    """
    found: Declared = []
    tokens = declared.set(found), replaced.set(file)
    try:
        with redirect_stdout(_Harmless()):
            yield found
    finally:
        declared.reset(tokens[0])
        replaced.reset(tokens[1])


def _register(found: Declared, file: PartFile) -> None:
    """Put the parts of a file into the registries, and take its former ones out."""
    new: dict[Kind, dict[str, Part]] = {kind: {} for kind in REGISTRIES}
    for kind, part in found:
        new[kind][part.name] = part
    for kind, parts in REGISTRIES.items():
        kept = {n: p for n, p in parts.items() if p.file is None or p.file.path != file.path}
        _set(parts, kept | new[kind])
    changed()


def register(found: Declared) -> None:
    """Put collected parts into the registries."""
    for kind, part in found:
        REGISTRIES[kind][part.name] = part
    changed()


def _set(parts: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Give a registry these parts, without a moment at which one of them is missing."""
    for name in [name for name in parts if name not in values]:
        del parts[name]
    parts.update(values)


class _Loader(SourceLoader):
    """Runs the text of a part file as it was read, and writes no compiled one beside it."""

    def __init__(self, file: PartFile) -> None:
        self._file = file

    def get_data(self, path: str | bytes) -> bytes:
        return self._file.content

    def get_filename(self, fullname: str) -> str:
        return str(self._file.path)


class _Harmless(io.TextIOBase):
    """Standard output for a file that is being loaded: what it prints is no result."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)


def _print(*values: Any, **options: Any) -> None:
    """Print to standard error; ``print`` of part files, which standard output is not for."""
    builtins.print(*values, **{"file": sys.stderr, **options})
