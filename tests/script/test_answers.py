"""What goes into a script and what comes back: values of rows, and types of results."""

from __future__ import annotations

import datetime
import struct
from decimal import Decimal
from typing import Any

import pytest

from engine.documents import RawJson
from engine.sdk.scripts import ScriptError
from tests.script.conftest import Opened

ECHO = "def snaplogic_process(row):\n    return row\n"


@pytest.mark.parametrize(
    "value",
    [
        {"text": "日本 \U0001f600", "empty": "", "nothing": None, "yes": True},
        {"list": [1, [2.5, "x"], {"deep": [{}]}], "float": 1e15},
        {"big": 2**70, "negative": -(2**200), "deep": [{"big": 2**64}], "edge": 2**64 - 1},
        {},
    ],
)
def test_documents_come_back_unchanged(opened: Opened, value: dict[str, Any]) -> None:
    session = opened(ECHO)
    session.start()
    assert session.process([value]) == [[value]]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("number", "name"),
    [
        (float("nan"), "NaN"),
        (-float("nan"), "NaN"),
        (struct.unpack("!d", bytes.fromhex("7ff00000000007a2"))[0], "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_a_row_with_nan_or_infinity_fails_and_names_the_field(
    opened: Opened, number: float, name: str, *, exact: bool
) -> None:
    session = opened(ECHO, exact=exact)
    session.start()
    rows: list[dict[str, Any]] = [{"n": n} for n in range(100)]
    rows[3] = {"n": [{"deep": [0.5, number]}]}
    rows[98] = {"n": number}
    answers = session.process([*rows])
    for place, path in ((3, "$.n[0].deep[1]"), (98, "$.n")):
        error, rows[place] = answers[place], {}
        assert isinstance(error, ScriptError)
        assert error.reason == f"{path} is {name}, which JSON cannot represent"
        answers[place] = [{}]
    assert answers == [[row] for row in rows]


def test_data_that_looks_like_nan_reaches_the_script(opened: Opened) -> None:
    session = opened("def snaplogic_process(row):\n    return {'hex': row['bytes'].hex()}\n")
    session.start()
    row = {"bytes": bytes.fromhex("cb7ff8000000000000cbfff0000000000000"), "float": 0.5}
    assert session.process([row]) == [[{"hex": row["bytes"].hex()}]]  # type: ignore[attr-defined]


def test_a_row_with_half_of_a_surrogate_pair_fails_and_names_the_field(opened: Opened) -> None:
    session = opened(ECHO)
    session.start()
    [error] = session.process([{"a": [{"b": "x\ud83d"}]}])
    assert isinstance(error, ScriptError)
    assert error.reason == "$.a[0].b holds half of a surrogate pair at character 1"


def test_date_times_of_rows_are_iso_text(opened: Opened) -> None:
    session = opened(ECHO)
    session.start()
    aware = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    row = {"aware": aware, "naive": aware.replace(tzinfo=None), "day": aware.date()}
    expected = {
        "aware": "2026-01-02T03:04:05Z",
        "naive": "2026-01-02T03:04:05",
        "day": "2026-01-02",
    }
    assert session.process([row]) == [[expected]]


def test_results_are_converted_to_plain_values(opened: Opened) -> None:
    session = opened("""
        import collections, datetime, decimal
        def snaplogic_init():
            return {
                "when": datetime.datetime(2026, 1, 2, 3, 4, 5),
                "amount": decimal.Decimal("1.50"),
                "bytes": "gr\\u00fcn".encode(),
                "tuple": (1, (2, "x")),
                "map": collections.OrderedDict(a=collections.Counter("aa")),
                1: {True: 1, None: 2, 1.5: 3},
            }
    """)
    assert session.start() == [
        {
            "when": "2026-01-02 03:04:05",
            "amount": Decimal("1.50"),
            "bytes": "grün",
            "tuple": [1, [2, "x"]],
            "map": {"a": {"a": 2}},
            "1": {"true": 1, "null": 2, "1.5": 3},
        }
    ]


IMAGE = b"[[0.5, 1], [2.50, 1e400], {}]"


@pytest.mark.parametrize(
    ("exact", "expected"),
    [
        (False, [[0.5, 1], [2.5, float("inf")], {}]),
        (True, [[Decimal("0.5"), 1], [Decimal("2.50"), Decimal("1e400")], {}]),
    ],
)
def test_json_text_in_a_row_is_decoded_by_the_process_of_the_script(
    opened: Opened, exact: bool, expected: list[Any]
) -> None:
    session = opened(ECHO, exact=exact)
    session.start()
    row = {"id": 7, "image": RawJson(IMAGE), "inner": [{"again": RawJson(b'"x"')}]}
    [answer] = session.process([row])
    assert repr(answer) == repr([{"id": 7, "image": expected, "inner": [{"again": "x"}]}])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{'a': [1, {2}]}", r"key 'a\[1\]' of the result holds a set"),
        ("{'a': object()}", "key 'a' of the result holds an object"),
        ("{'a': b'\\xff'}", "key 'a' of the result holds bytes that are not UTF-8"),
        ("{(1, 2): 3}", "a key that is a tuple"),
        ("{'a': ['x', {'b': '\\ud800'}]}", "the key 'b' holds a string that is not valid Unicode"),
        ("{'\\ud800': 1}", "it holds a string that is not valid Unicode"),
        ("5", "must return a dict, a list of dicts or None, not int"),
        ("(row, row)", "not tuple"),
        ("[row, 'x']", "element 1 of its list is str"),
    ],
)
def test_a_result_of_another_type_is_an_error_of_its_row(
    opened: Opened, value: str, message: str
) -> None:
    session = opened(f"def snaplogic_process(row):\n    return row if row['ok'] else {value}\n")
    session.start()
    good, bad, after = session.process([{"ok": 1}, {"ok": 0}, {"ok": 2}])
    assert (good, after) == ([{"ok": 1}], [{"ok": 2}])
    with pytest.raises(ScriptError, match=message):
        raise bad  # type: ignore[misc]


