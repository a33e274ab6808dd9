"""A case touches nothing outside of itself unless it allows that."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest

from engine import cli

CASE = "cases:\n  first:\n    expect: {shape: {count: 0}}\n"


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the test opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def refused(run_tests: Any, first: str, action: str, shape: str = "Head") -> str:
    """The output for a pipeline that begins with this snap, which the case must not run."""
    text = f"snaps:\n  first: {first}\n  shape: {{snap: {shape}}}\nlinks: [first -> shape]\n"
    outcome = run_tests(CASE, pipeline=text)
    assert f"the snap 'first' {action}, and is neither mocked nor allowed" in outcome.out
    assert "mock 'first', or add it to 'allow:'" in outcome.out
    assert outcome.code == 1
    out: str = outcome.out
    return out


def test_a_real_file_is_not_read(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text("[]")
    outcome = run_tests(CASE)
    assert "the snap 'read' reads 'orders.json', and is neither mocked nor allowed" in outcome.out
    assert "give the file in 'files:' as 'orders.json'" in outcome.out


def test_a_snap_that_is_allowed_reads_real_files(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text("[]")
    assert run_tests(CASE + "    allow: [read]\n").code == 0


def test_a_file_that_the_case_does_not_expect_is_not_written(run_tests: Any) -> None:
    text = """\
snaps:
  shape: {snap: Filter, filter: 'true'}
  format: {snap: JSONFormatter}
  save: {snap: FileWriter, file: out.json}
links: [shape -> format -> save]
"""
    outcome = run_tests("cases:\n  first:\n    expect: {shape: {count: 0}}\n", pipeline=text)
    assert "the snap 'save' writes 'out.json', and is neither mocked nor allowed" in outcome.out
    assert "expect it in 'files:' of 'expect:'" in outcome.out
    assert not Path("out.json").exists()


def test_an_allowed_writer_leaves_real_files_alone(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("mine")
    text = """\
snaps:
  shape: {snap: JSONGenerator, documents: [{n: 1}]}
  format: {snap: JSONFormatter}
  save: {snap: FileWriter, file: out.json}
links: [shape -> format -> save]
"""
    cases = "cases:\n  first:\n    allow: [save]\n    expect: {format: {count: 1}}\n"
    assert run_tests(cases, pipeline=text).code == 0
    assert (tmp_path / "out.json").read_text() == "mine"


def test_a_script_is_not_run(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("def snaplogic_process(row): return row\n")
    refused(run_tests, "{snap: RemotePythonScript, script: s.py}", "runs a script")


@pytest.mark.usefixtures("without_network")
def test_a_request_is_not_sent(run_tests: Any) -> None:
    refused(
        run_tests,
        "{snap: RESTGet, service_url: 'http://127.0.0.1:9/'}",
        "sends GET 'http://127.0.0.1:9/'",
    )


@pytest.mark.usefixtures("without_network")
def test_a_remote_file_is_not_read(run_tests: Any) -> None:
    refused(
        run_tests,
        "{snap: FileReader, file: 'http://127.0.0.1:9/a'}",
        "reads 'http://127.0.0.1:9/a'",
        "JSONParser",
    )


def test_a_database_is_not_opened(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "shop.yaml").write_text(
        "account: sql\ndialect: sqlite\ndatabase: shop.db\n"
    )
    refused(run_tests, "{snap: SQLSelect, account: shop, table_name: a}", "uses the account 'shop'")
    assert not (tmp_path / "shop.db").exists()


def test_a_file_is_not_deleted(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    refused(run_tests, "{snap: FileDelete, file: a.txt}", "acts on the outside")
    assert (tmp_path / "a.txt").exists()


def test_a_folder_is_not_listed_unless_its_files_are_given(run_tests: Any) -> None:
    refused(run_tests, "{snap: DirectoryBrowser, directory: data}", "lists 'data'")
    text = "snaps:\n  shape: {snap: DirectoryBrowser, directory: data}\n"
    cases = "cases:\n  a:\n    files: {data/x.csv: x}\n    expect: {output: {count: 1}}\n"
    outcome = run_tests(cases, pipeline=text)
    assert outcome.code == 0, outcome.out


def test_the_snaps_of_a_child_pipeline_are_guarded_too(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text("[]")
    (tmp_path / "child.yaml").write_text(
        "snaps:\n  read: {snap: FileReader, file: orders.json}\n  parse: {snap: JSONParser}\n"
        "links: [read -> parse]\n"
    )
    text = """\
snaps:
  run: {snap: PipelineExecute, pipeline: child.yaml}
  shape: {snap: Filter, filter: 'true'}
links: [run -> shape]
"""
    out = run_tests(CASE, pipeline=text).out
    assert "the snap 'read' of the pipeline that 'run' runs reads 'orders.json'" in out
    assert run_tests(CASE + "    allow: [run]\n", pipeline=text).code == 0


def test_a_template_of_the_pipeline_is_read(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"n": 1}]')
    text = "snaps:\n  shape: {snap: JSONGenerator, file: rows.json}\n"
    cases = "cases:\n  first:\n    expect: {output: [{n: 1}]}\n"
    assert run_tests(cases, pipeline=text).code == 0


def test_a_refusal_is_reported_whatever_on_error_says(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text("[]")
    text = """\
snaps:
  read: {snap: FileReader, file: orders.json, on_error: discard}
  shape: {snap: JSONParser}
links: [read -> shape]
"""
    out = run_tests(CASE, pipeline=text).out
    assert "the snap 'read' reads 'orders.json', and is neither mocked nor allowed" in out


def test_a_file_of_the_project_is_named_as_the_pipeline_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", "project", "shop"]) == 0
    Path("shop/pipelines/orders.test.yaml").write_text("cases: {a: {expect: {large: []}}}")
    cli.main(["test", "shop"])
    assert "give the file in 'files:' as '../data/orders.json', mock" in capsys.readouterr().out


def test_a_snap_before_mocks_only_needs_an_empty_mock(run_tests: Any) -> None:
    mocks = "mocks: {parse: [{id: 1, amount: 20}]}"
    cases = f"cases:\n  first:\n    {mocks}\n    expect: {{big: {{count: 1}}}}\n"
    assert "mock 'read' (read: [] is enough, as only mocks follow it), or" in run_tests(cases).out
    enough = cases.replace("mocks: {", "mocks: {read: [], ")
    assert run_tests(enough).code == 0
