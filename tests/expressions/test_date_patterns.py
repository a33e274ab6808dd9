"""Date patterns: formatted dates can be parsed again, and no letter is ignored."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EvaluationError
from engine.expressions import evaluate

ZONES = [
    "UTC",
    "Europe/Paris",
    "Europe/London",
    "Europe/Dublin",
    "America/Los_Angeles",
    "America/Phoenix",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Etc/GMT+5",
]
DAYS = [
    "yyyy-MM-dd",
    "dd.MM.yyyy",
    "yyyyMMdd",
    "d MMM yyyy",
    "EEEE, MMMM d yyyy",
    "EEE d MMM yy",
    "yyyy-DDD",
    "yyyy/D",
    "YYYY-'W'ww-e",
    "xxxx-'W'ww-e",
    "YYYY ww EEE",
    "uuuu-MM-dd G",
    "GGGG yyyy MM dd",
    "QQQ yyyy-MM-dd",
    "QQQQ yyyy-MM-dd",
    "Q yyyy-M-d",
]
CLOCKS = [
    "HH:mm:ss.SSS",
    "HHmmss.SSS",
    "h:mm:ss.SSS a",
    "KK:mm:ss.SSS a",
    "kk:mm:ss.SSS",
    "H:m:s.SSSSSS",
    "A",
    "HH:mm:ss,n",
]
OFFSETS = ["Z", "ZZ", "ZZZZ", "ZZZZZ", "X", "XX", "XXX", "XXXXX", "O", "OOOO", "zzzz"]
INSTANTS = st.datetimes(datetime(1972, 1, 2), datetime(2037, 12, 30))
AUTUMN = st.integers(-90, 90).map(lambda m: datetime(2021, 10, 31, 1) + timedelta(minutes=m))


@given(
    st.one_of(INSTANTS, AUTUMN),
    st.sampled_from(ZONES),
    st.sampled_from(DAYS),
    st.sampled_from(CLOCKS),
    st.sampled_from(OFFSETS),
)
def test_what_is_written_with_an_offset_is_read_again(
    moment: datetime, zone: str, day: str, clock: str, offset: str
) -> None:
    pattern = f"{day}   {clock}   {offset}"
    if pattern.startswith("xxxx") and offset.startswith("X"):
        pattern = pattern.replace("xxxx", "YYYY")
    milliseconds = int(moment.replace(tzinfo=UTC).timestamp() * 1000)
    document = {"ms": milliseconds, "pattern": pattern}
    text = evaluate("Date.parse($ms).toString($pattern)", document, timezone=zone)
    read = evaluate("Date.parse($text, $pattern).getTime()", {**document, "text": text})
    assert read == milliseconds, text


@given(INSTANTS, st.sampled_from(ZONES), st.sampled_from(["ZZZ", "VV"]))
def test_what_is_written_with_the_id_of_its_zone_is_read_again(
    moment: datetime, zone: str, letters: str
) -> None:
    milliseconds = int(moment.replace(tzinfo=UTC).timestamp() * 1000)
    document = {"ms": milliseconds, "pattern": f"yyyy-MM-dd HH:mm:ss.SSS {letters}"}
    text = evaluate("Date.parse($ms).toString($pattern)", document, timezone=zone)
    read = evaluate("Date.parse($text, $pattern).getTime()", {**document, "text": text})
    again = evaluate("Date.parse($ms).toString($pattern)", {**document, "ms": read}, timezone=zone)
    assert again == text


WRITTEN = json.loads(
    (Path(__file__).parent / "tables" / "date_patterns.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("row", WRITTEN, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_pattern_writes_what_java_writes(row: list[Any]) -> None:
    zone, milliseconds, pieces = row
    for pattern, expected in pieces.items():
        text = evaluate(
            "Date.parse($ms).toString($p)", {"ms": milliseconds, "p": pattern}, timezone=zone
        )
        assert text == expected, pattern


AMBIGUOUS = "Date.parse('2021-10-31T02:30:00+01:00')"


@pytest.mark.parametrize(
    "call",
    [
        "withMinuteOfHour(30)",
        "withHourOfDay(2)",
        "withSecondOfMinute(0)",
        "withMillisOfSecond(0)",
        "withDayOfMonth(31)",
        "withDayOfYear(304)",
        "withDayOfWeek(7)",
        "withMonthOfYear(10)",
        "withYear(2021)",
        "plusDays(0)",
        "plusWeeks(0)",
        "plusMonths(0)",
        "plusYears(0)",
        "minusDays(0)",
        "plus(0)",
        "plusHours(0)",
        "plusDays(7).minusDays(7).plusHours(1).minusHours(1)",
    ],
)
def test_the_second_of_two_equal_hours_is_kept(call: str) -> None:
    zoned = f"{AMBIGUOUS}.{call}"
    expected = (
        AMBIGUOUS if "minusDays(7)" not in call else "Date.parse('2021-10-31T02:30:00+02:00')"
    )
    assert evaluate(f"{zoned}.getTime() == {expected}.getTime()", timezone="Europe/Paris")


def test_a_time_that_the_clocks_skip_is_an_hour_later() -> None:
    for call in ("Date.parse('2021-03-27T02:30').plusDays(1)", "Date.parse('2021-03-28T02:30')"):
        text = evaluate(f"{call}.toString()", timezone="Europe/Paris")
        assert text == "2021-03-28T03:30:00.000+02:00"


def test_two_equal_hours_are_in_order() -> None:
    first, second = (
        "Date.parse('2021-10-31T02:30:00+02:00')",
        "Date.parse('2021-10-31T02:10:00+01:00')",
    )
    assert evaluate(f"{first} < {second}", timezone="Europe/Paris")
    assert evaluate(f"[{first}] != [{first}.plusHours(1)]", timezone="Europe/Paris")


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("2020-W53-7", "YYYY-'W'ww-e", "2021-01-03T00:00:00.000Z"),
        ("2020-W53", "xxxx-'W'ww", "2020-12-28T00:00:00.000Z"),
        ("2021-12-31", "YYYY-MM-dd", "2021-12-31T00:00:00.000Z"),
        ("3rd quarter 2021", "QQQQ yyyy", "2021-07-01T00:00:00.000Z"),
        (
            "2021-07-01 12:00 Pacific Daylight Time",
            "yyyy-MM-dd HH:mm zzzz",
            "2021-07-01T19:00:00.000Z",
        ),
        (
            "2021-07-01 12:00 Mountain Standard Time",
            "yyyy-MM-dd HH:mm zzzz",
            "2021-07-01T19:00:00.000Z",
        ),
        ("2021-07-01 12:00 PST", "yyyy-MM-dd HH:mm z", "2021-07-01T19:00:00.000Z"),
        ("2021-10-31 02:30 CET", "yyyy-MM-dd HH:mm z", "2021-10-31T01:30:00.000Z"),
        ("2021-10-31 02:30 CEST", "yyyy-MM-dd HH:mm z", "2021-10-31T00:30:00.000Z"),
        ("2021-07-01 12:00 Europe/Paris", "yyyy-MM-dd HH:mm ZZZ", "2021-07-01T10:00:00.000Z"),
        ("2021-07-01 12:00 GMT-05:30", "yyyy-MM-dd HH:mm ZZZZ", "2021-07-01T17:30:00.000Z"),
        (
            "2021-10-31 02:30 +01:00 Europe/Paris",
            "yyyy-MM-dd HH:mm XXX VV",
            "2021-10-31T01:30:00.000Z",
        ),
        ("2021 Sept 3 1.5 1.5", "yyyy MMM d H.S m.S", "2021-09-03T01:01:00.500Z"),
        ("1 pm", "h a", "1970-01-01T13:00:00.000Z"),
    ],
)
def test_a_pattern_reads(text: str, pattern: str, expected: str) -> None:
    document = {"text": text, "pattern": pattern}
    assert evaluate("Date.parse($text, $pattern).toString()", document) == expected


@pytest.mark.parametrize(
    ("text", "pattern", "message"),
    [
        ("Tue 2021-10-31", "EEE yyyy-MM-dd", "`Tue` does not agree with 2021-10-31"),
        ("2021 BC", "yyyy G", "`BC` does not agree"),
        ("14 AM", "HH a", "`AM` does not agree"),
        ("2021-03-15 Q2", "yyyy-MM-dd QQQ", "`Q2` does not agree"),
        ("2021-02-01 33", "yyyy-MM-dd DD", "`33` does not agree"),
        ("2021-02-01 06", "yyyy-MM-dd ww", "`06` does not agree"),
        ("2021 13 5", "yyyy kk h", "`5` does not agree"),
        ("2021-07-01 +05:00 Europe/Paris", "yyyy-MM-dd XXX VV", "do not agree"),
        ("1", "W", "can format a date, but not parse one"),
        ("J", "MMMMM", "can format a date, but not parse one"),
        ("2021", "yyyy MMMMMM", "has too many letters"),
        ("2021", "yyyy B", "`B` is not a letter of date patterns"),
    ],
)
def test_no_letter_is_ignored(text: str, pattern: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate("Date.parse($text, $pattern)", {"text": text, "pattern": pattern})


@pytest.mark.parametrize(
    "call",
    [
        "Date.parse('0001-01-01T00:00:00+10:00')",
        "Date.parse('9999-12-31T23:00:00-10:00')",
        "Date.parse('9999-12-31T20:00:00Z').withHourOfDay(23)",
    ],
)
def test_a_date_beyond_the_years_is_refused(call: str) -> None:
    with pytest.raises(EvaluationError, match="out of range"):
        evaluate(call, timezone="Etc/GMT+5")
