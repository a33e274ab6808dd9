"""`run_pipeline` runs a pipeline as `engine run` does, without changing the disk."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import api
from engine.errors import ConfigurationError, ExecutionError, InvalidPipelineError
from engine.sdk import HttpResponse
from engine.testing import CannedHttp, PipelineRun, run_pipeline

RunPipeline = Callable[..., PipelineRun]

LARGE = """
snaps:
  large: {snap: Filter, filter: $amount > 10}
  shape: {snap: Mapper, mappings: {$total: $amount * 2}}
links: [large -> shape]
"""
COPYING = """
parameters: {target: {default: out/copy.json}}
snaps:
  read: {snap: FileReader, file: in/orders.json}
  write: {snap: FileWriter, file: = _target, file_action: ACTION, create_dir: true}
links: [read -> write]
"""
CALLING = """
snaps:
  get: {snap: RESTGet, service_url: http://shop/orders}
"""


def copying(action: str = "overwrite") -> str:
    return COPYING.replace("ACTION", action)


def test_a_text_runs_on_given_documents(run_pipeline: RunPipeline) -> None:
    result = run_pipeline(LARGE, inputs=[{"amount": 5}, {"amount": 20}])
    assert result.output == [{"total": 40}]
    assert result.outputs == {"shape.output": [{"total": 40}]}
    assert [snap.dropped for snap in result.report.snaps] == [1, 0]


def test_a_file_runs_where_it_lies(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_text(LARGE)
    assert run_pipeline(file, inputs={"large": [{"amount": 20}]}).output == [{"total": 40}]
    assert run_pipeline(str(file), inputs={"large": []}).output == []


def test_a_text_on_one_line_is_refused_with_a_hint(run_pipeline: RunPipeline) -> None:
    text = "snaps: {one: {snap: Mapper, mappings: {$a: 1}}}"
    says = "(?s)pipeline file .*; to pass the text of a pipeline, write it on several lines"
    for given in (text, f"{text}\n", text * 100):
        with pytest.raises(ConfigurationError, match=says):
            run_pipeline(given)
    with pytest.raises(ConfigurationError, match=r"there is no pipeline file 'nowhere\.yaml'$"):
        run_pipeline("nowhere.yaml")


def test_given_files_are_read_and_written_ones_given_back(
    run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    result = run_pipeline(copying(), files={"in/orders.json": '{"id": 1}'})
    assert result.files == {"out/copy.json": b'{"id": 1}'}
    assert list(tmp_path.iterdir()) == []


def test_a_given_file_takes_precedence_over_the_one_on_disk(
    run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/orders.json").write_text("disk")
    assert run_pipeline(copying()).files == {"out/copy.json": b"disk"}
    assert run_pipeline(copying(), files={"in/orders.json": b"given"}).files == {
        "out/copy.json": b"given"
    }
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("action", "content"), [("append", b"oldnew"), ("overwrite", b"new"), ("ignore", None)]
)
def test_a_real_file_is_what_it_was_before_and_counts_for_the_file_action(
    run_pipeline: RunPipeline, tmp_path: Path, action: str, content: bytes | None
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/copy.json").write_text("old")
    result = run_pipeline(copying(action), files={"in/orders.json": "new"})
    assert result.files.get("out/copy.json", b"old") == (content or b"old")
    assert (tmp_path / "out/copy.json").read_text() == "old"


def test_a_file_action_error_sees_the_real_file(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/copy.json").write_text("old")
    with pytest.raises(ExecutionError, match=r"copy\.json"):
        run_pipeline(copying("error"), files={"in/orders.json": "new"})


def test_a_missing_folder_is_called_by_its_own_name(
    run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    text = copying().replace(", create_dir: true", "")
    with pytest.raises(ExecutionError, match="/out' does not exist") as raised:
        run_pipeline(text, files={"in/orders.json": "new"})
    assert f"the folder '{tmp_path}/out' does not exist" in str(raised.value)


def test_a_file_outside_the_folder_is_not_written_to_disk(
    run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    target = tmp_path.parent / f"{tmp_path.name}-outside.json"
    result = run_pipeline(
        copying(), parameters={"target": str(target)}, files={"in/orders.json": "x"}
    )
    assert result.files == {str(target): b"x"}
    assert not target.exists()


LISTING = """
snaps:
  list: {snap: DirectoryBrowser, directory: in, filter: "*.json"}
  delete: {snap: FileDelete, file: = $Path}
  read: {snap: ZipFileRead, file: data.zip}
links: [list -> delete]
"""


def test_folders_show_given_files_and_those_on_disk_and_no_file_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.json").touch()
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("x", "1")
    result = run_pipeline(LISTING, files={"in/a.json": "{}"}, project=tmp_path)
    deleted = [Path(item["file"]).name for item in result.outputs["delete.output"]]
    assert deleted == ["a.json", "b.json"]
    assert b"1" in result.outputs["read.output"]
    assert (tmp_path / "in" / "b.json").exists()


def test_canned_answers_stand_for_servers() -> None:
    http = CannedHttp({"GET http://shop/orders": HttpResponse(200, body=b"none")})
    assert run_pipeline(CALLING, http=http).output[0]["entity"] == "none"
    assert len(http.requests) == 1


def test_api_run_accepts_canned_answers(tmp_path: Path) -> None:
    file = tmp_path / "calling.yaml"
    file.write_text(CALLING)
    http = CannedHttp({"GET http://shop/orders": HttpResponse(200, body=b"none")})
    assert api.run(file, http=http).outputs["get.output"][0]["entity"] == "none"


def test_mistakes_are_those_of_engine_validate() -> None:
    with pytest.raises(InvalidPipelineError, match="no snap called 'Fliter'"):
        run_pipeline("snaps:\n  a: {snap: Fliter}\n")


def test_a_failure_raises() -> None:
    with pytest.raises(ExecutionError, match="snap 'large'"):
        run_pipeline(LARGE, inputs=[{}])


def test_a_list_needs_one_open_input() -> None:
    mapper = "{snap: Mapper, mappings: {$a: '1'}}"
    two = f"snaps:\n  a: {mapper}\n  b: {mapper}\n"
    with pytest.raises(ConfigurationError, match=r"this one has: a\.input, b\.input"):
        run_pipeline(two, inputs=[{}])
