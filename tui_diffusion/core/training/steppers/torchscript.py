"""A list of torch's operations as one function that torch runs by itself.

From Python each call of an operation costs about as much again as a small one takes, and it gives
the interpreter's lock away and waits to have it back, for which every other thread makes it wait
the longer. TorchScript goes through the list without Python and without its lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

Argument = Tensor | Sequence[Tensor] | Sequence[int] | str | float
"""What an operation takes. A text is the name of what differs from step to step; numbers, truth
values and lists of them are written as they print."""


class ScriptError(RuntimeError):
    """This release of torch cannot compile a list."""


class Script:
    """Operations on fixed tensors, written by calling this and then compiled.

    ``do("mm", a, b, out=c)`` writes ``torch.ops.aten.mm(a, b, out=c)``. The names of ``tensors``,
    at least one, and ``numbers`` stand for what differs from step to step: each is one of a list.
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
        """A function of those lists, in the order of their names; raises `ScriptError`."""
        run, tensors, groups = _compiled(self._source()), self._tensors, self._groups

        def steps(*lists: Sequence[Any]) -> None:
            # To optimize a list that has nothing to fuse would only take time at first.
            with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
                run(tensors, groups, *lists)

        return steps

    def _source(self) -> str:
        first = next(iter(self._each))
        each = ", ".join(f"all_{name}: List[{kind}]" for name, kind in self._each.items())
        return "\n".join(
            [
                f"def run(tensors: List[Tensor], groups: List[List[Tensor]], {each}):",
                *(f"    t{place} = tensors[{place}]" for place in range(len(self._tensors))),
                *(f"    g{place} = groups[{place}]" for place in range(len(self._groups))),
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
                # A list made in there would count as nobody's, and what is done to it as nothing.
                return f"g{_place(value, self._groups)}"
            case _:
                return str(value)


def _place(value: Any, known: list[Any]) -> int:
    """Where a value itself stands in a list, at whose end it is put if it is new."""
    for place, other in enumerate(known):
        if other is value:
            return place
    known.append(value)
    return len(known) - 1


@lru_cache(maxsize=64)
def _compiled(source: str) -> Callable[..., None]:
    """The same list on other tensors, as of the next level's network, is the same function."""
    try:
        function: Callable[..., None] = torch.jit.CompilationUnit(source).run
    except Exception as error:  # whatever its compiler says
        raise ScriptError(str(error)) from error
    return function
