"""`engine test --record`: a case is written from a run, and passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import cli
from tests.http_server import Reply, serving

PIPELINE = """\
parameters: {least: "10"}
snaps:
  read: {snap: FileReader, file: orders.json}
  parse: {snap: JSONParser}
  big: {snap: Filter, filter: $amount >= +_least}
  stamp:
    snap: Mapper
    pass_through: true
    mappings: {$at: Date.now(), $random: Math.random()}
  both: {snap: Copy}
  format: {snap: JSONFormatter}
  save: {snap: FileWriter, file: big.json}
  end: {snap: Head}
links: [read -> parse -> big -> stamp -> both, both -> format -> save, both -> end]
"""
ORDERS = (
    '[{"id": 1, "amount": 5.50}, {"id": 2, "amount": 12345678901234567890.10, "t": "a: \\u2028é"}]'
)
Record = Callable[..., int]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """`engine test --record orders.yaml` in an empty folder with `orders.json`."""
    monkeypatch.chdir(tmp_path)

    def run(pipeline: str, *arguments: str) -> int:
        Path("orders.yaml").write_text(pipeline)
        Path("orders.json").write_text(ORDERS)
        return cli.main(["test", "--record", "orders.yaml", *arguments])

    return run


def test_a_recorded_case_passes_again_and_again(record: Record) -> None:
    assert record(PIPELINE) == 0
    assert [cli.main(["test"]) for _ in range(3)] == [0, 0, 0]


def test_the_case_holds_what_came_from_the_outside_and_what_came_of_it(record: Record) -> None:
    assert record(PIPELINE) == 0
    text = Path("orders.test.yaml").read_text()
    assert '"amount":12345678901234567890.10' in text
    assert "      save: []" in text
    assert "      end.output:" in text
    Path("orders.json").unlink()
    assert cli.main(["test"]) == 0
    changed = PIPELINE.replace("$amount >=", "$amount <")
    Path("orders.yaml").write_text(changed)
    assert cli.main(["test"]) == 1


def test_recording_writes_no_file_of_the_pipeline(record: Record) -> None:
    record(PIPELINE)
    assert sorted(path.name for path in Path.cwd().iterdir()) == [
        "orders.json",
        "orders.test.yaml",
        "orders.yaml",
    ]


def test_a_second_case_is_added_under_its_own_name(
    record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    record(PIPELINE)
    assert record(PIPELINE) == 2
    assert "has a case 'recorded' already; choose another --name" in capsys.readouterr().err
    assert record(PIPELINE, "--name", "all orders: 0", "--param", "least=0") == 0
    assert cli.main(["test", "-k", "all orders"]) == 0
    assert cli.main(["test"]) == 0


def test_documents_of_the_open_input_are_recorded(record: Record, tmp_path: Path) -> None:
    (tmp_path / "given.csv").write_text("n\n1\n2\n")
    text = "snaps:\n  rows: {snap: Mapper, mappings: {$n: $n}}\n"
    assert record(text, "--input", "given.csv") == 0
    assert '    input:\n      - {"n":"1"}\n' in Path("orders.test.yaml").read_text()


def test_answers_of_a_server_are_recorded(record: Record) -> None:
    answer = Reply(body=b'{"k": 1}', headers={"content-type": "application/json"})
    with serving(lambda _: answer) as server:
        text = f"""\
snaps:
  call: {{snap: RESTGet, service_url: '{server.url}/a'}}
  shape: {{snap: Mapper, mappings: {{$k: $entity.k}}}}
links: [call -> shape]
"""
        assert record(text) == 0
        assert len(server.requests) == 1
    assert cli.main(["test"]) == 0
    assert '- {"k":1}' in Path("orders.test.yaml").read_text()


def test_what_differs_between_two_runs_is_marked(
    record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """\
snaps:
  rows: {snap: Mapper, mappings: {$run: pipe.ruuid, $n: '1', $a.run: pipe.ruuid}}
"""
    assert record(text) == 0
    assert "rows.output: differed between two runs: $run, $a.run" in capsys.readouterr().out
    assert 'ignore: ["$run","$a.run"]  # differed' in Path("orders.test.yaml").read_text()
    assert cli.main(["test"]) == 0


def test_a_stream_that_is_not_text_is_recorded(record: Record, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\x00")
    text = """\
snaps:
  read: {snap: FileReader, file: a.bin}
  encode: {snap: BinaryToDocument, codec: encode_base64}
links: [read -> encode]
"""
    assert record(text) == 0
    assert '"base64":"/wA="' in Path("orders.test.yaml").read_text()
    assert cli.main(["test"]) == 0


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("cases: {}\npipeline: orders.yaml\n", "must end with 'cases:'"),
        ("[]\n", "must end with 'cases:'"),
    ],
)
def test_a_file_that_cannot_take_a_case_is_left_alone(
    record: Record,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tests: str,
    message: str,
) -> None:
    (tmp_path / "orders.test.yaml").write_text(tests)
    assert record(PIPELINE) == 2
    assert message in capsys.readouterr().err
    assert (tmp_path / "orders.test.yaml").read_text() == tests


@pytest.mark.parametrize(
    ("pipeline", "arguments", "message"),
    [
        (PIPELINE.replace("orders.json", "no.json"), (), "the run failed, so there is nothing"),
        (PIPELINE.replace("-> parse", "-> prase"), (), "unknown-label"),
        (PIPELINE, ("--input", "no.json"), "--input: cannot read 'no.json'"),
        (PIPELINE, ("--param", "lest=1"), "the pipeline has no parameter 'lest'"),
    ],
)
def test_a_run_that_cannot_be_recorded_is_a_mistake(
    record: Record,
    capsys: pytest.CaptureFixture[str],
    pipeline: str,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert record(pipeline, *arguments) == 2
    assert message in capsys.readouterr().err
    assert not Path("orders.test.yaml").exists()


def test_a_recorded_case_holds_no_secret_of_the_environment(
    record: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN", "open-sesame")
    pipeline = (
        "parameters: {token: {secret: true, default: '${env:TOKEN}'}}\n"
        "snaps: {shape: {snap: Mapper, mappings: {$n: '1', $in.token: _token}}}\n"
    )
    assert record(pipeline) == 0
    text = Path("orders.test.yaml").read_text()
    assert "open-sesame" not in text
    assert 'ignore: ["$in.token"]  # held secrets' in text
    assert "shape.output: held secrets: $in.token" in capsys.readouterr().out
    monkeypatch.setenv("TOKEN", "another")
    assert cli.main(["test"]) == 0
