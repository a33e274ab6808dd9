"""Parameters from a file: a YAML or JSON map, or lines of `NAME=value` as in an `.env` file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from engine.errors import ConfigurationError
from engine.pipeline.load import compose_text, read
from engine.pipeline.nodes import Scalar, Table, plain
from engine.sdk.settings import shown

_YAML = (".yaml", ".yml", ".json")


def read_parameters(path: str, declared: Collection[str] | None = None) -> dict[str, str]:
    """Name to value; of lines, only the `declared` ones, as an `.env` file serves others too.

    Raises ConfigurationError, which names the file and the line.
    """
    if Path(path).suffix.lower() in _YAML:
        return _from_yaml(path)
    values = _from_lines(path)
    if declared is None:
        return values
    return {name: value for name, value in values.items() if name in declared}


def _from_yaml(path: str) -> dict[str, str]:
    source, problems = compose_text(read(path, "parameter file"), path)
    if problems:
        raise ConfigurationError("\n".join(str(problem) for problem in problems))
    if not isinstance(source.root, Table):
        raise ConfigurationError(f"{path}: expected a map of parameters to values")
    values = {}
    for name, entry in source.root.entries.items():
        node = entry.value
        if not isinstance(node, Scalar) or plain(node) is None:
            where = source.where((name,))
            raise ConfigurationError(
                f"{where}  the parameter {shown(name)} must be a string or a number; "
                "write a list or a map as JSON text in quotes"
            )
        values[name] = node.text
    return values


def _from_lines(path: str) -> dict[str, str]:
    try:
        lines = read(path, "parameter file").decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: the file is not UTF-8 text") from None
    values = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        if not equals or not name.strip():
            raise ConfigurationError(f"{path}:{number}  expected NAME=value, got {shown(text)}")
        values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(value: str) -> str:
    is_quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value
