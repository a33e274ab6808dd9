"""The values that a snap or caller may put into a document; others are refused on entry."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from engine import api
from engine.errors import ConfigurationError, SnapFailedError
from engine.sdk import Batch, Document, Settings, Snap
from engine.testing import run_snap
from tests.run.flowing import registry_with


class NoSettings(Settings):
    """Nothing to set."""


class Gives(Snap[NoSettings]):
    stateful = False
    document: ClassVar[Any]

    def process(self, document: Document) -> Any:
        return {**self.document, "n": document["n"]} if document["n"] else {"n": 0}


class GivesBatches(Gives):
    def process_batch(self, view: str, batch: Batch) -> Batch:
        return batch.with_items([self.process(document) for document in batch.items])


class GivesInTheEnd(Snap[NoSettings]):
    def process(self, document: Document) -> None:
        return None

    def finish(self) -> Any:
        return [{"tags": {1, 2}}]


class Odd:
    """Nothing that JSON has."""


both = pytest.mark.parametrize("snap", [Gives, GivesBatches])


@both
@pytest.mark.parametrize(
    ("value", "path", "kind"),
    [
        ({1, 2}, "$.a", "set"),
        ({"b": [1, {"c": Odd()}]}, "$.a.b[1].c", "Odd"),
        ({"first name": frozenset()}, "$.a['first name']", "frozenset"),
        (iter(()), "$.a", "tuple_iterator"),
        (1 + 2j, "$.a", "complex"),
    ],
)
def test_an_invalid_value_names_snap_path_and_type(
    snap: type[Gives], value: Any, path: str, kind: str
) -> None:
    Gives.document = {"a": value}
    with pytest.raises(SnapFailedError) as caught:
        run_snap(snap, {}, [{"n": 1}])
    assert "snap 'snap'" in str(caught.value)
    assert f"{path} has a value of the type {kind!r}" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ({1}, "write sorted(value) or list(value)"),
        (range(3), "write list(value)"),
        ({"a": 1}.values(), "write list(value)"),
        (bytearray(b"x"), "write bytes(value)"),
        (Odd(), "convert it to one of these, for example with str()"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_invalid_value_gets_a_remedy(value: Any, advice: str) -> None:
    Gives.document = {"a": value}
    with pytest.raises(SnapFailedError, match=f"hint: {re.escape(advice)}"):
        run_snap(Gives, {}, [{"n": 1}])


@both
def test_an_invalid_value_fails_only_its_document(snap: type[Gives]) -> None:
    Gives.document = {"a": {1}}
    result = run_snap(snap, {}, [{"n": 0}, {"n": 1}, {"n": 0}], on_error="route")
    assert result.output == [{"n": 0}, {"n": 0}]
    assert result.errors[0]["original"] == {"n": 1}


@both
def test_a_key_that_is_not_a_string_is_refused(snap: type[Gives]) -> None:
    Gives.document = {"a": {1: "one"}}
    with pytest.raises(SnapFailedError, match=r"\$\.a has the key 1"):
        run_snap(snap, {}, [{"n": 1}])


@both
@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Decimal("NaN"), r"\$\.a\[0\] is the decimal NaN"),
        (Decimal("-Infinity"), r"\$\.a\[0\] is the decimal -Infinity"),
        (Decimal("1E+10001"), r"the exponent of 1E\+10001 is out of range; the limit is 10,000"),
        (Decimal("7" * 4301), r"the number has 4,301 digits; the limit is 4,300"),
    ],
)
def test_a_decimal_must_be_a_number_within_the_bounds(
    snap: type[Gives], value: Decimal, says: str
) -> None:
    Gives.document = {"a": [value]}
    with pytest.raises(SnapFailedError, match=says):
        run_snap(snap, {}, [{"n": 1}])


@both
def test_a_document_that_contains_itself_is_refused(snap: type[Gives]) -> None:
    endless: list[Any] = []
    endless.append(endless)
    Gives.document = {"a": endless}
    with pytest.raises(SnapFailedError, match="is nested too deeply"):
        run_snap(snap, {}, [{"n": 1}])


@both
def test_tuples_and_other_maps_become_lists_and_maps(snap: type[Gives]) -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    kept = {"s": "x", "i": 1, "f": 1.5, "b": True, "z": None, "y": b"x", "d": when}
    Gives.document = {
        **kept,
        "e": Decimal("1.50"),
        "t": (1, (2,)),
        "m": [MappingProxyType({"o": OrderedDict(a=1)})],
    }
    (document,) = run_snap(snap, {}, [{"n": 1}]).output
    assert document == {**kept, "e": Decimal("1.50"), "t": [1, [2]], "m": [{"o": {"a": 1}}], "n": 1}
    assert type(document["m"][0]["o"]) is dict


class Text(str):
    """A string as an XML parser returns it."""


class Real(float):
    """A number as numpy returns it."""


class Level(IntEnum):
    HIGH = 3


class Colour(StrEnum):
    RED = "red"


class Rows(list[Any]):
    """A list as an HTML parser returns it."""


DERIVED: list[tuple[Any, Any]] = [
    (Text("x"), "x"),
    (Real(1.5), 1.5),
    (Level.HIGH, 3),
    (Colour.RED, "red"),
    (Rows([Text("x")]), ["x"]),
    ({Text("key"): Text("x")}, {"key": "x"}),
]


@both
@pytest.mark.parametrize(("given", "plain"), DERIVED)
def test_values_of_derived_classes_become_plain(
    snap: type[Gives], given: Any, plain: Any, tmp_path: Path
) -> None:
    Gives.document = {"a": given}
    (tmp_path / "pipeline.yaml").write_text(f"""
    snaps:
      make: {{snap: {snap.__name__}}}
      script: {{snap: RemotePythonScript, source: 'def snaplogic_process(row): return row'}}
      format: {{snap: JSONFormatter, json_lines: true}}
      write: {{snap: FileWriter, file: out.json}}
    links: [make -> script -> format -> write]
    """)
    (document,) = run_snap(snap, {}, [{"n": 1}]).output
    assert document["a"] == plain
    assert type(document["a"]) is type(plain)
    api.run(tmp_path / "pipeline.yaml", inputs={"make": [{"n": 1}]}, registry=registry_with(snap))
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": plain, "n": 1}


@pytest.mark.parametrize("item", [{"a": {1, 2}}, {1: "one"}, {"a": Odd()}])
def test_a_test_cannot_give_invalid_documents(item: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"a document for the view 'input': .*(type|key)"):
        run_snap("Filter", {"filter": "true"}, [item])


def test_a_test_may_give_its_documents_one_by_one() -> None:
    given: Any = ({"n": number} for number in range(3))
    assert run_snap("Filter", {"filter": "$n > 1"}, given).output == [{"n": 2}]


@pytest.mark.parametrize("key", ["snap", "mode"])
def test_an_option_of_run_snap_is_not_a_setting(key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{key}' is not a setting of Filter"):
        run_snap("Filter", {"filter": "true", key: "disabled"}, [{}])


def test_documents_from_finish_are_checked() -> None:
    with pytest.raises(SnapFailedError, match=r"\$\.tags has a value of the type 'set'"):
        run_snap(GivesInTheEnd, {}, [{"n": 1}])


def test_the_inputs_of_a_python_caller_are_checked_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("snaps: {one: {snap: Filter, filter: 'true'}}")
    documents: list[Any] = [{"a": 1}, {"a": {"b": {1, 2}}}]
    says = r"document 2 of the input 'one': \$\.a\.b has a value of the type 'set'"
    with pytest.raises(ConfigurationError, match=says):
        api.run(tmp_path / "pipeline.yaml", inputs={"one": documents})


def test_tuples_of_a_python_caller_become_lists(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("snaps: {one: {snap: Mapper, mappings: {$b: '$a[1]'}}}")
    report = api.run(tmp_path / "pipeline.yaml", inputs={"one": [{"a": (1, 2)}]})
    assert report.outputs == {"one.output": [{"b": 2}]}
