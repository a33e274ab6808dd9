"""Checks the expressions and paths in a snap's settings: syntax, parameters, libraries, lints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import ExpressionSyntaxError, Severity
from engine.expressions import Analysis, Lint, analyse, analyse_path, lint_parameters
from engine.hints import Addition, Hint, Replacement
from engine.late_regex import late_regex
from engine.pipeline.spec import SnapSpec
from engine.plan.collector import KeyPath, ProblemCollector, declare_hint, nearest_of
from engine.sdk.settings import (
    Expression,
    Path,
    Settings,
    TargetPath,
    expressions_in,
    nearest_hint,
    shown,
)

_CUT_HINTS = {
    "#": "YAML starts a comment at ' #': put the whole value in quotes",
    ",": "YAML ends the value at the ',' inside { }: put the whole value in quotes",
}
_WORDS = late_regex(r"[^\W\d_][\w .,!?:-]{0,60}")


def check_expressions(
    spec: SnapSpec, settings: Settings | Mapping[str, Any], collector: ProblemCollector
) -> bool:
    """Report problems of the expressions and paths in (some of) the settings of a snap.

    Returns whether every expression can be compiled.
    """
    is_valid = True
    for path, item in expressions_in(settings):
        place = _Place(spec, path, item.text, collector)
        if isinstance(item, Expression):
            is_valid &= _check_expression(item, place)
        else:
            _check_path(item, place)
    return is_valid


def check_parameters_read(
    spec: SnapSpec, reads: Iterable[tuple[KeyPath, str, int, bool]], collector: ProblemCollector
) -> None:
    """Report parameters that a snap's templates read and the pipeline does not declare."""
    for path, name, offset, needed in reads:
        text = _value_at(spec.settings, path)
        if isinstance(text, str):
            _Place(spec, path, text, collector).check_parameter(
                name, offset, "error" if needed else "warning"
            )


class _Place:
    """The position of an expression; reports problems by offsets in its text."""

    def __init__(
        self, spec: SnapSpec, path: KeyPath, text: str, collector: ProblemCollector
    ) -> None:
        self.label = spec.label
        self.path = path
        self.text = text
        self.collector = collector
        self._settings = spec.settings

    @property
    def shift(self) -> int:
        """How many characters the value has before the expression; used for problems only."""
        return shift_of(self._settings, self.path, self.text)

    @property
    def declared(self) -> list[str]:
        """The parameters of the pipeline."""
        return [parameter.name for parameter in self.collector.spec.parameters]

    def report(self, code: str, error: ExpressionSyntaxError) -> None:
        hint = error.hint
        if self.shift and self.text.startswith("="):
            hint = Hint("write one '=' before the expression", [Replacement("", "=")])
        elif error.offset >= len(self.text.rstrip()) or error.message.endswith("is not closed"):
            hint = self._cut_hint() or hint
        elif code == "expression-syntax" and self._is_text_in_quotes():
            hint = f"YAML removed the quotes: write \"'{self.text}'\" for a string; {hint}".rstrip(
                "; "
            )
        severity = self.severity if code == "expression-syntax" else "error"
        self.report_at(code, error.offset, error.length, error.message, hint, severity)

    @property
    def severity(self) -> Severity:
        """How bad a mistake in an expression is: a lenient pipeline runs in spite of it."""
        return "warning" if self.collector.spec.lenient else "error"

    def report_at(
        self,
        code: str,
        offset: int,
        length: int,
        message: str,
        hint: str,
        severity: Severity = "error",
    ) -> None:
        where = self.collector.inside(self.label, self.path, self.shift + offset, length)
        self.collector.report(code, where, message, hint, severity)

    def report_lint(self, code: str, lint: Lint) -> None:
        self.report_at(code, lint.offset, lint.length, lint.message, lint.hint, "warning")

    def check_parameter(self, name: str, offset: int, severity: Severity = "error") -> None:
        """Report a parameter, read at `offset`, that the pipeline does not declare."""
        known = [f"_{parameter.name}" for parameter in self.collector.spec.parameters]
        if f"_{name}" not in known and not self.collector.may_be_lost(name):
            hint = nearest_hint(f"_{name}", known) or declare_hint(name)
            message = f"the pipeline does not declare the parameter '_{name}'"
            self.report_at("unknown-parameter", offset, len(name) + 1, message, hint, severity)

    def _cut_hint(self) -> str:
        return _CUT_HINTS.get(self.collector.cut_by(self.label, self.path), "")

    def _is_text_in_quotes(self) -> bool:
        """Whether the value is plain words in YAML quotes."""
        is_quoted = self.collector.is_quoted(self.label, self.path)
        return is_quoted and not self.shift and _WORDS.fullmatch(self.text) is not None


def _check_expression(expression: Expression, place: _Place) -> bool:
    found = analyse(expression.text, place.declared)
    for error in found.errors:
        place.report("expression-syntax", error)
    _check_names(found, place)
    return not found.errors


def _check_path(path: Path, place: _Place) -> None:
    target = isinstance(path, TargetPath)
    found = analyse_path(path.text, target=target, parameters=place.declared)
    for error in found.errors:
        if path.text.lstrip().startswith("="):
            hint = Hint("a path is not an expression: remove the '='", [Replacement("", "=")])
            error = ExpressionSyntaxError(error.message, error.text, error.offset, 1, hint)
        place.report("bad-path", error)
    _check_names(found, place)


def _check_names(found: Analysis, place: _Place) -> None:
    for name, offset in found.parameters.items():
        place.check_parameter(name, offset, place.severity)
    _check_libraries(found, place)
    _check_members(found, place)
    for lint in found.lints:
        place.report_lint("unclear-expression", lint)
    for lint in lint_parameters(found, _flags(place.collector)):
        place.report_lint("text-parameter", lint)


def _flags(collector: ProblemCollector) -> list[str]:
    """Parameters with the default true or false."""
    return [each.name for each in collector.spec.parameters if each.default in ("true", "false")]


def _check_libraries(found: Analysis, place: _Place) -> None:
    known = [library.name for library in place.collector.spec.libraries]
    for name, offset in found.libraries.items():
        if name not in known and not place.collector.may_be_lost(name):
            hint = nearest_hint(name, known) or _import_hint(name)
            message = f"the pipeline does not import the library 'lib.{name}'"
            length = len(f"lib.{name}")
            place.report_at("unknown-library", offset, length, message, hint, place.severity)


def _import_hint(name: str) -> str:
    hint = f"import it: 'libraries: {{{name}: FILE}}'"
    return Hint(hint, [Addition(name, f"{name}.expr", ("libraries",))])


def _check_members(found: Analysis, place: _Place) -> None:
    for used in found.members:
        known = place.collector.library_members.get(used.library)
        if known is not None and used.name not in known:
            hint = nearest_of(used.name, known, "names in it") or "define it there"
            message = f"the library 'lib.{used.library}' has no {shown(used.name)}"
            place.report_at(
                "unknown-member", used.offset, used.length, message, hint, place.severity
            )


def _value_at(settings: Mapping[str, Any], path: KeyPath) -> Any:
    value: Any = settings
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def shift_of(settings: Mapping[str, Any], path: KeyPath, text: str) -> int:
    """How many characters the value at the path has before its expression: `= ` in `= $a`."""
    written = _value_at(settings, path)
    if not isinstance(written, str) or written == text or not written.startswith("="):
        return 0
    return len(written) - len(written[1:].lstrip())
