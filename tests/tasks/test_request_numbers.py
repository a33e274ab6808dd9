"""Numbers of requests leave a hosted pipeline as they came; bad ones are the caller's mistake."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from tests.end_to_end.numbers_as_text import NUMBERS, documents
from tests.tasks.conftest import Served, servers

ULTRA = """
snaps:
  keep: {snap: Filter, filter: "$method == 'POST'"}
  answer: {snap: Mapper, mappings: {$content: $content}}
links: [keep -> answer]
"""
HEADERS = """
snaps:
  answer:
    snap: Mapper
    mappings:
      $content: $content
      $status: $content.status
      $x-number: $content.n
      $x-map: $content
"""
TRIGGERED = """
snaps:
  keep: {snap: Mapper, pass_through: true, mappings: {$seen: 'true'}}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("numbers")
    for name, kind, text in (
        ("ultra", "ultra", ULTRA),
        ("headers", "ultra", HEADERS),
        ("triggered", "triggered", TRIGGERED),
    ):
        (folder / f"{name}.yaml").write_text(text)
        (folder / f"task_{name}.yaml").write_text(
            f"name: {name}\npipeline: {name}.yaml\ntype: {kind}\n"
        )
    with servers(folder) as start:
        yield start(*sorted(folder.glob("task_*.yaml")))


def post(served: Served, task: str, body: str) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        connection.request("POST", f"/tasks/{task}", body.encode())
        reply = connection.getresponse()
        return reply.status, reply.read().decode(), reply.headers
    finally:
        connection.close()


@settings(deadline=None, max_examples=50)
@given(documents)
def test_numbers_leave_an_ultra_task_as_they_came(served: Served, text: str) -> None:
    assert post(served, "ultra", text)[:2] == (200, text)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_leaves_a_triggered_task_as_it_came(served: Served, number: str) -> None:
    text = f'{{"n":{number}}}'
    assert post(served, "triggered", text)[:2] == (200, f'[{{"n":{number},"seen":true}}]')


@pytest.mark.parametrize("task", ["ultra", "triggered"])
@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("1e1000000000", "the exponent of 1e1000000000 is out of range; the limit is 10,000"),
        ("7" * 1_000_000, "the number has 1,000,000 digits; the limit is 4,300"),
        ("0." + "7" * 1_000_000, "the number has 1,000,000 digits; the limit is 4,300"),
        ("NaN", "is not valid JSON"),
        ("Infinity", "is not valid JSON"),
    ],
)
def test_a_bad_number_is_the_mistake_of_the_caller(
    served: Served, task: str, number: str, says: str
) -> None:
    status, body, _ = post(served, task, f'{{"a": 1,\n "n": {number}}}')
    assert status == 400
    assert says in body
    assert "(line 2, column 7, byte 15)" in body


def test_numbers_in_headers_are_written_in_full(served: Served) -> None:
    body = '{"n":29.920,"big":1234567890123456789012345678901234567890,"status":200.0}'
    status, _, headers = post(served, "headers", body)
    assert status == 200
    assert headers["x-number"] == "29.920"
    assert '"n": 29.920, "big": 1234567890123456789012345678901234567890' in headers["x-map"]
