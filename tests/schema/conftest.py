"""The schemas as validators, and the language server of editors."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.cli import main
from engine.pipeline.load import compose_text
from engine.pipeline.nodes import plain
from engine.registry import discover
from engine.schema import KINDS, schema_text
from tests.language_client import LanguageClient

HERE = Path(__file__).parent
_CLIENT = {
    "textDocument": {
        "completion": {"completionItem": {"documentationFormat": ["markdown", "plaintext"]}},
        "hover": {"contentFormat": ["markdown"]},
        "publishDiagnostics": {},
    },
    "workspace": {"configuration": True},
}
_SETTINGS = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
Schemas = dict[str, Draft202012Validator]
Mistakes = Callable[[str, str], list[str]]


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    """A validator for each kind of file."""
    registry = discover()
    texts = {kind: json.loads(schema_text(kind, registry)) for kind in KINDS}
    return {kind: Draft202012Validator(schema) for kind, schema in texts.items()}


@pytest.fixture(scope="session")
def mistakes(schemas: Schemas) -> Mistakes:
    """The paths of the values in a YAML text that the schema of a kind of file refuses."""

    def find(kind: str, text: str) -> list[str]:
        source, problems = compose_text(text, "file.yaml")
        assert source.root is not None, problems
        content: Any = plain(source.root)
        return [each.json_path for each in schemas[kind].iter_errors(content)]

    return find


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageClient]:
    """yaml-language-server, in a folder with the schemas in `schemas/`."""
    program = HERE / "node_modules/yaml-language-server/bin/yaml-language-server"
    if not (program.is_file() and shutil.which("node")):
        remedy = "yaml-language-server is missing: install Node.js with npm, and run make unit"
        pytest.fail(remedy) if os.environ.get("CI") else pytest.skip(remedy)
    folder = tmp_path_factory.mktemp("editor")
    assert main(["schema", "--all", str(folder / "schemas")]) == 0
    command = ["node", str(program), "--stdio"]
    started = LanguageClient(command, folder, _CLIENT, {"yaml": _SETTINGS})
    yield started
    started.close()
