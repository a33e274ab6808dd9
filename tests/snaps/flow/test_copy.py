from __future__ import annotations

from typing import Any

BOTH = ["output0", "output1"]


def test_every_output_gets_the_document(run_snap: Any) -> None:
    given = [{"a": [1, {"b": b"bytes"}], "n": None}]
    outputs = run_snap("Copy", {}, given, outputs=[*BOTH, "output2"]).outputs
    assert outputs == {"output0": given, "output1": given, "output2": given}


def test_the_copies_share_no_mutable_value(run_snap: Any) -> None:
    given = [{"map": {"list": [[1], {"x": 1}]}}]
    outputs = run_snap("Copy", {}, given, outputs=BOTH).outputs
    first, second = outputs["output0"][0], outputs["output1"][0]
    assert first == second
    assert first is not second
    assert first["map"] is not second["map"]
    assert first["map"]["list"] is not second["map"]["list"]
    assert first["map"]["list"][0] is not second["map"]["list"][0]
    assert first["map"]["list"][1] is not second["map"]["list"][1]


def test_the_order_of_keys_is_kept(run_snap: Any) -> None:
    outputs = run_snap("Copy", {}, [{"z": [], "a": {}, "m": 1}], outputs=BOTH).outputs
    assert list(outputs["output1"][0]) == ["z", "a", "m"]


def test_one_output_is_enough(run_snap: Any) -> None:
    assert run_snap("Copy", {}, [{"a": 1}], outputs=["output0"]).outputs == {"output0": [{"a": 1}]}
