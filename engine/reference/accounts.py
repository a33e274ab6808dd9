"""The page of the kinds of accounts."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc

from engine.reference.settings import setting_entries, settings_lines
from engine.sdk.accounts import AccountKind
from engine.sdk.accounts.builtin import BUILTIN_KINDS
from engine.sdk.settings import settings_of

_INTRODUCTION = """\
# Kinds of accounts

This page is generated from the declarations of the accounts that come with the engine.
[Accounts](../accounts.md) explains how to write account files and how snaps name them. A value may
contain `${env:NAME}`; one of a *secret* field should. One that begins with `=` is an expression.
With [`engine schema account`](../editor.md) an editor completes and checks account files.
"""


def page() -> str:
    return "\n".join([_INTRODUCTION, *(line for kind in BUILTIN_KINDS for line in _section(kind))])


def _section(kind: type[AccountKind]) -> Iterator[str]:
    yield f"## `{kind.kind}`\n"
    yield f"{cleandoc(kind.__doc__ or '')}\n"
    if kind.about:
        yield f"{cleandoc(kind.about)}\n"
    secrets = [f"`{fact.name}`" for fact in settings_of(kind).values() if fact.secret]
    if secrets:
        yield f"Secret: {', '.join(secrets)}.\n"
    yield from settings_lines(setting_entries(kind))
