"""The base of all kinds of accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from engine.sdk.settings import Issue, Settings, settings_of


class AccountKind(Settings):
    """How to log in somewhere. `kind` is the word in an account file; `about` is help (Markdown).

    Fields declared with `setting(secret=True)` hold strings that are never shown.
    """

    kind: ClassVar[str] = ""
    about: ClassVar[str] = ""

    def issues(self) -> Iterable[Issue]:
        """Mistakes beyond wrong types. No message may quote a secret."""
        return ()

    def concealed(self) -> Iterator[str]:
        """The strings that must not be shown: the secret fields, and what contains them."""
        for name, fact in settings_of(type(self)).items():
            if fact.secret:
                yield from strings_in(getattr(self, name))

    def located(self, locate: Callable[[str], str]) -> Self:
        """The account with full paths: `locate` gives that of a name relative to the folder that
        holds `accounts/`."""
        return self


def strings_in(value: Any) -> Iterator[str]:
    """The strings in a field: itself, or the values of a map."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings_in(item)


def out_of_range(
    account: AccountKind, limits: Mapping[str, tuple[float, float]]
) -> Iterator[Issue]:
    """An issue for each number that is not within its limits."""
    for name, (least, most) in limits.items():
        value = getattr(account, name)
        if value is not None and not least <= value <= most:
            message = f"{name!r} must be from {least:,} to {most:,}, not {value:,}"
            yield Issue((name,), message)


def empty(account: AccountKind, *names: str) -> Iterator[Issue]:
    """An issue for each of these fields that is empty."""
    for name in names:
        if not getattr(account, name):
            yield Issue((name,), f"{name!r} is empty", "give it a value, or ${env:NAME}")
