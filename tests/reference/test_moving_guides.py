"""docs/from-snaplogic.md and docs/from-benthos.md are true: their files, commands and tables."""

from __future__ import annotations

import json
import re
import shlex
from decimal import Decimal
from pathlib import Path

import pytest

from engine import api, cli
from engine.expressions import to_json

DOCS = Path(__file__).parents[2] / "docs"
FILE = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^```\n\$ engine (.*?)\n(.*?)^```", re.MULTILINE | re.DOTALL)
JSON = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
SNAPLOGIC = (DOCS / "from-snaplogic.md").read_text(encoding="utf-8")
BENTHOS = (DOCS / "from-benthos.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_project_moves_as_the_page_about_snaplogic_shows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pipeline, text), (test_file, cases) = FILE.findall(SNAPLOGIC)
    (folder / "exports").mkdir()
    (folder / "source.yaml").write_text(text)
    assert cli.main(["export", "source.yaml", "-o", "exports/Daily Orders.slp"]) == 0
    for command, printed in COMMAND.findall(SNAPLOGIC):
        capsys.readouterr()
        assert cli.main(shlex.split(command)) == 0
        assert capsys.readouterr().out == printed
        if command.startswith("import"):
            assert (folder / pipeline).read_text() == text
            [data] = JSON.findall(SNAPLOGIC)
            (folder / "project/orders.json").write_text(data)
    (folder / test_file).write_text(cases)
    assert cli.main(["test", test_file]) == 0


def test_the_pipelines_of_the_page_about_benthos_do_what_it_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in FILE.findall(BENTHOS):
        (folder / name).write_text(text)
    for command, printed in COMMAND.findall(BENTHOS):
        assert cli.main(shlex.split(command)) == 0
        assert capsys.readouterr().out == printed
    assert cli.main(["test", "labels.test.yaml"]) == 0


def section(title: str) -> list[list[str]]:
    """The cells of the table in a section of the page about Benthos."""
    text = BENTHOS.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [[cell.replace("\\|", "|").strip(" `") for cell in row] for row in cells]


@pytest.mark.parametrize(
    ("expression", "result"), [row[1:] for row in section("Bloblang and expressions")]
)
def test_an_expression_beside_bloblang_returns_what_the_page_shows(
    expression: str, result: str
) -> None:
    [document] = JSON.findall(BENTHOS)
    found = api.evaluate(expression, json.loads(document, parse_float=Decimal), exact=True)
    assert to_json(found) == to_json(json.loads(result))


def test_every_snap_that_the_page_about_benthos_names_exists() -> None:
    texts = [re.sub(r"\[.*?\]\(.*?\)", "", row[1]) for row in section("Components and snaps")]
    names = set(re.findall(r"\b[A-Z]\w+", " ".join(texts)))
    reference = (DOCS / "reference/snaps.md").read_text(encoding="utf-8")
    assert len(names) > 20
    assert names <= set(re.findall(r"^#+ (\w+)$", reference, re.MULTILINE))
