"""A name that depends on data stays in the folder that the author of the pipeline wrote."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import EngineError

Run = Callable[..., Any]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a secret next to it, and pipelines in their own folder."""
    (tmp_path / "secret.json").write_text('{"secret": true}')
    project = tmp_path / "project"
    (project / "pipelines" / "files" / "deep").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    (project / "data.json").write_text('{"from": "project"}')
    (project / "pipelines" / "beside.json").write_text('{"from": "pipelines"}')
    (project / "pipelines" / "files" / "a.json").write_text('{"from": "files"}')
    (project / "pipelines" / "files" / "deep" / "a.json").write_text('{"from": "deep"}')
    (project / "pipelines" / "files" / "out").symlink_to(tmp_path)
    (project / "pipelines" / "files" / "secret").symlink_to(tmp_path / "secret.json")
    return project


@pytest.fixture
def read(project: Path) -> Run:
    """The output of a FileReader and a JSONParser for documents, and the errors of the reader."""

    def run(file: str, *documents: Any, parameters: Any = None, **settings: Any) -> Any:
        pipeline = {
            "parameters": dict.fromkeys(parameters or {}),
            "snaps": {
                "names": {"snap": "JSONGenerator", "documents": list(documents)},
                "read": {"snap": "FileReader", "on_error": "route", "file": file, **settings},
                "parse": {"snap": "JSONParser"},
                "failed": {"snap": "Mapper", "mappings": {"$": "$"}},
            },
            "links": ["names -> read -> parse", "read.error -> failed"],
        }
        path = project / "pipelines" / "p.yaml"
        path.write_text(json.dumps(pipeline))
        outputs = api.run(path, parameters=parameters or {}).outputs
        return outputs.get("parse.output", []), outputs.get("failed.output", [])

    return run


@pytest.fixture
def write(project: Path) -> Run:
    """The errors of a FileWriter that writes one document for each given one."""

    def run(file: str, *documents: Any, parameters: Any = None, **settings: Any) -> Any:
        pipeline = {
            "parameters": dict.fromkeys(parameters or {}),
            "snaps": {
                "names": {"snap": "JSONGenerator", "documents": list(documents)},
                "content": {
                    "snap": "Mapper",
                    "pass_through": True,
                    "mappings": {"$content": "'{}'"},
                },
                "bytes": {"snap": "DocumentToBinary"},
                "write": {"snap": "FileWriter", "on_error": "route", "file": file, **settings},
                "failed": {"snap": "Mapper", "mappings": {"$": "$"}},
            },
            "links": ["names -> content -> bytes -> write", "write.error -> failed"],
        }
        path = project / "pipelines" / "p.yaml"
        path.write_text(json.dumps(pipeline))
        outputs = api.run(path, parameters=parameters or {}).outputs
        return outputs.get("failed.output", [])

    return run


CLIMBING = [
    "../beside.json",
    "../../data.json",
    "../../../secret.json",
    "x/../../beside.json",
    "deep/../../beside.json",
    "./.././beside.json",
    "deep/../..//beside.json",
    "..\\..\\..\\secret.json",
    "deep\\..\\..\\beside.json",
    "%2e%2e/beside.json",
    "%2E%2E%2Fbeside.json",
    "%252e%252e/beside.json",
    "..%2fbeside.json",
    "..%5cbeside.json",
    "out/secret.json",
    "secret",
    "..",
    "a.json\0",
    "../beside.json\0.json",
    "a%00.json",
]


@pytest.mark.parametrize("name", CLIMBING)
def test_what_is_read_stays_in_the_folder_of_the_literal_part(read: Run, name: str) -> None:
    found, errors = read("= 'files/' + $name", {"name": name})
    assert found == []
    assert errors[0]["error"].startswith("the file name 'files/")
    assert errors[0]["error"].endswith("is not allowed")
    assert errors[0]["original"] == {"name": name}


@pytest.mark.parametrize("name", CLIMBING)
@pytest.mark.parametrize("action", ["overwrite", "append", "error"])
def test_what_is_written_stays_in_the_folder_of_the_literal_part(
    write: Run, project: Path, name: str, action: str
) -> None:
    before = _everything_in(project.parent)
    (error,) = write("= 'files/' + $name", {"name": name}, file_action=action, create_dir=True)
    assert error["error"].endswith("is not allowed")
    assert _everything_in(project.parent) == before


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file:/etc/passwd",
        "file://localhost/etc/passwd",
        "file:///%2e%2e/etc/passwd",
        "local:///etc/passwd",
        "/proc/self/environ",
        "/dev/stdin",
        "/proc/self/fd/0",
        "../../secret.json",
        "../../../../../../etc/passwd",
        "files/out/secret.json",
        "sldb:///pipelines/files/out/secret.json",
        "sldb:///%2e%2e/secret.json",
        "http://127.0.0.1:9/x",
        "HTTPS://127.0.0.1:9/x",
        "memory://x/a.json",
        "s3://bucket/a.json",
        "data:application/json,{}",
        "zip://a.json::/etc/a.zip",
        "gzip::/etc/a.gz",
        "dir://a.json::file:///etc",
        "simplecache::file:///etc/passwd",
        "filecache::https://127.0.0.1:9/x",
        "zip://a.json::http://127.0.0.1:9/a.zip",
        "gzip::zip://a.gz::file:///etc/a.zip",
    ],
)
def test_a_name_that_is_all_data_stays_in_the_project(read: Run, project: Path, name: str) -> None:
    found, errors = read("= $name", {"name": name})
    assert found == []
    texts = errors[0]["error"] + errors[0]["reason"]
    assert "is not allowed" in texts or "outside the project" in texts


