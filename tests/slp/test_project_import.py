"""Several files are imported together, what is broken in them is named, and nothing is lost."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from tests.slp.exports import (
    REST_GET,
    SCRIPT,
    UNKNOWN,
    Json,
    export,
    expression,
    mapper,
    snap,
    value,
    views,
    write,
)

GOOD = export({"a": mapper("Map", [("1", "$n")])})


def run(tmp_path: Path, *names: str, options: tuple[str, ...] = ()) -> int:
    sources = [str(tmp_path / name) for name in names]
    return main(["import", *sources, "-o", str(tmp_path / "project"), *options])


def test_a_folder_is_searched_for_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "in/a/First One.slp", GOOD)
    write(tmp_path, "in/b/second.slp", export({"a": mapper("Map", [("2", "$n")])}))
    write(tmp_path, "in/b/money.expr", "{rate: 0.2}")
    write(tmp_path, "in/notes.txt", "not for us")
    assert run(tmp_path, "in") == 0
    written = sorted(path.name for path in (tmp_path / "project").iterdir())
    assert written == ["first_one.yaml", "money.expr", "second.yaml"]
    assert "imported: 2 pipelines, 1 library\n" in capsys.readouterr().err


def test_a_file_that_is_there_twice_is_imported_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "in/a/one.slp", GOOD)
    write(tmp_path, "in/b/one.slp", GOOD)
    assert run(tmp_path, "in") == 0
    assert "the same as" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "project").iterdir()] == ["one.yaml"]


def test_different_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, "in/a/one.slp", GOOD)
    write(tmp_path, "in/b/one.slp", export({"a": mapper("Map", [("2", "$n")])}))
    assert run(tmp_path, "in") == 0
    written = sorted(path.name for path in (tmp_path / "project").iterdir())
    assert written == ["one.yaml", "one_2.yaml"]


def test_libraries_are_found_under_their_new_place(tmp_path: Path) -> None:
    pipeline = export(
        {"a": mapper("Map", [("lib.money.rate", "$n")])},
        imports=[{"path": "../shared/money.expr", "as": None}],
    )
    write(tmp_path, "in/p.slp", pipeline)
    write(tmp_path, "in/shared/money.expr", "{rate: 0.2}")
    assert run(tmp_path, "in") == 0
    assert "libraries:\n  money: money.expr\n" in (tmp_path / "project/p.yaml").read_text()
    assert main(["run", str(tmp_path / "project/p.yaml"), "--quiet"]) == 0


def test_a_mistake_in_a_library_is_reported_with_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snaps = {"a": mapper("Map", [("lib.money.rate", "$n")])}
    pipeline = export(snaps, imports=[{"path": "money.expr", "as": None}])
    write(tmp_path, "in/p.slp", pipeline)
    write(tmp_path, "in/money.expr", "{\n  rate: 0.2 +\n}")
    run(tmp_path, "in")
    assert "  error: money.expr:3:1: expected an expression" in capsys.readouterr().out


def test_secrets_that_are_not_set_yet_are_no_mistakes_of_the_pipelines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = {"account_ref": value({"label": value("Shop")})}
    stored = snap(REST_GET, "Get", {"serviceUrl": value("https://example.org")}, account=account)
    write(tmp_path, "in/p.slp", export({"a": stored}))
    settings = {"username": value("ada"), "password": value("x")}
    properties = {"info": {"label": value("Shop")}, "settings": settings}
    class_id = "com-snaplogic-snaps-rest-restbasicauthaccount"
    write(tmp_path, "in/shop.sla", {"class_id": class_id, "property_map": properties})
    assert main(["import", str(tmp_path / "in"), "-o", str(tmp_path / "project")]) == 0
    said = capsys.readouterr().out
    assert "account: shop" in (tmp_path / "project/p.yaml").read_text()
    assert "set SHOP_PASSWORD" in said
    assert "error" not in said


def test_scripts_of_two_pipelines_do_not_meet(tmp_path: Path) -> None:
    for name in ("one", "two"):
        script = snap(SCRIPT, "Score", {"editable_content": value(f"x = '{name}'\n")})
        write(tmp_path, f"in/{name}.slp", export({"s": script}))
    assert run(tmp_path, "in") == 0
    texts = [(tmp_path / f"project/scripts/{name}/score.py").read_text() for name in ("one", "two")]
    assert texts == ["x = 'one'\n", "x = 'two'\n"]


def test_nothing_is_overwritten_without_being_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "one.slp", GOOD)
    write(tmp_path, "two.slp", GOOD)
    mine = write(tmp_path, "project/two.yaml", "# mine\n")
    assert run(tmp_path, "one.slp", "two.slp") == 2
    message = capsys.readouterr().err
    assert f"nothing was written, because these files exist: '{mine}'" in message
    assert not (tmp_path / "project/one.yaml").exists()
    assert run(tmp_path, "one.slp", "two.slp", options=("--force",)) == 0
    assert mine.read_text().startswith("pipeline: two")
    assert run(tmp_path, "one.slp", "two.slp") == 0  # the same content again


def test_a_link_out_of_the_folder_is_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = snap(SCRIPT, "Score", {"editable_content": value("x = 1\n")})
    write(tmp_path, "one.slp", export({"s": script}))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "scripts").symlink_to(tmp_path / "elsewhere")
    assert run(tmp_path, "one.slp") == 2
    assert "is outside of the folder" in capsys.readouterr().err
    assert list((tmp_path / "elsewhere").iterdir()) == []


def as_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("project/one.slp", json.dumps(GOOD))


TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT[: len(TEXT) // 2], "is cut off: its JSON ends too early"),
        ("", "is empty; export it again"),
        ("{'snap_map': 1}", "is not valid JSON"),
        ("[]", "does not hold a JSON object"),
        ('{"info": {}}', "has no 'snap_map' and 'link_map'"),
        (None, "is a project archive (zip); unpack it and import the files inside"),
        ("version https://git-lfs.github.com/spec/v1\noid x\n", "is a pointer of Git LFS"),
        ('{"snap_map": ' + "[" * 100_000, "is nested too deeply"),
    ],
    ids=["cut", "empty", "not-json", "list", "other", "zip", "lfs", "deep"],
)
def test_a_broken_file_is_named_and_the_others_are_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, message: str
) -> None:
    broken = tmp_path / "broken.slp"
    if content is None:
        as_zip(broken)
    else:
        broken.write_text(content)
    write(tmp_path, "good.slp", GOOD)
    assert run(tmp_path, "broken.slp", "good.slp") == 1
    shown = capsys.readouterr()
    assert message in shown.out
    assert "imported: 1 pipeline; 1 could not be imported" in shown.err
    assert (tmp_path / "project/good.yaml").exists()


def test_a_file_of_another_kind_and_a_missing_one_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "one.txt", "x")
    assert run(tmp_path, "one.txt") == 1
    assert "is not a file of SnapLogic's (.slp, .slt, .sla, .expr)" in capsys.readouterr().out
    assert run(tmp_path, "absent.slp") == 2
    assert "there is no file" in capsys.readouterr().err


def _with(content: Json, **changes: Any) -> Json:
    return {**content, **changes}


@pytest.mark.parametrize(
    ("links", "message"),
    [
        (
            {"l": {"src_id": "a", "src_view_id": "o", "dst_id": "gone", "dst_view_id": "i"}},
            "the link 'l' was left out: the pipeline has no snap 'gone'",
        ),
        (
            {"l": {"from_id": "a", "from_port": "o", "to_id": "a", "to_port": "i"}},
            "it has from_id, from_port, to_id, to_port instead of src_id",
        ),
        ({"l": None}, "the link 'l' was left out: it has nothing instead of"),
    ],
)
def test_links_that_lead_nowhere_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], links: Json, message: str
) -> None:
    write(tmp_path, "one.slp", _with(GOOD, link_map=links))
    assert run(tmp_path, "one.slp") == 0
    assert message in capsys.readouterr().out


def test_a_version_that_is_not_known_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = mapper("Map", [("1", "$n")])
    newer["class_version"] = 9
    write(tmp_path, "one.slp", export({"a": newer}))
    assert run(tmp_path, "one.slp") == 0
    shown = capsys.readouterr().out
    assert "warning: map: it has version 9 of its class; the newest known here is 4" in shown


def test_a_snap_that_is_not_supported_keeps_what_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    horn = snap(
        UNKNOWN,
        "Sound the Horn",
        {
            "seconds": value("3"),
            "when": expression("$fog > 0.5"),
            "rows": value([{"tone": value("low"), "value": value(1)}, {"tone": value(None)}]),
            "more": value({"echo": value(True)}),
            "unset": value(None),
        },
        version=7,
        inputs=views("input0", kind="binary"),
    )
    write(tmp_path, "one.slp", export({"h": horn}))
    assert run(tmp_path, "one.slp") == 0
    assert f"not supported: sound_the_horn: SnapLogic's snap {UNKNOWN}" in capsys.readouterr().out
    assert (
        (tmp_path / "project/one.yaml").read_text()
        == f"""\
pipeline: one
snaps:
  sound_the_horn:
    snap: {UNKNOWN}
    class_version: 7
    settings:
      seconds: "3"
      when: = $fog > 0.5
      rows:
        - {{tone: low, value: 1}}
      more: {{echo: true}}
    inputs: {{input0: binary}}
"""
    )


def test_a_setting_that_is_not_supported_stays_with_its_snap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {
        "serviceUrl": value("https://example.org"),
        "rawData": value(True),
        "processArray": value(False),
        "fancy": value("yes"),
    }
    write(tmp_path, "one.slp", export({"r": snap(REST_GET, "Ask", settings, version=2)}))
    assert run(tmp_path, "one.slp", options=("--json",)) == 0
    report = json.loads(capsys.readouterr().out)[0]
    assert report["snaps"][0]["unsupported"] == {"rawData": "the body of the response as it is"}
    assert report["snaps"][0]["unknown_keys"] == ["fancy"]
    text = (tmp_path / "project/one.yaml").read_text()
    assert "    unsupported:\n      rawData: true\n" in text
    assert main(["validate", str(tmp_path / "project/one.yaml")]) == 2
    assert "RESTGet does not support the body of the response" in capsys.readouterr().err
