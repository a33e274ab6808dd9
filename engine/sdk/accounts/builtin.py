"""The kinds of accounts that come with the engine."""

from __future__ import annotations

from engine.sdk.accounts.base import AccountKind
from engine.sdk.accounts.rest import BasicAccount, BearerAccount, HeaderAccount, OAuth2Account
from engine.sdk.accounts.s3 import S3Account
from engine.sdk.accounts.smtp import SmtpAccount
from engine.sdk.accounts.sql import SqlAccount

BUILTIN_KINDS: tuple[type[AccountKind], ...] = (
    BasicAccount,
    BearerAccount,
    HeaderAccount,
    OAuth2Account,
    SqlAccount,
    S3Account,
    SmtpAccount,
)
