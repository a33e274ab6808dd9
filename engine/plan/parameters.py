"""Warnings about declared parameters."""

from __future__ import annotations

import re

import msgspec

from engine.hints import Hint, Replacement
from engine.late_regex import late_regex
from engine.locations import Location
from engine.pipeline.spec import ParameterSpec
from engine.plan.collector import ProblemCollector
from engine.plan.literals import PLACEHOLDER, name_in

_FROM_ENVIRONMENT = late_regex(r"\$\{env:[A-Za-z_]\w*\}")


def check_parameters(collector: ProblemCollector) -> None:
    """Warn of secrets in the file, and of defaults that look computed."""
    for parameter in collector.spec.parameters:
        default = parameter.default
        if not default:
            continue
        foreign = _foreign_placeholders(parameter, default)
        for found in foreign:
            name = name_in(found[0])
            where = _place(collector, parameter, found.start(), len(found[0]))
            message = f"'{found[0]}' is not filled in; it stays in the default as written"
            hint = f"write ${{env:{name}}} to read the environment variable {name}"
            hint = Hint(hint, [Replacement(f"${{env:{name}}}", found[0])])
            collector.report("placeholder", where, message, hint, "warning")
        if default.startswith("="):
            where = _place(collector, parameter, 0, len(default))
            message = f"the default of '{parameter.name}' is plain text, including the '='"
            hint = (
                "defaults are never evaluated: write the value, or an expression where it is used"
            )
            collector.report("unmarked-expression", where, message, hint, "warning")
        elif parameter.secret and not foreign and not default.startswith("${env:"):
            where = _place(collector, parameter, 0, len(default))
            message = f"the value of the secret parameter '{parameter.name}' is in the file"
            hint = "use ${env:NAME}, or pass the value when you run the pipeline"
            collector.report("secret-default", where, message, hint, "warning")


def _foreign_placeholders(parameter: ParameterSpec, default: str) -> list[re.Match[str]]:
    """Placeholders of other tools; a part of a secret never counts as one."""
    found = [
        found
        for found in PLACEHOLDER.finditer(default)
        if not _FROM_ENVIRONMENT.fullmatch(found[0])
    ]
    if parameter.secret:
        return [each for each in found if each[0] == default and default.endswith(("}", ")"))]
    return found


def _place(
    collector: ProblemCollector, parameter: ParameterSpec, offset: int, length: int
) -> Location:
    source, path = collector.spec.source, ("parameters", parameter.name, "default")
    if parameter.secret:  # the problem must not show the secret
        return msgspec.structs.replace(source.where(path), source_line="")
    return source.position(path, offset, length)
