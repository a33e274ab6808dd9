"""Accounts of S3 and of servers that speak its protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from engine.sdk.accounts.base import AccountKind
from engine.sdk.settings import Issue, setting


class S3Account(AccountKind):
    """Keys for Amazon S3, or for a server that speaks its protocol."""

    kind: ClassVar[str] = "s3"
    about: ClassVar[str] = """
    Without keys, those of the environment are used: the usual variables, files and roles of AWS.
    """
    access_key_id: str = setting(
        default="", help="The id of the access key.", example="${env:AWS_ACCESS_KEY_ID}"
    )
    secret_key: str = setting(
        default="", help="The secret key.", example="${env:AWS_SECRET_ACCESS_KEY}", secret=True
    )
    session_token: str = setting(
        default="", help="The token of a temporary key.", example="${env:TOKEN}", secret=True
    )
    region: str = setting(default="", help="The region of the buckets.", example="eu-central-1")
    endpoint_url: str = setting(
        default="", help="The address of another server.", example="http://localhost:9000"
    )
    anonymous: bool = setting(default=False, help="Read public buckets without any key.")

    def issues(self) -> Iterable[Issue]:
        if bool(self.access_key_id) != bool(self.secret_key):
            missing = "secret_key" if self.access_key_id else "access_key_id"
            yield Issue((), f"{missing!r} is missing", "give both keys, or neither")
        if self.anonymous and self.access_key_id:
            yield Issue(("anonymous",), "an anonymous account has no keys", "remove one of them")
