"""A list of torch operations as one compiled function.

Calling a small operation from Python costs about as much as the operation. It also releases the
interpreter's lock and waits to get it back, longer with every other thread. TorchScript executes
the list without Python and without its lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

Argument = Tensor | Sequence[Tensor] | Sequence[int] | str | float
"""An argument of an operation. A text names a value that differs between steps; numbers, booleans
and lists of them are written as they print."""


class ScriptError(RuntimeError):
    """An error of this release of torch, which cannot compile a list."""


class Script:
    """Operations on fixed tensors, written by calls and then compiled.

    ``do("mm", a, b, out=c)`` writes ``torch.ops.aten.mm(a, b, out=c)``. The names ``tensors``, at
    least one, and ``numbers`` stand for values that differ between steps; each is an item of a
    list.
    """

    def __init__(self, tensors: Sequence[str], numbers: Sequence[str] = ()) -> None:
        self._each = dict.fromkeys(tensors, "Tensor") | dict.fromkeys(numbers, "float")
        self._tensors: list[Tensor] = []
        self._groups: list[list[Tensor]] = []
        self._lines: list[str] = []

    def __call__(self, operation: str, *inputs: Argument, **options: Argument) -> None:
        """Write an operation."""
        arguments = [self._text(value) for value in inputs]
        arguments += [f"{name}={self._text(value)}" for name, value in options.items()]
        self._lines.append(f"torch.ops.aten.{operation}({', '.join(arguments)})")

    def compile(self) -> Callable[..., None]:
        """Return a function of those lists, in the order of their names; raise `ScriptError`."""
        run, tensors, groups = _compiled(self._source()), self._tensors, self._groups

        def steps(*lists: Sequence[Any]) -> None:
            # There is nothing to fuse, so optimization would only delay the start.
            with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
                run(tensors, groups, *lists)

        return steps

    def _source(self) -> str:
        first = next(iter(self._each))
        each = ", ".join(f"all_{name}: List[{kind}]" for name, kind in self._each.items())
        return "\n".join(
            [
                f"def run(tensors: List[Tensor], groups: List[List[Tensor]], {each}):",
                *(f"    t{index} = tensors[{index}]" for index in range(len(self._tensors))),
                *(f"    g{index} = groups[{index}]" for index in range(len(self._groups))),
                f"    for step in range(len(all_{first})):",
                *(f"        {name} = all_{name}[step]" for name in self._each),
                *(f"        {line}" for line in self._lines),
                "",
            ]
        )

    def _text(self, value: Argument) -> str:
        match value:
            case Tensor():
                return f"t{_place(value, self._tensors)}"
            case [Tensor(), *_]:
                # A list created inside the script would be optimized away with its side effects.
                return f"g{_place(value, self._groups)}"
            case _:
                return str(value)


def _place(value: Any, known: list[Any]) -> int:
    """Return the index of an object in a list, appending it if it is new."""
    for index, other in enumerate(known):
        if other is value:
            return index
    known.append(value)
    return len(known) - 1


@lru_cache(maxsize=64)
def _compiled(source: str) -> Callable[..., None]:
    """Compile a source, cached: the next level's network has the same source."""
    try:
        function: Callable[..., None] = torch.jit.CompilationUnit(source).run
    except Exception as error:  # its compiler raises many types
        raise ScriptError(str(error)) from error
    return function
