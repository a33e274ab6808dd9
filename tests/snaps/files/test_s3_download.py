from __future__ import annotations

from typing import Any

import pytest

from engine.errors import SnapFailedError
from engine.sdk import S3Account


def test_objects_are_downloaded_one_for_each_document(run_snap: Any, s3: Any, content: Any) -> None:
    s3.pipe({"/shop/a.csv": b"A", "/shop/b.csv": b"B"})
    settings = {"bucket": "shop@eu-central-1", "object_key": "= $key"}
    given = [{"key": "b.csv"}, {"key": "gone.csv"}, {"key": "a.csv"}]
    result = run_snap("S3Download", settings, given, on_error="route")
    assert content(result.output) == b"BA"
    header = result.output[0].header
    assert header["content-location"] == "s3://shop/b.csv"
    assert header["content-length"] == 1
    assert [error["reason"] for error in result.errors] == ["the file does not exist"]


def test_a_file_reader_reads_objects_by_the_urls_of_the_platform(
    run_snap: Any, s3: Any, content: Any
) -> None:
    s3.pipe("/shop/a.csv", b"A")
    account = S3Account(endpoint_url="http://127.0.0.1:9000", anonymous=True)
    settings = {"file": "= 's3:///shop/' + $key", "account": "mine"}
    result = run_snap("FileReader", settings, [{"key": "a.csv"}], accounts={"mine": account})
    assert content(result.output) == b"A"
    assert s3.opened[-1] == {
        "anon": True,
        "client_kwargs": {"endpoint_url": "http://127.0.0.1:9000"},
    }


@pytest.mark.parametrize("key", ["../other/a.csv", "%2e%2e/other/a.csv"])
def test_data_cannot_leave_the_bucket(run_snap: Any, s3: Any, key: str) -> None:
    s3.pipe("/other/a.csv", b"A")
    with pytest.raises(SnapFailedError, match="it leads out of 's3://shop/'"):
        run_snap("S3Download", {"bucket": "shop", "object_key": "= $key"}, [{"key": key}])
