"""Accounts with fields that are computed from the parameters of the pipeline that uses them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import msgspec

from engine.errors import ConfigurationError, DataError, ExpressionSyntaxError
from engine.expressions import analyse
from engine.expressions.nodes import Literal, Root
from engine.locations import Location
from engine.pipeline.scalars import resolve
from engine.pipeline.source import KeyPath
from engine.sdk.accounts import AccountKind
from engine.sdk.conversion import convert
from engine.sdk.settings import Issue, settings_of


class ComputedField(msgspec.Struct, frozen=True):
    """A field at `path`, with the text of its expression. With `is_text`, digits stay a string.

    What the expression of a secret field says or fails with is never shown: it may hold the secret.
    """

    path: KeyPath
    text: str
    where: Location
    is_text: bool
    is_secret: bool


class ComputedAccount(msgspec.Struct, frozen=True):
    """The `values` that are known, as `convert` takes them, and the fields that are computed.

    `locate` gives the full path of a file that the account names.
    """

    kind: type[AccountKind]
    values: dict[str, Any]
    fields: tuple[ComputedField, ...]
    locate: Callable[[str], str] = str

    def account(self, evaluate: Callable[[str], Any]) -> AccountKind:
        """The account, with what `evaluate` returns for each expression.

        Raises ConfigurationError, which quotes no secret, and what `evaluate` raises.
        """
        values = copy.deepcopy(self.values)
        for field in self.fields:
            holder: Any = values
            for step in field.path[:-1]:
                holder = holder[step]
            holder[field.path[-1]] = _usable(field, evaluate)
        settings, issues = convert(self.kind, values)
        account = settings if isinstance(settings, AccountKind) else None
        for issue in (*issues, *(account.issues() if account else ())):
            if issue.severity == "error":
                raise ConfigurationError(self._message(issue))
        assert account is not None  # otherwise there are issues
        return account.located(self.locate)

    def _message(self, issue: Issue) -> str:
        fact = settings_of(self.kind).get(str(issue.path[0])) if issue.path else None
        if fact is not None and fact.secret and issue.code == "wrong-type":
            return f"{fact.name!r} must be a string"
        return "; ".join(filter(None, (issue.message, issue.hint)))


def mistake_in(text: str) -> ExpressionSyntaxError | None:
    """The first mistake of an expression in an account, which documents cannot reach."""
    found = analyse(text)
    if found.errors:
        return found.errors[0]
    if found.node is not None and any(isinstance(node, Root) for node in found.node.walk()):
        message = "an account is the same for all documents, so it cannot depend on one"
        return ExpressionSyntaxError(message, hint="use a parameter of the pipeline, such as _user")
    return None


def is_constant(text: str) -> bool:
    """Whether the expression is the value itself, such as `'=x'`."""
    return isinstance(analyse(text).node, Literal)


def _usable(field: ComputedField, evaluate: Callable[[str], Any]) -> Any:
    """The value of a field, as `convert` takes it."""
    shown = "the expression" if field.is_secret else f"the expression {field.text!r}"
    try:
        value = evaluate(field.text)
    except DataError:
        if not field.is_secret:
            raise
        message = f"{shown} of {field.path[-1]!r} failed; why is not shown, as it may hold a secret"
        raise ConfigurationError(message) from None
    if value is None:
        raise ConfigurationError(f"{shown} of {field.path[-1]!r} is null")
    if not isinstance(value, str) or field.is_text:
        return value
    try:
        return resolve(value)
    except ValueError:
        return value  # which the conversion refuses
