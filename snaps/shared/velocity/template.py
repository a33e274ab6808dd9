"""A template, parsed once and filled in for each document.

Within JSON, values become JSON: outside quotes as they are, inside quotes as part of the string.
Elsewhere they are inserted as text. A reference that leads nowhere stays as it is written, but
outside the quotes of JSON it fails the document, because the result could not be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.sdk import ConfigurationError, DataError, Document, Issue, Value, excerpt
from snaps.shared.velocity.expressions import Expression, Reference, Scope
from snaps.shared.velocity.syntax import Syntax, TemplateSyntaxError
from snaps.shared.velocity.values import MissingError, as_text, is_true

MAX_TEXT = 16 * 1024 * 1024

Insert = Callable[[Value, str], str]
"""The text for a value, between the given quotation mark of JSON if there is one."""

_DIRECTIVE = re.compile(
    r"#(?:\{(else|end)\}|(else|end)(?![A-Za-z0-9_])|(if|elseif|foreach|set)\s*\()"
)
_UNSUPPORTED = re.compile(r"#\{?(macro|include|parse|define|evaluate)\}?\s*\(")
_NEXT = {
    "": re.compile(r"""\\[$#\\"]|["']|//[^\n]*|/\*.*?\*/|\#\#[^\n]*|\#\*.*?\*\#|[$#]""", re.DOTALL),
    "quoted": re.compile(r"""\\.|["']|[$#]""", re.DOTALL),
    "text": re.compile(r"""\\[$#]|\#\#[^\n]*|\#\*.*?\*\#|[$#]""", re.DOTALL),
}


def plain_text(value: Value, quote: str) -> str:
    return as_text(value)


class Template:
    """Raises TemplateSyntaxError if the text cannot be parsed."""

    def __init__(self, text: str, *, is_json: bool = False, insert: Insert = plain_text) -> None:
        self._parser = _Parser(text, is_json, insert)
        self._parts = self._parser.block(())

    @property
    def is_constant(self) -> bool:
        """Whether the text is the same for each document."""
        return all(isinstance(part, _Text) for part in self._parts)

    @property
    def references(self) -> list[Reference]:
        """The references in the text, and in directives."""
        return self._parser.references

    @property
    def required(self) -> list[Reference]:
        """Those that must lead to a value."""
        return self._parser.required

    def check_parameters(self, parameters: Mapping[str, str | None]) -> None:
        """Raise ConfigurationError if a reference that needs a value names no parameter."""
        for reference in self.required:
            name = reference.name
            if name.startswith("_") and name[1:] not in parameters:
                known = ", ".join(f"_{each}" for each in parameters) or "none"
                raise ConfigurationError(
                    f"the template uses {reference.written!r}, but the pipeline has no parameter "
                    f"{name[1:]!r}; its parameters are: {known}"
                )

    def filled(self, document: Document, parameters: Mapping[str, str | None]) -> str:
        """The text for a document. Raises DataError."""
        scope = Scope(document, parameters, {})
        out: list[str] = []
        _write(self._parts, scope, out)
        text = "".join(out)
        if len(text) > MAX_TEXT:
            raise _too_long(len(text))
        return text


class _Part(Protocol):
    def write(self, scope: Scope, out: list[str]) -> None: ...


def _write(parts: tuple[_Part, ...], scope: Scope, out: list[str]) -> None:
    for part in parts:
        part.write(scope, out)


@dataclass(frozen=True, slots=True)
class _Text:
    text: str

    def write(self, scope: Scope, out: list[str]) -> None:
        out.append(self.text)


@dataclass(frozen=True, slots=True)
class _Insertion:
    reference: Reference
    quote: str
    is_required: bool
    insert: Insert

    def write(self, scope: Scope, out: list[str]) -> None:
        reference, rest = self.reference, ""
        try:
            value = reference.found(scope)
        except MissingError as missing:
            shorter = _shorter(reference, scope)
            if shorter is None:
                if not reference.quiet:
                    out.append(self._unknown(missing))
                return
            value, rest = shorter
        if value is not None or not reference.quiet:
            out.append(self.insert(value, self.quote))
        out.append(rest)

    def _unknown(self, missing: MissingError) -> str:
        written = self.reference.written
        if not self.is_required:
            return written
        raise DataError(
            f"the template uses {written!r}, which the input document does not have",
            f"there is no {missing.key!r} in {excerpt(missing.value)}",
            "write \\$ for a literal dollar sign",
        )


