"""Tags of requests: a sane id or trace of the caller's, otherwise a new one."""

from __future__ import annotations

import re

import pytest

from engine.request_tags import RequestTag, new_tag, tag_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
NEW = re.compile("[0-9a-f]{32}")


def test_the_callers_id_is_kept() -> None:
    assert tag_of(["order-17/b"], [], []) == RequestTag("order-17/b")


def test_without_an_id_the_trace_is_the_id() -> None:
    assert tag_of([], [PARENT], ["a=1", "b=2"]) == RequestTag(TRACE, PARENT, "a=1,b=2")


def test_an_id_counts_more_than_the_trace() -> None:
    tag = tag_of(["mine"], [PARENT], [])
    assert (tag.id, tag.trace, tag.span, tag.is_sampled) == ("mine", TRACE, SPAN, True)


@pytest.mark.parametrize(
    "ids",
    [
        [""],
        [" "],
        ["a" * 129],
        ["a" * 10_240],
        ["two words"],
        ["a\nb"],
        ["a\rb"],
        ["caf\u00e9"],
        ["\x1b[2J"],
        ["a", "b"],
    ],
)
def test_an_id_that_is_not_sane_counts_as_not_sent(ids: list[str]) -> None:
    tag = tag_of(ids, [], [])
    assert NEW.fullmatch(tag.id)
    assert tag.traceparent == ""


@pytest.mark.parametrize(
    "parents",
    [
        ["hello"],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"00-{TRACE.upper()}-{SPAN}-01"],
        [f"00-{TRACE[1:]}-{SPAN}-01"],
        [f"{PARENT}-more"],
        [f"{PARENT}\n"],
        [PARENT * 1000],
        [PARENT, PARENT],
    ],
)
def test_a_traceparent_that_is_not_valid_counts_as_not_sent(parents: list[str]) -> None:
    tag = tag_of([], parents, ["a=1"])
    assert NEW.fullmatch(tag.id)
    assert tag.id != TRACE
    assert (tag.traceparent, tag.tracestate) == ("", "")


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert tag_of([], [f"01-{TRACE}-{SPAN}-03-what"], []).traceparent == PARENT


def test_a_state_that_cannot_be_sent_on_is_dropped() -> None:
    assert tag_of([], [PARENT], ["a=" + "1" * 600]).tracestate == ""
    assert tag_of([], [PARENT], ["a=\r\nb: 1"]).tracestate == ""


def test_blanks_around_the_value_do_not_count() -> None:
    assert tag_of([" mine\t"], [f" {PARENT} "], []) == RequestTag("mine", PARENT)


def test_no_two_made_ids_are_the_same() -> None:
    assert len({new_tag().id for _ in range(10_000)}) == 10_000
