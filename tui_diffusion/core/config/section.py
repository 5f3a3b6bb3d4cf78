"""The base of every section of an experiment: a frozen group of checked fields.

A section is a file ``…_section.py`` beside this one. Each field declares its type, bounds, unit,
label and help once, there; a section validates what concerns it alone. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, model_validator

from ..parts.part import Part
from ..short_repr import short_repr

_NAMES = ("name", "kind")
"""Fields that name the part which a section describes."""

PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""Pattern of text without control characters."""


class Section(BaseModel):
    """A frozen group of fields that allows no undeclared ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def __repr__(self) -> str:
        """Return the name, and the fields that differ from their defaults."""
        fields = type(self).model_fields.items()
        changed = [n for n, of in fields if n in _NAMES or getattr(self, n) != of.default]
        return short_repr(self, *changed, *(self.__pydantic_extra__ or ()))

    __str__ = __repr__


class PartSection(Section):
    """A section that names a part and holds its parameters.

    Those that the section does not declare itself are fields of the part's own model. The values of
    other parts' parameters are dropped. Sections are equal only if the code of their part is.
    """

    model_config = ConfigDict(extra="allow")

    parts: ClassVar[Mapping[str, Part]]
    named_by: ClassVar[str] = "name"
    _code: str = PrivateAttr("")

    @model_validator(mode="after")
    def _with_parameters(self) -> PartSection:
        given = self.__pydantic_extra__
        assert given is not None  # because of extra="allow"
        part = self.parts[getattr(self, self.named_by)]
        self._code = part.file.checksum if part.file else ""
        own = part.parameters
        if own is None and not given:
            return self
        every = [each.parameters for each in [*self.parts.values()] if each.parameters]
        others = {name for model in every for name in model.model_fields}
        own = own or Section
        known = own.model_fields
        values = own.model_validate(
            {name: given[name] for name in given if name in known or name not in others}
        )
        given.clear()
        given.update(values)
        return self
