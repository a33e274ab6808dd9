"""A pipeline of one snap, written as YAML as a user would write it, with a stand-in at every view.

The stand-ins are snaps of the test kit: one feeds each input view that has items, one receives the
items of each output view. So the snap is checked, planned and hosted as in a pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from engine.documents import Document, ViewType
from engine.errors import ConfigurationError
from engine.pipeline import PipelineSpec, parse
from engine.registry import Registry, SnapClass
from engine.sdk.results import Result
from engine.sdk.settings import Settings, setting
from engine.sdk.snap import Snap
from engine.sdk.views import ERROR_VIEW, View, Views

LABEL = "snap"
"""The label of the snap under test."""


class StandInSettings(Settings):
    type: ViewType = setting(default="document", help="What its view carries.")


class TestSource(Snap[StandInSettings]):
    """The start of a link to the snap; the test feeds the snap directly."""

    __test__ = False  # pytest would collect a class of this name

    @classmethod
    def views_for(cls, settings: StandInSettings) -> Views:
        return Views(inputs=(), outputs=(View("output", settings.type),))


class TestSink(Snap[StandInSettings]):
    """The end of a link from the snap; the test reads the snap's output directly."""

    __test__ = False

    @classmethod
    def views_for(cls, settings: StandInSettings) -> Views:
        return Views(inputs=(View("input", settings.type),), outputs=())

    def process(self, document: Document) -> Result:
        return None


def with_stand_ins(registry: Registry, snap: SnapClass) -> Registry:
    """The registry with this class in it, installed or not, and with the stand-ins."""
    classes: list[SnapClass] = [snap, TestSource, TestSink]
    return Registry({each.__name__: each for each in classes}, registry.files)


def spec_of(
    snap: SnapClass,
    settings: Mapping[str, Any],
    *,
    fed: Mapping[str, View],
    linked: Mapping[str, View],
    on_error: str,
    parameters: Sequence[str],
    project: Path,
) -> PipelineSpec:
    """The pipeline: `fed` are the input views with a source, `linked` the output views with a sink.

    Raises ConfigurationError if a setting is not a value that YAML has, or names what `run_snap`
    decides.
    """
    for key in ("snap", "mode"):
        if key in settings:
            raise ConfigurationError(f"{key!r} is not a setting of {snap.__name__}; leave it out")
    if on_error == "route":
        linked = {**linked, ERROR_VIEW.name: ERROR_VIEW}
    snaps: dict[str, Any] = {LABEL: {"snap": snap.__name__, "on_error": on_error, **settings}}
    links = []
    for name, view in fed.items():
        snaps[f"to_{name}"] = {"snap": "TestSource", "type": view.type}
        links.append(f"to_{name} -> {LABEL}.{name}")
    for name, view in linked.items():
        snaps[f"from_{name}"] = {"snap": "TestSink", "type": view.type}
        links.append(f"{LABEL}.{name} -> from_{name}")
    file = {
        "pipeline": "test",
        "parameters": {name: {} for name in parameters},
        "snaps": snaps,
        "links": links,
    }
    return parse(_as_yaml(file), str(project / "test.yaml"))


class _AliasFreeDumper(yaml.SafeDumper):
    """Writes repeated values out: an alias would hide the place of a mistake."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _written_decimal(dumper: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    """With its scale, and with a point, by which YAML tells a decimal from an integer."""
    digits, exponent, power = str(number).partition("E")
    point = "" if "." in digits else "."
    text = f"{digits}{point}{exponent}{power}"
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


_AliasFreeDumper.add_representer(Decimal, _written_decimal)


def _as_yaml(file: Mapping[str, Any]) -> str:
    plain = _plain(file, "")
    return yaml.dump(
        plain, Dumper=_AliasFreeDumper, sort_keys=False, allow_unicode=True, width=1_000_000
    )


def _plain(value: Any, place: str) -> Any:
    """The value, limited to types that YAML has without tags."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if value is None or isinstance(value, str | int | float | Decimal):
        return value
    raise ConfigurationError(
        f"the setting {place.removeprefix(f'.snaps.{LABEL}.')!r} is {value!r}, "
        f"a {type(value).__name__}; pass settings as in a pipeline file: "
        "strings, numbers, true, null, lists and maps"
    )
