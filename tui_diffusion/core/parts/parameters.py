"""The parameters of a part as fields of an experiment: types, bounds, defaults and help."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from ..config.errors import ConfigError
from ..config.fields import fields_of, setting
from ..config.section import PRINTABLE, PartSection, Section
from ..config.value_types import Real, Whole
from .part import Part

_TYPES: Mapping[Any, Any] = {
    int: Whole,
    float: Real,
    bool: bool,
    str: Annotated[str, Field(pattern=PRINTABLE, max_length=400)],
}
_ALLOWED = "int, float, bool, str or Literal of texts, with bounds as Annotated[float, Field(gt=0)]"
_BOUNDS = ("gt", "ge", "lt", "le")


def signature_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a function or of a class's constructor; raise `ConfigError`."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ConfigError("it has no signature; allowed: a function or a class") from None
    for name, parameter in parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ConfigError(f"parameter {parameter} has no name of its own; allowed: {name}=…")
    return parameters


def split_parameters(
    function: Callable[..., Any], given: tuple[str, ...], section: type[PartSection]
) -> tuple[tuple[str, ...], type[BaseModel] | None]:
    """Return the fields of the section that a function uses, and a model of those that it adds.

    ``given`` are the parameters that the program passes itself.
    """
    uses, added = [], {}
    for name, parameter in signature_of(function).items():
        if name in given:
            continue
        if name in section.model_fields:
            if name != section.named_by:
                uses.append(name)
        else:
            added[name] = _field(function, name, parameter, section)
    if not added:
        return tuple(uses), None
    fields: Any = added
    model = create_model(getattr(function, "__name__", "Parameters"), __base__=Section, **fields)
    try:
        model()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(
            f"parameter {first['loc'][0]}: its default {first['input']!r} is not allowed "
            f"({first['msg'][:1].lower()}{first['msg'][1:]})"
        ) from None
    return tuple(uses), model


def _field(
    function: Callable[..., Any], name: str, parameter: inspect.Parameter, section: type[Section]
) -> tuple[Any, Any]:
    """Return the type and the declaration of a field for a parameter."""
    if name.startswith("_") or not name.isascii() or hasattr(section, name):
        raise ConfigError(f"parameter {name}: this name is taken; allowed: another one")
    if parameter.annotation is parameter.empty:
        raise ConfigError(f"parameter {name} has no type; allowed: {_ALLOWED}")
    if parameter.default is parameter.empty:
        raise ConfigError(f"parameter {name} has no default; allowed: {name}: float = 0.5")
    annotation, metadata = _evaluated(function, name, parameter.annotation), []
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
    texts = get_args(annotation) if get_origin(annotation) is Literal else ()
    if annotation not in _TYPES and not (texts and all(isinstance(text, str) for text in texts)):
        raise ConfigError(
            f"parameter {name} cannot be {inspect.formatannotation(annotation)}; allowed: "
            f"{_ALLOWED}"
        )
    bounds: dict[str, Any] = {}
    label, about = name.replace("_", " "), ""
    for item in metadata:
        if isinstance(item, str):
            about = item
        elif isinstance(item, FieldInfo):
            label, about = item.title or label, item.description or about
        for bound in item.metadata if isinstance(item, FieldInfo) else (item,):
            bounds |= {key: getattr(bound, key) for key in _BOUNDS if hasattr(bound, key)}
    about = about or f"Parameter of {getattr(function, '__name__', 'the part')}."
    declared = setting(parameter.default, label, about, **bounds)
    return _TYPES.get(annotation, annotation), declared


def _evaluated(function: Any, name: str, annotation: Any) -> Any:
    """Return an annotation that is written as text, as with ``from __future__``."""
    if not isinstance(annotation, str):
        return annotation
    code = getattr(function, "__init__", function) if isinstance(function, type) else function
    known = getattr(inspect.unwrap(code), "__globals__", {})
    try:
        one = SimpleNamespace(__annotations__={name: annotation})
        return get_type_hints(one, known, include_extras=True)[name]
    except Exception as error:
        raise ConfigError(f"parameter {name}: its type cannot be read ({error})") from None


def check_shared(part: Part, parts: Mapping[str, Part], section: str) -> None:
    """Raise `ConfigError` if another part adds a field of the same name that is another kind."""
    if part.parameters is None:
        return
    own = {spec.path: spec for spec in fields_of(part.parameters, f"{section}.")}
    for other in parts.values():
        if other.parameters is None or other.name == part.name:
            continue
        for spec in fields_of(other.parameters, f"{section}."):
            mine = own.get(spec.path)
            if mine and (mine.kind, mine.choices, dict(mine.bounds)) != (
                spec.kind,
                spec.choices,
                dict(spec.bounds),
            ):
                name = spec.path.rpartition(".")[2]
                raise ConfigError(
                    f"parameter {name} is that of {other.name!r} too, with another type or other "
                    f"bounds; allowed: {spec.allowed}, or another name"
                )
