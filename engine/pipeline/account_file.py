"""Read an account file: its kind, its fields with the environment filled in, all its mistakes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from engine.errors import ConfigurationError, Problem, Severity
from engine.hints import Hint, Replacement
from engine.late_regex import late_regex
from engine.locations import Location
from engine.pipeline.computed_account import (
    ComputedAccount,
    ComputedField,
    is_constant,
    mistake_in,
)
from engine.pipeline.environment import (
    FROM_ENVIRONMENT,
    MISSPELT_VARIABLE,
    fill_in,
    is_malformed,
    is_written_out,
)
from engine.pipeline.load import compose_text, read
from engine.pipeline.nodes import Items, Node, Scalar, Table, plain
from engine.pipeline.redaction import Redaction
from engine.pipeline.scalars import resolve
from engine.pipeline.source import KeyPath, Source
from engine.sdk.accounts import AccountKind
from engine.sdk.conversion import convert, convert_partly
from engine.sdk.settings import Issue, SettingFacts, nearest_hint, settings_of, shown

KEY = "account"
"""The key of an account file that names the kind."""

FOLDER = "accounts"
"""The folder of account files."""


_IS_ACCOUNT = late_regex(rb"^account[ \t]*:", re.MULTILINE)
_IS_OTHER = late_regex(rb"^(?:snaps|pipeline)[ \t]*:", re.MULTILINE)


class AccountFile(msgspec.Struct, frozen=True):
    """An account as read; `account` is None if there are errors, `kind` if it is unknown.

    If fields are computed from parameters of the pipeline, there is `computed` instead of it.
    """

    path: str
    kind: type[AccountKind] | None = None
    account: AccountKind | None = None
    computed: ComputedAccount | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]


def load_account(
    path: str | Path,
    kinds: Iterable[type[AccountKind]],
    environment: Mapping[str, str] = os.environ,
) -> AccountFile:
    """The account of a file. Raises ConfigurationError if the file cannot be opened."""
    return parse_account(read(path, "account file"), str(path), kinds, environment)


def parse_account(
    text: str | bytes,
    path: str,
    kinds: Iterable[type[AccountKind]],
    environment: Mapping[str, str] = os.environ,
) -> AccountFile:
    """The account in a YAML text; all its mistakes are in `problems`. Raises nothing."""
    known = {kind.kind: kind for kind in kinds}
    source, problems = compose_text(text, path)
    if any(problem.code == "yaml-error" for problem in problems):
        source = Source(source.text)  # do not guess what a file with secrets was meant to say
    if source.root is None:
        problems = problems or [_empty(path)]
        return AccountFile(path, problems=tuple(_redaction(None).redacted(source, problems)))
    reader = _AccountReader(source, problems, known, environment)
    account = reader.account()
    found = tuple(_redaction(reader.kind).redacted(source, reader.problems))
    return AccountFile(path, reader.kind, account, reader.computed, found)


def is_account_file(path: str | Path) -> bool:
    """Whether a file is an account, by its keys or by its folder; False if it cannot be read."""
    try:
        return is_account(read(path, "file"), path)
    except ConfigurationError:
        return False


def is_account(text: bytes, path: str | Path) -> bool:
    """Whether a file with this text is an account."""
    if Path(path).suffix.lower() not in (".yaml", ".yml") or _IS_OTHER.search(text):
        return False
    folders = Path(path).absolute().parent.parts
    return _IS_ACCOUNT.search(text) is not None or FOLDER in folders


def _redaction(kind: type[AccountKind] | None) -> Redaction:
    facts = {} if kind is None else settings_of(kind)
    return Redaction(
        "an account file",
        shown=(KEY, *(name for name, fact in facts.items() if not fact.secret)),
        hidden=tuple(name for name, fact in facts.items() if fact.secret),
    )


def _empty(path: str) -> Problem:
    hint = f"an account needs at least '{KEY}:' with its kind"
    return Problem("empty-file", Location(path), "the account file is empty", hint)


class _AccountReader:
    def __init__(
        self,
        source: Source,
        problems: list[Problem],
        kinds: Mapping[str, type[AccountKind]],
        environment: Mapping[str, str],
    ) -> None:
        self.source = source
        self.problems = problems
        self.kinds = kinds
        self.environment = environment
        self.kind: type[AccountKind] | None = None
        self.unknown: set[str] = set()
        """The fields whose value is unknown: that is reported already, or they are computed."""
        self.fields: list[ComputedField] = []
        self.computed: ComputedAccount | None = None

    def account(self) -> AccountKind | None:
        """The account, or None if there is any error, or it is `computed`."""
        root = self.source.root
        if not isinstance(root, Table):
            kind = "a list" if isinstance(root, Items) else "a single value"
            message = f"an account file must be a map, not {kind}"
            self._report("wrong-type", (), message, f"it begins with '{KEY}:' and its kind")
            return None
        self.kind = self._kind(root)
        if self.kind is None:
            return None
        facts = settings_of(self.kind)
        values = {
            key: self._field(entry.value, (key,), facts.get(key))
            for key, entry in root.entries.items()
            if key != KEY
        }
        settings, issues = convert(self.kind, values)
        account = settings if isinstance(settings, AccountKind) else None
        for issue in (*issues, *self._further_issues(self.kind, values, account)):
            self._report_issue(issue, facts)
        if any(problem.severity == "error" for problem in self.problems):
            return None
        if self.fields:
            self.computed = ComputedAccount(self.kind, values, tuple(self.fields))
            return None
        return account

    def _kind(self, root: Table) -> type[AccountKind] | None:
        entry = root.entries.get(KEY)
        words = ", ".join(self.kinds)
        if entry is None:
            hint = nearest_hint(KEY, root.entries) or f"add '{KEY}:' with one of: {words}"
            self._report("missing-setting", (), f"the key '{KEY}' is missing", hint)
            return None
        name = entry.value.text if isinstance(entry.value, Scalar) else ""
        if name not in self.kinds:
            message = f"there is no kind of account {shown(name or plain(entry.value))}"
            hint = nearest_hint(name, self.kinds) or f"the kinds are: {words}"
            self._report("bad-setting", (KEY,), message, hint)
        return self.kinds.get(name)

    def _further_issues(
        self, kind: type[AccountKind], values: Mapping[str, Any], account: AccountKind | None
    ) -> Iterator[Issue]:
        """What the account itself finds; if it is incomplete, about single fields only."""
        if account is not None and not self.unknown:
            yield from account.issues()
            return
        good = {
            name: value
            for name, value in convert_partly(kind, values).items()
            if value is not None and name not in self.unknown
        }
        missing = (fact for fact in settings_of(kind).values() if fact.required)
        stand_ins = {fact.name: _stand_in(fact.type) for fact in missing}
        for issue in kind(**{**stand_ins, **good}).issues():
            if issue.path and issue.path[0] in good:
                yield issue

    def _field(self, node: Node, path: KeyPath, fact: SettingFacts | None) -> Any:
        """The value of a field; None if it is unknown."""
        if fact is None:
            return plain(node)
        if isinstance(node, Table):
            return {
                key: self._field(entry.value, (*path, key), fact)
                for key, entry in node.entries.items()
            }
        if isinstance(node, Items):
            return [self._field(item, (*path, i), fact) for i, item in enumerate(node.items)]
        return self._scalar(node, path, fact)

    def _scalar(self, node: Scalar, path: KeyPath, fact: SettingFacts) -> Any:
        """A string as written, so that a password `007` stays `007`; else as YAML reads it."""
        if node.value is None:
            return None
        takes_text = str in _leaves(fact.type)
        if isinstance(node.value, str) and node.text.startswith("="):
            self._compute(node.text[1:].strip(), path, fact, is_text=takes_text)
            return None
        if not isinstance(node.value, str):
            self._warn_of_secret(node.text, path, fact)
            return node.text if takes_text else node.value
        text = self._filled(node.text, path)
        self._warn_of_secret(node.text, path, fact)
        if text is None or takes_text or node.style or text == node.text:
            return text
        try:
            return resolve(text)
        except ValueError:
            return text  # which the conversion refuses

    def _compute(self, text: str, path: KeyPath, fact: SettingFacts, *, is_text: bool) -> None:
        """Note a field whose value is an expression."""
        self.unknown.add(str(path[0]))
        where = self.source.where(path)
        self.fields.append(ComputedField(path, text, where, is_text, fact.secret))
        if is_constant(text):
            self._warn_of_secret(text, path, fact)
        if (error := mistake_in(text)) is not None:
            self._report("expression-syntax", path, error.message, error.hint)

    def _filled(self, text: str, path: KeyPath) -> str | None:
        what = shown(str(path[-1]))
        if MISSPELT_VARIABLE.search(text):
            whole = MISSPELT_VARIABLE.fullmatch(text.strip())
            written, name = (whole[0], whole[1]) if whole else ("${...}", "NAME")
            message = f"{what} has {shown(written)}, which is not filled in"
            severity: Severity = "error" if whole else "warning"
            variable = f"${{env:{name}}}"
            hint = Hint(
                f"did you mean {variable}?", [Replacement(variable, written)] if whole else ()
            )
            self._report("bad-setting", path, message, hint, severity=severity)
        if is_malformed(text):
            message = f"{what} has '{FROM_ENVIRONMENT}' without a variable name and '}}'"
            self._report("bad-setting", path, message, "a variable name has letters, digits and _")
            self.unknown.add(str(path[0]))
            return None
        filled, unset = fill_in(text, self.environment)
        for name in unset:
            message = f"{what} reads the environment variable {name!r}, which is not set"
            self._report("unset-variable", path, message, f"set {name} before you start the engine")
            self.unknown.add(str(path[0]))
        return None if unset else filled

    def _warn_of_secret(self, text: str, path: KeyPath, fact: SettingFacts) -> None:
        if fact.secret and is_written_out(text):
            message = f"{shown(str(path[-1]))} is written in the file"
            hint = "use ${env:NAME}, so that the secret is not in your repository"
            self._report("secret-in-file", path, message, hint, severity="warning")

    def _report_issue(self, issue: Issue, facts: Mapping[str, SettingFacts]) -> None:
        if issue.code == "missing-setting" and any(repr(n) in issue.message for n in self.unknown):
            return
        if any(issue.path[: len(field.path)] == field.path for field in self.fields):
            return
        message, hint = issue.message, issue.hint
        fact = facts.get(str(issue.path[0])) if issue.path else None
        if fact is not None and fact.secret and issue.code == "wrong-type":
            is_map = isinstance(fact.default, dict) or get_origin(fact.type) is dict
            message = f"{fact.name!r} must be {'a map of strings' if is_map else 'a string'}"
            hint = ""
        if issue.code in ("missing-setting", "unknown-setting") and self.kind is not None:
            message = f"account of kind {self.kind.kind!r}: {message}"
        self._report(issue.code, issue.path, message, hint, issue.severity, at_key=issue.at_key)

    def _report(
        self,
        code: str,
        path: Sequence[str | int],
        message: str,
        hint: str = "",
        severity: Severity = "error",
        *,
        at_key: bool = False,
    ) -> None:
        key = tuple(path)
        root = self.source.root
        if not key or not (isinstance(root, Table) and key[0] in root.entries):
            where = Location(self.source.text.path)  # what is missing has no place
        else:
            where = self.source.where_key(key) if at_key else self.source.where(key)
        self.problems.append(Problem(code, where, message, hint, severity))


def _stand_in(kind: Any) -> Any:
    """Some value of the type of a required field."""
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    return {} if get_origin(kind) is dict else ""


def _leaves(kind: Any) -> Iterator[Any]:
    """The types that a scalar in a field of this type can have."""
    if get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _leaves(each)
    elif get_origin(kind) in (dict, tuple):
        yield from _leaves(get_args(kind)[-1] if get_origin(kind) is dict else get_args(kind)[0])
    else:
        yield kind
