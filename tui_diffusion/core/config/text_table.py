"""Text tables as written by spreadsheets, statistics programs and numpy; loads no torch.

A file has one dialect. The separator is a tab, a semicolon, a comma or blanks, the same on every
line; a number has a decimal point or a decimal comma. The first line is a heading only if there are
numbers below its words. An ambiguous line is refused and named.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from itertools import islice

import numpy as np
from numpy.typing import NDArray

LINES = 200_000
"""Maximum number of lines: every row may be followed by a blank line."""
_LINE = 10_000
"""Maximum number of characters of a line."""
_HEAD = 200
"""Number of lines from which the dialect is inferred."""

_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.I)
_PLAIN = frozenset("0123456789+-.eE")
_PLAIN_TEXT = "".join((*_PLAIN, " \n")).encode()
_ODD = re.compile(r"[+-]?\d[\d.,'_]*([de][+-]?\d+)?", re.I)
"""Text that looks like a number but has invalid separators or an invalid exponent."""
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_PAIR = re.compile(r"[+-]?(\d+),(\d+)")
MISSING = frozenset(("", "na", "n/a", "#n/a", "nan", "null", "none", "-", "?", "."))
"""Markers of missing values, in lower case."""


class TableError(ValueError):
    """A fault of a table in one line; ``choose``: the columns to choose from instead."""

    def __init__(self, message: str, choose: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.choose = choose


NumberedLine = tuple[int, str]
"""The number of a line in the file, from 1, and its text."""


@dataclass(frozen=True)
class TextTable:
    """The lines of a table without comments, and their dialect."""

    lines: list[NumberedLine]
    separator: str
    """'' for one column, ' ' for blanks, however many."""
    heading: int
    """Lines above the data: 0 or 1, or 2 where Excel names the separator first."""
    names: tuple[str, ...]
    """The name of every column, '' if it has none."""
    kinds: tuple[str, ...]
    """The kind of every column, from the first lines: number, text or empty."""
    encoding: str
    comments: frozenset[str]
    """The markers of the comment lines: # or %."""

    def rows(self, most: int = LINES) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the cells of each row of data."""
        for number, cells in _split(self.lines[self.heading :][:most], self.separator):
            if len(cells) != len(self.names):
                raise TableError(
                    f"line {number} has {_columns(len(cells))}, not {len(self.names)} as above"
                )
            yield number, cells

    def plain_numbers(self) -> NDArray[np.float64] | None:
        """Parse data of plain numbers in one pass, shape (rows, columns); see `parse_numbers`.

        Return None if a cell needs closer inspection.
        """
        lines = [line for _, line in self.lines[self.heading :]]
        text, separator = "".join(lines), self.separator
        allowed = _PLAIN_TEXT + separator.encode()
        if not lines or not text.isascii() or text.encode().translate(None, allowed):
            return None
        try:
            values = np.loadtxt(
                lines, delimiter=separator.strip(" ") or None, comments=None, ndmin=2
            )
        except ValueError:
            return None
        return values if values.shape == (len(lines), len(self.names)) else None


def read_table(content: bytes, *, several: bool = False) -> TextTable:
    """Parse the table in a file; raise `TableError`.

    ``several``: more than one column is expected, so a comma between digits is a separator.
    """
    above: list[str] = []
    comments: set[str] = set()
    encoding = _encoding(content)
    lines = _lines(content, encoding, above, comments)
    if not lines:
        raise TableError("holds no points")
    named = re.fullmatch(r"sep=(.)", lines[0][1].strip(), re.IGNORECASE)
    skip = int(named is not None)
    if not lines[skip:]:
        raise TableError("holds no points")
    separator = named[1] if named else _separator(lines, several)
    rows = [cells for _, cells in _split(lines[skip : skip + _HEAD], separator)]
    heading = _heading(rows, lines[skip][0])
    body = rows[bool(heading) :]
    count = len(body[0] if body else heading)
    if not heading and above:
        words = next(_split([(0, above[-1].lstrip().lstrip("#%"))], separator), (0, []))[1]
        heading = words if len(words) == count and not any(map(is_number, words)) else []
        skip -= bool(heading)
    names = ["", *heading] if len(heading) == count - 1 else heading or [""] * count
    kinds = [_kind([row[i] for row in body if i < len(row)]) for i in range(len(names))]
    return TextTable(
        lines,
        separator,
        skip + bool(heading),
        tuple(names),
        tuple(kinds),
        encoding,
        frozenset(comments),
    )


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, with a decimal point or comma."""
    return _NUMBER.fullmatch(cell) is not None


