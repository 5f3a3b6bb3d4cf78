"""Values and texts as source code of a script."""

from __future__ import annotations

from typing import Any

_LINE = 96


def harmless(text: str) -> str:
    """Make outside text safe for a docstring."""
    return "".join(c if c.isprintable() and c not in "\"'\\" else "?" for c in text)


def wrapped(text: str, joint: str = "\n") -> str:
    """Wrap words into lines of limited length."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > 90:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return joint.join(lines)


def listed(values: list[Any], indent: int = 4) -> str:
    """Format a list as source code, over as many lines as it takes."""
    items = [repr(value) for value in values]
    one = f"[{', '.join(items)}]"
    if len(one) + indent <= _LINE:
        return one
    lines, pad = [""], " " * (indent + 4)
    for item in items:
        if len(lines[-1]) + len(item) + len(pad) > _LINE:
            lines.append("")
        lines[-1] += f"{item}, "
    inner = "\n".join(pad + line.rstrip() for line in lines)
    return f"[\n{inner}\n{' ' * indent}]"


def indented(text: str, depth: int) -> str:
    """Indent every line by ``depth``."""
    return "".join(" " * depth + line for line in text.splitlines(keepends=True))
