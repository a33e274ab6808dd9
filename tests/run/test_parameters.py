"""Parameter values: given, default, environment; every mistake at once."""

from __future__ import annotations

import pytest

from engine.errors import ConfigurationError
from engine.locations import Location
from engine.pipeline.spec import ParameterSpec
from engine.run.parameters import resolve_parameters

HERE = Location("pipeline.yaml")


def test_takes_the_given_value_before_the_default() -> None:
    declared = [ParameterSpec("a", HERE, default="1"), ParameterSpec("b", HERE, default="2")]
    assert resolve_parameters(declared, {"a": "9"}) == {"a": "9", "b": "2"}


def test_a_parameter_without_value_is_null() -> None:
    assert resolve_parameters([ParameterSpec("a", HERE)], {}) == {"a": None}


def test_names_all_missing_and_unknown_parameters_at_once() -> None:
    declared = [
        ParameterSpec("token", HERE, required=True, description="who calls"),
        ParameterSpec("epochs", HERE, default="3"),
    ]
    with pytest.raises(ConfigurationError) as caught:
        resolve_parameters(declared, {"epoch": "1"})
    text = str(caught.value)
    assert "no parameter 'epoch'; did you mean 'epochs'?" in text
    assert "'token' is required (who calls); on the command line, give --param token=VALUE" in text


def test_a_required_secret_may_not_be_empty() -> None:
    declared = [ParameterSpec("token", HERE, required=True, secret=True)]
    with pytest.raises(ConfigurationError, match="'token' is empty, so it protects nothing"):
        resolve_parameters(declared, {"token": ""})


def test_a_required_parameter_that_is_not_secret_may_be_empty() -> None:
    declared = [ParameterSpec("suffix", HERE, required=True)]
    assert resolve_parameters(declared, {"suffix": ""}) == {"suffix": ""}


def test_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "abc")
    declared = [ParameterSpec("token", HERE, default="Bearer ${env:MY_TOKEN}")]
    assert resolve_parameters(declared, {}) == {"token": "Bearer abc"}


def test_refuses_an_environment_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    declared = [ParameterSpec("token", HERE, default="${env:NO_SUCH}")]
    with pytest.raises(ConfigurationError, match="'NO_SUCH', which is not set"):
        resolve_parameters(declared, {})


def test_a_caller_cannot_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "abc")
    declared = [ParameterSpec("name", HERE, default="x")]
    assert resolve_parameters(declared, {"name": "${env:MY_TOKEN}"}) == {"name": "${env:MY_TOKEN}"}
