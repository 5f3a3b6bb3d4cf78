"""The structure of the source: no import loop, and who may know what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import tui_diffusion

ROOT = Path(tui_diffusion.__file__).parent
MATHEMATICS = ("mixtures", "datasets", "schedules", "methods", "networks", "samplers")


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
