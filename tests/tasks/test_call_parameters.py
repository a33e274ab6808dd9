"""Parameters of a triggered run: from the query, the headers, the task and facts of the call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.tasks.pool.job import JobError
from engine.tasks.triggered.call_parameters import call_parameters, caller_values
from engine.tasks.wire.messages import Headers
from tests.tasks.hosting import plan_of, request

WITH_PARAMETERS = """
parameters:
  color: {default: red}
  COLOR: {default: red}
  X_TENANT_ID: {}
  token: {secret: true, default: hidden}
  PATH_INFO: {}
  REMOTE_USER: {default: nobody}
  REMOTE_ADDR: {}
  REMOTE_PORT: {}
  REQUEST_METHOD: {}
  QUERY_STRING: {}
snaps: {one: {snap: Mapper, mappings: {$color: _color}}}
"""


@pytest.fixture
def parameters(tmp_path: Path) -> Any:
    plan = plan_of(tmp_path, WITH_PARAMETERS)

    def of_call(query: str = "", headers: Headers | None = None, **given: str) -> dict[str, str]:
        call = request(query=query, headers=headers, method="PUT", path_info="/a/b")
        return call_parameters(plan, given, caller_values(plan, call))

    return of_call


def test_query_goes_before_headers_before_the_task_before_defaults(parameters: Any) -> None:
    header = [("color", "blue")]
    assert parameters("COLOR=green", header, COLOR="white")["COLOR"] == "green"
    assert parameters("", header, COLOR="white")["COLOR"] == "blue"
    assert parameters("", [], COLOR="white")["COLOR"] == "white"
    assert "COLOR" not in parameters()


def test_query_values_are_decoded_and_the_first_of_a_name_counts(parameters: Any) -> None:
    assert parameters("color=a%20b+%C3%A4&color=other")["color"] == "a b ä"
    assert parameters("color=")["color"] == ""


def test_undeclared_parameters_are_ignored(parameters: Any) -> None:
    assert "size" not in parameters("size=3", [("x-size", "4")])


def test_a_header_gives_the_parameter_of_its_name(parameters: Any) -> None:
    assert parameters("", [("x-tenant-id", "t1")])["X_TENANT_ID"] == "t1"


def test_a_header_with_an_underscore_is_not_a_parameter(parameters: Any) -> None:
    assert "X_TENANT_ID" not in parameters("", [("x_tenant_id", "t1")])


def test_a_caller_cannot_give_a_secret(parameters: Any) -> None:
    assert "token" not in parameters("token=guess", [("token", "guess")])
    assert parameters("token=guess", token="real")["token"] == "real"


def test_facts_of_the_call_cannot_be_forged(parameters: Any) -> None:
    query = "REMOTE_ADDR=1.1.1.1&PATH_INFO=/x&REQUEST_METHOD=GET&REMOTE_PORT=1&REMOTE_USER=root"
    headers = [("remote-addr", "1.1.1.1"), ("remote-user", "root"), ("query-string", "")]
    assert parameters(query, headers) == {
        "PATH_INFO": "/a/b",
        "REMOTE_ADDR": "10.0.0.7",
        "REMOTE_PORT": "4711",
        "REQUEST_METHOD": "PUT",
        "QUERY_STRING": query,
    }


def test_the_task_may_say_who_the_user_is(parameters: Any) -> None:
    assert parameters("REMOTE_USER=root", REMOTE_USER="ada")["REMOTE_USER"] == "ada"


def test_a_missing_required_parameter_is_named(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        "parameters: {day: {required: true, description: Which one}}\n"
        "snaps: {one: {snap: Mapper, mappings: {$a: _day}}}",
    )
    with pytest.raises(JobError) as caught:
        call_parameters(plan, {}, caller_values(plan, request()))
    assert caught.value.failure.status == 400
    assert caught.value.failure.reason == "the parameter 'day' is required (Which one)"
