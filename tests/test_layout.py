"""The structure of the source: no import loop, and who may know what."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import tui_diffusion

from .private_names import touched

ROOT = Path(tui_diffusion.__file__).parent
MATHEMATICS = ("mixtures", "datasets", "schedules", "methods", "networks", "samplers")
FORBIDDEN = {
    "core": ("export", "interface", "lab", "cli", "program", "__main__"),
    "export": ("interface", "lab", "cli", "program", "__main__"),
    "interface": ("lab", "cli", "program", "__main__"),
    "lab": ("cli", "program", "__main__"),
    "cli": ("lab", "program", "__main__"),
}
"""By room, the rooms that it must not import."""

FLAG = re.compile(r"(?<![\w-])--(?=[a-z]|$)")
KEY = re.compile(
    r"\b[Pp]ress(es|ed|ing)?\b"  # press v
    r"|(?<=[^\W\d_] )\([a-z?]\)(?! =)"  # the paths (v)
    r"|\bwith `?[b-z]`?(?=[.,;:)]|$)"  # follow one point with k
    r"|(^|[.:;,] )[a-z] (goes|opens|shows|trains)\b"  # o shows the levels
    r"|\b(ctrl|alt|shift)\+\w|\b[Tt]he key `?[a-z]\b"
)


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(file): file for file in sorted(ROOT.rglob("*.py"))}


def imported_names(module: str) -> Iterator[str]:
    """Every module that a file imports, wherever the statement stands in it."""
    file = FILES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(parts if node.level else [])
            base = ".".join(part for part in (base, node.module or "") if part)
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                yield submodule if submodule in FILES else base


GRAPH = {
    module: {name for name in imported_names(module) if name in FILES and name != module}
    for module in FILES
}


def loops(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one module: Tarjan 1972."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    result: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in order:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], order[other])
        if low[module] == order[module]:
            at = stack.index(module)
            component = stack[at:]
            del stack[at:]
            if len(component) > 1:
                result.append(sorted(component))

    for module in sorted(graph):
        if module not in order:
            visit(module)
    return result


def test_a_loop_is_seen():
    assert loops({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_no_modules_import_each_other_in_a_loop():
    assert loops(GRAPH) == []


# --- rooms -------------------------------------------------------------------------------------


def within(module: str, room: str) -> bool:
    return f"{module}.".startswith(f"tui_diffusion.{room}.")


def reached(module: str) -> set[str]:
    """Every module that an import of this one brings along, however far away."""
    seen, waiting = set(), [module]
    while waiting:
        for other in GRAPH[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    return seen


def test_every_file_of_the_package_is_in_a_room_that_a_rule_is_about():
    rooms = {module.split(".")[1] for module in FILES if "." in module}
    assert rooms == {*FORBIDDEN, "docs", "parts", "program", "__main__"}


def test_no_room_imports_one_above_or_beside_it():
    broken = [
        f"{module} imports {other}"
        for room, rooms in FORBIDDEN.items()
        for module in FILES
        if within(module, room)
        for other in reached(module)
        if any(within(other, forbidden) for forbidden in rooms)
    ]
    assert broken == []


def test_the_mathematics_knows_no_configuration():
    for name in MATHEMATICS:
        known = reached(f"tui_diffusion.core.{name}")
        assert not [module for module in known if within(module, "core.config")], name


def test_no_module_is_imported_by_a_name_in_a_string():
    # That would hide an import from the rules above. The core's own names are looked up lazily.
    hidden = [
        module
        for module, file in FILES.items()
        if re.search(r"\b(import_module|__import__)\b", file.read_text())
    ]
    assert hidden == ["tui_diffusion.core"]


# --- what the core may say ---------------------------------------------------------------------


def texts(module: str) -> Iterator[str]:
    """Every string and docstring of a file, and its comments."""
    source = FILES[module].read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith("# ---"):
            yield token.string


def test_a_flag_and_a_key_are_seen():
    for text in ("--set x: no value", "such as --out DIR", "--", "`--json`"):
        assert FLAG.search(text)
    for text in (
        *("Press v for paths.", "the paths (v), too", "follow one point with k.", "ctrl+p"),
        *("It ends too wide: o shows the levels.", "k goes on"),
    ):
        assert KEY.search(text), text


def test_the_core_names_no_flag_and_no_key():
    named = [
        f"{module}: {text}"
        for module in FILES
        if within(module, "core")
        for text in texts(module)
        if FLAG.search(text) or KEY.search(text)
    ]
    assert named == []


# --- private names of the libraries --------------------------------------------------------------


def test_private_names_of_textual_and_rich_are_touched_in_one_room_only():
    assert touched()
    elsewhere = {pair for pair in touched() if not within(pair[0], "lab.output")}
    assert elsewhere == set()
