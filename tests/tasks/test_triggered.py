"""Triggered tasks: the input of a run from a call, and its result."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from engine.plan.plan import Plan, Port
from engine.plan.routes import routes_of
from engine.tasks.definition.task import Limits, Timeouts
from engine.tasks.front.head import METHODS
from tests.tasks.hosting import GATED, Gate, documents, hosted, in_loop, plan_of, request, turns

ECHO = "snaps: {echo: {snap: Mapper, pass_through: true, mappings: {$seen: 'true'}}}"


READING = """
parameters: {dir: {default: files}}
snaps:
  read: {snap: FileReader, file: = _dir + '/a.json', allow_outside: %s}
  parse: {snap: JSONParser}
links: [read -> parse]
"""


@pytest.mark.parametrize("says", ["false", "true"])
@pytest.mark.parametrize(
    "query", ["dir=..", "dir=files/../..", "dir={outside}", "dir=file://{outside}", "dir=%2e%2e"]
)
@in_loop
async def test_a_parameter_from_the_caller_does_not_lead_out_of_the_project(
    tmp_path: Path, query: str, says: str
) -> None:
    project = a_project_with_a_secret_beside_it(tmp_path)
    async with hosted(plan_of(project, READING % says)) as task:
        reply = await task.answer(request(query=query.format(outside=tmp_path)))
    assert reply.status == 500
    assert "is not allowed" in documents(reply)["error"]


@in_loop
async def test_a_header_and_a_fact_of_the_call_are_data_too(tmp_path: Path) -> None:
    project = a_project_with_a_secret_beside_it(tmp_path)
    text = READING.replace("dir: {default: files}", "DIR: {}, PATH_INFO: {}") % "false"
    for name, call in [
        ("_DIR", request(headers=[("dir", "..")])),
        ("_PATH_INFO", request(path_info=f"/../{tmp_path}")),
        ("pipe.args.DIR", request(query="DIR=..")),
    ]:
        async with hosted(plan_of(project, text.replace("_dir", name))) as task:
            reply = await task.answer(call)
        assert "is not allowed" in documents(reply)["error"]


@in_loop
async def test_a_parameter_of_the_task_may_lead_anywhere(tmp_path: Path) -> None:
    project = a_project_with_a_secret_beside_it(tmp_path)
    plan = plan_of(project, READING % "false")
    async with hosted(plan, parameters={"dir": str(tmp_path)}) as task:
        assert documents(await task.answer(request())) == [{"secret": True}]


@in_loop
async def test_a_task_may_allow_what_its_snaps_allow(tmp_path: Path) -> None:
    project = a_project_with_a_secret_beside_it(tmp_path)
    async with hosted(plan_of(project, READING % "true"), allow_outside=True) as task:
        assert documents(await task.answer(request(query="dir=.."))) == [{"secret": True}]
    async with hosted(plan_of(project, READING % "false"), allow_outside=True) as task:
        assert (await task.answer(request(query="dir=.."))).status == 500


def a_project_with_a_secret_beside_it(folder: Path) -> Path:
    (folder / "a.json").write_text('{"secret": true}')
    project = folder / "project"
    (project / "files").mkdir(parents=True)
    return project


# Bodies and results


@in_loop
async def test_a_body_is_fed_document_by_document_and_the_result_is_an_array(
    tmp_path: Path,
) -> None:
    async with hosted(plan_of(tmp_path, ECHO)) as task:
        for body, expected in [
            (b'{"n": 1}', [{"n": 1, "seen": True}]),
            (b'[{"n": 1}, {"n": 2}]', [{"n": 1, "seen": True}, {"n": 2, "seen": True}]),
            (b"[]", []),
            (b"", [{"seen": True}]),
        ]:
            reply = await task.answer(request(body))
            assert (reply.status, reply.outcome) == (200, "answered")
            assert reply.headers == [("content-type", "application/json")]
            assert documents(reply) == expected
        assert [counts.documents_in for counts in task.snap_counts()] == [4]
        assert (task.in_flight, task.queue_depth, task.statistics.restarts) == (0, 0, 0)


@in_loop
async def test_a_bad_body_gives_400_and_the_process_lives_on(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ECHO)) as task:
        for body in (b"{", b"3", b"[1]"):
            reply = await task.answer(request(body))
            assert (reply.status, reply.outcome) == (400, "refused")
            assert set(documents(reply)) == {"error", "reason", "resolution"}
        assert documents(await task.answer(request())) == [{"seen": True}]
        assert task.statistics.restarts == 0


@in_loop
async def test_methods_decide_whether_there_is_a_body(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ECHO)) as task:
        for method in METHODS[:-1]:
            reply = await task.answer(request(b'{"n": 1}', method=method))
            assert reply.status == 200
            assert (reply.body == b"") == (method == "HEAD")


@in_loop
async def test_a_pipeline_without_open_output_answers_at_its_end(tmp_path: Path) -> None:
    text = """
    snaps:
      format: {snap: JSONFormatter}
      write: {snap: FileWriter, file: out.json}
      after: {snap: Mapper, mappings: {$a: 1}, mode: disabled}
    links: [format -> write -> after]
    """
    async with hosted(plan_of(tmp_path, text)) as task:
        assert documents(await task.answer(request(b'{"n": 1}'))) == {"http_status_code": 200}
    assert msgspec.json.decode((tmp_path / "out.json").read_bytes()) == [{"n": 1}]


@in_loop
async def test_a_binary_output_is_the_body_with_its_header(tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("a;b\n")
    text = """
    snaps:
      read:
        snap: FileReader
        file: some.csv
        output_headers: {$status: '"201"', "$['X-Made-By']": '"us"'}
    """
    async with hosted(plan_of(tmp_path, text)) as task:
        reply = await task.answer(request())
    assert (reply.status, reply.body) == (201, b"a;b\n")
    assert reply.headers == [("content-type", "text/csv"), ("x-made-by", "us")]


@in_loop
async def test_a_binary_input_gets_body_and_headers(tmp_path: Path) -> None:
    text = """
    snaps:
      read: {snap: FileReader, file: none.json}
      parse: {snap: JSONParser}
    links: [read -> parse]
    """
    plan = without_reader(plan_of(tmp_path, text))
    async with hosted(plan) as task:
        reply = await task.answer(request(b'[{"n": 1}]', headers=[("content-type", "image/png")]))
        assert documents(reply) == [{"n": 1}]


def without_reader(plan: Plan) -> Plan:
    """The plan as if its parser could be left unlinked."""
    snaps, stages, open_inputs = plan.snaps[1:], plan.stages[1:], (Port("parse", "input"),)
    return msgspec.structs.replace(
        plan,
        snaps=snaps,
        links=(),
        stages=stages,
        open_inputs=open_inputs,
        starting_inputs=(),
        routes=routes_of(snaps, (), stages, open_inputs, ()),
    )


@in_loop
async def test_a_header_field_cannot_begin_another_header(tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("a;b\n")
    text = r"""
    parameters: {name: {}}
    snaps:
      read: {snap: FileReader, file: some.csv, output_headers: {$x: _name}}
    """
    async with hosted(plan_of(tmp_path, text)) as task:
        reply = await task.answer(request(query="name=1%0D%0Aset-cookie:%20a=1"))
    assert reply.status == 500
    assert reply.headers == [("content-type", "application/json")]
    assert documents(reply)["error"] == "the field 'x' cannot be a response header"


@in_loop
async def test_the_first_document_gives_the_status_if_the_task_says_so(tmp_path: Path) -> None:
    async with hosted(plan_of(tmp_path, ECHO), status_from_document=True) as task:
        for given, status in [(b"404", 404), (b'"404"', 200), (b"99", 200), (b"true", 200)]:
            reply = await task.answer(request(b'[{"status": %b}, {"status": 500}]' % given))
            assert reply.status == status
        assert (await task.answer(request(b'{"status": 204}'))).body == b""
    async with hosted(plan_of(tmp_path, ECHO)) as task:
        assert (await task.answer(request(b'{"status": 404}'))).status == 200


# Failures


@in_loop
async def test_a_failure_says_what_and_why_without_secrets_files_or_traces(tmp_path: Path) -> None:
    text = """
    parameters: {token: {secret: true, default: "s3cr3t-value"}}
    snaps:
      fail: {snap: Mapper, mappings: {$a: "jsonPath(_token, $.x.y.z + _token)"}}
    """
    async with hosted(plan_of(tmp_path, text)) as task:
        reply = await task.answer(request(b'{"original": "mine"}'))
        assert (reply.status, reply.outcome) == (500, "failed")
        assert documents(reply) == {
            "error": "the snap 'fail' failed",
            "reason": "an expression of the pipeline has no valid value for this document",
            "resolution": "see the server's log",
        }
        assert task.statistics.restarts == 0


@in_loop
async def test_a_pipeline_that_cannot_be_opened_reveals_no_settings(tmp_path: Path) -> None:
    (tmp_path / "template.json").write_text('{"a": "x"')
    text = "snaps: {make: {snap: JSONGenerator, file: template.json}}"
    plan = plan_of(tmp_path, text)
    (tmp_path / "template.json").write_bytes(b"\xff")
    async with hosted(plan) as task:
        failed = documents(await task.answer(request()))
    assert failed["error"] == "the pipeline cannot be started"
    assert str(tmp_path) not in str(failed)


@in_loop
async def test_a_second_call_gets_409_if_runs_may_not_overlap(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), overlap=False) as task:
        first = asyncio.create_task(task.answer(request()))
        await turns(lambda: task.in_flight)
        assert (await task.answer(request())).status == 409
        await gate.open(b'{"n": 1}')
        assert documents(await first) == [{"n": 1}]
        again = asyncio.create_task(task.answer(request()))
        await gate.open()
        assert (await again).status == 200


@in_loop
async def test_a_run_that_takes_too_long_gives_504_and_is_ended(tmp_path: Path) -> None:
    Gate(tmp_path)
    async with hosted(plan_of(tmp_path, GATED), timeouts=Timeouts(request=2.0)) as task:
        reply = await task.answer(request())
        assert (reply.status, reply.outcome) == (504, "failed")
        assert documents(reply)["reason"] == "there was no response within 2 seconds"
        await turns(lambda: task.in_flight == 0)


@in_loop
async def test_a_full_queue_gives_503_with_retry_after(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    limits = Limits(concurrent=1, queue=1)
    async with hosted(plan_of(tmp_path, GATED), limits=limits) as task:
        open_calls = [asyncio.create_task(task.answer(request())) for _ in range(2)]
        await turns(lambda: (task.in_flight, task.queue_depth) == (1, 1))
        reply = await task.answer(request())
        assert reply.status == 503
        assert ("retry-after", "1") in reply.headers
        for call in open_calls:
            await gate.open()
            assert (await call).status == 200
