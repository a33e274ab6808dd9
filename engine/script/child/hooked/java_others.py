"""`java.lang`, `java.io`, `java.util.zip` and the platform's own class."""

# Names are Java's.
# ruff: noqa: N802, N815

from __future__ import annotations

import io
import time
import zipfile
from typing import Any

from .java_types import JavaObject
from .java_util import as_bytes


class ScriptHook:
    """The base class of scripts, which adds nothing."""

    def __init__(self, *arguments: Any) -> None:
        """Scripts pass `input, output, error, log`, which they keep themselves."""


class Thread:
    @staticmethod
    def sleep(milliseconds: float) -> None:
        time.sleep(milliseconds / 1000)


class System:
    @staticmethod
    def currentTimeMillis() -> int:
        return time.time_ns() // 1_000_000

    @staticmethod
    def nanoTime() -> int:
        return time.monotonic_ns()

    @staticmethod
    def lineSeparator() -> str:
        return "\n"


class String(str):
    @staticmethod
    def valueOf(value: Any) -> str:
        return "null" if value is None else str(value)

    def getBytes(self, charset: str = "UTF-8") -> bytes:
        return self.encode(charset)

    def length(self) -> int:
        return len(self)


class Integer(int):
    @staticmethod
    def valueOf(value: Any) -> int:
        return int(value)

    @staticmethod
    def parseInt(text: str, radix: int = 10) -> int:
        return int(text, radix)

    parseLong = parseInt

    @staticmethod
    def toString(value: int) -> str:
        return str(value)


class Double(float):
    @staticmethod
    def valueOf(value: Any) -> float:
        return float(value)

    parseDouble = valueOf


class Boolean:
    TRUE, FALSE = True, False

    @staticmethod
    def valueOf(value: Any) -> bool:
        return value if isinstance(value, bool) else str(value).lower() == "true"

    parseBoolean = valueOf


class StringBuilder(JavaObject):
    def __init__(self, text: Any = "") -> None:
        self._parts = [str(text)]

    def append(self, value: Any) -> StringBuilder:
        self._parts.append(String.valueOf(value))
        return self

    def length(self) -> int:
        return len(str(self))

    def __str__(self) -> str:
        return "".join(self._parts)


class JavaException(Exception):  # noqa: N818  # stands for java.lang.Exception
    def getMessage(self) -> str:
        return str(self)


class ByteArrayOutputStream(JavaObject):
    def __init__(self, size: int = 0) -> None:
        self.held = io.BytesIO()

    def write(self, data: Any, start: int = 0, count: int | None = None) -> None:
        """`write(byte)`, `write(bytes)` or `write(bytes, start, count)`."""
        given = bytes([data & 255]) if isinstance(data, int) else as_bytes(data)
        self.held.write(given[start:] if count is None else given[start : start + count])

    def toByteArray(self) -> bytes:
        return self.held.getvalue()

    def size(self) -> int:
        return len(self.held.getvalue())

    def reset(self) -> None:
        self.held = io.BytesIO()

    def flush(self) -> None:
        """Nothing to do."""

    close = flush

    def toString(self, charset: str = "UTF-8") -> str:
        return self.held.getvalue().decode(charset)

    __str__ = toString


class ByteArrayInputStream:
    def __init__(self, data: Any) -> None:
        self._held = io.BytesIO(as_bytes(data))

    def read(self) -> int:
        """The next byte, or -1 at the end."""
        byte = self._held.read(1)
        return byte[0] if byte else -1

    def readAllBytes(self) -> bytes:
        return self._held.read()

    def close(self) -> None:
        """Nothing to do."""


class ZipEntry:
    def __init__(self, name: str) -> None:
        self._name = name

    def getName(self) -> str:
        return self._name


class ZipOutputStream:
    """Writes an archive into a ByteArrayOutputStream."""

    def __init__(self, sink: ByteArrayOutputStream) -> None:
        self._archive = zipfile.ZipFile(sink.held, "w", zipfile.ZIP_DEFLATED)
        self._entry: Any = None

    def putNextEntry(self, entry: ZipEntry) -> None:
        self.closeEntry()
        self._entry = self._archive.open(entry.getName(), "w")

    def write(self, data: Any, start: int = 0, count: int | None = None) -> None:
        if self._entry is None:
            raise JavaException("no current ZIP entry")
        given = bytes([data & 255]) if isinstance(data, int) else as_bytes(data)
        self._entry.write(given[start:] if count is None else given[start : start + count])

    def closeEntry(self) -> None:
        if self._entry is not None:
            self._entry.close()
            self._entry = None

    def finish(self) -> None:
        self.closeEntry()
        self._archive.close()

    close = finish

    def flush(self) -> None:
        """Nothing to do."""


LANG: dict[str, Any] = {
    "Thread": Thread,
    "System": System,
    "String": String,
    "Integer": Integer,
    "Long": Integer,
    "Double": Double,
    "Float": Double,
    "Boolean": Boolean,
    "StringBuilder": StringBuilder,
    "StringBuffer": StringBuilder,
    "Object": object,
    "Exception": JavaException,
    "RuntimeException": JavaException,
    "Throwable": JavaException,
}
IO: dict[str, Any] = {
    "ByteArrayOutputStream": ByteArrayOutputStream,
    "ByteArrayInputStream": ByteArrayInputStream,
}
ZIP: dict[str, Any] = {"ZipEntry": ZipEntry, "ZipOutputStream": ZipOutputStream}
SCRIPTING: dict[str, Any] = {"ScriptHook": ScriptHook}
