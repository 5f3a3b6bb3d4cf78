"""Decorators that make a part of a plain function or a small class.

A decorated function stays what it is. Its name, or the name given to the decorator, is the name in
the configuration; the first line of its docstring is the help, the rest explains. Parameters with
a type and a default become fields of the section, with their bounds; those of the section's own
name take that field. Each decorator can be used bare, or with a name and keywords. Loads no torch.

Raises `ConfigError` for a wrong declaration; `loading` adds the file and the line to it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

from ..config.data_section import DataConfig
from ..config.errors import ConfigError
from ..config.limits import LEAST_STD
from ..config.method_section import MethodConfig
from ..config.network_section import NetworkConfig
from ..config.sampling_section import SamplingConfig
from ..config.schedule_section import ScheduleConfig
from ..config.section import PartSection
from ..config.value_types import format_value
from ..text import shortened, shown
from . import calls
from .datasets import DataPart
from .methods import MethodPart
from .networks import NetworkPart
from .parameters import check_shared, signature_of, split_parameters
from .part import Part, PartFile
from .registries import NAMED_BY, REGISTRIES, Kind, changed, words_for
from .samplers import SamplerPart
from .schedules import SchedulePart

T = TypeVar("T", bound=Callable[..., Any])
Decorator = Callable[[T], T]
Declared = list[tuple[Kind, Any]]

declared: ContextVar[Declared | None] = ContextVar("declared", default=None)
"""The parts that the file being loaded has declared; None while none is."""

replaced: ContextVar[PartFile | None] = ContextVar("replaced", default=None)
"""The file being loaded, whose former parts it replaces."""

_SECTIONS: dict[Kind, type[PartSection]] = {
    "dataset": DataConfig,
    "method": MethodConfig,
    "schedule": ScheduleConfig,
    "network": NetworkConfig,
    "sampler": SamplingConfig,
}


def sampler(
    name: str | T = "",
    *,
    order: int | None = None,
    evaluations: int = 1,
    methods: Sequence[str] = (),
    trained_levels: bool = False,
    formula: str = "",
    papers: Sequence[str] = (),
) -> Any:
    """Declare a sampler: a function of any of x, level, denoiser, z and previous, by name.

    It returns the points at the next level, or their mean and the added noise, or a `Step`.
    ``order`` and ``evaluations`` are as in `SamplerPart`; ``methods`` are the compatible ones, all
    if empty.
    """

    def make(about: dict[str, Any], function: Callable[..., Any]) -> SamplerPart:
        takes = tuple(n for n in signature_of(function) if n in calls.SAMPLER_TAKES)
        if missing := {"x", "level", "denoiser"} - {*takes}:
            raise ConfigError(
                f"a sampler takes x, level and denoiser, and z and previous if it uses them "
                f"({', '.join(sorted(missing))} missing)"
            )
        _check_count("evaluations", evaluations)
        _check_count("order", 1 if order is None else order)
        uses = about.pop("uses") + (("quiet",) if "z" in takes else ())
        step = calls.sampler_step(function, takes)
        return SamplerPart(
            **about,
            function=calls.guarded(step, words_for("sampler", about["name"]), about["file"]),
            uses=uses,
            methods=_known("methods", methods, "method"),
            formula=formula or f"x ← {function.__name__}({', '.join(takes)})",
            looks_back="previous" in takes,
            trained_levels=trained_levels,
            order=order,
            evaluations=evaluations,
        )

    return _decorator("sampler", name, make, papers, calls.SAMPLER_TAKES)


def schedule(
    name: str | T = "",
    *,
    methods: Sequence[str] = ("edm", "flow"),
    formula: str = "",
    noising: str = "x = α·x₀ + σ·ε",
    papers: Sequence[str] = (),
) -> Any:
    """Declare a schedule: a function of ``levels`` that returns alphas and sigmas, (N + 1,) each.

    They begin at the noisiest level and end at the clean one; a `Schedule` does as well.
    """

    def make(about: dict[str, Any], function: Callable[..., Any]) -> SchedulePart:
        if len({"levels", "betas"} & {*about["uses"]}) != 1:
            raise ConfigError("a schedule takes levels, their number, or betas")
        levels = calls.schedule_levels(function)
        return SchedulePart(
            **about,
            function=calls.guarded(levels, words_for("schedule", about["name"]), about["file"]),
            methods=_known("methods", methods, "method"),
            formula=formula or f"α, σ = {function.__name__}({', '.join(signature_of(function))})",
            noising=noising,
        )

    return _decorator("schedule", name, make, papers)


def dataset(
    name: str | T = "",
    *,
    dim: int = 2,
    std: float = 0.05,
    title: str = "",
    formula: str = "",
    papers: Sequence[str] = (),
) -> Any:
    """Declare a data set: a function that returns points (n, d), and weights and labels, both (n,).

    It may leave out the labels, or both. Labels are the classes of the points, counted from 0. At
    each point is a Gaussian of std ``data.std``, by default ``std``, after the points have been
    scaled to mean 0 and variance 1. Covariances (n, d, d) of the Gaussians, in the units of the
    points, may follow the labels; they then take the place of ``data.std``.
    """

    def make(about: dict[str, Any], function: Callable[..., Any]) -> DataPart:
        if dim not in (1, 2):
            raise ConfigError(f"dim {dim!r} is not allowed; allowed: 1 or 2")
        if not isinstance(std, int | float) or not LEAST_STD <= std <= 10:
            raise ConfigError(
                f"std {std!r} is not allowed; allowed: a number from {LEAST_STD:g} to 10"
            )
        points = calls.dataset_points(function, dim)
        return DataPart(
            **about,
            function=calls.guarded(points, words_for("dataset", about["name"]), about["file"]),
            title=title or about["name"].replace("-", " ").capitalize(),
            std=float(std),
            dim=dim,
            classes=0,
            what=formula,
        )

    return _decorator("dataset", name, make, papers)


def method(
    name: str | T = "",
    *,
    schedule: str,
    sampler: str,
    schedules: Sequence[str] = (),
    title: str = "",
    formula: str = "",
    papers: Sequence[str] = (),
) -> Any:
    """Declare a method: a class with the functions of `core.methods.Method`.

    ``network_input`` may be missing. With ``sample_level``, its network covers any level. Its
    constructor may take ``mixture``, the data. ``schedule`` and ``sampler`` are the defaults, and
    ``schedules`` are compatible too.
    """

    def make(about: dict[str, Any], kind: type) -> MethodPart:
        if not isinstance(kind, type):
            raise ConfigError("a method is a class")
        missing = [n for n in calls.METHOD_NEEDS if not callable(getattr(kind, n, None))]
        if missing:
            raise ConfigError(f"a method has {', '.join(calls.METHOD_NEEDS)} "
                              f"({', '.join(missing)} missing)")  # fmt: skip
        part = words_for("method", about["name"])
        maker = calls.method_maker(kind, part, about["file"])
        return MethodPart(
            **about,
            function=calls.guarded(maker, part, about["file"]),
            title=title or about["name"],
            learns=formula or f"net(x, c) → {kind.__name__}.target",
            schedule=_known("schedule", [schedule], "schedule")[0],
            sampler=_known("sampler", [sampler], "sampler")[0],
            schedules=_known("schedules", schedules, "schedule"),
            any_level=hasattr(kind, "sample_level"),
        )

    return _decorator("method", name, make, papers, ("mixture",))


def network(name: str | T = "", *, formula: str = "", papers: Sequence[str] = ()) -> Any:
    """Declare a network: a function or class of ``dim`` that returns a ``torch.nn.Module``.

    The module maps points x (n, d) and the condition of their level, c (n, 1), to (n, d).
    """

    def make(about: dict[str, Any], function: Callable[..., Any]) -> NetworkPart:
        build = calls.network_maker(function)
        return NetworkPart(
            **about,
            function=calls.guarded(build, words_for("network", about["name"]), about["file"]),
            formula=formula or f"{function.__name__}(x, c)",
        )

    return _decorator("network", name, make, papers, ("dim",))


def _decorator(
    kind: Kind,
    name: Any,
    make: Callable[[dict[str, Any], Any], Part],
    papers: Sequence[str],
    given: tuple[str, ...] = (),
) -> Any:
    """Return a decorator that declares a part of a kind, or apply it if it is used bare."""
    if callable(name):
        return _decorator(kind, "", make, papers, given)(name)
    if not isinstance(name, str):
        raise ConfigError(f"the name of a part is a text (got {shortened(repr(name))})")

    def declare(function: T) -> T:
        if not callable(function):
            raise ConfigError(f"a part is a function or a class (got {shortened(repr(function))})")
        own = name or function.__name__.lower().replace("_", "-")
        if not re.fullmatch(r"\w[\w.+-]{0,59}", own):
            raise ConfigError(f"name {own[:60]!r} is not allowed; allowed: letters, digits and -")
        try:
            _declare(kind, own, make, papers, given, function)
        except ConfigError as error:
            raise ConfigError(f"{words_for(kind, own)}: {error}") from None
        return function

    return declare


def _declare(
    kind: Kind,
    name: str,
    make: Callable[[dict[str, Any], Any], Part],
    papers: Sequence[str],
    given: tuple[str, ...],
    function: Callable[..., Any],
) -> None:
    """Add the part of a function to the file being loaded or, outside one, to its registry."""
    text = inspect.cleandoc(function.__doc__ or "")
    first, _, rest = text.partition("\n")
    if not first.strip() or (isinstance(function, type) and "__doc__" not in vars(function)):
        raise ConfigError("it has no docstring, whose first line is its help")
    section, file = _SECTIONS[kind], replaced.get() or _file_of(function)
    uses, parameters = split_parameters(function, given, section)
    about: dict[str, Any] = {
        "name": name,
        "help": shown(first.strip().rstrip(".")),
        "explanation": "\n".join(map(shown, rest.strip().splitlines())),
        "papers": tuple(map(shown, papers)),
        "uses": uses,
        "parameters": parameters,
        "file": file,
        "line": _line_of(function),
    }
    part = make(about, function)
    pending = declared.get()
    parts = {
        n: p for n, p in REGISTRIES[kind].items() if pending is None or not _same_file(p, part)
    }
    parts |= {other.name: other for of, other in pending or () if of == kind}
    other = parts.get(name)
    if other is not None and (pending is not None or not _redefined(other, part)):
        whose = f" by {other.file.name}" if other.file else ""
        raise ConfigError(f"this name is taken{whose}; allowed: another one")
    check_shared(part, parts, NAMED_BY[kind].partition(".")[0])
    if pending is not None:
        pending.append((kind, part))
    else:
        REGISTRIES[kind][name] = part
        changed()


def _same_file(other: Part, part: Part) -> bool:
    """Return whether two parts are of one file, which is being loaded anew."""
    if other.file is None or part.file is None:
        return False
    return other.file.path == part.file.path


def _redefined(other: Part, part: Part) -> bool:
    """Return whether a part is defined again in a notebook or script, in the same module."""
    names = [getattr(each.function, "__module__", None) for each in (other, part)]
    return not isinstance(other.function, str) and names[0] == names[1]


def _file_of(function: Any) -> PartFile | None:
    """Return the file of a function that is declared outside `loading`; None in a notebook."""
    from pathlib import Path

    try:
        path = Path(inspect.getsourcefile(function) or "")
        return PartFile(path, path.read_bytes())
    except (TypeError, OSError):
        return None


def _line_of(function: Any) -> int:
    if code := getattr(function, "__code__", None):
        return int(code.co_firstlineno)
    first = (getattr(each, "__code__", None) for each in vars(function).values())
    return min((code.co_firstlineno for code in first if code), default=0)


def _known(what: str, names: Sequence[str], kind: Kind) -> tuple[str, ...]:
    """Return the names of parts; raise `ConfigError` if one is unknown."""
    if isinstance(names, str):
        names = [names]
    here = [part.name for of, part in declared.get() or () if of == kind]
    for name in names:
        if name not in REGISTRIES[kind] and name not in here:
            allowed = ", ".join([*REGISTRIES[kind], *here])
            raise ConfigError(f"{what}: {name!r} is unknown; allowed: {allowed}")
    return tuple(names)


def _check_count(what: str, number: object) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ConfigError(
            f"{what} {format_value(number)} is not allowed; allowed: a whole number from 1"
        )