@pytest.mark.parametrize(
    ("file", "name", "reason"),
    [
        ("= $name", "s3://bucket/a.json", "data must not set the scheme 's3://'"),
        ("= 'http://a.test' + $name", "x.test/a", "data must not set the host 'a.testx.test'"),
        ("= 'files/' + $name", "../beside.json", "it leads out of 'files/'"),
    ],
)
def test_the_error_says_what_data_must_not_do(read: Run, file: str, name: str, reason: str) -> None:
    found, errors = read(file, {"name": name})
    assert found == []
    assert errors[0]["reason"].startswith(f"part of it comes from data, and {reason}")


@pytest.mark.parametrize(
    ("file", "name", "origin"),
    [
        ("= 'files/' + $name", "a.json", "files"),
        ("= 'files/' + $name", "deep/a.json", "deep"),
        ("= 'files/' + $name", "deep/../a.json", "files"),
        ("= 'files/' + $name", "/a.json", "files"),
        ("= 'files/' + $name", "./deep/./a.json", "deep"),
        ("= 'fi' + $name", "les/a.json", "files"),
        ("= 'files/' + $name + '.json'", "a", "files"),
        ("= './files/../' + $name", "beside.json", "pipelines"),
        ("= '../' + $name", "data.json", "project"),
        ("= 'sldb:///' + $name", "data.json", "project"),
        ("= 'sldb:///pipelines/' + $name", "beside.json", "pipelines"),
        ("= $name", "../data.json", "project"),
        ("= $name", "files/a.json", "files"),
        ("= $name", "sldb:///data.json", "project"),
        ("= $name + '.json'", "../data", "project"),
        ("= $name ? 'files/a.json' : 'beside.json'", "x", "files"),
        ("= $name == 'x' ? '../../secret.json' : $name", "files/a.json", "files"),
    ],
)
def test_names_inside_are_read(read: Run, file: str, name: str, origin: str) -> None:
    found, errors = read(file, {"name": name})
    assert errors == []
    assert found == [{"from": origin}]


def test_a_name_without_data_may_lead_anywhere(read: Run, project: Path) -> None:
    secret = [{"secret": True}]
    place = str(project.parent)
    assert read("../../secret.json", {}) == (secret, [])
    assert read(f"= '{place}/' + 'secret.json'", {}) == (secret, [])
    assert read("= _dir + '/secret.json'", {}, parameters={"dir": place}) == (secret, [])
    assert read("= pipe.args.dir + '/secret.json'", {}, parameters={"dir": place})[0] == secret
    assert read("= $x ? '../../secret.json' : 'a'", {"x": True}) == (secret, [])


def test_a_parameter_begins_the_literal_part(read: Run, project: Path) -> None:
    place = {"dir": str(project / "pipelines" / "files")}
    assert read("= _dir + '/' + $name", {"name": "a.json"}, parameters=place)[0]
    found, errors = read("= _dir + '/' + $name", {"name": "../beside.json"}, parameters=place)
    assert found == []
    assert "it leads out of" in errors[0]["reason"]


def test_a_literal_part_without_a_folder_stays_in_the_folder_of_the_pipeline(read: Run) -> None:
    found, errors = read("= 'files' + $name", {"name": "/../../data.json"})
    assert (found, len(errors)) == ([], 1)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("= 'files/deep' + $name", "/../a.json"),
        ("= 'files/deep' + $name", "\\..\\a.json"),
        ("= 'files/deep' + $name", "%2f..%2fa.json"),
        ("= 'files/deep' + $name", "/../deep/../a.json"),
        ("= '/' + $name", "x/../../etc/passwd"),
        ("= _dir + $name", "/../beside.json"),
        ("= _dir + $name", "x/../../beside.json"),
        ("= 'memory://in/files' + $name", "/../x"),
        ("= 'memory://in/files' + $name", "x/../../x"),
    ],
)
def test_a_slash_at_the_beginning_of_data_makes_the_literal_part_a_folder(
    read: Run, project: Path, file: str, name: str
) -> None:
    parameters = {"dir": str(project / "pipelines" / "files")}
    found, errors = read(file, {"name": name}, parameters=parameters)
    assert found == []
    assert "is not allowed" in errors[0]["error"]


