"""What all stand-ins for Java's classes have."""

from __future__ import annotations

from typing import Any


class JavaObject:
    """An object that becomes its text in a document."""

    def toString(self) -> str:  # noqa: N802  # Java's name
        return str(self)

    def equals(self, other: Any) -> bool:
        return bool(self == other)

    def hashCode(self) -> int:  # noqa: N802
        return hash(self)