def _shorter(reference: Reference, scope: Scope) -> tuple[Value, str] | None:
    """What the beginning of the last name leads to, and the text behind it: a hyphen may be part
    of a name, as in `$at-mode`, or follow it, as in `$year-01`."""
    if reference.written.endswith("}"):
        return None
    name = reference.last_name
    while "-" in name:
        name = name.rpartition("-")[0]
        try:
            return reference.ending_in(name).found(scope), reference.last_name[len(name) :]
        except MissingError:
            continue
    return None


@dataclass(frozen=True, slots=True)
class _If:
    branches: tuple[tuple[Expression | None, tuple[_Part, ...]], ...]

    def write(self, scope: Scope, out: list[str]) -> None:
        for condition, parts in self.branches:
            if condition is None or is_true(condition.value(scope)):
                _write(parts, scope, out)
                return


@dataclass(frozen=True, slots=True)
class _ForEach:
    name: str
    items: Expression
    parts: tuple[_Part, ...]

    def write(self, scope: Scope, out: list[str]) -> None:
        items = self.items.value(scope)
        items = list(items.values()) if isinstance(items, dict) else items
        items = items if isinstance(items, list) else [] if items is None else [items]
        outer = dict(scope.variables)
        size = 0
        for index, item in enumerate(items):
            scope.variables[self.name] = item
            scope.variables["velocityCount"] = index + 1
            scope.variables["foreach"] = {
                "index": index,
                "count": index + 1,
                "first": index == 0,
                "last": index == len(items) - 1,
                "hasNext": index < len(items) - 1,
            }
            written: list[str] = []
            _write(self.parts, scope, written)
            size += sum(map(len, written))
            if size > MAX_TEXT:
                raise _too_long(size)
            out += written
        for name in (self.name, "velocityCount", "foreach"):
            scope.variables.pop(name, None)
            if name in outer:
                scope.variables[name] = outer[name]


@dataclass(frozen=True, slots=True)
class _Set:
    name: str
    expression: Expression

    def write(self, scope: Scope, out: list[str]) -> None:
        scope.variables[self.name] = self.expression.value(scope)


def _too_long(size: int) -> DataError:
    return DataError(
        "cannot fill in the template",
        f"the text has {size:,} characters; the limit is 16 MB",
        "read large data from a file, with FileReader and a parser",
    )