def test_a_slash_at_the_beginning_of_data_may_name_what_is_inside(read: Run) -> None:
    assert read("= 'files/deep' + $name", {"name": "/a.json"}) == ([{"from": "deep"}], [])
    assert read("= 'sldb:' + $name", {"name": "/data.json"}) == ([{"from": "project"}], [])
    assert read("= 'sldb:///' + $name", {"name": "/data.json"}) == ([{"from": "project"}], [])


@pytest.mark.parametrize("file", ["= 'files/' + $name", "= $name"])
def test_the_author_may_allow_it(read: Run, project: Path, file: str) -> None:
    prefix = "../" if "files" in file else ""
    found, errors = read(file, {"name": f"{prefix}../../secret.json"}, allow_outside=True)
    assert (found, errors) == ([{"secret": True}], [])


@pytest.mark.parametrize(
    "file",
    [
        "= ['files', $name].join('/')",
        "= 'files/%s'.sprintf($name)",
        "= 'files/%2$s'.sprintf(1, $name)",
        "= 'files/'.concat($name)",
        "= 'fi'.concat('les/', $name, '') + ''",
        "= $name == '' ? 'a' : ['files/', $name].join('')",
    ],
)
def test_every_way_of_joining_texts_has_a_literal_part(read: Run, file: str) -> None:
    assert read(file, {"name": "a.json"}) == ([{"from": "files"}], [])
    assert read(file, {"name": "deep/a.json"}) == ([{"from": "deep"}], [])
    found, errors = read(file, {"name": "../beside.json"})
    assert (found, len(errors)) == ([], 1)


@pytest.mark.parametrize(
    "file",
    [
        '= eval("$name")',
        "= (x => x)($name)",
        "= jsonPath($, '$.name')",
        "= $.get('name')",
        "= $['name']",
        "= match $name { n => n }",
        "= $name.trim()",
        "= {...$}.name",
        "= 1 + $name",
    ],
)
def test_no_spelling_leads_out_of_the_project(read: Run, project: Path, file: str) -> None:
    for name in ("../../../secret.json", str(project.parent / "secret.json")):
        found, errors = read(file, {"name": name})
        assert (found, len(errors)) == ([], 1)


def test_a_host_cannot_come_from_data(read: Run) -> None:
    for file, name in [
        ("= 'http://127.0.0.1' + $name", "9.evil.example/x"),
        ("= 'http://127.0.0.1:9' + $name", "@evil.example/x"),
        ("= 'http://' + $name", "127.0.0.1:9/x"),
        ("= 'memory://in' + $name", "side/x"),
        ("= 'memory://in/files/' + $name", "../x"),
        ("= 'memory://in/files/' + $name", "%2e%2e/x"),
    ]:
        found, errors = read(file, {"name": name})
        assert found == []
        assert "is not allowed" in errors[0]["error"]


def test_a_folder_elsewhere_can_be_the_literal_part(read: Run, write: Run) -> None:
    file = "= 'memory://bounds/in/' + $name"
    assert write(file, {"name": "a.txt"}) == []
    assert read(file, {"name": "a.txt"}) == ([{}], [])


def test_a_member_cannot_lead_out_of_its_archive(read: Run, project: Path) -> None:
    with zipfile.ZipFile(project / "pipelines" / "a.zip", "w") as archive:
        archive.writestr("in/a.json", '{"from": "zip"}')
    file = "= 'zip://in/' + $name + '::a.zip'"
    assert read(file, {"name": "a.json"})[0] == [{"from": "zip"}]
    for name in ("../../a.json", f"a.json::{project.parent}/b.zip", "x::file:///etc/a.zip"):
        assert read(file, {"name": name})[0] == []
    outside = project.parent / "b.zip"
    outside.write_bytes((project / "pipelines" / "a.zip").read_bytes())
    assert read("= 'zip://in/a.json::' + $name", {"name": str(outside)})[0] == []
    assert read("= 'zip://in/a.json::' + $name", {"name": "a.zip"})[0] == [{"from": "zip"}]


def test_a_model_folder_from_data_stays_inside(run_snap: Any, project: Path) -> None:
    settings = {"folder": "= 'web/' + $name"}
    given = [{"name": "../../model", "topology": {}, "weights": []}]
    with pytest.raises(EngineError):
        run_snap("TFJSWriter", settings, given)
    assert not (project / "model").exists()


def test_a_header_file_stays_beside_its_file(write: Run, project: Path) -> None:
    assert write("= 'files/' + $name", {"name": "b"}, write_header_file=True) == []
    assert (project / "pipelines" / "files" / "b.header").exists()


def _everything_in(folder: Path) -> dict[str, bytes]:
    return {
        str(Path(place, name)): Path(place, name).read_bytes()
        for place, _, names in os.walk(folder)
        for name in names
        if name != "p.yaml"
    }