def parse_numbers(cells: Sequence[tuple[int, str]], separator: str) -> list[float]:
    """Parse cells with their lines as numbers of one dialect; raise `TableError`."""
    if _PLAIN.issuperset("".join(cell for _, cell in cells)):
        with suppress(ValueError):
            return [float(cell) for _, cell in cells]
    commas = [(line, cell) for line, cell in cells if "," in cell]
    if commas:
        points = any("." in cell for _, cell in cells)
        odd = [item for item in commas if points or not _COMMA.fullmatch(item[1])]
        if odd:
            raise TableError(
                f"line {odd[0][0]}: {_quoted(odd[0][1])} is not a number; write thousands without "
                "a separator, and one decimal mark in the whole file"
            )
        if separator != ";" and all(_THOUSANDS.fullmatch(cell) for _, cell in commas):
            line, cell = commas[0]
            raise TableError(
                f"line {line}: '{cell}' may be {cell.replace(',', '.')} or {cell.replace(',', '')}"
                "; write it with a decimal point, or without a comma"
            )
    values = []
    for line, cell in cells:
        if cell.lower() in MISSING:
            what = f"'{cell}', a missing value" if cell else "a cell is empty"
            raise TableError(f"line {line}: {what}; leave such rows out")
        if not is_number(cell):
            raise TableError(f"line {line}: {_quoted(cell)} is not a number")
        values.append(float(cell.replace(",", ".")))
        if not math.isfinite(values[-1]):
            raise TableError(f"line {line}: {_quoted(cell)} is not finite")
    return values


# --- lines ---------------------------------------------------------------------------------------


def _lines(
    content: bytes, encoding: str, above: list[str], comments: set[str]
) -> list[NumberedLine]:
    """Return the non-blank lines except comments, whose markers are added to ``comments``.

    The last comment ``above`` the data may name the columns.
    """
    text = TextIOWrapper(BytesIO(content), encoding=encoding, errors="replace")
    texts = [*islice(text, LINES + 1)]
    if len(texts) > LINES:
        raise TableError(f"has more than {LINES:,} lines")
    if max(map(len, texts), default=0) >= _LINE:
        long = next(number for number, line in enumerate(texts, 1) if len(line) >= _LINE)
        raise TableError(f"line {long} is too long")
    lines = [item for item in enumerate(texts, 1) if not item[1].isspace()]
    if b"#" not in content and b"%" not in content:
        return lines
    marked = [item for item in lines if "#" in item[1] or "%" in item[1]]
    heads = {number: line for number, line in marked if line.lstrip()[0] in "#%"}
    if not heads:
        return lines
    comments.update(line.lstrip()[0] for line in heads.values())
    data = [item for item in lines if item[0] not in heads]
    above[:] = [line for number, line in heads.items() if not data or number < data[0][0]][-1:]
    return data


def _encoding(content: bytes) -> str:
    """Detect the encoding by the byte order mark or the first characters."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return name
    head = content[:200]
    if len(head) >= 4 and not any(head[1::2]):
        return "utf-16-le"
    if len(head) >= 4 and not any(head[::2]):
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content[:65_536])
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _split(lines: Iterable[NumberedLine], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of every row without quotes, with the number of its (last) line."""
    at = 0

    def texts() -> Iterator[str]:
        nonlocal at
        for at, line in lines:  # noqa: B007
            yield " ".join(line.split()) if separator == " " else line

    # One column: text contains no NUL, so no line is split.
    try:
        for cells in csv.reader(texts(), delimiter=separator or "\0", skipinitialspace=True):
            yield at, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise TableError(f"line {at}: {error}") from None


# --- the dialect ---------------------------------------------------------------------------------


