"""The values of a pipeline's parameters for one run: given by the caller, else the default."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from engine.errors import ConfigurationError
from engine.pipeline.spec import ParameterSpec
from engine.sdk.settings import nearest_hint

_FROM_ENVIRONMENT = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def resolve_parameters(
    declared: Iterable[ParameterSpec], given: Mapping[str, str]
) -> dict[str, str | None]:
    """Every declared parameter with its value; `${env:NAME}` reads the environment.

    Raises ConfigurationError that names all missing and all undeclared parameters at once.
    """
    specs = {spec.name: spec for spec in declared}
    mistakes = [_undeclared(name, specs) for name in given if name not in specs]
    values: dict[str, str | None] = {}
    for name, spec in specs.items():
        value = given.get(name, spec.default)
        if value is None and spec.required:
            meaning = f" ({spec.description})" if spec.description else ""
            mistakes.append(f"the parameter {name!r} is required{meaning}: give {name}=VALUE")
        values[name] = None if value is None else _with_environment(name, str(value), mistakes)
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return values


def _undeclared(name: str, specs: Mapping[str, ParameterSpec]) -> str:
    known = nearest_hint(name, specs) or f"it has: {', '.join(specs) or 'none'}"
    return f"the pipeline has no parameter {name!r}; {known}"


def _with_environment(name: str, value: str, mistakes: list[str]) -> str:
    def read(match: re.Match[str]) -> str:
        variable = match.group(1)
        if variable not in os.environ:
            mistakes.append(
                f"the parameter {name!r} reads the environment variable {variable!r}, "
                "which is not set"
            )
        return os.environ.get(variable, "")

    return _FROM_ENVIRONMENT.sub(read, value)
