"""The kinds of accounts; those of the engine are in `builtin`, and a package may bring more.

A kind is a class of settings. A snap says which kinds its account may be: `account:
Account[BasicAccount]`. A kind of somebody else's needs no registration: the snaps that accept it
name it.
"""

from engine.sdk.accounts.base import AccountKind

__all__ = ["AccountKind"]
