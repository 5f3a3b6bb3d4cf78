"""Metadata of a field for forms, tables and messages, beside its type and bounds.

A model declares a field with `setting`; `fields_of` returns the metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, get_args, get_origin

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from .choices import OneOf
from .value_types import format_value

StepRule = Literal["series", "doubling", "tenth", "levels", "share", "to-one", "label"] | float
"""The values that stepping a field goes through, see `stepping`; a number is a constant step."""


OWN_GUIDES = ("no-label", "own")
"""Values of ``sampling.guide`` that name a network of the same training; others name a run."""

InScript = Literal["always", "any level", "never"]
"""Whether an exported script follows a field: always, if the method covers any level, or never."""


class Readable(Protocol):
    """Settings that can be read by dotted path: an experiment, or a mapping."""

    def get(self, path: str, /) -> Any: ...


def setting(
    default: Any,
    label: str,
    help: str = "",  # noqa: A002
    *,
    unit: str = "",
    when: Mapping[str, tuple[str, ...]] | None = None,
    guidance: bool = False,
    allowed: str = "",
    scale: StepRule | None = None,
    script: InScript = "always",
    **bounds: Any,
) -> Any:
    """Declare a field with its metadata: label, help, unit, condition, scale, use in a script.

    By default whole numbers step by one, and others along the series. A field that names a part
    needs no help: it is the help of all parts. A field that parts use applies while one of them is
    chosen, unless ``when`` sets another condition. A field of ``guidance`` applies if one of the
    conditions of ``when`` holds, or if another run is the guide.
    """
    extra: dict[str, Any] = {
        "unit": unit,
        "when": dict(when or {}),
        "guidance": guidance,
        "allowed": allowed,
        "scale": scale,
        "script": script,
    }
    return Field(default, title=label, description=help, json_schema_extra=extra, **bounds)


@dataclass(frozen=True)
class FieldSpec:
    """The metadata of one field of `Experiment`."""

    path: str
    label: str
    help: str
    unit: str
    kind: Literal["int", "float", "bool", "choice", "list", "text"]
    choices: tuple[str, ...]
    allowed: str
    default: Any
    when: Mapping[str, tuple[str, ...]]
    bounds: Mapping[str, float]
    """The bounds of a number: any of gt, ge, lt and le."""
    scale: StepRule
    script: InScript
    notes: Mapping[str, str]
    """Half a sentence on each choice, if the choices are parts."""
    guidance: bool = False
    """Whether one condition of ``when``, or a run as the guide, is enough."""

    @property
    def section(self) -> str:
        """The section that contains the field, or ''."""
        return self.path.rpartition(".")[0]

    def applies(self, experiment: Readable) -> bool:
        """Return whether the field has an effect in this experiment."""
        holds = (format_value(experiment.get(p)) in values for p, values in self.when.items())
        if self.guidance:
            return any(holds) or experiment.get("sampling.guide") not in OWN_GUIDES
        return all(holds)

    @property
    def all_of(self) -> Mapping[str, tuple[str, ...]]:
        """The values by field that must all hold for this one to apply."""
        return {} if self.guidance else self.when

    @property
    def any_of(self) -> Mapping[str, tuple[str, ...]]:
        """The values by field of which one is enough; empty if `all_of` are the conditions."""
        return {**self.when, "sampling.guide": ("RUN",)} if self.guidance else {}

    @property
    def conditions(self) -> str:
        """The conditions in words, ``a = x or y and b = z``; '' if the field always applies."""
        word = " or " if self.guidance else " and "
        conditions = (self.any_of or self.all_of).items()
        return word.join(f"{path} = {' or '.join(values)}" for path, values in conditions)

    def missing(self, experiment: Readable) -> tuple[str, tuple[str, ...]]:
        """Return the path and the values of the first condition that does not hold."""
        return next(
            (p, v) for p, v in self.when.items() if format_value(experiment.get(p)) not in v
        )


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[FieldSpec]:
    """Yield the fields of a model and of its sections, in order, those that parts add last."""
    parts = {name: one_of for name, info in model.model_fields.items() if (one_of := _one_of(info))}
    for name, info in model.model_fields.items():
        path = f"{prefix}{name}"
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from fields_of(info.annotation, f"{path}.")
            continue
        extra: Any = info.json_schema_extra
        one_of = parts.get(name)
        kind, choices = _kind_of(one_of or info.annotation)
        users = {
            f"{prefix}{part}": names
            for part, o in parts.items()
            if (names := o.users(name)) and len(names) < len(o.parts)
        }
        bounds = {
            key: getattr(item, key)
            for item in info.metadata
            for key in ("gt", "ge", "lt", "le")
            if getattr(item, key, None) is not None
        }
        yield FieldSpec(
            path=path,
            label=info.title or name,
            help=info.description or (one_of.help if one_of else ""),
            unit=extra["unit"],
            kind=kind,
            choices=choices,
            allowed=extra["allowed"]
            or (one_of.allowed if one_of else _allowed(kind, choices, bounds)),
            default=info.default,
            when=extra["when"] or users,
            bounds=bounds,
            scale=extra["scale"] or (1 if kind == "int" else "series"),
            script=extra["script"],
            notes={name: part.help for name, part in one_of.parts.items()} if one_of else {},
            guidance=extra["guidance"],
        )
    for name, one_of in parts.items():
        yield from _added(one_of, f"{prefix}{name}", prefix)


def _added(one_of: OneOf, chooser: str, prefix: str) -> Iterator[FieldSpec]:
    """Yield the fields that parts add; each applies while one of its parts is chosen."""
    specs: dict[str, FieldSpec] = {}
    users: dict[str, list[str]] = {}
    for part in [*one_of.parts.values()]:
        for spec in fields_of(part.parameters, prefix) if part.parameters else ():
            specs.setdefault(spec.path, spec)
            users.setdefault(spec.path, []).append(part.name)
    for path, spec in specs.items():
        yield replace(spec, when={chooser: tuple(users[path])})


def _one_of(info: FieldInfo) -> OneOf | None:
    """Return the type of a field that names a part."""
    return next((item for item in info.metadata if isinstance(item, OneOf)), None)


def _kind_of(annotation: Any) -> tuple[Any, tuple[str, ...]]:
    if isinstance(annotation, OneOf):
        return "choice", annotation.names
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if get_origin(annotation) is tuple:
        return "list", ()
    if annotation is bool:
        return "bool", ("true", "false")
    return {int: "int", float: "float"}.get(annotation, "text"), ()


def _allowed(kind: str, choices: tuple[str, ...], bounds: Mapping[str, float]) -> str:
    if choices:
        return ", ".join(choices)
    noun = "a whole number" if kind == "int" else "a number"
    if kind not in ("int", "float"):
        return "text"
    words = {"gt": "above", "ge": "from", "lt": "below", "le": "to" if "ge" in bounds else "up to"}
    return " ".join(
        [noun, *(f"{words[key]} {format_value(value)}" for key, value in bounds.items())]
    )