class _Parser:
    """Cuts the text into parts. `required` are the references outside the quotes of JSON."""

    def __init__(self, text: str, is_json: bool, insert: Insert) -> None:
        self._text = text
        self._is_json = is_json
        self._insert = insert
        self._syntax = Syntax(text)
        self._quote = ""
        self._depth = 0
        self._ended_by = ""
        self.references: list[Reference] = []
        self.required: list[Reference] = []

    def block(self, ends: tuple[str, ...]) -> tuple[_Part, ...]:
        """The parts up to one of the directives `ends`, or up to the end of the text."""
        parts: list[_Part] = []
        start = self._syntax.position
        while token := self._next().search(self._text, self._syntax.position):
            self._syntax.position = token.end()
            made, ended = self._part(token, ends)
            if made is None and not ended:
                continue
            if text := self._text[start : token.start()]:
                parts.append(_Text(text))
            start = self._syntax.position
            if ended:
                return tuple(parts)
            parts += made or ()
        if ends:
            self._ended_by = ""
        parts.append(_Text(self._text[start:]))
        self._syntax.position = len(self._text)
        return tuple(parts)

    def _next(self) -> re.Pattern[str]:
        if not self._is_json:
            return _NEXT["text"]
        return _NEXT["quoted" if self._quote else ""]

    def _part(self, token: re.Match[str], ends: tuple[str, ...]) -> tuple[list[_Part] | None, bool]:
        """The parts for a token, None if it is ordinary text; and whether the block ends here."""
        text = token[0]
        if text in ('"', "'"):
            if self._quote in ("", text):
                self._quote = "" if self._quote else text
            return None, False
        if text.startswith("\\"):
            return ([_Text(text[1])], False) if text[1] in "$#" else (None, False)
        if text.startswith(("##", "#*")):
            return [_Text("\n" * text.count("\n"))], False
        self._syntax.position = token.start()
        if text == "$":
            made = self._insertion()
        else:
            directive = _DIRECTIVE.match(self._text, token.start())
            name = "" if directive is None else directive[1] or directive[2] or directive[3]
            if directive is not None and name in ends:
                self._ended_by = name
                self._syntax.position = directive.end()
                return None, True
            made = self._directive(name, directive)
        if made is None:
            self._syntax.position = token.end()
        return made, False

    def _insertion(self) -> list[_Part] | None:
        reference = self._syntax.reference()
        if reference is None:
            return None
        self.references.append(reference)
        is_required = self._is_json and not self._quote
        if is_required and not reference.quiet:
            self.required.append(reference)
        return [_Insertion(reference, self._quote, is_required, self._insert)]

    def _directive(self, name: str, found: re.Match[str] | None) -> list[_Part] | None:
        begin = self._syntax.position
        if unsupported := _UNSUPPORTED.match(self._text, begin):
            raise self._syntax.error(f"the directive '#{unsupported[1]}' is not supported")
        if found is None or name in ("else", "end", "elseif"):
            if name == "elseif":
                raise self._syntax.error("'#elseif' without '#if'")
            return None  # ordinary text
        self._syntax.position = found.end()
        if name == "set":
            return [self._set()]
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._syntax.error(f"directives are nested more than {MAX_DEPTH} deep", begin)
        made = self._if(begin) if name == "if" else self._foreach(begin)
        self._depth -= 1
        return [made]

    def _set(self) -> _Part:
        target = self._syntax.reference()
        if target is None or target.steps:
            raise self._syntax.error("expected a variable such as $name after '#set('")
        self._syntax.expect("=", "after the variable")
        value = self._syntax.expression()
        self._syntax.expect(")", "at the end of '#set'")
        return _Set(target.name, value)

    def _if(self, begin: int) -> _Part:
        branches: list[tuple[Expression | None, tuple[_Part, ...]]] = []
        name = "if"
        while name in ("if", "elseif"):
            condition = self._syntax.expression()
            self._syntax.expect(")", f"at the end of '#{name}'")
            branches.append((condition, self._closed_block("if", begin, "elseif", "else", "end")))
            name = self._ended_by
        if name == "else":
            branches.append((None, self._closed_block("if", begin, "end")))
        return _If(tuple(branches))

    def _foreach(self, begin: int) -> _Part:
        variable = self._syntax.reference()
        if variable is None or variable.steps:
            raise self._syntax.error("expected a variable such as $item after '#foreach('")
        if not self._syntax.takes_word("in"):
            raise self._syntax.error("expected 'in' after the variable of '#foreach'")
        items = self._syntax.expression()
        self._syntax.expect(")", "at the end of '#foreach'")
        return _ForEach(variable.name, items, self._closed_block("foreach", begin, "end"))

    def _closed_block(self, name: str, begin: int, *ends: str) -> tuple[_Part, ...]:
        parts = self.block(ends)
        if not self._ended_by:
            raise self._syntax.error(f"'#{name}' has no '#end'", begin)
        return parts


MAX_DEPTH = 50


def mistakes_in(
    text: str,
    make: Callable[[str], object],
    *,
    is_json: bool = False,
) -> Iterator[Issue]:
    """The mistakes of a template in the setting `text`. `make` raises DataError for a result that
    is wrong, which is known in advance if it is the same for each document."""
    if len(text) > MAX_TEXT:
        too_long = _too_long(len(text))
        yield Issue(("text",), too_long.reason, too_long.resolution)
        return
    try:
        template = Template(text, is_json=is_json)
        if template.is_constant:
            make(template.filled({}, {}))
    except TemplateSyntaxError as error:
        yield Issue(("text",), str(error), "correct it, or write \\# for a literal number sign")
    except DataError as error:
        yield Issue(("text",), str(error), error.resolution)


def parameters_in(
    text: str, setting: str, *, is_json: bool = False
) -> Iterator[tuple[tuple[str | int, ...], str, int, bool]]:
    """What `parameters_read` of a snap says about a template: each parameter where it is used
    first. Nothing if the template cannot be parsed."""
    try:
        template = Template(text, is_json=is_json)
    except TemplateSyntaxError:
        return
    seen: set[tuple[str, bool]] = set()
    for reference in template.references:
        name, is_required = reference.name, reference in template.required
        if name.startswith("_") and (name, is_required) not in seen:
            seen.add((name, is_required))
            offset = reference.position + reference.written.index(name)
            yield (setting,), name[1:], offset, is_required
