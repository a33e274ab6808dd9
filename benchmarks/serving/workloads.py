"""Requests and expected responses of the echo and digits pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.serving.images import Answers
from benchmarks.serving.load import CheckAnswer, MakeRequest
from benchmarks.serving.rivals.echo_asgi import TOKEN as ECHO_TOKEN

PIPELINES = Path(__file__).with_name("pipelines")
DIGIT_TOKEN = "a-digit"
TOLERANCE = 1e-5
"""Allowed between two ways to run the model, whose probabilities agree to 1e-6."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests by number, and the check that a response belongs to its request."""

    make_request: MakeRequest
    check_answer: CheckAnswer


def echo() -> Workload:
    """Small documents; id, name and city differ from request to request."""

    def make_request(number: int) -> bytes:
        return (
            b'{"token":"%b","id":%d,"customer":{"name":"customer %d","city":"city %d",'
            b'"street":"Main 1"},"amount":%d,"quantity":3,"tags":["a","b"]}'
        ) % (token, number, number, number, number % 500)

    def check_answer(number: int, status: int, body: bytes) -> bool:
        expected = b'{"id":%d,"name":"customer %d","city":"city %d","total":%d}'
        return body == expected % (number, number, number, number % 500 * 3)

    token = ECHO_TOKEN.encode()
    return Workload(make_request, check_answer)


def digits(images: Sequence[bytes], answers: Answers) -> Workload:
    """The images in turn, starting over when all have been used."""
    bodies = [
        b'"token":"%b","params":{"image":%b}}' % (DIGIT_TOKEN.encode(), each) for each in images
    ]

    def make_request(number: int) -> bytes:
        return b'{"id":%d,%b' % (number, bodies[number % len(bodies)])

    def check_answer(number: int, status: int, body: bytes) -> bool:
        found = _decoded(body)
        return isinstance(found, dict) and _is_close(
            (found.get("pred"), found.get("conf")), answers[number % len(answers)]
        )

    return Workload(make_request, check_answer)


def digits_with_id(images: Sequence[bytes], answers: Answers) -> Workload:
    """The same, where the response carries the id of its request."""
    plain = digits(images, answers)

    def check_answer(number: int, status: int, body: bytes) -> bool:
        found = _decoded(body)
        return (
            isinstance(found, dict)
            and found.get("id") == number
            and plain.check_answer(number, status, body)
        )

    return Workload(plain.make_request, check_answer)


def digits_for_bentoml(images: Sequence[bytes], answers: Answers) -> Workload:
    """A list of one image, answered with a list of one pair; BentoML batches along such lists."""
    bodies = [b'{"images":[%b]}' % each for each in images]

    def check_answer(number: int, status: int, body: bytes) -> bool:
        found = _decoded(body)
        return isinstance(found, list) and _is_close(found[0], answers[number % len(answers)])

    return Workload(lambda number: bodies[number % len(bodies)], check_answer)


def _decoded(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _is_close(found: Sequence[object], expected: tuple[int, float]) -> bool:
    pred, conf = found
    return pred == expected[0] and isinstance(conf, float) and abs(conf - expected[1]) < TOLERANCE