def test_a_wrong_type_names_the_line_of_the_function(opened: Opened) -> None:
    session = opened("x = 1\n\ndef snaplogic_process(row):\n    return 5\n")
    session.start()
    [answer] = session.process([{}])
    assert isinstance(answer, ScriptError)
    assert answer.reason.endswith("not int (scripts/x.py, line 3)")


@pytest.mark.parametrize("value", ["'\\ud800'", "10**5000", "[row]"])
def test_a_result_that_cannot_be_sent_names_the_line_of_the_function(
    opened: Opened, value: str
) -> None:
    source = f"\ndef snaplogic_process(row):\n    row['a'] = {value}\n    return row\n"
    session = opened(source)
    session.start()
    [answer] = session.process([{}])
    assert isinstance(answer, ScriptError)
    assert answer.reason.endswith(" (scripts/x.py, line 2)")
    assert answer.resolution == "return documents of valid, plain values"


def test_a_list_that_holds_itself_is_an_error(opened: Opened) -> None:
    session = opened("""
        def snaplogic_process(row):
            row["self"] = [row]
            return row
    """)
    session.start()
    assert isinstance(session.process([{}])[0], ScriptError)
    assert isinstance(session.process([{}])[0], ScriptError)


def test_an_object_that_cannot_be_sent_is_that_rows_error(opened: Opened) -> None:
    session = opened(ECHO)
    session.start()
    odd, fine = session.process([{"odd": object()}, {"n": 1}])
    assert fine == [{"n": 1}]
    assert "could not send a row to scripts/x.py" in str(odd)


def test_decimals_of_rows_are_numbers(opened: Opened) -> None:
    session = opened(ECHO)
    session.start()
    assert session.process([{"amount": Decimal("1.25")}]) == [[{"amount": 1.25}]]
