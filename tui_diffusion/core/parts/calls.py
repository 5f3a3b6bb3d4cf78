"""Calls of a part's own code: what it may return, and one line for whatever it raises.

Each function here returns a part's function in the form that the program calls. It keeps the
original as ``__wrapped__``, so that `inspect` finds the signature and the source of that. Loads
torch only when a part is called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from ..arguments import expected
from ..config.limits import LEAST_STD
from ..faults import PartError, fault_of
from ..text import shown
from .part import PartFile

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..methods import Denoiser, Method, Prediction
    from ..mixtures import GaussianMixture
    from ..samplers import Step
    from ..schedules import Level, Schedule

F = TypeVar("F", bound=Callable[..., Any])

SAMPLER_TAKES = ("x", "level", "denoiser", "z", "previous")
METHOD_NEEDS = ("condition", "target", "to_prediction")
_METHOD_MAY = (*METHOD_NEEDS, "network_input", "sample_level")

_MOST_POINTS = 100_000
"""Maximum number of points of a data set, as of a file."""

_WIDEST = 10
"""Maximum std of a component, in spreads of the points, as of data.std."""

_MOST_CLASSES = 64
"""Maximum number of classes, as of modes."""


def place_of(error: BaseException, file: PartFile | None, line: int = 0) -> str:
    """Return the file and the line in it where an error arose, else ``line``; '' without a file."""
    line = error.lineno or line if isinstance(error, SyntaxError) else line
    trace, path = error.__traceback__, str(file.path) if file else ""
    while trace is not None and not isinstance(error, SyntaxError):
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    if file is None:
        return ""
    return f"{shown(file.name)}, line {line}" if line else shown(file.name)


def words_of(error: BaseException) -> str:
    """Return the type and the message of an error in one short line."""
    if isinstance(error, SystemExit):
        return f"it calls sys.exit({shown(error.code)[:40]})"
    try:
        text = shown(" ".join(str(error).split()))[:160]
    except Exception:  # the error's class is a part's own code too
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def guarded(function: F, part: str, file: PartFile | None, line: int = 0) -> F:
    """Return ``function`` with each error as a `PartError` that names ``part``, file and line.

    The line is that in the file where the error arose, else ``line`` or the function's first.
    Faults of memory and device pass: they are not of the part.
    """

    code = getattr(inspect.unwrap(function), "__code__", None)
    if file and code and code.co_filename == str(file.path):
        line = code.co_firstlineno

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (Exception, SystemExit) as error:
            if isinstance(error, Exception) and fault_of(error) is not None:
                raise
            where = place_of(error, file, line)
            where = f" ({where})" if where else ""
            raise PartError(f"{part}{where}: {words_of(error)}") from error

    return call  # type: ignore[return-value]


def sampler_step(function: Callable[..., Any], takes: tuple[str, ...]) -> Callable[..., Step]:
    """Return a `core.samplers.Sampler` of a function that takes some of its arguments.

    The function returns the next points, or their mean and the added noise, or a `Step`. Without
    one, the estimates of the step are those of its first call of the denoiser.
    """

    @wraps(function)
    def step(
        x: Tensor,
        level: Level,
        denoiser: Denoiser,
        z: Tensor,
        previous: Step | None = None,
        **parameters: Any,
    ) -> Step:
        import torch

        from ..samplers import Step

        first: list[Prediction] = []

        def ask(x: Tensor, level: Level) -> Prediction:
            prediction = denoiser(x, level)
            if not first:
                first.append(prediction)
            return prediction

        offered = {"x": x, "level": level, "denoiser": ask, "z": z, "previous": previous}
        result = function(**{name: offered[name] for name in takes}, **parameters)
        if isinstance(result, Step):
            return result
        mean, noise = result if isinstance(result, tuple) and len(result) == 2 else (result, 0 * x)
        for moved in (mean, noise):
            if not isinstance(moved, torch.Tensor) or moved.shape != x.shape:
                shape = tuple(x.shape)
                wanted = f"points of shape {shape}, or (mean, noise), or a Step"
                raise expected("the result", wanted, moved)
        if not first:
            raise TypeError("it must call denoiser(x, level), or return a Step")
        estimates = first[0].eps_hat, first[0].x0_hat
        ends = float(level.alpha), float(level.sigma)
        return Step(x, *estimates, mean, noise, mean + noise, *ends)

    return step


def schedule_levels(function: Callable[..., Any]) -> Callable[..., Schedule]:
    """Return a function that returns a `Schedule`, of one that may return alphas and sigmas."""

    @wraps(function)
    def levels(**parameters: Any) -> Schedule:
        import torch

        from ..schedules import Schedule, check_levels

        result = function(**parameters)
        if isinstance(result, tuple) and len(result) == 2:
            alphas, sigmas = (torch.as_tensor(a).detach().cpu().double() for a in result)
            result = Schedule(alphas, sigmas)
        if not isinstance(result, Schedule):
            raise expected("the result", "a Schedule or (alphas, sigmas)", result)
        check_levels(result)
        wanted = parameters.get("levels", len(parameters.get("betas", ())))
        if result.levels != wanted:
            raise ValueError(f"it must return {wanted + 1} alphas and sigmas, noisiest first "
                             f"(got {result.levels + 1})")  # fmt: skip
        return result

    return levels


def dataset_points(
    function: Callable[..., Any], dim: int
) -> Callable[..., tuple[Tensor, Tensor, Tensor, Tensor | None]]:
    """Return a function that returns points (n, d), weights, labels (n,), covariances (n, d, d).

    ``function`` may leave out what follows the points; without labels all points are of one class.
    Covariances are in the units of the points; None: all have one std.

    It is called once for the same settings, with torch's random numbers seeded, so that the data
    are the same in every process.
    """

    @lru_cache(maxsize=16)
    def found(**parameters: Any) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            result = function(**parameters)
        given = result if isinstance(result, tuple) else (result,)
        if not 1 <= len(given) <= 4:
            raise ValueError("it must return points, and may return weights, labels and "
                             f"covariances (got {len(given)} values)")  # fmt: skip
        points, weights, labels, covariances = (*given, None, None, None)[:4]
        points = torch.as_tensor(points).detach().to("cpu", torch.float64)
        points = points[:, None] if points.ndim == 1 and dim == 1 else points
        if points.ndim != 2 or points.shape[1] != dim or not 1 <= len(points) <= _MOST_POINTS:
            raise ValueError(f"it must return points of shape (n, {dim}) with n from 1 to "
                             f"{_MOST_POINTS:,} (got {tuple(points.shape)})")  # fmt: skip
        if weights is None:
            weights = torch.ones(len(points), dtype=torch.float64)
        weights = torch.as_tensor(weights).detach().to("cpu", torch.float64)
        if weights.shape != points.shape[:1]:
            raise ValueError(f"it must return {len(points)} weights, one for each point "
                             f"(got {tuple(weights.shape)})")  # fmt: skip
        if not (bool(points.isfinite().all()) and bool((weights > 0).all())):
            raise ValueError("it must return finite points, and weights above 0")
        if len(points) > 1 and not bool((points != points[0]).any()):
            raise ValueError("it must return points that differ")
        covariances = _covariances(covariances, points, weights)
        return points, weights, _labels(labels, len(points)), covariances

    @wraps(function)
    def points(**parameters: Any) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        return found(**parameters)

    return points


def _labels(given: Any, points: int) -> Tensor:
    """Return the classes of points, (n,), each of 0 to classes − 1 present; all 0 without any."""
    import torch

    if given is None:
        return torch.zeros(points, dtype=torch.int64)
    try:
        labels = torch.as_tensor(given).detach().cpu()
    except (TypeError, ValueError, RuntimeError):  # such as words
        raise expected("labels", f"{points} whole numbers, one for each point", given) from None
    whole = not labels.is_floating_point() and not labels.is_complex()
    if labels.shape != (points,) or not whole:
        raise ValueError(f"it must return {points} labels, a whole number for each point "
                         f"(got {labels.dtype} of shape {tuple(labels.shape)})")  # fmt: skip
    labels = labels.long()
    found = sorted({*labels.tolist()})
    if found != [*range(len(found))]:
        raise ValueError("it must return labels counted from 0, each of them present "
                         f"(got {found[0]} to {found[-1]}, {len(found)} of them)")  # fmt: skip
    if len(found) > _MOST_CLASSES:
        raise ValueError(f"it must return at most {_MOST_CLASSES} classes (got {len(found):,})")
    return labels


def _covariances(given: Any, points: Tensor, weights: Tensor) -> Tensor | None:
    """Return the covariances of the Gaussians at points (n, d), (n, d, d); None without any."""
    import torch

    from ..components import Ellipses
    from ..datasets import spread_of

    if given is None:
        return None
    try:
        covariances = torch.as_tensor(given).detach().to("cpu", torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise expected("covariances", "a tensor (n, d, d)", given) from None
    shapes = Ellipses.of(covariances, *points.shape)
    widths = shapes.widths / spread_of(points, weights / weights.sum())
    low, high = float(widths.min()), float(widths.max())
    if not LEAST_STD <= low <= high <= _WIDEST:
        raise ValueError("it must return covariances with stds along their axes from "
                         f"{LEAST_STD:g} to {_WIDEST:g} spreads of the points "
                         f"(got {low:.3g} to {high:.3g})")  # fmt: skip
    return covariances.expand(*points.shape, points.shape[1])


def method_maker(kind: type, part: str, file: PartFile | None) -> Callable[..., Method]:
    """Return a function of a mixture and parameters that builds a guarded method."""
    calls: dict[str, Any] = {
        name: guarded(getattr(kind, name), part, file)
        for name in _METHOD_MAY
        if hasattr(kind, name)
    }
    calls.setdefault("network_input", lambda self, x, level: x)
    whole = type(kind.__name__, (kind,), calls)

    @wraps(kind, updated=())
    def make(mixture: GaussianMixture, **parameters: Any) -> Any:
        return whole(**parameters, **_taken(kind, mixture=mixture))

    return make


def network_maker(function: Callable[..., Any]) -> Callable[..., nn.Module]:
    """Return a function of a seed, ``dim`` and parameters that builds the initialised module.

    The module's own initialisation uses torch's random numbers, seeded for the call.
    """

    @wraps(function)
    def make(seed: int, dim: int, **parameters: Any) -> nn.Module:
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = function(**parameters, **_taken(function, dim=dim))
        if not isinstance(module, torch.nn.Module):
            raise expected("the result", "a torch.nn.Module", module)
        return module

    return make


def _taken(function: Callable[..., Any], **given: Any) -> dict[str, Any]:
    """Return the arguments that a function takes."""
    return {n: value for n, value in given.items() if n in inspect.signature(function).parameters}
