"""Traces: what a request did, sent to a collector that may as well be silent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from engine.request_tags import RequestTag
from engine.tasks.front.tracing import Sampling
from engine.tasks.server.trace_export import DEFAULT_RATIO, sampling_of
from tests.tasks.collecting import Collector, collecting
from tests.tasks.conftest import Serve
from tests.tasks.wire import Answer, ask

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
SAMPLED = ("traceparent", f"00-{TRACE}-{CALLER}-01")
UNSAMPLED = ("traceparent", f"00-{TRACE}-{CALLER}-00")
PIPELINE = """
snaps:
  ask: {snap: RESTGet, service_url: URL/api}
  answer: {snap: RemotePythonScript, source: SOURCE}
links: [ask -> answer]
"""
SOURCE = "def snaplogic_process(row):\\n    return {'content': 1}\\n"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


def pipeline(folder: Path, collector: Collector, name: str = "calls") -> Path:
    file = folder / f"{name}.yaml"
    text = PIPELINE.replace("URL", collector.url)
    file.write_text(text.replace("SOURCE", f'"{SOURCE}"'))
    return file


def call(port: int, *headers: tuple[str, str], task: str = "calls") -> Answer:
    return ask(port, "POST", f"/tasks/{task}", headers, json.dumps({}).encode())


@pytest.mark.parametrize("kind", ["ultra", "triggered"])
def test_a_trace_shows_queue_snaps_and_calls(
    serve: Serve, tmp_path: Path, collector: Collector, kind: str
) -> None:
    pipeline(tmp_path, collector)
    (tmp_path / "calls.task").write_text(f"name: calls\ntype: {kind}\npipeline: calls.yaml\n")
    served = serve("calls.task", environment=collector.environment)
    assert call(served.port, SAMPLED, ("tracestate", "a=1")).status == 200
    host = "GET 127.0.0.1"
    script = "script calls.yaml, source of 'answer'"
    wanted = {"POST /tasks/calls", "queue", "snap ask", "snap answer", host, script}
    served.wait_for(lambda: wanted <= collector.of(TRACE).keys())
    spans = collector.of(TRACE)
    request = spans["POST /tasks/calls"]
    assert request.parent == CALLER
    for name in ("queue", "snap ask", "snap answer"):
        assert spans[name].parent == request.span
        assert request.start <= spans[name].start <= spans[name].end
    assert spans[host].parent == spans["snap ask"].span
    assert spans[script].parent == spans["snap answer"].span
    (headers,) = collector.called
    assert headers["traceparent"] == f"00-{TRACE}-{spans[host].span}-01"
    assert headers["tracestate"] == "a=1"
    assert request.facts["http.response.status_code"] == 200
    assert request.facts["snapline.request_id"] == TRACE
    assert collector.resources[0]["service.name"] == "snapline"


def test_a_made_id_is_that_of_the_trace(serve: Serve, tmp_path: Path, collector: Collector) -> None:
    served = serve(pipeline(tmp_path, collector), environment=collector.environment)
    (made,) = call(served.port).header("x-request-id")
    served.wait_for(lambda: "POST /tasks/calls" in collector.of(made))
    assert collector.of(made)["POST /tasks/calls"].parent == ""


def test_what_the_caller_does_not_record_is_not_recorded(
    serve: Serve, tmp_path: Path, collector: Collector
) -> None:
    served = serve(pipeline(tmp_path, collector), environment=collector.environment)
    assert call(served.port, UNSAMPLED).status == 200
    (made,) = call(served.port).header("x-request-id")
    served.wait_for(lambda: "POST /tasks/calls" in collector.of(made))
    assert collector.of(TRACE) == {}
    assert collector.called[0]["traceparent"].startswith(f"00-{TRACE}-")
    assert collector.called[0]["traceparent"].endswith("-00")


def test_without_a_collector_the_trace_is_passed_on(
    serve: Serve, tmp_path: Path, collector: Collector
) -> None:
    served = serve(pipeline(tmp_path, collector))
    assert call(served.port, SAMPLED).status == 200
    assert call(served.port, ("traceparent", f"00-{'0' * 32}-{CALLER}-01")).status == 200
    assert call(served.port).status == 200
    assert [each.get("traceparent") for each in collector.called] == [SAMPLED[1], None, None]


def test_a_collector_that_does_not_answer_stops_nothing(
    serve: Serve, tmp_path: Path, collector: Collector
) -> None:
    collector.answers.clear()
    served = serve(pipeline(tmp_path, collector), environment=collector.environment)
    for _ in range(20):
        assert call(served.port).status == 200
    assert served.stop() == 0
    assert collector.spans == []


def test_a_collector_that_is_not_there_is_reported_once(
    serve: Serve, tmp_path: Path, collector: Collector
) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:hidden@127.0.0.1:1",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "OTEL_TRACES_SAMPLER_ARG": "1",
    }
    served = serve(pipeline(tmp_path, collector), environment=environment)
    assert call(served.port).status == 200
    served.wait_for(lambda: "cannot send traces to http://127.0.0.1:1" in served.stderr)
    assert call(served.port).status == 200
    assert "hidden" not in served.stderr
    metrics = ask(served.port, "GET", "/metrics").body.decode()
    assert "snapline_span_drops_total 0.0" not in metrics


def test_a_setting_that_is_not_valid_is_named() -> None:
    with pytest.raises(ConfigurationError, match="OTEL_TRACES_SAMPLER_ARG is 'often'"):
        sampling_of({"OTEL_TRACES_SAMPLER_ARG": "often"})
    with pytest.raises(ConfigurationError, match="OTEL_TRACES_SAMPLER_ARG is '2'"):
        sampling_of({"OTEL_TRACES_SAMPLER_ARG": "2"})
    with pytest.raises(ConfigurationError, match="OTEL_TRACES_SAMPLER is 'jaeger_remote'"):
        sampling_of({"OTEL_TRACES_SAMPLER": "jaeger_remote"})


@pytest.mark.parametrize(
    ("name", "argument", "sampling"),
    [
        ("", "", Sampling(DEFAULT_RATIO)),
        ("", "0.5", Sampling(0.5)),
        ("", str(DEFAULT_RATIO), Sampling(DEFAULT_RATIO)),
        ("always_on", "", Sampling(1.0, heeds_parent=False)),
        ("parentbased_always_off", "", Sampling(0.0)),
        ("traceidratio", "0.25", Sampling(0.25, heeds_parent=False)),
    ],
)
def test_the_variables_of_opentelemetry_choose_the_sampling(
    name: str, argument: str, sampling: Sampling
) -> None:
    found = sampling_of({"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument})
    assert found == sampling


def test_the_same_traces_are_chosen_everywhere() -> None:
    low, high = "0" * 16 + "1" + "0" * 15, "0" * 16 + "f" + "0" * 15
    half = Sampling(0.5)
    assert half.takes(RequestTag(low), low)
    assert not half.takes(RequestTag(high), high)
    assert half.takes(RequestTag("a", f"00-{high}-{CALLER}-01"), high)
    assert not Sampling(0.5, heeds_parent=False).takes(
        RequestTag("a", f"00-{high}-{CALLER}-01"), high
    )


def test_nothing_is_imported_while_traces_are_off() -> None:
    code = (
        "import sys\nimport engine.tasks.server.server, engine.tasks.worker.instance\n"
        "from engine.tasks.server.trace_export import open_export\n"
        "assert open_export() is None\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    environment = {name: text for name, text in os.environ.items() if "OTEL" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == "[]\n"


def test_a_child_pipeline_belongs_to_the_request(
    serve: Serve, tmp_path: Path, collector: Collector
) -> None:
    (tmp_path / "child.yaml").write_text(
        "snaps:\n"
        f"  ask: {{snap: RESTGet, service_url: {collector.url}/api}}\n"
        "  fail: {snap: Mapper, mappings: {$x: $gone}}\n"
        "  told: {snap: Mapper, mappings: {$told: $request_id}}\n"
        "  both: {snap: Union}\n"
        "links: [ask -> fail -> both, fail.error -> told -> both]\n"
    )
    (tmp_path / "calls.yaml").write_text(
        "snaps:\n  run: {snap: PipelineExecute, pipeline: child.yaml}\n"
        "  answer: {snap: Mapper, mappings: {$content: $told}}\nlinks: [run -> answer]\n"
    )
    served = serve("calls.yaml")
    for number in range(3):
        trace = f"{number + 1:032x}"
        reply = call(served.port, ("traceparent", f"00-{trace}-{CALLER}-01"))
        assert (reply.status, reply.json) == (200, trace)
        assert collector.called[-1]["traceparent"] == f"00-{trace}-{CALLER}-01"
