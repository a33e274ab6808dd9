"""The accounts of a run: read in the process that uses them, with their secrets kept from view."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import ConfigurationError, DataError
from engine.plan.accounts import Accounts, is_accepted, kinds_in_words
from engine.plan.collector import nearest_of
from engine.run.secrets import Secrets
from engine.sdk.settings import shown

if TYPE_CHECKING:
    from engine.pipeline.computed_account import ComputedAccount
    from engine.sdk.accounts import AccountKind

K = TypeVar("K", bound="AccountKind")
R = TypeVar("R")


class UnusableAccountError(ConfigurationError):
    """There is no such account, or it cannot be used; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        if not self.hint:
            return self.message
        has_lines = "\n" in self.message  # the last may hold the carets below an expression
        joint = "\n  hint: " if has_lines else "; "
        return f"{self.message}{joint}{self.hint}"


def account_of(
    accounts: Accounts,
    name: str,
    accepted: tuple[type[K], ...],
    secrets: Secrets,
    compute: Callable[[ComputedAccount], AccountKind],
) -> K:
    """The account of that name; its secrets are masked from now on.

    `compute` makes an account whose fields are expressions. Raises UnusableAccountError.
    """
    file = accounts.read(name, accepted)
    if file is None:
        hint = nearest_of(name, accounts.names(), "accounts")
        raise UnusableAccountError(f"there is no account {shown(name)}", hint)
    account = file.account
    if file.computed is not None:
        try:
            account = compute(file.computed)
        except (ConfigurationError, DataError) as error:
            raise UnusableAccountError(
                f"the account {shown(name)} cannot be used: {error}",
                "give the parameters of the pipeline other values, or correct the account",
            ) from None
    if account is None:
        problem = next(iter(file.errors))
        raise UnusableAccountError(
            f"the account {shown(name)} cannot be used: {problem.message}", problem.hint
        )
    if not is_accepted(file, accepted):
        message = f"the account {shown(name)} is of kind {account.kind!r}"
        hint = f"the snap needs one of kind {kinds_in_words(accepted)}"
        raise UnusableAccountError(message, hint)
    secrets.add(account.concealed())
    return account  # type: ignore[return-value]  # is_accepted looked


MAX_IDLE = 16
"""Computed accounts that no run uses, whose connections stay open for the next child run."""


class _Computed:
    def __init__(self, account: AccountKind) -> None:
        self.account = account
        self.runs: set[int] = set()


class SharedByAccount:
    """What the snaps of a process share for an account: made on first use, closed at the end.

    Child runs may compute another account for each document, so what is shared for a computed
    account is closed earlier: when no run uses it, and MAX_IDLE others were used since.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[Any, int], tuple[Any, Any]] = {}
        self._computed: list[_Computed] = []
        self._lock = threading.Lock()

    def known(self, account: AccountKind, run: object) -> AccountKind:
        """A computed account, or the equal one that was computed before; `run` uses it."""
        with self._lock:
            found = next((each for each in self._computed if each.account == account), None)
            if found is None:
                found = _Computed(account)
                self._computed.append(found)
            found.runs.add(id(run))
            return found.account

    def leave(self, run: object) -> None:
        """A child run has ended, and with it its use of computed accounts."""
        with self._lock:
            left = [each for each in self._computed if id(run) in each.runs]
            for each in left:
                each.runs.discard(id(run))
                self._computed.remove(each)
            self._computed += left  # those used last are kept longest
            idle = [each for each in self._computed if not each.runs][:-MAX_IDLE]
            made = [thing for each in idle for thing in self._forget(each)]
        _close(made)

    def _forget(self, computed: _Computed) -> list[Any]:
        """Remove a computed account; returns what was shared for it."""
        self._computed.remove(computed)
        keys = [key for key in self._made if key[1] == id(computed.account)]
        return [self._made.pop(key)[1] for key in keys]

    def get(self, account: K, make: Callable[[K], R]) -> R:
        """What `make` returned for this account, which it is called for once."""
        key = make, id(account)
        with self._lock:
            if key not in self._made:
                self._made[key] = account, make(account)  # kept, so that its id stays its own
            return self._made[key][1]  # type: ignore[no-any-return]

    def close(self) -> None:
        _close([made for _, made in self._made.values()])
        self._made.clear()


def _close(made: Iterable[Any]) -> None:
    for each in made:
        if close := getattr(each, "close", None):
            with suppress(Exception):  # the run is over, and what it wrote is committed
                close()
