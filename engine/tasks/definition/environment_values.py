"""Values of a task file that may read environment variables: `${env:NAME}`."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import Severity
from engine.hints import Hint, Replacement
from engine.pipeline.environment import FROM_ENVIRONMENT, MISSPELT_VARIABLE, fill_in, is_malformed
from engine.pipeline.source import KeyPath
from engine.sdk.settings import shown
from engine.tasks.definition.problem_collector import ProblemCollector


class EnvironmentValues:
    """Fills in variables and reports what is wrong with them; no message quotes a value.

    Without an environment, values stay as written.
    """

    def __init__(self, collector: ProblemCollector, environment: Mapping[str, str] | None) -> None:
        self._collector = collector
        self.environment = environment

    def report_misspelt(self, path: KeyPath, text: str, severity: Severity) -> None:
        whole = MISSPELT_VARIABLE.fullmatch(text.strip())
        written, name = (
            (whole[0], whole[1]) if whole else ("${...}", "NAME")
        )  # otherwise it may be a secret
        message = f"{shown(str(path[-1]))} has {shown(written)}, which is not filled in"
        variable = f"${{env:{name}}}"
        hint = Hint(f"did you mean {variable}?", [Replacement(variable, written)] if whole else ())
        self._collector.report("bad-setting", path, message, hint, severity=severity)

    def filled(self, path: KeyPath, text: str) -> str:
        what = shown(str(path[-1]))
        if is_malformed(text):
            message = f"{what} has '{FROM_ENVIRONMENT}' without a variable name and '}}'"
            self._collector.report(
                "bad-setting", path, message, "a variable name has letters, digits and _"
            )
            return ""
        if self.environment is None:
            return text
        filled, unset = fill_in(text, self.environment)
        for name in unset:
            message = f"{what} reads the environment variable {name!r}, which is not set"
            self._collector.report(
                "unset-variable", path, message, f"set {name} before you start the engine"
            )
        if text and not filled and not unset and path == ("bearer_token",):
            names = ", ".join(fill_in(text, {})[1])
            message = f"{what} reads the environment variable {names!r}, which is empty"
            hint = "set it, or leave out 'bearer_token' to let everybody in"
            self._collector.report("unset-variable", path, message, hint)
        return filled
