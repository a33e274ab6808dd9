from __future__ import annotations

from typing import Any

import pytest

from engine.documents import StreamEnd, StreamStart
from engine.sdk import S3Account

ACCOUNT = {"mine": S3Account(access_key_id="id", secret_key="hush")}


def test_each_stream_becomes_an_object(run_snap: Any, s3: Any, stream: Any) -> None:
    given = [*stream(b"hel", b"lo", name="a.txt"), *stream(b"B", name="b.txt")]
    settings = {"bucket": "shop", "object_key": "= 'in/' + $name", "account": "mine"}
    result = run_snap("S3Upload", settings, given, accounts=ACCOUNT)
    assert s3.cat("/shop/in/a.txt") == b"hello"
    assert result.output[0] == {
        "bucket": "shop",
        "object_key": "in/a.txt",
        "path": "s3://shop/in/a.txt",
        "status": "uploaded",
        "size": 5,
        "original": {"name": "a.txt"},
    }
    assert s3.opened[-1] == {"key": "id", "secret": "hush"}


def test_an_empty_stream_is_ignored_unless_asked_for(run_snap: Any, s3: Any, stream: Any) -> None:
    settings = {"bucket": "shop", "object_key": "a"}
    assert run_snap("S3Upload", settings, stream()).output[0]["status"] == "ignored"
    assert not s3.exists("/shop/a")
    run_snap("S3Upload", settings | {"write_empty_file": True}, stream())
    assert s3.cat("/shop/a") == b""


def test_a_broken_stream_leaves_no_object(run_snap: Any, s3: Any) -> None:
    given = [StreamStart({}), b"half", StreamEnd(broken=True)]
    run_snap("S3Upload", {"bucket": "shop", "object_key": "a"}, given)
    assert not s3.exists("/shop/a")


def test_a_file_writer_writes_to_the_urls_of_the_platform(
    run_snap: Any, s3: Any, stream: Any
) -> None:
    settings = {"file": "s3:///shop/a.txt", "account": "mine"}
    (result,) = run_snap("FileWriter", settings, stream(b"A"), accounts=ACCOUNT).output
    assert (result["filename"], result["result"]) == ("s3://shop/a.txt", "created")
    assert s3.cat("/shop/a.txt") == b"A"


def test_a_refused_object_fails_its_stream_alone(
    run_snap: Any, s3: Any, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = type(s3).open

    def refuse(self: Any, path: str, *arguments: Any, **options: Any) -> Any:
        if "secret" in path:
            raise PermissionError("Access Denied")
        return opened(self, path, *arguments, **options)

    monkeypatch.setattr(type(s3), "open", refuse)
    given = [*stream(b"A", name="secret"), *stream(b"B", name="b")]
    settings = {"bucket": "shop", "object_key": "= $name"}
    result = run_snap("S3Upload", settings, given, on_error="route")
    assert [document["object_key"] for document in result.output] == ["b"]
    [error] = result.errors
    assert "s3://shop/secret" in error["error"]
    assert error["reason"] == "permission denied"
    assert error["original"] == {"name": "secret"}
