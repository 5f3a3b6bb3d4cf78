"""The configuration of an experiment: one validated model, composed of its sections.

The lab's form, the settings of the command line, ``experiment.json`` in a run and the table in the
README are all generated from the fields declared in those and here. Loads no torch.

An invalid value raises `ConfigError` with one line: the field, the value, and the allowed values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError, field_validator, model_validator

from .. import notebook
from ..nearest import did_you_mean, nearest
from ..parts.datasets import classed
from ..parts.methods import METHOD_PARTS
from ..parts.networks import NETWORK_PARTS
from ..parts.registries import find_more, on_change, when_missed
from ..parts.samplers import SAMPLER_PARTS
from ..parts.schedules import SCHEDULE_PARTS
from ..short_repr import short_repr
from ..text import shortened
from .choices import check_installed, listed, methods_for, samplers_of, schedules_of
from .companions import companions
from .data_section import GIVEN, OF_THE_FILE, DataConfig
from .errors import ConfigError
from .fields import FieldSpec, fields_of, setting
from .method_section import MethodConfig
from .network_section import NetworkConfig
from .sampling_section import SamplingConfig
from .schedule_section import ScheduleConfig
from .section import Section
from .training_section import TrainingConfig
from .value_types import Whole, format_value


class Experiment(Section):
    """A whole experiment: data, method, schedule, network, training, sampling, seed and device."""

    name: str = setting(
        "naive-1d", "experiment", "The preset this experiment began as.", max_length=80
    )
    data: DataConfig = DataConfig()
    method: MethodConfig = MethodConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    sampling: SamplingConfig = SamplingConfig()
    seed: Whole = setting(0, "seed", "Seed of weights, data and sampling.", ge=0, le=2**63 - 1)
    device: str = setting(
        "auto",
        "device",
        "Where the tensors live.",
        pattern=r"^(auto|cpu|mps|cuda(:\d{1,3})?)$",
        allowed="auto, cpu, cuda, cuda:INDEX, mps",
    )

    def __repr__(self) -> str:
        return short_repr(
            self,
            "name",
            data=self.data.name if self.data.given is None else GIVEN,
            method=self.method.name,
            sampler=self.sampling.sampler,
            steps=self.training.steps,
            seed=self.seed,
        )

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows: dict[str, str] = {}
        for path, spec in field_table().items():
            value = format_value(self.get(path))
            if spec.applies(self) and value:
                text = value if path.endswith((".name", ".kind")) else f"{spec.label} {value}"
                section = spec.section or path
                rows[section] = f"{rows[section]}, {text}" if section in rows else text
        if self.data.given is not None:
            rows["data"] = GIVEN
        rows |= {"seed": str(self.seed), "device": self.device}
        return notebook.table(self.name, rows, lambda: notebook.drawn("data_picture", self))

    @field_validator("name")
    @classmethod
    def _name_is_harmless(cls, name: str) -> str:
        if not name.isprintable():
            raise ValueError(f"name: {shortened(name)!r} is not allowed; allowed: printable text")
        return name

    @model_validator(mode="after")
    def _parts_fit(self) -> Experiment:
        method = self.method.name
        _one_of("schedule.kind", self.schedule.kind, schedules_of(method), method)
        _one_of("sampling.sampler", self.sampling.sampler, samplers_of(method), method)
        if self.network.per_level and METHOD_PARTS[method].any_level:
            raise ValueError(
                f"network.per_level: true does not go with method {method!r}, whose levels have "
                "no number; allowed: false"
            )
        for name in ("per_level", "labels", "guide"):
            if getattr(self.network, name) and name not in NETWORK_PARTS[self.network.name].uses:
                raise ValueError(
                    f"network.{name}: true does not go with network {self.network.name!r}; "
                    "allowed: false"
                )
        self._labels_fit()
        self._sampling_fits(method)
        if self.network.per_level and self.training.steps < self.levels:
            raise ValueError(
                f"training.steps: {self.training.steps} is not one step for each of "
                f"{self.levels} networks; allowed: a whole number from {self.levels}"
            )
        return self

    def _labels_fit(self) -> None:
        """Require classes for labels, a class that exists, and a guide for guidance."""
        sampling = self.sampling
        classes = self.data.classes if self.network.labels else 0  # a part is called only for them
        if classes == 1:
            raise ValueError(
                f"network.labels: true needs data of two classes or more, not those of "
                f"{self.data.name}; allowed: false, or data.name = {_or(classed())}"
            )
        if classes and sampling.label != "all" and int(sampling.label) >= classes:
            raise ValueError(
                f"sampling.label: {sampling.label} is not a class of the data; allowed: all, or "
                f"0 to {classes - 1}"
            )
        if sampling.guide == "own" and not self.network.guide:
            raise ValueError(
                "sampling.guide: 'own' needs a guide that is trained along; allowed: no-label, a "
                "run, or network.guide = true"
            )
        if not sampling.guided or sampling.guide != "no-label":
            return
        weight = format_value(sampling.guidance)
        if not self.network.labels:
            raise ValueError(
                f"sampling.guidance: {weight} needs a guide; allowed: 1, or "
                "sampling.guide = RUN, network.labels = true or network.guide = true"
            )
        if not self.training.label_dropout:
            raise ValueError(
                f"sampling.guidance: {weight} by 'no-label' needs points whose label is "
                "hidden in training; allowed: 1, or training.label_dropout above 0"
            )

    def _sampling_fits(self, method: str) -> None:
        sampling, most = self.sampling, 1000 if METHOD_PARTS[method].any_level else self.levels
        sampler = SAMPLER_PARTS[sampling.sampler]
        if sampler.needs_signal and SCHEDULE_PARTS[self.schedule.kind].pure_noise:
            kinds = [kind for kind in schedules_of(method) if not SCHEDULE_PARTS[kind].pure_noise]
            raise ValueError(
                f"sampling.sampler: {sampler.name!r} works on sigma/alpha, which is infinite at "
                f"the first level of schedule {self.schedule.kind!r}; allowed: "
                f"{_built_in(samplers_of(method))}, or schedule.kind = {_or(kinds)}"
            )
        if sampling.levels and sampler.trained_levels:
            raise ValueError(
                f"sampling.levels: {sampling.levels} does not go with sampler "
                f"{sampling.sampler!r}, which removes the levels it was trained on; allowed: 0"
            )
        if sampling.levels > most:
            raise ValueError(
                f"sampling.levels: {sampling.levels} is more than the {most} levels that method "
                f"{method!r} was trained on; allowed: 0 to {most}"
            )
        if self.schedule.kind == "flow" and sampling.levels > self.schedule.most_of_flow:
            raise ValueError(
                f"sampling.levels: {sampling.levels} leave no noise at the last one while "
                f"schedule.rho is {self.schedule.rho:g}; allowed: 0 to {self.schedule.most_of_flow}"
            )
        if sampling.stop_before >= self.sampling_levels:
            raise ValueError(
                f"sampling.stop_before: {sampling.stop_before} leaves no step of "
                f"{self.sampling_levels} levels; allowed: 0 to {self.sampling_levels - 1}"
            )

    @property
    def levels(self) -> int:
        """Number of noise levels N of the schedule; level N is clean."""
        return self.schedule.count

    @property
    def sampling_levels(self) -> int:
        """Number of noise levels of the sampling."""
        return self.sampling.levels or self.levels

    @property
    def dim(self) -> int:
        """Number of coordinates of a point, 1 or 2."""
        return self.data.dim

    def get(self, path: str) -> Any:
        """Return the value at a dotted path such as ``training.lr``."""
        value: Any = self
        for part in path.split("."):
            try:
                value = getattr(value, part)
            except AttributeError:
                if path not in field_table():
                    raise
                return field_table()[path].default  # of a part that is not chosen
        return value

    def with_settings(self, settings: Mapping[str, Any]) -> Experiment:
        """Return a new experiment with the values at these dotted paths replaced and validated.

        Text is parsed as a user writes it. If a setting invalidates others (another data set has
        other means, another method another schedule and sampler), those not set here take the new
        defaults. A file of points is read again only if one of `OF_THE_FILE` is set. Raise
        `ConfigError`.
        """
        if not field_table().keys() >= settings.keys():
            find_more()
        known = field_table()
        for path in settings:
            if path not in known:
                raise ConfigError(unknown_field(path), path)
        values = self.model_dump()
        changes = {**companions(self, settings), **settings}
        if not any(path.startswith("data.") for path in changes):
            values["data"] = self.data
        for path, value in changes.items():
            _put(values, path, value)
        result = build(values, self.data if changes.keys().isdisjoint(OF_THE_FILE) else None)
        if "sampling.sampler" in settings:
            check_installed(result.sampling.sampler)
        for path in settings:
            field = known[path]
            if not field.applies(result):
                raise ConfigError(_why_not(field, result), path)
        return result

    def changes_from(self, base: Experiment) -> dict[str, Any]:
        """Return by path the values that have an effect here and differ from those of ``base``."""
        return {
            path: self.get(path)
            for path, spec in field_table().items()
            if spec.applies(self) and self.get(path) != base.get(path)
        }


def _one_of(path: str, value: str, allowed: tuple[str, ...], method: str) -> None:
    if value not in allowed:
        parts = SAMPLER_PARTS if path == "sampling.sampler" else SCHEDULE_PARTS
        names = listed(parts[name] for name in allowed)
        if parts[value].group:
            names = f"{_built_in(allowed)}, or method.name = {_or(parts[value].methods)}"
        raise ValueError(f"{path}: {value!r} does not go with method {method!r}; allowed: {names}")


def _built_in(samplers: Sequence[str]) -> str:
    return ", ".join(name for name in samplers if not SAMPLER_PARTS[name].group)


def _why_not(field: FieldSpec, experiment: Experiment) -> str:
    """Return why a field does not apply, and the way there, with another method if it needs one."""
    path, values = field.missing(experiment)
    if field.guidance:
        none = " and ".join(field.when)
        return f"{field.path}: does not apply while {none} are false; allowed: {field.conditions}"
    now = format_value(experiment.get(path))
    methods = methods_for(path, values)
    parts = SAMPLER_PARTS if path == "sampling.sampler" else {}
    own = [value for value in values if value not in parts or not parts[value].group]
    allowed = f"{path} = {_or(own or values)}"
    if experiment.method.name not in methods:
        allowed += f" with method.name = {_or(methods)}"
    return f"{field.path}: does not apply while {path} is {now}; allowed: {allowed}"


def _or(names: Sequence[str]) -> str:
    return " or ".join(names)


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        values = values[part]
    values[last] = value


@cache
def field_table() -> Mapping[str, FieldSpec]:
    """Return every field that a user may set, by dotted path, in the order of the model."""
    return {spec.path: spec for spec in fields_of(Experiment) if spec.path != "name"}


def _load_installed() -> None:
    from ..parts.installed import load_installed

    load_installed()


on_change(field_table.cache_clear)
when_missed(_load_installed)


def build(values: Mapping[str, Any], data: DataConfig | None = None) -> Experiment:
    """Build an experiment from nested values; raise `ConfigError`, one line for the first fault.

    The points of ``data`` are used if given, and otherwise read.
    """
    try:
        return Experiment.model_validate(values, context=data.kept if data is not None else None)
    except ValidationError as error:
        raise _explain(error) from None


def _explain(error: ValidationError, section: str = "") -> ConfigError:
    first = error.errors(include_url=False)[0]
    parts = [part for part in first["loc"] if isinstance(part, str)]
    path = ".".join([section, *parts] if section else parts)
    of_part = first.get("ctx", {}).get("error")
    if isinstance(of_part, ValidationError):  # by the model of a part's own parameters
        return _explain(of_part, path)
    spec = field_table().get(path)
    if spec is not None:
        shown = repr(shortened(format_value(first["input"])))
        if spec.kind == "list":
            entry = [part for part in first["loc"] if isinstance(part, int)]
            shown = f"{shown} (entry {entry[0] + 1})" if entry else shown
        hint = did_you_mean(nearest(str(first["input"]), spec.choices))
        return ConfigError(f"{path}: {shown} is not allowed; {hint}allowed: {spec.allowed}", path)
    if first["type"] == "value_error":
        message = str(first["ctx"]["error"])
        return ConfigError(message, message.partition(":")[0])
    if first["type"] == "extra_forbidden":
        return ConfigError(unknown_field(path), path)
    return ConfigError(
        f"{path or 'experiment'}: {first['msg']}; allowed: an object of fields", path
    )


def unknown_field(path: str) -> str:
    table = field_table()
    sections = sorted({spec.section or spec.path for spec in table.values()})
    allowed = ", ".join(f"{s}.*" if s not in ("seed", "device") else s for s in sections)
    hint = did_you_mean(_meant(path.lower().replace(" ", "_")))
    return f"{shortened(path)}: no such field; {hint}allowed: {allowed}"


def _meant(path: str) -> list[str]:
    """Return the fields that a mistyped path may mean, compared by its last part."""
    table = field_table()
    section, _, last = path.rpartition(".")
    ends = {known: known.rpartition(".")[2] for known in table}
    paths = [p for p, end in ends.items() if last in (end, table[p].label.replace(" ", "_"))]
    if not paths:
        near = nearest(last, ends.values())
        paths = sorted((p for p in table if ends[p] in near), key=lambda p: near.index(ends[p]))
    return [p for p in paths if table[p].section == section] or paths or nearest(path, table)


def with_parts_as_loaded(experiment: Experiment) -> Experiment:
    """Return an experiment for the parts as they are now; raise `ConfigError` if one is missing.

    Parameters that a part no longer has are dropped, and new ones take their defaults.
    """
    known = field_table()
    values = {
        section: {name: v for name, v in fields.items() if f"{section}.{name}" in known}
        if isinstance(fields, dict)
        else fields
        for section, fields in experiment.model_dump().items()
    }
    return build(values, experiment.data)
