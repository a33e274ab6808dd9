"""Declared parameters: what is doubtful about them."""

from __future__ import annotations

from dataclasses import replace

from engine.plan.findings import Findings


def check_parameters(findings: Findings) -> None:
    """A secret must not stand in the file; an environment variable may."""
    for parameter in findings.spec.parameters:
        default = parameter.default
        if parameter.secret and default and not default.startswith("${env:"):
            place = findings.spec.source.where(("parameters", parameter.name, "default"))
            where = replace(place, source_line="")  # or the report would show the secret
            message = f"the secret parameter '{parameter.name}' has its value in the file"
            hint = "use ${env:NAME}, or give the value when the pipeline is run"
            findings.report("secret-default", where, message, hint, "warning")
