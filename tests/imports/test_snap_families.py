"""The import contract of the snap library catches each way of breaking it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from grimp import ImportGraph

from tests.imports.snap_families import SnapFamilies

ROOT = Path(__file__).parents[2]
MODULES = [
    "engine.sdk",
    "engine.sdk.snap",
    "engine.run",
    "snaps",
    "snaps.shared.json_text",
    "snaps.rest",
    "snaps.rest.rest_get",
    "snaps.rest.rest_put",
    "snaps.rest.shared",
    "snaps.rest.shared.address",
    "snaps.files.file_reader",
    "snaps.files.shared.layers",
    "snaps.top_level",
]


def is_kept(importer: str, imported: str) -> bool:
    graph = ImportGraph()
    for module in MODULES:
        graph.add_module(module)
    graph.add_import(importer=importer, imported=imported)
    options = {"library": "snaps", "sdk": "engine.sdk"}
    return SnapFamilies("families", {}, options).check(graph, verbose=False).kept


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("snaps.rest.rest_get", "engine.sdk"),
        ("snaps.rest.rest_get", "snaps.rest.shared"),
        ("snaps.rest.rest_get", "snaps.rest.shared.address"),
        ("snaps.rest.rest_get", "snaps.shared.json_text"),
        ("snaps.rest.shared.address", "snaps.rest.shared"),
        ("snaps.rest.shared.address", "snaps.shared.json_text"),
        ("snaps.rest.shared.address", "engine.sdk"),
        ("snaps.shared.json_text", "engine.sdk"),
    ],
)
def test_a_module_may_import_what_is_shared_with_it(importer: str, imported: str) -> None:
    assert is_kept(importer, imported)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        pytest.param("snaps.rest.rest_get", "snaps.rest.rest_put", id="a snap of its family"),
        pytest.param("snaps.rest.rest_get", "snaps.files.file_reader", id="a snap of another"),
        pytest.param("snaps.rest.rest_get", "snaps.files.shared.layers", id="another's shared"),
        pytest.param("snaps.rest.rest_get", "snaps.rest", id="its family's package"),
        pytest.param("snaps.rest.rest_get", "snaps", id="the library's package"),
        pytest.param("snaps.rest.rest_get", "snaps.top_level", id="a module beside the families"),
        pytest.param("snaps.rest.rest_get", "engine.run", id="the engine behind the sdk"),
        pytest.param("snaps.rest.rest_get", "engine.sdk.snap", id="the inside of the sdk"),
        pytest.param("snaps.rest.shared.address", "snaps.rest.rest_get", id="shared, a snap"),
        pytest.param("snaps.rest.shared.address", "snaps.files.shared.layers", id="two shareds"),
        pytest.param("snaps.shared.json_text", "snaps.rest.rest_get", id="the library's, a snap"),
        pytest.param("snaps.shared.json_text", "snaps.rest.shared", id="the library's, a family's"),
        pytest.param("snaps.rest", "snaps.rest.rest_get", id="a family's package, a snap"),
        pytest.param("snaps", "snaps.rest.rest_get", id="the library's package, a snap"),
    ],
)
def test_everything_else_breaks_the_contract(importer: str, imported: str) -> None:
    assert not is_kept(importer, imported)


def test_the_linter_names_the_import_of_a_family_that_no_list_knows(tmp_path: Path) -> None:
    files = {
        "app/sdk.py": "",
        "library/__init__.py": "",
        "library/mail/mail_send.py": "from library.chat.chat_post import address\n",
        "library/chat/chat_post.py": "address = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).parent.joinpath("__init__.py").touch()
        (tmp_path / name).write_text(text)
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_packages =\n  app\n  library\n"
        "contract_types =\n  snap_families: tests.imports.snap_families.SnapFamilies\n"
        "[importlinter:contract:families]\nname = Families\ntype = snap_families\n"
        "library = library\nsdk = app.sdk\n"
    )
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    linted = subprocess.run(
        [sys.executable, "-c", command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = "library.mail.mail_send must not import library.chat.chat_post (line 1)"
    assert (linted.returncode, expected in linted.stdout) == (1, True), (
        linted.stdout + linted.stderr
    )
