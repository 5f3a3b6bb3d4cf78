"""Points from a text or numpy file: one or two of its columns, and a label; loads no torch.

The file is not trusted: it is read once, up to a size limit, and only if it is a plain file.
"""

from __future__ import annotations

import csv
import gzip
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..files import UNREADABLE, read_plain, reason_of
from ..text import shortened, shown
from .array_table import ArrayTable, read_archive, read_array
from .errors import ConfigError
from .point_labels import CLASSES, NAMED, Labels, classes_of
from .text_table import TableError, TextTable, is_number, parse_numbers, read_table

T = TypeVar("T")
Key = tuple[Path, int, int]
"""A file with its time and size, the key under which its content is cached."""

ROWS = 100_000
"""Maximum number of points: the exact denoiser has a component for each."""

_BYTES = 64 * 2**20
"""Maximum size of a file, and of its unpacked content."""
_TEXT = (".csv", ".tsv", ".txt")
_SUFFIXES = (*_TEXT, *(f"{suffix}.gz" for suffix in _TEXT), ".npy", ".npz")
ALLOWED = (
    f"a .csv, .tsv, .txt (or .gz of one), .npy or .npz file with 1 to {ROWS:,} rows of 1 or 2 "
    "finite numbers"
)
_LISTED = 10_000
"""Maximum number of rows searched for groups to offer; fewer for many columns."""
_CELLS = 200_000
_GROUPS = 100


@dataclass(frozen=True)
class FileChoices:
    """The choices that a file offers.

    Columns of numbers, groups as ``COLUMN:VALUE``, and columns that may be labels.
    """

    columns: tuple[str, ...]
    groups: tuple[str, ...]
    labels: tuple[str, ...]


def read_points(file: Path, columns: str = "", where: str = "") -> NDArray[np.float64]:
    """Read the points of a file, shape (n, d) with d = 1 or 2; see `read_labelled`."""
    return read_labelled(file, columns, where)[0]


def read_labelled(
    file: Path, columns: str = "", where: str = "", label: str = ""
) -> tuple[NDArray[np.float64], Labels | None]:
    """Read the points of a file, shape (n, d) with d = 1 or 2, and their labels, if it has some.

    ``columns`` are one or two names or numbers of columns; ``where`` is ``COLUMN:VALUE`` for the
    rows of one group; ``label`` is the column of the label. Without the first two the file must
    consist of one or two columns of numbers, beside the label. A column named label or class is
    that of the label where it could be nothing else. Raise `ConfigError`.
    """
    return _inspect(file, lambda key: _read(*key, columns, where, label))


def file_choices(file: Path) -> FileChoices:
    """Return the choices that a file offers, from its first rows; raise `ConfigError`."""
    return _inspect(file, lambda key: _contents(*key))


@dataclass(frozen=True)
class TextSelection:
    """The columns and rows to read of a text file.

    ``columns`` are indices; if rows are filtered, the last column holds one of ``wanted``.
    """

    table: TextTable
    columns: list[int]
    wanted: list[str]
    decimal_comma: bool


def text_selection(file: Path, columns: str, where: str, label: str = "") -> TextSelection | None:
    """Return how to read a text file, None for a numpy file; raise `ConfigError`."""

    def read(key: Key) -> TextSelection | None:
        table, *_ = _table(file, key[2], columns, label)
        if not isinstance(table, TextTable):
            return None
        chosen, group, _ = choose(table.names, table.kinds, columns, where, label)
        rows = [row for _, row in table.rows() if group is None or _same(row[group[0]], group[1])]
        comma = any("," in row[i] for row in rows for i in chosen)
        if group is None:
            return TextSelection(table, chosen, [], comma)
        wanted = list(dict.fromkeys(row[group[0]] for row in rows))
        return TextSelection(table, [*chosen, group[0]], wanted, comma)

    return _inspect(file, read)


