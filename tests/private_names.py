"""The private names of Textual and rich that the package touches, read from the sources."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tui_diffusion.lab

LIBRARIES = ("textual", "rich")
Touched = set[tuple[str, str]]
"""Pairs of a module of the package and a private name."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def is_of_library(module: str) -> bool:
    return module.partition(".")[0] in LIBRARIES


def own_modules() -> list[str]:
    """Import every module of the lab; return their names with those of the rest of the package."""
    for module in pkgutil.walk_packages(tui_diffusion.lab.__path__, "tui_diffusion.lab."):
        importlib.import_module(module.name)
    return sorted(name for name in sys.modules if name.startswith("tui_diffusion."))


def source(module: str) -> str:
    file = getattr(sys.modules[module], "__file__", None) or ""
    return Path(file).read_text("utf-8") if file.endswith(".py") else ""


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(source(module))


@cache
def classes(module: str) -> dict[str, ast.ClassDef]:
    """Every class of a module by its qualified name."""

    def below(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
        for child in node.body:
            if isinstance(child, ast.ClassDef):
                yield prefix + child.name, child
                yield from below(child, f"{prefix}{child.name}.")

    return dict(below(tree(module), ""))


def of_itself(node: ast.expr) -> bool:
    """Whether an expression is ``self``, ``cls`` or ``super()``."""
    name = node.func if isinstance(node, ast.Call) else node
    return isinstance(name, ast.Name) and name.id in ("self", "cls", "super")


@cache
def members(module: str, qualname: str) -> frozenset[str]:
    """The private names that a class defines, sets or uses of itself."""
    node = classes(module).get(qualname)
    names = set()
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Attribute) and of_itself(part.value):
            names.add(part.attr)
    for part in node.body if node is not None else ():
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(part.name)
        elif isinstance(part, ast.Assign | ast.AnnAssign):
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(filter(is_private, names))


def inherited(module: str) -> Touched:
    """Names of library classes that the subclasses in a module define or use."""
    touched: Touched = set()
    for name in classes(module):
        cls: object = sys.modules[module]
        for part in name.split("."):
            cls = getattr(cls, part, None)
        mro = cls.__mro__ if isinstance(cls, type) else ()
        library = frozenset().union(
            *(members(c.__module__, c.__qualname__) for c in mro if is_of_library(c.__module__))
        )
        for base in mro:
            if base.__module__.startswith("tui_diffusion."):
                own = members(base.__module__, base.__qualname__)
                touched |= {(base.__module__, member) for member in own & library}
    return touched


@cache
def library_names() -> frozenset[str]:
    """Every private name that some class of the libraries defines or uses of itself."""
    defined = re.compile(r"\b(?:self\.|cls\.|def |^    )(_[a-zA-Z]\w*)", re.MULTILINE)
    modules = filter(is_of_library, [*sys.modules])
    return frozenset(name for module in modules for name in defined.findall(source(module)))


def of_other_objects(module: str) -> Touched:
    """Library names that a module reads or sets on objects other than ``self``."""
    own = frozenset().union(*(members(module, name) for name in classes(module)))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    names = set()
    for node in ast.walk(tree(module)):
        match node:
            case ast.Attribute(value=ast.Name(id=name)) if name in imported:
                continue
            case ast.Attribute(value=value, attr=name) if not of_itself(value):
                names.add(name)
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ):
                names.add(name)
    return {(module, name) for name in names & library_names() - own if is_private(name)}


def imports(module: str) -> Touched:
    """Private modules of the libraries, and private names in them, that a module imports."""
    touched: Touched = set()
    for node in ast.walk(tree(module)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if is_of_library(name) and any(map(is_private, name.split("."))):
                touched.add((module, name))
    return touched


@cache
def touched() -> Touched:
    """Every private name of the libraries that the package touches, with the module that does."""
    return set().union(
        *(
            look(module)
            for module in own_modules()
            for look in (inherited, of_other_objects, imports)
        )
    )
