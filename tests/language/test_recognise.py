"""Which YAML files are ours."""

from __future__ import annotations

import pytest

from engine.language import Workspace
from engine.language.recognise import is_ours
from engine.registry import Registry

OURS = {
    "a.yaml": "snaps: {}\n",
    "broken.yaml": "a: 'b\nsnaps:\n  c: [\n",
    "begun.yaml": "pipeline: Orders\n",
    "tasks/a.yaml": "type: ultra\npipeline: a.yaml\n",
    "a.test.yaml": "cases: {}\n",
    "new.test.yaml": "",
    "a.preview.yaml": "pins: {}\n",
    "accounts/db.yaml": "account: sql\n",
}
OTHERS = {
    "docker-compose.yaml": "services: {web: {image: nginx}}\n",
    "mkdocs.yml": "site_name: x\nnav: []\n",
    "values.yaml": "type: ClusterIP\n",
    "drone.yml": "pipeline: {build: {image: golang}}\nworkspace: {}\n",
    "list.yaml": "- 1\n",
    "text.yaml": "hello\n",
    "empty.yaml": "",
    "broken.yaml": "a: [\n",
    "x.test.yaml": "tests: []\n",
}


@pytest.mark.parametrize(("path", "text"), OURS.items(), ids=OURS)
def test_pipelines_tasks_tests_pins_and_accounts_are(path: str, text: str) -> None:
    assert is_ours(Workspace(Registry()).open(path, text))


@pytest.mark.parametrize(("path", "text"), OTHERS.items(), ids=OTHERS)
def test_files_of_other_programs_are_not(path: str, text: str) -> None:
    assert not is_ours(Workspace(Registry()).open(path, text))


def test_a_huge_file_is_not_read() -> None:
    text = "a: [snaps]\n" * 1_000_000
    document = Workspace(Registry()).open("huge.yaml", text)
    assert not is_ours(document)
    assert "_composed" not in document.__dict__
