"""A sweep: a base experiment, axes and seeds; its cells and its trainings. Loads no torch.

Every combination of the axes' values is a cell, and every cell is trained with every seed. Cells
that differ only in how they sample share their trainings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

from ..arguments import check_count, expected
from ..config.errors import ConfigError
from ..config.experiment import Experiment
from ..config.presets import Preset, experiment_of
from ..config.value_types import format_value
from ..parts.part import PartFile
from ..parts.used import UsedFile, used_files
from ..short_repr import short_repr
from ..text import shortened
from .values import check_values, parse_axis

MOST = 10_000
"""Maximum number of cells times seeds."""

SAMPLING = "sampling."
"""Beginning of the fields that change no training."""

_NAMED = 3
"""Invalid cells that a message names."""

_LONGEST = 100
"""Characters of a run's name after its number."""


@dataclass(frozen=True)
class Axis:
    """A field and the values that it takes; raises `ConfigError` unless all can be allowed."""

    field: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", check_values(self.field, self.values))

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Parse ``FIELD=VALUES``; see `values`."""
        return cls(*parse_axis(text))


@dataclass(frozen=True)
class Cell:
    """One combination of values, as an experiment for each seed."""

    index: int
    settings: Mapping[str, Any]
    experiments: tuple[Experiment, ...] = field(repr=False)

    @property
    def label(self) -> str:
        """``training.lr=0.001 network.width=16``; '' without axes."""
        return _label(self.settings)


@dataclass(frozen=True)
class Training:
    """A task of an engine: train an experiment, and sample in the way of each of its cells.

    ``name`` is the name of the run in the sweep's folder. ``samplings`` holds the experiment of
    each cell in ``cells``: all are trained alike, and the first is ``experiment`` itself.
    """

    name: str
    experiment: Experiment
    cells: tuple[int, ...]
    samplings: tuple[Experiment, ...] = field(repr=False)


def part_files_of(trainings: Iterable[Training]) -> tuple[PartFile, ...]:
    """Return the part files that some trainings use, which their workers have to load."""
    return tuple(one.file for one in used_by(trainings))


def used_by(trainings: Iterable[Training]) -> tuple[UsedFile, ...]:
    """Return the part files that some trainings use, with the names of the parts."""
    return used_files(*(each.get for training in trainings for each in training.samplings))


@dataclass(frozen=True)
class InvalidCell:
    """A combination of values that cannot be, and why."""

    settings: Mapping[str, Any]
    reason: str

    def __str__(self) -> str:
        return f"{_label(self.settings)} ({self.reason})"


class InvalidCellsError(ConfigError):
    """Some cells of a sweep cannot be: one line that names the first of them."""

    def __init__(self, invalid: Sequence[InvalidCell], count: int) -> None:
        self.invalid = tuple(invalid)
        more = f"; and {len(invalid) - _NAMED} more" if len(invalid) > _NAMED else ""
        super().__init__(
            f"{len(invalid)} of {count} cells cannot be: "
            f"{'; '.join(map(str, invalid[:_NAMED]))}{more}; allowed: other values, or a sweep "
            "without these cells"
        )


class Sweep:
    """A base experiment, the axes along which it varies, and the seeds of every cell.

    ``axes`` are `Axis` objects, or a mapping of fields to their values. ``seeds`` is the number of
    seeds, which count up from that of the base. Raise `ConfigError` for a value that is never
    allowed and for more than 10,000 trainings, and `InvalidCellsError` for combinations that are
    not allowed, unless ``skip_invalid``.
    """

    def __init__(
        self,
        base: Experiment | Preset,
        axes: Sequence[Axis] | Mapping[str, Sequence[Any]] = (),
        seeds: int = 1,
        *,
        skip_invalid: bool = False,
    ) -> None:
        self.base = experiment_of(base, "base")
        self.axes = _axes(axes)
        check_count("seeds", seeds)
        self.seeds = int(seeds)
        self.skip_invalid = skip_invalid
        count = prod(len(axis.values) for axis in self.axes)
        if count * self.seeds > MOST:
            raise ConfigError(
                f"the sweep has {_plural(count, 'cell')} of {_plural(self.seeds, 'seed')}, "
                f"{count * self.seeds:,} in all; allowed: up to {MOST:,}"
            )
        self._cells, self.invalid = self._build(count)

    def __repr__(self) -> str:
        axes = ", ".join(f"{axis.field}: {len(axis.values)}" for axis in self.axes)
        return short_repr(self, base=self.base.name, axes=axes, seeds=self.seeds)

    @property
    def seed_numbers(self) -> range:
        """The seeds of every cell."""
        return range(self.base.seed, self.base.seed + self.seeds)

    def cells(self) -> tuple[Cell, ...]:
        """Return every cell, the values of the last axis changing fastest."""
        return self._cells

    def trainings(self) -> tuple[Training, ...]:
        """Return every training once, whatever the number of cells that sample from it."""
        return self._trainings

    @property
    def steps(self) -> int:
        """Number of gradient steps of all trainings."""
        return sum(training.experiment.training.steps for training in self._trainings)

    def _build(self, count: int) -> tuple[tuple[Cell, ...], tuple[InvalidCell, ...]]:
        fields = [axis.field for axis in self.axes]
        cells: list[Cell] = []
        invalid: list[InvalidCell] = []
        for values in product(*(axis.values for axis in self.axes)):
            settings = dict(zip(fields, values, strict=True))
            try:
                experiment = self.base.with_settings(settings)
                seeded = [experiment.with_settings({"seed": n}) for n in self.seed_numbers]
            except ConfigError as error:
                if error.field == "seed":
                    raise
                invalid.append(InvalidCell(settings, str(error)))
                continue
            cells.append(Cell(len(cells), settings, tuple(seeded)))
        if invalid and (not self.skip_invalid or not cells):
            raise InvalidCellsError(invalid, count)
        return tuple(cells), tuple(invalid)

    @cached_property
    def _trainings(self) -> tuple[Training, ...]:
        trainings: dict[str, Training] = {}
        for cell in self._cells:
            trained = {f: v for f, v in cell.settings.items() if not f.startswith(SAMPLING)}
            for experiment in cell.experiments:
                key = experiment.model_dump_json(exclude={"sampling"})
                if shared := trainings.get(key):
                    trainings[key] = replace(
                        shared,
                        cells=(*shared.cells, cell.index),
                        samplings=(*shared.samplings, experiment),
                    )
                else:
                    name = _name({**trained, "seed": experiment.seed})
                    trainings[key] = Training(name, experiment, (cell.index,), (experiment,))
        digits = len(str(len(trainings)))
        return tuple(
            replace(training, name=f"{number:0{digits}}-{training.name}")
            for number, training in enumerate(trainings.values(), 1)
        )


def _axes(axes: Sequence[Axis] | Mapping[str, Sequence[Any]]) -> tuple[Axis, ...]:
    if isinstance(axes, Mapping):
        axes = [Axis(name, tuple_of(values)) for name, values in axes.items()]
    if not all(isinstance(axis, Axis) for axis in axes):
        raise expected("axes", "a list of Axis or a mapping of fields to values", axes)
    fields = [axis.field for axis in axes]
    twice = next((name for i, name in enumerate(fields) if name in fields[:i]), None)
    if twice is not None:
        raise ConfigError(f"{twice}: varies twice; allowed: one list of values a field", twice)
    return tuple(axes)


def tuple_of(values: Any) -> Any:
    """Return a list of values as a tuple; text and other objects unchanged, to be refused."""
    iterable = hasattr(values, "__iter__") and not isinstance(values, str)
    return tuple(values) if iterable else values


def short_names(fields: Sequence[str]) -> dict[str, str]:
    """Return the last part of each field, or the whole of it where that is not unique."""
    ends = [name.rpartition(".")[2] for name in fields]
    unique = {
        name: ends.count(end) == 1 and end not in ("name", "kind")
        for name, end in zip(fields, ends, strict=True)
    }
    return {name: end if unique[name] else name for name, end in zip(fields, ends, strict=True)}


def _label(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={shortened(format_value(v), 40)}" for name, v in settings.items())


def _name(settings: Mapping[str, Any]) -> str:
    """Return ``lr=0.001-width=16-seed=2``, safe as a part of a file's name."""
    names = short_names(list(settings))
    text = "-".join(_parts(settings, names))
    return re.sub(r"[^\w.=+-]+", "_", text, flags=re.ASCII)[:_LONGEST].rstrip("-_")


def _parts(settings: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    for name, value in settings.items():
        text = format_value(value)
        yield text if name.endswith((".name", ".kind")) else f"{names[name]}={text}"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
