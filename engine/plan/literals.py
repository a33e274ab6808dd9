"""Warns of plain-text settings that look like expressions or placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from engine.expressions import analyse
from engine.expressions.nodes import Root
from engine.hints import Hint, NewValue, Replacement
from engine.late_regex import late_regex
from engine.pipeline.spec import SnapSpec
from engine.plan.collector import KeyPath, ProblemCollector
from engine.registry import SnapClass
from engine.sdk.settings import BoundText, Evaluated, Settings, settings_of, shown
from engine.sdk.snap import Snap

PLACEHOLDER = late_regex(
    r"\$\{\{[^{}]*\}\}|\{\{[^{}]*\}\}|\$\{[^{}]*\}|\$\([A-Za-z_]\w*\)|\$env:\w+|\$[A-Z][A-Z0-9_]+\b"
)
"""Placeholders of other tools: `${{ x }}`, `{{ x }}`, `${X}`, `$(X)`, `$env:X`, `$HOME`."""

_NAME = late_regex(r"(?:env[:.]\s*)?_?([A-Za-z]\w*)")
_FIELD = late_regex(r"\$[A-Za-z_]\w*(?:\.\w+)*")
_SIGNS = ("$", "lib.", "pipe.")
_PIPE_MEMBER = late_regex(
    r"(?<![\w.])pipe\.(?:args|hostname|instanceId|parentRuuid|plexPath|projectPath|rootRuuid|ruuid|"
    r"startTime|tmpDir)\b"
)
_MAX_LENGTH = 300


def check_literals(
    spec: SnapSpec, snap_class: SnapClass, settings: Settings, collector: ProblemCollector
) -> None:
    """Warn of plain strings in the settings of a snap that were meant to be computed."""
    own: Any = snap_class.parameters_read
    base: Any = Snap.parameters_read
    has_templates = own.__func__ is not base.__func__
    for path, text, kind in _literals_in(settings, ()):
        may_compute = issubclass(kind, Evaluated)
        is_given = bool(path) and path[0] in spec.settings
        is_short = len(text) <= _MAX_LENGTH and "\n" not in text.strip()
        if is_given and is_short and (may_compute or not has_templates):
            literal = _LiteralText(spec, path, text, collector, may_compute=may_compute)
            literal.check_bound() if kind is BoundText else literal.check()


def name_in(placeholder: str) -> str:
    """The name that a placeholder holds: `NAME` of `${{ env.NAME }}`."""
    found = _NAME.search(placeholder)
    return found[1] if found else "NAME"


class _LiteralText:
    def __init__(
        self,
        spec: SnapSpec,
        path: KeyPath,
        text: str,
        collector: ProblemCollector,
        *,
        may_compute: bool,
    ) -> None:
        self.spec = spec
        self.path = path
        self.text = text
        self.collector = collector
        self.may_compute = may_compute
        self.declared = [parameter.name for parameter in collector.spec.parameters]

    def check_bound(self) -> None:
        """Report a parameter in text in which `$path` has a meaning of its own."""
        if self.text.lstrip().startswith("="):
            self._marked()
        elif parameter := self._parameter():
            self._report_parameter(parameter)

    def check(self) -> None:
        """Report the first suspicious part."""
        text = self.text
        if text.lstrip().startswith("="):
            self._marked()
        elif (found := PLACEHOLDER.search(text)) and not found[0][1:].isidentifier():
            self._placeholder(found)
        elif parameter := self._parameter():
            self._report_parameter(parameter)
        elif self._reads_the_document():
            message = f"{self._name()} is plain text, but looks like an expression"
            self._report("unmarked-expression", 0, len(text), message, self._remedy())
        elif found and found[0] != text:  # such as $HOME/data
            self._placeholder(found)
        elif self.may_compute and re.fullmatch(r"'[^']*'|\"[^\"]*\"", text):
            message = f"{self._name()} is plain text, so the inner quotes are part of it"
            hint = f'leave them out, or make it an expression: "= {text}"'
            hint = Hint(hint, [Replacement(text[1:-1], text), NewValue(_in_quotes(text))])
            self._report("unmarked-expression", 0, len(text), message, hint)

    def _report_parameter(self, found: re.Match[str]) -> None:
        message = f"{self._name()} is plain text, so '{found[0]}' is not the parameter's value"
        place = found.start(), len(found[0])
        self._report("unmarked-expression", *place, message, self._remedy())

    def _marked(self) -> None:
        if not self.may_compute:
            message = f"{self._name()} does not take an expression, so the '=' is part of the text"
            hint = Hint("remove the '='", [Replacement(self.text.lstrip()[1:].lstrip(), self.text)])
            self._report("unmarked-expression", 0, len(self.text), message, hint)
        elif not self.text.startswith("="):
            message = f"{self._name()} begins with a space, so it is plain text, not an expression"
            fixes = [Replacement(self.text.lstrip(), self.text)]
            hint = Hint("remove the space before the '='", fixes)
            self._report("unmarked-expression", 0, len(self.text), message, hint)

    def _placeholder(self, found: re.Match[str]) -> None:
        name = name_in(found[0])
        message = f"'{found[0]}' is not filled in here; it stays in the text as written"
        parameter = name.lower()
        value = _joined(self.text, [(found.start(), found.end(), f"_{parameter}")])
        hint: str = Hint(f"write {_in_quotes(value)}", [NewValue(_in_quotes(value))])
        if name not in self.declared and parameter not in self.declared:
            declaration = f"{parameter}: ${{env:{name}}}"
            hint = f"declare '{declaration}' under 'parameters:' and {hint}"
        if not self.may_compute:
            hint = "this setting does not take an expression: write the value itself"
        self._report("placeholder", found.start(), len(found[0]), message, hint)

    def _parameter(self) -> re.Match[str] | None:
        names = "|".join(re.escape(name) for name in sorted(self.declared, key=len, reverse=True))
        return re.search(rf"(?<![\w$])_(?:{names})(?!\w)", self.text) if names else None

    def _reads_the_document(self) -> bool:
        """Whether the text is an expression that uses fields or libraries."""
        if not self.may_compute:
            return bool(_FIELD.fullmatch(self.text))
        if not any(sign in self.text for sign in _SIGNS):
            return False
        found = analyse(self.text)
        if found.node is None or found.errors:
            return False
        has_field = any(isinstance(node, Root) for node in found.node.walk())
        return has_field or bool(found.libraries) or bool(_PIPE_MEMBER.search(self.text))

    def _remedy(self) -> str:
        if not self.may_compute:
            return "this setting does not take an expression: write the value itself"
        if not analyse(self.text, self.declared).errors:
            value = _in_quotes(self.text)
            return Hint(f"start it with '=' to make it an expression: {value}", [NewValue(value)])
        pieces = [
            (found.start(), found.end(), found[0])
            for found in re.finditer(r"(?<![\w$])_\w+", self.text)
            if found[0][1:] in self.declared
        ]
        value = _in_quotes(_joined(self.text, pieces))
        return Hint(f"write an expression: {value}", [NewValue(value)])

    def _name(self) -> str:
        named = (step for step in reversed(self.path) if isinstance(step, str))
        return shown(next(named, ""))

    def _report(self, code: str, offset: int, length: int, message: str, hint: str) -> None:
        where = self.collector.inside(self.spec.label, self.path, offset, length)
        self.collector.report(code, where, message, hint, "warning")


def _in_quotes(expression: str) -> str:
    """The expression as a YAML value."""
    quote = "'" if '"' in expression or "\\" in expression else '"'
    text = expression.replace("'", "''") if quote == "'" else expression
    return f"{quote}= {text}{quote}"


def _joined(text: str, pieces: list[tuple[int, int, str]]) -> str:
    """An expression that joins the text around the pieces with the pieces."""
    parts, done = [], 0
    for start, end, name in pieces:
        parts += [f"'{text[done:start]}'", name]
        done = end
    parts.append(f"'{text[done:]}'")
    return " + ".join(part for part in parts if part != "''")


def _literals_in(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str, type]]:
    """Every plain string in settings, and the type of the setting.

    Maps of plain values are data and are skipped.
    """
    if isinstance(value, Evaluated):
        if isinstance(value.value, str):
            yield path, value.value, type(value)
    elif isinstance(value, str):
        yield path, value, str
    elif isinstance(value, Settings):
        for name in settings_of(type(value)):
            yield from _literals_in(getattr(value, name), (*path, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _literals_in(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, Evaluated | Settings | tuple):
                yield from _literals_in(item, (*path, str(key)))
