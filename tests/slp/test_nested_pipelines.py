"""Pipelines that use other pipelines find them, and their views, under their new names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import api
from engine.cli import main
from engine.testing import run_pipeline
from tests.slp.exports import (
    GENERATOR,
    Json,
    export,
    expression,
    mapper,
    snap,
    value,
    write,
)

NESTED = "com-snaplogic-subpipeline"
EXECUTE = "com-snaplogic-snaps-flow-pipeexec"


def generator(rows: str) -> Json:
    return snap(GENERATOR, "Rows", {"editable_content": value(rows)}, inputs={})


def nested(label: str) -> Json:
    parameters = [{"key": value("unit"), "value": value("kg")}]
    stored = snap(
        NESTED,
        label,
        {"param_table": value(parameters), "delivery_options": value({"mode": value("Best")})},
        inputs={"x1_input0": {"label": value("Tidy Up - input0"), "view_type": value("document")}},
        outputs={"x2_output0": {"label": value("Mark - output0"), "view_type": value("document")}},
        on_error="none",
    )
    stored["property_map"]["info"]["pipe_ref"] = value({"label": value(label)})
    return stored


def child() -> Json:
    return export(
        {
            "x1": mapper("Tidy Up", [("$n", "$n")]),
            "x2": mapper("Mark", [("$n + _unit", "$text")]),
        },
        ["x1 x2"],
        parameters=[{"key": "unit", "value": "g"}],
    )


def imported(tmp_path: Path, **files: Json) -> Path:
    for name, content in files.items():
        write(tmp_path, f"in/{name.replace('_', ' ')}.slp", content)
    assert main(["import", str(tmp_path / "in"), "-o", str(tmp_path / "project")]) == 0
    return tmp_path / "project"


def parent(inner: Json, out: str = "x2_output0", into: str = "x1_input0") -> Json:
    snaps = {
        "g": generator('[{"n": 1}, {"n": 2}]'),
        "c": inner,
        "e": mapper("End", [("$text", "$t")]),
    }
    return export(snaps, [f"g c:{into}", f"c:{out} e"])


def test_a_nested_pipeline_runs_as_a_part_of_its_parent(tmp_path: Path) -> None:
    project = imported(tmp_path, Add_Units=child(), Main=parent(nested("Add Units")))
    text = (project / "main.yaml").read_text()
    assert (
        """
  add_units:
    snap: NestedPipeline
    pipeline: add_units.yaml
    parameters: {unit: kg}
    inputs: {input: tidy_up.input}
    outputs: {output: mark.output}
"""
        in text
    )
    assert "  - rows -> add_units -> end\n" in text
    assert run_pipeline(project / "main.yaml").output == [{"t": "1kg"}, {"t": "2kg"}]


def test_the_views_of_a_pipeline_that_is_not_at_hand_are_derived_from_their_labels(
    tmp_path: Path,
) -> None:
    project = imported(tmp_path, Main=parent(nested("Gone")))
    assert (
        "    inputs: {input: tidy_up.input}\n    outputs: {output: mark.output}\n"
        in (project / "main.yaml").read_text()
    )


def test_a_nested_pipeline_survives_export_and_import(tmp_path: Path) -> None:
    project = imported(tmp_path, Add_Units=child(), Main=parent(nested("Add Units")))
    for name in ("main", "add_units"):
        target = str(tmp_path / "out" / f"{name}.slp")
        (tmp_path / "out").mkdir(exist_ok=True)
        assert main(["export", str(project / f"{name}.yaml"), "-o", target]) == 0
    again = tmp_path / "again"
    assert main(["import", str(tmp_path / "out"), "-o", str(again)]) == 0
    for name in ("main", "add_units"):
        assert (again / f"{name}.yaml").read_text() == (project / f"{name}.yaml").read_text()


def execute(pipeline: Any) -> Json:
    settings = {
        "pipeline": pipeline,
        "params": value([{"paramName": value("unit"), "paramValue": expression("'t'")}]),
        "reuse": value(False),
        "poolSize": value(1),
        "timeout": value(0),
    }
    return snap(EXECUTE, "Call it", settings)


def test_a_pipeline_that_is_executed_is_found_under_its_file(tmp_path: Path) -> None:
    inner = execute(expression('"../shared/Add Units"'))
    project = imported(tmp_path, Add_Units=child(), Main=parent(inner, "output0", "input0"))
    text = (project / "main.yaml").read_text()
    assert (
        """
    snap: PipelineExecute
    pipeline: add_units.yaml
    parameters: {unit: t}
"""
        in text
    )
    assert run_pipeline(project / "main.yaml").output == [{"t": "1t"}, {"t": "2t"}]


def test_an_error_pipeline_gets_its_parameters(tmp_path: Path) -> None:
    failing = export(
        {"a": mapper("Fail", [("$gone", "$n")])},
        settings={
            "error_pipeline": value("Handle Errors"),
            "error_param_table": value(
                [{"key": value("where"), "value": expression("pipe.label")}]
            ),
        },
    )
    handler = export(
        {"h": mapper("Handle", [("_where + ': ' + $snap_details.label", "$what")])},
        parameters=[{"key": "where", "value": None}],
    )
    project = imported(tmp_path, Main=failing, Handle_Errors=handler)
    text = (project / "main.yaml").read_text()
    assert (
        """
error_pipeline:
  pipeline: handle_errors.yaml
  parameters: {where: = pipe.label}
"""
        in text
    )
    assert main(["validate", str(project / "main.yaml")]) == 0


def test_an_export_that_is_run_runs_another_export(tmp_path: Path) -> None:
    execute = {"pipeline": value("Inner Part"), "params": value([])}
    outer = {"g": snap(EXECUTE, "Call", execute)}
    write(tmp_path, "outer.slp", export(outer))
    write(tmp_path, "Inner Part.slp", export({"m": mapper("Map", [("$n * 2", "$n")])}))
    report = api.run(tmp_path / "outer.slp", inputs={"call": [{"n": 4}]})
    assert report.outputs["call.output"] == [{"n": 8, "original": {"n": 4}}]