def _separator(lines: list[NumberedLine], several: bool) -> str:
    """Return the separator: the first of tab, semicolon, comma and blanks that splits evenly."""
    head = lines[:_HEAD]
    even = [separator for separator in "\t;, " if _even(head, separator)]
    if even[:2] == [",", " "]:  # '1, 2' or '1,5 2,5'
        rows = [cells for _, cells in _split(head[1:] or head, " ")]
        even = [" " if all(map(is_number, (cell for row in rows for cell in row))) else ","]
    if even and even[0] == "," and _comma_is_decimal(lines, several):
        return ""
    if even:
        return even[0]
    if len(head) > 1 and all(_COMMA.fullmatch(t.strip()) or is_number(t.strip())
                             for _, t in head[1:]) and not _parted(head[0][1]):  # fmt: skip
        return ""  # below a name, numbers some of which have a decimal comma
    # None is even: take the one in most lines, to name the lines that differ.
    often = {s: sum(s in line.strip() for _, line in head) for s in "\t;, "}
    return max(often, key=lambda s: often[s]) if any(often.values()) else ""


def _parted(line: str) -> bool:
    """Return whether a first line has several columns, or numbers."""
    return bool(re.search(r"[\t;,]", line)) or is_number(line.strip())


def _even(head: list[NumberedLine], separator: str) -> bool:
    """Return whether a separator splits every line evenly; R may leave out the first heading."""
    counts = [len(cells) for _, cells in _split(head, separator)]
    rows = set(counts[1:] or counts)
    return len(rows) == 1 and (most := rows.pop()) > 1 and counts[0] in (most, most - 1)


def _comma_is_decimal(lines: list[NumberedLine], several: bool) -> bool:
    """Return whether a file of '0,1257' lines is one column of decimal commas; raise `TableError`.

    A heading decides. Without one: digits after a decimal comma sometimes begin with 0, which whole
    numbers never do, and either all have the same length or none ends with 0.
    """
    named = not any(map(is_number, next(_split(lines[:1], ","))[1]))
    pairs = []
    for _, line in lines[named:]:
        match = _PAIR.fullmatch(line.strip())
        if match is None:
            return False
        pairs.append((match[1], match[2]))
    if not pairs or several:
        return False
    if named:
        return "," not in lines[0][1]
    wholes, parts = zip(*pairs, strict=True)
    padded = any(len(part) > 1 and part[0] == "0" for part in parts)
    if padded and not any(len(whole) > 1 and whole[0] == "0" for whole in wholes):
        return True
    uneven = len({*map(len, parts)}) > 1 and any(len(p) > 1 and p[-1] == "0" for p in parts)
    digits = max(map(len, (*wholes, *parts))) == 1
    many = len({*wholes}) >= 20 and sum(len(part) > 1 for part in parts) >= 100
    if not padded and (uneven or digits or many):
        return False
    number, line = lines[0]
    raise TableError(
        f"line {number}: {_quoted(line.strip())} may be one number or two; write a heading above, "
        "such as 'x' or 'x,y', or set data.columns=1,2 for two"
    )


def _heading(rows: list[list[str]], line: int) -> list[str]:
    """Return the first row if it is a heading, else []; raise `TableError` if ambiguous."""
    first, body = rows[0], rows[1:]
    words = [cell for cell in first if cell.lower() not in MISSING and not is_number(cell)]
    if not body:
        return first if len(words) == len(first) else []
    count = len(body[0])
    if len(first) not in (count, count - 1):
        return []
    kinds = [_kind([row[i] for row in body if i < len(row)]) for i in range(count)]
    counted = [str(i) for i in range(count)]
    if first[0] == "" and first[1:] == counted[:-1] and body[0][0]:  # pandas, unnamed columns
        return first
    if first == counted == ["0", "1"] and all("." in cell for row in body for cell in row):
        raise TableError(
            f"line {line}: '0,1' may be a heading or a point; name the columns x,y, or write "
            "0.0,1.0"
        )
    return first if words and not any(map(is_number, first)) and "number" in kinds else []


def _kind(cells: Sequence[str]) -> str:
    """Return the kind of a column: number, text, or empty."""
    present = [cell for cell in cells if cell.lower() not in MISSING]
    if not present:
        return "empty" if not any(cells) else "number"
    # An odd cell in a column of numbers is an error that names its line.
    fit = sum(is_number(cell) or bool(_ODD.fullmatch(cell)) for cell in present)
    return "number" if 2 * fit >= len(present) else "text"


def _columns(count: int) -> str:
    return f"{count} column{'s' if count != 1 else ''}"


def _quoted(cell: str) -> str:
    return repr(cell if len(cell) <= 30 else cell[:29] + "…")
