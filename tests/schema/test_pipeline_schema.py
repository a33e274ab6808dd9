"""The schema of pipelines accepts what the engine accepts, and sees mistakes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.pipeline import parse
from engine.plan import check_spec
from engine.reference.settings import setting_entries
from engine.registry import Registry, discover
from engine.schema import schema_text
from engine.sdk import Settings, Snap, setting
from engine.sdk.conversion import convert
from engine.sdk.settings import SettingFacts, settings_of
from tests.schema.conftest import Mistakes, Schemas

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT.parent / "shared" / "golden").glob("*/pipeline.slp"))
SHAPE = {
    "bad-link", "bad-name", "expression-syntax", "missing-setting", "missing-snap-type",
    "missing-snaps", "platform-export", "unknown-key", "unknown-setting", "unknown-snap",
    "unsupported-snap", "wrong-type",
}  # fmt: skip
"""The codes of mistakes that a schema can see."""
VALUES: list[Any] = [
    None, True, 5, -3, Decimal("1.5"), "", "x", "5", "= $a", [], ["x"], [1], [None], ["= $a"], [[]],
    [{}], [{"a": 1}], {}, {"a": 1}, {"a": None}, {"a": "x"}, {"a": "= $b"}, {"a": ["x"]},
]  # fmt: skip


def texts() -> Iterator[tuple[str, str]]:
    """The pipelines of the repository and of its guides, valid ones and others."""
    folders = ("pipelines", "tests/diagnostics", "engine/cli/templates")
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.yaml")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if re.search(r"^snaps:", text, re.MULTILINE) and ".test." not in path.name:
            yield str(path.relative_to(ROOT)), text
    for page in (ROOT / "docs").glob("*.md"):
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
            if re.search(r"^snaps:", block, re.MULTILINE):
                yield page.name, block


def false_alarms(name: str, text: str, registry: Registry, mistakes: Mistakes) -> list[str]:
    """What the schema refuses although `engine validate` finds no mistake in keys and types."""
    spec = parse(text, name)
    if spec.source.root is None or any(each.code.startswith("yaml-") for each in spec.problems):
        return []  # an editor reports that itself
    problems = check_spec(spec, registry)
    codes = {problem.code for problem in problems if problem.severity == "error"}
    return [] if codes & SHAPE else [f"{name} {path}" for path in mistakes("pipeline", text)]


def test_no_pipeline_of_the_repository_is_refused(mistakes: Mistakes) -> None:
    registry, found = discover(), dict(texts())
    assert len(found) > 60
    assert [alarm for each in texts() for alarm in false_alarms(*each, registry, mistakes)] == []


@pytest.mark.skipif(not GOLDEN, reason="the golden cases are not beside the repository")
def test_no_imported_pipeline_is_refused(mistakes: Mistakes, tmp_path: Path) -> None:
    registry = discover()
    for export in GOLDEN:
        folder = tmp_path / export.parent.name
        main(["import", str(export), "-o", str(folder)])
        for file in folder.rglob("*.yaml"):
            text = file.read_text(encoding="utf-8")
            if re.search(r"^snaps:", text, re.MULTILINE):
                assert false_alarms(str(file), text, registry, mistakes) == []


def test_no_example_of_a_snap_is_refused(schemas: Schemas) -> None:
    snap = schemas["pipeline"].evolve(schema={"$ref": "#/$defs/snap", **_definitions(schemas)})
    refused = [
        (name, error.message)
        for name, found in discover().items()
        for example in found.examples
        for error in snap.iter_errors({"snap": name, **example.settings})
    ]
    assert refused == []


def test_the_schema_accepts_the_values_that_the_engine_accepts(schemas: Schemas) -> None:
    """Each setting of each snap with values of all types: both agree on every one."""
    definitions = schemas["pipeline"].schema["$defs"]
    differing = []
    for name, snap in discover().items():
        for fact in settings_of(snap.settings_class).values():
            property_ = definitions[name]["properties"][fact.name]
            validator = schemas["pipeline"].evolve(schema={**property_, "$defs": definitions})
            for value in values_for(snap.settings_class, fact):
                issues = convert(snap.settings_class, {fact.name: value})[1]
                is_accepted = not any(issue.path[:1] == (fact.name,) for issue in issues)
                if validator.is_valid(value) != is_accepted:
                    differing.append((name, fact.name, value, is_accepted))
    assert differing == []


def values_for(cls: type[Settings], fact: SettingFacts) -> Iterator[Any]:
    """Values of all types, its example, and its choices in several spellings."""
    yield from (value for value in VALUES if value is not None or not fact.required)
    if fact.example is not None:
        yield fact.example
    entry = next(each for each in setting_entries(cls) if each.name == fact.name)
    for choice in entry.choices:
        yield from (choice, choice.upper(), f"{choice}s", f"={choice}")


def _definitions(schemas: Schemas) -> dict[str, Any]:
    return {"$defs": schemas["pipeline"].schema["$defs"]}


def in_snap(line: str) -> str:
    return f"snaps:\n  a:\n    {line}\n"


MISTAKES = [
    ("snap: {}\n", "$"),
    ("snaps: {}\n", "$.snaps"),
    ("snaps: [{snap: Copy}]\n", "$.snaps"),
    ("steps: {}\nsnaps: {a: {snap: Copy}}\n", "$"),
    ("lenient: maybe\nsnaps: {a: {snap: Copy}}\n", "$.lenient"),
    ("parameters: {a: {defualt: 1}}\nsnaps: {a: {snap: Copy}}\n", "$.parameters.a"),
    ("parameters: {_a: 1}\nsnaps: {a: {snap: Copy}}\n", "$.parameters"),
    ("error_pipeline: {pipline: a}\nsnaps: {a: {snap: Copy}}\n", "$.error_pipeline"),
    ("snaps: {a.b: {snap: Copy}}\n", "$.snaps"),
    ("snaps: {a: {snap: Copy}}\nlinks: [a b]\n", "$.links[0]"),
    ("snaps: {a: {snap: Copy}}\nlinks: [a ->]\n", "$.links[0]"),
    ("snaps: {a: {snap: Copy}}\nlinks: [{a: b}]\n", "$.links[0]"),
    (in_snap("type: Copy"), "$.snaps.a"),
    (in_snap("snap: Coppy"), "$.snaps.a.snap"),
    (in_snap("{snap: Copy, on_error: ignore}"), "$.snaps.a.on_error"),
    (in_snap("{snap: Copy, mode: off}"), "$.snaps.a.mode"),
    (in_snap("{snap: Copy, open_output: yes}"), "$.snaps.a.open_output"),
    (in_snap("{snap: Copy, copies: 2}"), "$.snaps.a"),
    (in_snap("snap: Filter"), "$.snaps.a"),
    (in_snap("{snap: Filter, filter: = $a}"), "$.snaps.a.filter"),
    (in_snap("{snap: Filter, filter: $a, null_safe_acess: true}"), "$.snaps.a"),
    (in_snap("{snap: Filter, filter: $a, null_safe_access: 1}"), "$.snaps.a.null_safe_access"),
    (in_snap("{snap: FileWriter, file: a, file_action: owerwrite}"), "$.snaps.a.file_action"),
    (in_snap("{snap: Mapper, mappings: [{expresion: $a, target: $b}]}"), "$.snaps.a.mappings"),
    (in_snap("{snap: Sort, sort: [$a, {path: $b, order: down}]}"), "$.snaps.a"),
]


@pytest.mark.parametrize(("text", "place"), MISTAKES)
def test_a_mistake_is_refused_where_it_is(text: str, place: str, mistakes: Mistakes) -> None:
    assert place in mistakes("pipeline", text)


@pytest.mark.parametrize(
    "text",
    [
        "description:\nparameters:\nlibraries:\nlinks:\nsnaps: {a: {snap: Copy, label: }}\n",
        "parameters: {a: , b: 1.50, größe: {required: true}}\nsnaps: {a: {snap: Copy}}\n",
        "snaps: {my first: {snap: Copy}}\nlinks: ['my first.output0->  b.left -> c']\n",
        "error_pipeline: = _handler\nsnaps: {a: {snap: Copy}}\n",
        "error_pipeline: {pipeline: e, parameters: {n: = pipe.label}}\nsnaps: {a: {snap: Copy}}\n",
        in_snap("{snap: com-snaplogic-snaps-salesforce-read, mode: disabled, object: Lead}"),
        in_snap("{snap: FileWriter, file: = _file, file_action: OVERWRITE}"),
        in_snap("{snap: Filter, filter: true, null_safe_access: }"),
        "snaps: {a: &a {snap: Filter, filter: $a}, b: {<<: *a, on_error: discard}}\n",
    ],
)
def test_what_the_engine_accepts_is_not_refused(text: str, mistakes: Mistakes) -> None:
    assert mistakes("pipeline", text) == []
    problems = check_spec(parse(text), discover())
    assert {each.code for each in problems if each.severity == "error"} & SHAPE == set()


class Part(Settings):
    path: str = setting(help="Where.")


class PathSettings(Settings):
    parts: tuple[Part, ...] = setting(help="Parts with a path.")


class ByPath(Snap[PathSettings]):
    pass


class _Other:
    class Part(Settings):
        size: int = setting(help="How long.")


class SizeSettings(Settings):
    parts: tuple[_Other.Part, ...] = setting(help="Parts with a size.")


class BySize(Snap[SizeSettings]):
    pass


def test_rows_of_the_same_name_in_two_snaps_stay_apart() -> None:
    schema = json.loads(schema_text("pipeline", Registry({"ByPath": ByPath, "BySize": BySize})))
    definitions = schema["$defs"]
    rows = [
        definitions[definitions[name]["properties"]["parts"]["items"]["$ref"][8:]]["properties"]
        for name in ("ByPath", "BySize")
    ]
    assert [list(row) for row in rows] == [["path"], ["size"]]


def test_an_account_is_the_name_of_one(mistakes: Mistakes) -> None:
    assert mistakes("pipeline", in_snap("{snap: SQLTableList, account: db}")) == []
    text = in_snap("{snap: SQLTableList, account: {host: h}}")
    assert "$.snaps.a.account" in mistakes("pipeline", text)
