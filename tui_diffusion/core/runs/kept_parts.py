"""The part files of a run or a sweep: a copy in its folder, and their checksums in its JSON file.

No copy is ever loaded here: `missing_part` says what would have to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..parts.part import Part
from ..parts.registries import NAMED_BY, REGISTRIES, Kind, find_more, words_for
from ..parts.used import UsedFile
from ..text import shown

_SHOWN = 12
"""Digits of a checksum in a message."""


@dataclass(frozen=True)
class KeptFile:
    """A part file of a run or a sweep, of which its folder holds a copy by this name.

    ``parts`` are the names of its parts that are used, by the field that names them: one of each
    in a run.
    """

    name: str
    checksum: str
    size: int
    parts: Mapping[str, tuple[str, ...]]

    @property
    def described(self) -> str:
        """The name, size and checksum for a message."""
        return f"{self.name} ({self.size:,} bytes, SHA-256 {self.checksum[:_SHOWN]}…)"

    @property
    def settings(self) -> str:
        """The fields that name its parts, with their values, for a message."""
        return ", ".join(f"{path} = {' or '.join(names)}" for path, names in self.parts.items())

    def written(self) -> dict[str, Any]:
        """Return the entry in JSON, where several parts of a field are a list."""
        entry = {"name": self.name, "sha256": self.checksum, "size": self.size}
        parts = {path: n[0] if len(n) == 1 else list(n) for path, n in self.parts.items()}
        return {**entry, "parts": parts}


def kept_files(used: Sequence[UsedFile]) -> list[tuple[KeptFile, bytes]]:
    """Return the files to keep, with distinct names, and their contents."""
    kept: dict[str, tuple[KeptFile, bytes]] = {}
    for one in used:
        file = one.file
        name = file.name if file.name not in kept else f"{len(kept) + 1}-{file.name}"
        kept[name] = KeptFile(name, file.checksum, file.size, one.parts), file.content
    return list(kept.values())


def missing_part(files: Sequence[KeptFile], *, search: bool = False) -> tuple[str, KeptFile] | None:
    """Return the first part that is not loaded, in words, with its file; None if all are.

    With ``search``, the parts of installed packages are loaded first.
    """
    for kind, part, name, kept in _parts(files):
        if part is None and search:
            find_more()
            part = REGISTRIES[kind].get(name)
        if part is None:
            return words_for(kind, name), kept
    return None


def changed_parts(files: Sequence[KeptFile], of_what: str = "run") -> tuple[str, ...]:
    """Return one line for each file that differs from the one that is loaded now."""
    lines = []
    for kind, part, name, kept in _parts(files):
        now = part.file.checksum if part is not None and part.file is not None else ""
        if part is not None and now != kept.checksum:
            of = shown(part.file.name) if part.file is not None else "this program"
            now = f"SHA-256 {now[:_SHOWN]}…" if now else "built in"
            lines.append(
                f"{words_for(kind, name)} has changed since the {of_what}: in {kept.name} it was "
                f"SHA-256 {kept.checksum[:_SHOWN]}…, in {of} it is {now}"
            )
    return tuple(lines)


def _parts(files: Sequence[KeptFile]) -> Iterator[tuple[Kind, Part | None, str, KeptFile]]:
    kinds = {path: kind for kind, path in NAMED_BY.items()}
    for kept in files:
        for path, names in kept.parts.items():
            for name in names:
                yield kinds[path], REGISTRIES[kinds[path]].get(name), name, kept


def read_kept(values: Any, most: int = len(NAMED_BY)) -> tuple[KeptFile, ...]:
    """Validate the entry ``parts``, of at most so many files; raise one of `UNREADABLE`."""
    if not isinstance(values, list) or len(values) > most:
        raise TypeError("parts is not a short list")
    return tuple(_kept(entry) for entry in values)


def _kept(values: Any) -> KeptFile:
    name, checksum, size, parts = (values[key] for key in ("name", "sha256", "size", "parts"))
    parts = {path: [n] if isinstance(n, str) else [*n] for path, n in parts.items()}
    texts = (name, checksum, *parts, *(part for names in parts.values() for part in names))
    if not all(isinstance(text, str) and 0 < len(text) <= 200 for text in texts):
        raise TypeError("parts holds no short text")
    if Path(name).name != name or not name.endswith(".py") or not name.isprintable():
        raise ValueError("parts names a file that is none")
    if type(size) is not int or size < 0 or not parts.keys() <= {*NAMED_BY.values()}:
        raise ValueError("parts has a wrong size or field")
    return KeptFile(name, checksum, size, {p: tuple(map(shown, n)) for p, n in parts.items()})
