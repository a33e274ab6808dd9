"""Objects in S3: the account, and names made of bucket and key."""

from __future__ import annotations

from typing import Any

from engine.sdk import (
    Account,
    Context,
    DataError,
    Document,
    Evaluated,
    FileName,
    Files,
    S3Account,
    setting,
)

S3 = "s3://"


def account_setting() -> Any:
    return setting(
        default=None,
        help="The account for names that begin with `s3://`. Without one, the keys of the "
        "environment are used, as other programs do.",
        example="warehouse",
    )


def bucket_setting() -> Any:
    return setting(
        help="The bucket, without `s3://`; its region may follow, as in `orders@eu-central-1`.",
        example="orders",
    )


def files_with(context: Context, account: Account[S3Account] | None) -> Files:
    """The files of the run; those in S3 are opened with the account."""
    if account is None:
        return context.files
    return context.files.using({"s3": _options(context.account(account))})


def _options(account: S3Account) -> dict[str, Any]:
    """The options of s3fs."""
    client = {"region_name": account.region, "endpoint_url": account.endpoint_url}
    given: dict[str, Any] = {
        "key": account.access_key_id,
        "secret": account.secret_key,
        "token": account.session_token,
        "anon": account.anonymous,
        "client_kwargs": {name: value for name, value in client.items() if value},
    }
    return {name: value for name, value in given.items() if value}


def object_name(
    context: Context,
    bucket: Evaluated[str],
    key: Evaluated[str],
    document: Document,
    *,
    allow_outside: bool,
) -> FileName:
    """The URL of an object. Data may add to the key, but not choose the bucket."""
    holder = context.file(bucket, document, allow_outside=allow_outside)
    named = context.file(key, document, allow_outside=allow_outside)
    name = holder.text.removeprefix(S3).strip("/").partition("@")[0]
    if not name or "/" in name:
        raise DataError(
            f"{holder.text!r} is not a bucket",
            "it is empty" if not name else "it contains a '/'",
            "write the bucket's name alone, and the rest in object_key",
        )
    text = f"{S3}{name}/{named.text.lstrip('/')}"
    if holder.literal is not None:
        return FileName(text, S3)
    if named.literal is not None:
        return FileName(text, f"{S3}{name}/{named.literal.lstrip('/')}")
    return FileName(text)
