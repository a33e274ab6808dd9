"""Help in a pipeline of 2,000 snaps, and in broken and hostile texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.large_pipeline import large_pipeline
from engine.errors import ConfigurationError
from engine.language import Position, Workspace
from engine.language.complete import complete
from engine.language.diagnose import diagnose
from engine.language.hover import hover
from engine.language.signature import signature
from tests.language.editing import opened


def test_the_last_of_many_snaps_gets_the_same_help() -> None:
    text = large_pipeline(2_000)
    document, position = opened(text.replace("$name.trim()", "$name.¦trim()", 1))
    assert "trim" in [each.label for each in complete(document, position)]
    found = hover(document, position)
    assert found is not None
    assert "Without white space" in found.markdown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeff",
        "\r",
        "\x00",
        "snaps: {" * 200,
        "a: &x [*x, *x]\n" * 50,
        "snaps:\n  a: {snap: Filter, filter: " + "(" * 500,
        "snaps:\n  a: {snap: Filter, filter: '" + "$a." * 2_000,
        "\ud83d snaps:\n",
        "snaps:\n\t- \u2028: \x85\n",
        "--- \n---\n",
        "%YAML 1.1\n",
    ],
)
@pytest.mark.parametrize("position", [(0, 0), (-5, 3), (10**9, 10**9), (1, 30)])
def test_no_text_and_no_position_makes_a_question_fail(
    text: str, position: tuple[int, int]
) -> None:
    document, _ = opened(f"{text}¦")
    place = Position(*position)
    assert isinstance(complete(document, place), list)
    assert isinstance(diagnose(document), list)
    hover(document, place)
    signature(document, place)


def test_a_file_that_is_not_open_is_composed_once_and_again_when_it_changes(
    tmp_path: Path,
) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("snaps:\n  a: {snap: Filter, filter: $a}\n")
    closed = Workspace(samples=lambda path: {})
    first = closed.document(str(file)).source
    assert closed.document(str(file)).source is first
    closed.refresh()
    assert closed.document(str(file)).source is first
    file.write_text("snaps:\n  bb: {snap: Filter, filter: $a}\n")
    assert list(closed.document(str(file)).spec.snaps) == ["bb"]
    file.unlink()
    with pytest.raises(ConfigurationError):
        closed.document(str(file))


def test_what_other_files_say_about_a_file_that_is_not_open_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("snaps:\n  a: {snap: RemotePythonScript, script: s.py}\n")
    closed = Workspace(samples=lambda path: {})
    assert [each.code for each in closed.document(str(file)).problems] == ["missing-file"]
    (tmp_path / "s.py").write_text("def snaplogic_process(row): return row\n")
    assert closed.document(str(file)).problems == []
