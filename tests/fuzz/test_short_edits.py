"""A short run of the edits that `python -m tests.fuzz.edits` does at length."""

from __future__ import annotations

import random

import pytest

from engine.expressions import analysis
from engine.registry import Registry, discover
from tests.fuzz.edits import edited, fault_of


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


def test_no_edit_makes_checking_fail_or_answer_from_what_was_there_before(
    registry: Registry,
) -> None:
    chance = random.Random(3)
    faults = [
        fault_of(text, registry, chance, fresh=n % 4 == 0) for n, text in enumerate(edited(3, 150))
    ]
    assert [fault for fault in faults if fault] == []


def test_the_fuzzer_notices_an_answer_from_what_was_there_before(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "snaps:\n  a: {snap: JSONGenerator, documents: [{}]}\n  b: {snap: Filter, filter: $a}\n"
    text += "links: [a -> b]\n"
    stale = analysis.analyse("$a +")
    monkeypatch.setitem(analysis.ANALYSES._recent, "$a", stale)
    assert "other problems" in fault_of(text, registry, random.Random(1))
    assert fault_of(text, registry, random.Random(1)) == ""
