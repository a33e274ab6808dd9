"""The values of a pipeline's parameters for one run: the caller's, or else the default."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from engine.errors import ConfigurationError
from engine.pipeline.environment import fill_in
from engine.pipeline.spec import ParameterSpec
from engine.sdk.settings import nearest_hint


def resolve_parameters(
    declared: Iterable[ParameterSpec], given: Mapping[str, str]
) -> dict[str, str | None]:
    """Every declared parameter with its value.

    `${env:NAME}` in a default reads the environment. In a caller's value it is plain text, so that
    callers cannot read the engine's environment.

    Raises ConfigurationError, which names all missing and all undeclared parameters at once.
    """
    specs = {spec.name: spec for spec in declared}
    mistakes = [_undeclared(name, specs) for name in given if name not in specs]
    values: dict[str, str | None] = {}
    for name, spec in specs.items():
        if name in given:
            values[name] = str(given[name])
            if spec.required and spec.secret and not values[name]:
                mistakes.append(_empty(spec))
        elif spec.default is not None:
            values[name] = _with_environment(name, spec.default, mistakes)
        else:
            values[name] = None
            if spec.required:
                mistakes.append(_missing(spec))
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return values


def _missing(spec: ParameterSpec) -> str:
    meaning = f" ({spec.description})" if spec.description else ""
    return (
        f"the parameter {spec.name!r} is required{meaning}; "
        f"on the command line, give --param {spec.name}=VALUE"
    )


def _empty(spec: ParameterSpec) -> str:
    return (
        f"the secret parameter {spec.name!r} is empty, so it protects nothing; "
        "give it a value, or check that the variable it comes from is set"
    )


def _undeclared(name: str, specs: Mapping[str, ParameterSpec]) -> str:
    if not specs:
        return f"the pipeline has no parameter {name!r}; it declares no parameters"
    known = nearest_hint(name, specs) or f"its parameters are: {', '.join(specs)}"
    return f"the pipeline has no parameter {name!r}; {known}"


def _with_environment(name: str, value: str, mistakes: list[str]) -> str:
    filled, unset = fill_in(value, os.environ)
    mistakes.extend(
        f"the parameter {name!r} reads the environment variable {variable!r}, which is not set"
        for variable in unset
    )
    return filled
