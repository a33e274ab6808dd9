"""How the engine reads a pipeline file."""

import os
import pickle
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from engine.pipeline import PipelineSpec, load, parse

HOSTING = """\
pipeline: Model Hosting
description: Predicts the digit.
parameters:
  token: {required: true, secret: true, description: Callers send it}
  model: {default: models/digits.json}
  epochs: 12
  rate: 1.0
  careful: true
  nothing: null
libraries:
  geo: lib/geo.expr
snaps:
  read: {snap: FileReader, file: = _model, on_error: route}
  only here:
    snap: Mapper
    mode: execute_only
    mappings:
      $image: $content.params.image
      $['Access-Control-Allow-Origin']: "'*'"
links:
  - read -> only here
  - read.error -> only here.left -> last
"""


def codes(spec: PipelineSpec) -> list[str]:
    return [problem.code for problem in spec.problems]


def settings(text: str) -> object:
    """The value of a setting written as `text`."""
    return parse(f"snaps:\n  a:\n    snap: X\n    key: {text}\n").snaps["a"].settings["key"]


def test_reads_every_section() -> None:
    spec = parse(HOSTING, "pipelines/hosting.yaml")
    assert spec.problems == ()
    assert (spec.name, spec.path) == ("Model Hosting", "pipelines/hosting.yaml")
    assert spec.description == "Predicts the digit."
    assert spec.libraries[0].file == "lib/geo.expr"
    assert list(spec.snaps) == ["read", "only here"]
    assert spec.snaps["read"].settings == {"file": "= _model"}
    assert spec.snaps["read"].on_error == "route"
    assert spec.snaps["only here"].mode == "execute_only"
    assert spec.snaps["only here"].on_error is None


def test_is_called_like_its_file_if_it_has_no_name() -> None:
    assert parse("snaps: {a: {snap: X}}", "pipelines/model_building.yaml").name == "model_building"


def test_defaults_of_parameters_are_texts_as_written() -> None:
    parameters = {parameter.name: parameter for parameter in parse(HOSTING).parameters}
    assert parameters["epochs"].default == "12"
    assert parameters["rate"].default == "1.0"
    assert parameters["careful"].default == "true"
    assert parameters["nothing"].default is None
    assert parameters["token"].default is None
    assert parameters["token"].required
    assert parameters["token"].secret
    assert parameters["token"].description == "Callers send it"


def test_a_chain_of_links_names_input_views_in_its_middle() -> None:
    links = [(str(link.source), str(link.target)) for link in parse(HOSTING).links]
    assert links == [
        ("read", "only here"),
        ("read.error", "only here.left"),
        ("only here", "last"),
    ]


def test_the_place_of_each_end_of_a_link_is_exact() -> None:
    place = parse(HOSTING).links[1].target.where
    assert (place.line, place.column, place.length) == (22, 19, len("only here.left"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("=", "="),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("-12", -12),
        ("1.50", Decimal("1.50")),
        (".5", Decimal("0.5")),
        ("6e3", Decimal("6E+3")),
        ("1e999", Decimal("1E+999")),
        ("~", None),
        ("", None),
        ("True", True),
        ("'true'", "true"),
        ("!!str 12", "12"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_plain_values_follow_the_core_schema(text: str, value: object) -> None:
    assert repr(settings(text)) == repr(value)


@pytest.mark.parametrize(
    "text", [".nan", ".inf", "-.INF", "1e10001", "9" * 5000, "0x" + "9" * 5000]
)
def test_a_number_that_json_cannot_hold_is_refused(text: str) -> None:
    assert codes(parse(f"snaps: {{a: {{snap: X, n: {text}}}}}")) == ["bad-number"]


def test_merge_keys_fill_in_what_a_map_does_not_say() -> None:
    spec = parse(
        "snaps:\n  a: &base {snap: X, size: 1, name: a}\n  b:\n    <<: *base\n    name: b\n"
    )
    assert spec.problems == ()
    assert spec.snaps["b"].type == "X"
    assert spec.snaps["b"].settings == {"name": "b", "size": 1}


def test_keys_are_texts_whatever_they_look_like() -> None:
    spec = parse("snaps: {a: {snap: X, documents: [{1: a, true: b, null: c}]}}")
    assert spec.snaps["a"].settings == {"documents": [{"1": "a", "true": "b", "null": "c"}]}


def test_all_mistakes_of_shape_are_reported_at_once() -> None:
    spec = parse(
        "pipelin: x\n"
        "parameters: {a b: 1, x: {required: 1}}\n"
        "snaps:\n"
        "  a: {snap: X, on_error: halt}\n"
        "  a: {snap: Y}\n"
        "  b.c: {snap: Z}\n"
        "  d: [1]\n"
        "  e: {}\n"
        "links: [a, a -> , 7]\n"
    )
    assert Counter(codes(spec)) == {
        "duplicate-key": 1,
        "unknown-key": 1,
        "bad-name": 2,
        "wrong-type": 3,
        "missing-snap-type": 1,
        "bad-link": 3,
    }


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated() -> None:
    spec = parse(b"\xef\xbb\xbfsnaps:\r\n  a: {snap: X}\r\n  b: {snap: Y, z: 1}\r\n")
    assert spec.problems == ()
    assert str(spec.snaps["b"].where) == "pipeline.yaml:3:3"


def test_a_spec_survives_pickling() -> None:
    spec = parse(HOSTING)
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_a_file_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no pipeline file '.*nowhere\.yaml'"):
        load(tmp_path / "nowhere.yaml")


def test_a_folder_is_not_a_pipeline_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is a folder, not a pipeline file"):
        load(tmp_path)


def test_a_name_that_no_file_can_have_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="cannot read the pipeline file"):
        load("a\0b")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text("snaps: {}")
    path.chmod(0)
    with pytest.raises(
        ConfigurationError, match=r"cannot read the pipeline file .*: Permission denied"
    ):
        load(path)