def suffix_of(file: Path) -> str:
    """Return the suffix in lower case, including the one before .gz."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def _inspect(file: Path, read: Callable[[Key], T]) -> T:
    """Apply ``read`` to a file in its current state; raise every fault as a `ConfigError`."""
    if file == Path():
        raise _bad(file, "no file is named")
    if suffix_of(file) not in _SUFFIXES:
        raise _bad(file, f"suffix {file.suffix!r} is not known")
    try:
        about = file.stat()
        if not file.is_file():
            raise _bad(file, "not a file")
        return read((file, about.st_mtime_ns, about.st_size))
    except ConfigError:
        raise
    except TableError as error:
        raise _bad(file, str(error), error.choose) from None
    except (FileNotFoundError, NotADirectoryError):
        raise _bad(file, "no such file") from None
    except (*UNREADABLE, AttributeError, zlib.error, zipfile.BadZipFile) as error:
        raise _bad(file, f"cannot be read ({reason_of(error)})") from None


@lru_cache(maxsize=4)
def _read(
    file: Path, changed: int, size: int, columns: str, where: str, label: str
) -> tuple[NDArray[np.float64], Labels | None]:
    """Read a file, cached by its time and size."""
    table, left, its_label = _table(file, size, columns, label)
    chosen, group, labelled = choose(table.names, table.kinds, left, where, its_label)
    if isinstance(table, TextTable):
        points = _of_text(table, chosen, group)
    else:
        points = _of_arrays(table, chosen, group)
    if group is not None and not len(points):
        raise _no_group(table.names[group[0]], group, _listed(table)[group[0]])
    if not points.size:
        raise TableError("holds no points")
    if len(points) > ROWS:
        raise TableError(f"has more than {ROWS:,} rows")
    bad = np.flatnonzero(~np.isfinite(points).all(1))
    if len(bad):
        raise TableError(f"row {bad[0] + 1} is not finite")
    if np.abs(points).max() > 1e100:
        raise TableError("holds numbers beyond 1e100")
    points.setflags(write=False)
    return points, _labels(table, labelled, group, bool(label) or not columns)


def _labels(
    table: TextTable | ArrayTable, column: int | None, group: Group | None, needed: bool
) -> Labels | None:
    """Return the labels in a column; None without one, or if they are not ``needed`` nor labels."""
    if column is None:
        return None
    if isinstance(table, TextTable):
        rows = [row for _, row in table.rows() if group is None or _same(row[group[0]], group[1])]
        cells = [row[column] for row in rows]
    else:
        values = table.columns[column]
        if group is not None:
            values = values[[_same(str(value), group[1]) for value in table.columns[group[0]]]]
        cells = [*map(str, values)]
    try:
        return classes_of(cells, labels_of(table.names)[column])
    except ConfigError:
        if needed:
            raise
        return None


def _table(
    file: Path, size: int, columns: str, label: str = ""
) -> tuple[TextTable | ArrayTable, str, str]:
    """Return the columns of a file, which of them to take, and the one of the label."""
    if size > _BYTES:
        raise TableError(f"is {size / 2**20:,.0f} MiB long")
    # The current file, which may differ from a moment ago.
    content = read_plain(file.resolve(), _BYTES)
    suffix = suffix_of(file)
    if suffix == ".npz":
        return read_archive(content, _BYTES, columns, label)
    if suffix == ".npy":
        return read_array(content), columns, label
    if suffix.endswith(".gz"):
        with gzip.GzipFile(fileobj=BytesIO(content)) as packed:
            content = packed.read(_BYTES + 1)
        if len(content) > _BYTES:
            raise TableError(f"unpacks to more than {_BYTES // 2**20} MiB")
    several = bool(label) or columns not in ("", "1")
    return read_table(content, several=several), columns, label


def _of_text(table: TextTable, chosen: Sequence[int], group: Group | None) -> NDArray[np.float64]:
    plain = table.plain_numbers() if group is None else None
    if plain is not None and len(plain) <= ROWS:
        return plain[:, chosen]
    cells: list[tuple[int, str]] = []
    for line, row in table.rows():
        if group is None or _same(row[group[0]], group[1]):
            cells += [(line, row[i]) for i in chosen]
            if len(cells) > ROWS * len(chosen):
                raise TableError(f"has more than {ROWS:,} rows")
    return np.array(parse_numbers(cells, table.separator), np.float64).reshape(-1, len(chosen))


def _of_arrays(
    table: ArrayTable, chosen: Sequence[int], group: Group | None
) -> NDArray[np.float64]:
    picked = [table.columns[i] for i in (*chosen, *(group or ())[:1])]
    if len({*map(len, picked)}) > 1:
        raise TableError("has columns of different lengths")
    text = next((i for i in chosen if table.kinds[i] != "number"), None)
    if text is not None:
        raise TableError(f"column {text + 1} holds {table.columns[text].dtype}, not numbers")
    if group is None and len(picked[0]) > ROWS:
        raise TableError(f"has {len(picked[0]):,} rows")
    if group is not None:
        kept = np.array([_same(str(value), group[1]) for value in picked.pop()], bool)
        picked = [column[kept][: ROWS + 1] for column in picked]
    with np.errstate(over="ignore"):  # a longer float may exceed the greatest double
        return np.stack([np.asarray(column, np.float64) for column in picked], 1)


# --- which columns and rows ----------------------------------------------------------------------

Group = tuple[int, str]
"""A column, and the value that its rows must have."""


def choose(
    names: Sequence[str], kinds: Sequence[str], columns: str, where: str, label: str = ""
) -> tuple[list[int], Group | None, int | None]:
    """Return the columns to take, the group of rows and the column of the label.

    Raise `ConfigError` or `TableError`.
    """
    labels = labels_of(names)
    group = None
    labelled = _column("data.label", names, labels, label) if label else None
    if where:
        group = _group(names, labels, where)
    if columns:
        words = next(csv.reader([columns], skipinitialspace=True))
        chosen = [_column("data.columns", names, labels, word.strip()) for word in words]
        if len(chosen) > 2 or len({*chosen}) < len(chosen):
            raise ConfigError(
                f"data.columns: {shortened(columns)!r} is not allowed; allowed: one or two "
                f"different columns of {_listing(labels)}",
                "data.columns",
            )
        if labelled in chosen:
            raise ConfigError(
                f"data.label: {shortened(label, 40)!r} is a coordinate; allowed: a column that is "
                "not one of data.columns",
                "data.label",
            )
        return chosen, group, _named(names, [*chosen, *(group or ())[:1]], labelled)
    chosen = [
        i
        for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
        # Skip row names, as R and pandas write them, and the cell after a trailing separator.
        if not (name == "" and (kind == "empty" or (i == 0 and any(names))))
        and (group is None or i != group[0])
        and i != labelled
    ]
    # A column that is named so is no coordinate where there are too many or it is text.
    if labelled is None and (len(chosen) > 2 or any(kinds[i] == "text" for i in chosen)):
        labelled = _named(names, [i for i in range(len(names)) if i not in chosen])
        if labelled is None and not any(names):
            beside = [kinds[i] for i in chosen] == ["number", "number", "text"]
            labelled = chosen[2] if beside else None
        chosen = [i for i in chosen if i != labelled]
    able = [labels[i] for i in chosen if kinds[i] == "number"]
    text = next((i for i in chosen if kinds[i] == "text"), None)
    if able and text is not None:
        name = f" {names[text]!r}" if names[text] else ""
        raise TableError(f"column {text + 1}{shown(name)} is text; choose {_ways(able)}", able)
    if able and len(chosen) > 2:
        label = ", and the label's with data.label" if len(chosen) == 3 else ""
        raise TableError(f"has {len(chosen)} columns; choose {_ways(able)}{label}", able)
    if len(chosen) > 2:
        raise TableError(f"has {len(chosen)} columns, none of numbers")
    return chosen, group, labelled


def _named(names: Sequence[str], taken: Sequence[int], chosen: int | None = None) -> int | None:
    """Return the ``chosen`` column of the label, else the only one named so that is not taken."""
    if chosen is not None:
        return chosen
    found = [i for i, name in enumerate(names) if name.strip().lower() in NAMED]
    return found[0] if len(found) == 1 and found[0] not in taken else None


def labels_of(names: Sequence[str]) -> list[str]:
    """Return the label of each column: its name if unique, else its number from 1."""
    return [name if name and names.count(name) == 1 else str(i) for i, name in enumerate(names, 1)]


def _ways(able: Sequence[str]) -> str:
    return f"{'one or two' if len(able) > 1 else 'it'} with data.columns"


def _column(field: str, names: Sequence[str], labels: Sequence[str], word: str) -> int:
    """Return the index of a column by its name or its number."""
    if word in labels:
        return labels.index(word)
    if word.isdecimal() and 1 <= int(word) <= len(names):
        return int(word) - 1
    near = get_close_matches(word, labels, n=3) or labels
    raise ConfigError(
        f"{field}: no column {shortened(word, 40)!r}; allowed: {_listing(near)}", field
    )


def _group(names: Sequence[str], labels: Sequence[str], where: str) -> Group:
    """Return the column and the value of ``COLUMN:VALUE``; either may contain a colon."""
    parts = where.split(":")
    for count in range(1, len(parts)):
        column, value = ":".join(parts[:count]).strip(), ":".join(parts[count:]).strip()
        known = column in labels or (column.isdecimal() and 1 <= int(column) <= len(names))
        if known and value:
            return _column("data.where", names, labels, column), value
    raise ConfigError(
        f"data.where: {shortened(where, 40)!r} names no group; allowed: COLUMN:VALUE with a column "
        f"of {_listing(labels)}",
        "data.where",
    )


def _no_group(name: str, group: Group, values: Sequence[str]) -> ConfigError:
    known = [*dict.fromkeys(values)]
    near = get_close_matches(group[1], known, n=3) or known
    return ConfigError(
        f"data.where: no row has {shortened(group[1], 40)!r} in column "
        f"{shown(name or group[0] + 1)}; allowed: {_listing(near)}",
        "data.where",
    )


def _same(cell: str, value: str) -> bool:
    """Return whether a cell holds a value, as text or as a number."""
    if cell == value:
        return True
    return is_number(cell) and is_number(value) and _float(cell) == _float(value)


def _float(cell: str) -> float:
    return float(cell.replace(",", "."))


def _listing(names: Sequence[str], most: int = 8) -> str:
    """Return some names in one line without control characters."""
    some = [shortened(name, 20) for name in names[:most]]
    return ", ".join([*some, "…"] if len(names) > most else some)


# --- what there is to choose ---------------------------------------------------------------------


def _listed(table: TextTable | ArrayTable) -> list[list[str]]:
    """Return the cells of every column in the first rows."""
    count = min(_LISTED, _CELLS // len(table.names))
    if isinstance(table, ArrayTable):
        return [[*map(str, column[:count])] for column in table.columns]
    rows = [cells for _, cells in islice(table.rows(), count)]
    return [[row[i] for row in rows] for i in range(len(table.names))]


@lru_cache(maxsize=4)
def _contents(file: Path, changed: int, size: int) -> FileChoices:
    table, *_ = _table(file, size, "")
    labels, groups, classes = labels_of(table.names), list[str](), list[str]()
    for label, kind, cells in zip(labels, table.kinds, _listed(table), strict=True):
        values = [*filter(None, dict.fromkeys(cells))] if kind == "text" else []
        # Values that no two rows share identify rows, not groups.
        if len(values) < min(_GROUPS + 1, len(cells)):
            groups += [f"{label}:{value}" for value in values if value.isprintable()]
        if 1 < len({*cells}) <= min(CLASSES, len(cells) - 1) and all(map(_may_name, {*cells})):
            classes.append(label)
    able = (label for label, kind in zip(labels, table.kinds, strict=True) if kind == "number")
    return FileChoices(tuple(able), tuple(groups), tuple(classes))


def _may_name(cell: str) -> bool:
    """Return whether a cell may be a label: text, or a whole number."""
    return not is_number(cell) or _float(cell).is_integer()


def _bad(file: Path, what: str, able: Sequence[str] = ()) -> ConfigError:
    name = shown(file)
    name = name if len(name) <= 80 else "…" + name[-79:]
    allowed = _listing(able) if able else ALLOWED
    return ConfigError(f"data.path: {name}: {shown(what)}; allowed: {allowed}", "data.path")
