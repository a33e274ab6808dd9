"""The check names the method of a snap that raises or returns something wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.sdk import Document, Settings, Snap
from tests.run.flowing import registry_with

METHODS = {
    "parameters_read": "tuples of a setting's path, a name, an offset and true or false",
    "check": "Issue values",
    "check_inputs": "Issue values",
    "files_needed": "tuples of a setting's path and a file name",
    "files_written": "WrittenFile values",
    "files_read": "ReadFile values",
    "python_code": "PythonCode values",
    "children": "ChildReference values",
    "views_for": "Views",
    "reads": "None or a frozenset of paths, which are tuples of strings",
    "steps": "steps such as Keep and Make",
    "loses_lineage_for": "a string",
}


def problems_with(tmp_path: Path, method: str, answer: Any) -> list[str]:
    """What `engine validate` says of a pipeline with a snap whose method gives that answer."""

    class Settled(Settings):
        """Nothing to set."""

    def answers(cls: type, *given: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    def process(self: Any, document: Document) -> Document:
        return document

    members = {method: classmethod(answers), "process": process, "settings_class": Settled}
    odd: Any = type("Odd", (Snap,), {**members, "__module__": __name__})
    file = tmp_path / "pipeline.yaml"
    file.write_text("snaps: {one: {snap: Odd}, two: {snap: Odd}}\nlinks: [one -> two]")
    return [str(each) for each in api.check(str(file), registry_with(odd))]


@pytest.mark.parametrize(("method", "kind"), METHODS.items())
@pytest.mark.parametrize("answer", [5, [5], ("ab",)], ids=repr)
def test_a_wrong_answer_is_named_with_its_method_and_line(
    tmp_path: Path, method: str, kind: str, answer: Any
) -> None:
    first = problems_with(tmp_path, method, answer)[0]
    assert f"unusable-snap  {method} of the snap Odd returned " in first
    assert f": {__file__}:" in first
    assert f"hint: this is a bug in the snap: it must return {kind}" in first


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_raises_is_named_with_its_line(tmp_path: Path, method: str) -> None:
    first = problems_with(tmp_path, method, KeyError("x"))[0]
    assert "the snap Odd failed while checking its settings" in first
    assert f"{__file__}:" in first
    assert "KeyError: 'x'" in first
