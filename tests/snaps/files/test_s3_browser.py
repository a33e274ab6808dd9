from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ConfigurationError, SnapFailedError
from engine.sdk import S3Account


@pytest.fixture
def bucket(s3: Any) -> Any:
    s3.pipe({"/shop/2024/a.csv": b"1", "/shop/2024/deep/b.csv": b"22", "/shop/2023/c.csv": b""})
    s3.pipe({"/shop/2024/a.txt": b"", "/other/d.csv": b""})
    return s3


def keys(result: Any) -> list[str]:
    return [item["Key"] for item in result.output]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, ["2023/c.csv", "2024/a.csv", "2024/a.txt", "2024/deep/b.csv"]),
        ({"object_key": "2024/"}, ["2024/a.csv", "2024/a.txt", "2024/deep/b.csv"]),
        ({"object_key": "2024/a"}, ["2024/a.csv", "2024/a.txt"]),
        ({"object_key": "2024/", "filter": "*.csv"}, ["2024/a.csv"]),
        ({"filter": "**/*.csv", "max_keys": 2}, ["2023/c.csv", "2024/a.csv"]),
        ({"filter": "*.xml"}, []),
    ],
)
def test_objects_are_listed(
    run_snap: Any, bucket: Any, settings: dict[str, Any], found: list[str]
) -> None:
    assert keys(run_snap("S3Browser", {"bucket": "shop"} | settings)) == found


def test_an_object_is_described_and_has_the_input_as_original(run_snap: Any, bucket: Any) -> None:
    settings = {"bucket": "shop", "object_key": "= $p"}
    (item,) = run_snap("S3Browser", settings, [{"p": "2024/deep"}]).output
    assert item | {"Last modified": ""} == {
        "Bucket": "shop",
        "Key": "2024/deep/b.csv",
        "Size (in bytes)": 2,
        "Last modified": "",
        "ETag": "",
        "Storage class": "",
        "Path": "s3://shop/2024/deep/b.csv",
        "original": {"p": "2024/deep"},
    }


def test_an_empty_result_may_pass_the_document_on(run_snap: Any, bucket: Any) -> None:
    settings = {"bucket": "shop", "filter": "*.xml", "ignore_empty_result": False}
    assert run_snap("S3Browser", settings, [{"n": 1}]).output == [{"n": 1}]


def test_the_keys_of_the_account_are_used(run_snap: Any, bucket: Any) -> None:
    account = S3Account(access_key_id="id", secret_key="hush", region="eu-central-1")
    run_snap("S3Browser", {"bucket": "shop", "account": "mine"}, accounts={"mine": account})
    assert bucket.opened[-1] == {
        "key": "id",
        "secret": "hush",
        "client_kwargs": {"region_name": "eu-central-1"},
    }


def test_data_cannot_choose_the_bucket(run_snap: Any, bucket: Any) -> None:
    with pytest.raises(SnapFailedError, match="data must not set the host 'other'"):
        run_snap("S3Browser", {"bucket": "= $b"}, [{"b": "other"}])


def test_a_bucket_is_a_name(run_snap: Any, bucket: Any) -> None:
    with pytest.raises(SnapFailedError, match="'shop/2024' is not a bucket: it contains a '/'"):
        run_snap("S3Browser", {"bucket": "shop/2024"})


def test_max_keys_must_be_positive(run_snap: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_keys must be 1 or more"):
        run_snap("S3Browser", {"bucket": "shop", "max_keys": 0})
