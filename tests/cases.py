"""Many cases of one statement in one test."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable

import pytest

Test = Callable[..., None]


def for_each(names: str, cases: Iterable[object]) -> Callable[[Test], Test]:
    """Run a test once a case, and report every failure with its case.

    It reads like ``pytest.mark.parametrize`` but makes one test, for cases that say one thing and
    that nobody reruns alone. ``names`` are the arguments, parted by commas; with more than one, a
    case is a tuple. All cases share the fixtures.
    """
    arguments = [name.strip() for name in names.split(",")]
    rows = [dict(zip(arguments, as_tuple(case, arguments), strict=True)) for case in cases]
    if not rows:
        raise ValueError(f"{names}: a test without cases cannot fail")

    def decorate(test: Test) -> Test:
        if inspect.iscoroutinefunction(test):
            raise TypeError(f"{test.__name__}: nobody would await it")

        @functools.wraps(test)
        def run_all(**fixtures: object) -> None:
            failures: list[BaseException] = []
            for row in rows:
                try:
                    test(**row, **fixtures)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note("case: " + described(row))
                    failures.append(error)
            if len(failures) == 1:
                raise failures[0]
            if failures:
                message = f"{len(failures)} of {len(rows)} cases failed"
                raise BaseExceptionGroup(message, failures)

        signature = inspect.signature(test)
        left = [p for name, p in signature.parameters.items() if name not in arguments]
        run_all.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return run_all

    return decorate


def as_tuple(case: object, arguments: list[str]) -> tuple[object, ...]:
    return case if len(arguments) > 1 and isinstance(case, tuple) else (case,)


def described(row: dict[str, object]) -> str:
    """Name a case by its arguments, each cut to a line."""
    texts = {name: repr(value) for name, value in row.items()}
    return ", ".join(
        f"{name}={text if len(text) < 100 else text[:96] + ' ...'}" for name, text in texts.items()
    )
