"""`java.time`: dates and times, and their patterns."""

# Names are Java's.
# ruff: noqa: N802

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, Self
from zoneinfo import ZoneInfo

from .java_types import JavaObject

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")


class ZoneId(JavaObject):
    """A time zone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.info = _zone_of(name)

    @classmethod
    def of(cls, name: str) -> ZoneId:
        return cls(name)

    @classmethod
    def systemDefault(cls) -> ZoneId:
        return cls("UTC")

    def getId(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


class ZoneOffset(ZoneId):
    UTC: ZoneOffset

    @classmethod
    def ofHours(cls, hours: int) -> ZoneOffset:
        return cls(f"{hours:+03}:00")


def _zone_of(name: str) -> tzinfo:
    if name in ("Z", "UTC", "GMT"):
        return UTC
    if found := _OFFSET.fullmatch(name):
        sign = -1 if found[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(found[2]), minutes=int(found[3] or 0)))
    return ZoneInfo(name)


ZoneOffset.UTC = ZoneOffset("Z")


class ChronoUnit:
    """Units, as the arguments of a timedelta; months and years have none."""

    MILLIS, SECONDS, MINUTES, HOURS = "milliseconds", "seconds", "minutes", "hours"
    DAYS, WEEKS, MONTHS, YEARS = "days", "weeks", "months", "years"

    @staticmethod
    def between(unit: str, start: Temporal, end: Temporal) -> int:
        passed: timedelta = end.time - start.time
        return int(passed / timedelta(**{unit: 1}))


class Temporal(JavaObject):
    """What all dates and times can do; `time` is Python's own."""

    def __init__(self, time: Any, zone: str = "") -> None:
        self.time = time
        self._zone = zone

    def _with(self, time: Any) -> Self:
        return type(self)(time, self._zone)

    def plus(self, amount: int, unit: str) -> Self:
        if unit in ("months", "years"):
            return self._with(_plus_months(self.time, amount * (12 if unit == "years" else 1)))
        return self._with(self.time + timedelta(**{unit: amount}))

    def minus(self, amount: int, unit: str) -> Self:
        return self.plus(-amount, unit)

    def __getattr__(self, name: str) -> Callable[[int], Self]:
        """`plusDays(n)`, `minusMonths(n)` and so on."""
        sign, _, unit = name.partition("plus") if name.startswith("plus") else ("-", "", name[5:])
        if unit.lower() in _UNITS and name.startswith(("plus", "minus")):
            return lambda amount: self.plus(-amount if sign == "-" else amount, unit.lower())
        raise AttributeError(f"{type(self).__name__} has no method {name!r} here")

    def getYear(self) -> int:
        return int(self.time.year)

    def getMonthValue(self) -> int:
        return int(self.time.month)

    def getDayOfMonth(self) -> int:
        return int(self.time.day)

    def getDayOfYear(self) -> int:
        return int(self.time.timetuple().tm_yday)

    def getHour(self) -> int:
        return int(self.time.hour)

    def getMinute(self) -> int:
        return int(self.time.minute)

    def getSecond(self) -> int:
        return int(self.time.second)

    def toLocalDate(self) -> LocalDate:
        return LocalDate(self.time.date())

    def format(self, formatter: DateTimeFormatter) -> str:
        return formatter.format(self)

    def isBefore(self, other: Temporal) -> bool:
        return bool(self.time < other.time)

    def isAfter(self, other: Temporal) -> bool:
        return bool(self.time > other.time)

    def isEqual(self, other: Temporal) -> bool:
        return bool(self.time == other.time)

    def compareTo(self, other: Temporal) -> int:
        return int(self.isAfter(other)) - int(self.isBefore(other))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Temporal) and bool(self.time == other.time)

    def __lt__(self, other: Temporal) -> bool:
        return bool(self.time < other.time)

    def __hash__(self) -> int:
        return hash(self.time)

    def __str__(self) -> str:
        return _clock_text(self.time)


_UNITS = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")


class LocalDate(Temporal):
    @classmethod
    def now(cls, zone: ZoneId | None = None) -> LocalDate:
        return cls(datetime.now(zone.info if zone else UTC).date())

    @classmethod
    def of(cls, year: int, month: int, day: int) -> LocalDate:
        return cls(date(year, month, day))

    @classmethod
    def parse(cls, text: str, formatter: DateTimeFormatter | None = None) -> LocalDate:
        found = formatter.read(text) if formatter else datetime.fromisoformat(text)
        return cls(found.date())

    def __str__(self) -> str:
        return str(self.time.isoformat())


class LocalDateTime(Temporal):
    @classmethod
    def now(cls, zone: ZoneId | None = None) -> LocalDateTime:
        return cls(datetime.now(zone.info if zone else UTC).replace(tzinfo=None))

    @classmethod
    def of(cls, *parts: int) -> LocalDateTime:
        return cls(datetime(*parts))  # type: ignore[arg-type]  # a zone is no part here

    @classmethod
    def parse(cls, text: str, formatter: DateTimeFormatter | None = None) -> LocalDateTime:
        found = formatter.read(text) if formatter else datetime.fromisoformat(text)
        return cls(found.replace(tzinfo=None))

    def atZone(self, zone: ZoneId) -> ZonedDateTime:
        return ZonedDateTime(self.time.replace(tzinfo=zone.info), zone.name)


class Instant(Temporal):
    @classmethod
    def now(cls) -> Instant:
        return cls(datetime.now(UTC))

    @classmethod
    def ofEpochMilli(cls, milliseconds: int) -> Instant:
        return cls(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds))

    @classmethod
    def ofEpochSecond(cls, seconds: int) -> Instant:
        return cls.ofEpochMilli(1000 * seconds)

    @classmethod
    def parse(cls, text: str) -> Instant:
        return cls(datetime.fromisoformat(text).astimezone(UTC))

    def toEpochMilli(self) -> int:
        return int((self.time - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))

    def getEpochSecond(self) -> int:
        return int(self.time.timestamp())

    def atZone(self, zone: ZoneId) -> ZonedDateTime:
        return ZonedDateTime(self.time.astimezone(zone.info), zone.name)

    def __str__(self) -> str:
        return f"{_clock_text(self.time.replace(tzinfo=None), seconds=True)}Z"


class ZonedDateTime(Temporal):
    @classmethod
    def now(cls, zone: ZoneId | None = None) -> ZonedDateTime:
        zone = zone or ZoneId("UTC")
        return cls(datetime.now(zone.info), zone.name)

    @classmethod
    def of(cls, *parts: Any) -> ZonedDateTime:
        *numbers, zone = parts
        year, month, day, hour, minute, second, *nanoseconds = numbers
        fraction = nanoseconds[0] // 1000 if nanoseconds else 0
        moment = datetime(year, month, day, hour, minute, second, fraction, zone.info)
        return cls(moment, zone.name)

    @classmethod
    def ofInstant(cls, instant: Instant, zone: ZoneId) -> ZonedDateTime:
        return instant.atZone(zone)

    @classmethod
    def parse(cls, text: str, formatter: DateTimeFormatter | None = None) -> ZonedDateTime:
        text, _, zone = text.rstrip("]").partition("[")
        found = formatter.read(text) if formatter else datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError(f"{text!r} has no time zone")
        moment = cls(found, _offset_text(found))
        return moment.withZoneSameInstant(ZoneId(zone)) if zone else moment

    def withZoneSameInstant(self, zone: ZoneId) -> ZonedDateTime:
        return ZonedDateTime(self.time.astimezone(zone.info), zone.name)

    def withZoneSameLocal(self, zone: ZoneId) -> ZonedDateTime:
        return ZonedDateTime(self.time.replace(tzinfo=zone.info), zone.name)

    def getZone(self) -> ZoneId:
        return ZoneId(self._zone)

    def toInstant(self) -> Instant:
        return Instant(self.time.astimezone(UTC))

    def toEpochSecond(self) -> int:
        return int(self.time.timestamp())

    def toLocalDateTime(self) -> LocalDateTime:
        return LocalDateTime(self.time.replace(tzinfo=None))

    def __str__(self) -> str:
        offset = _offset_text(self.time)
        region = "" if self._zone in (offset, "Z") or self._zone[:1] in "+-" else f"[{self._zone}]"
        return f"{_clock_text(self.time.replace(tzinfo=None))}{offset}{region}"


def _plus_months(time: Any, months: int) -> Any:
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    day = min(time.day, calendar.monthrange(year, month + 1)[1])
    return time.replace(year=year, month=month + 1, day=day)


def _clock_text(time: datetime, *, seconds: bool = False) -> str:
    """As Java writes it: seconds only if there are any, fractions in groups of three digits."""
    text = time.strftime("%Y-%m-%dT%H:%M")
    if time.microsecond:
        fraction = f"{time.microsecond:06}"
        return f"{text}:{time.second:02}.{fraction.removesuffix('000')}"
    return f"{text}:{time.second:02}" if time.second or seconds else text


def _offset_text(time: datetime) -> str:
    offset = time.strftime("%z")
    return "Z" if offset in ("+0000", "") else f"{offset[:3]}:{offset[3:5]}"


class DateTimeFormatter:
    """A pattern such as `yyyy-MM-dd'T'HH:mm:ss.SSSXXX`."""

    ISO_DATE: DateTimeFormatter
    ISO_LOCAL_DATE: DateTimeFormatter
    ISO_LOCAL_DATE_TIME: DateTimeFormatter
    ISO_DATE_TIME: DateTimeFormatter
    ISO_OFFSET_DATE_TIME: DateTimeFormatter
    ISO_INSTANT: DateTimeFormatter

    def __init__(self, pattern: str, zone: ZoneId | None = None) -> None:
        self._pattern = pattern
        self._zone = zone
        self._tokens = _TOKEN.findall(pattern)

    @classmethod
    def ofPattern(cls, pattern: str, locale: Any = None) -> DateTimeFormatter:
        return cls(pattern)

    def withZone(self, zone: ZoneId) -> DateTimeFormatter:
        return DateTimeFormatter(self._pattern, zone)

    def format(self, temporal: Temporal) -> str:
        time = temporal.time
        if not isinstance(time, datetime):
            time = datetime(time.year, time.month, time.day)
        if self._zone is not None and time.tzinfo is not None:
            time = time.astimezone(self._zone.info)
        return "".join(_formatted(token, time) for token in self._tokens)

    def read(self, text: str) -> datetime:
        """Raises ValueError if the text does not match the pattern."""
        codes = "".join(_code(token) for token in self._tokens)
        try:
            found = datetime.strptime(text, codes)
        except ValueError:
            message = f"the text {text!r} does not match the pattern {self._pattern!r}"
            raise ValueError(message) from None
        if self._zone is not None and found.tzinfo is None:
            return found.replace(tzinfo=self._zone.info)
        return found


_TOKEN = re.compile(r"'[^']*'|y+|u+|M+|d+|H+|h+|m+|s+|S+|a|E+|X+|x+|Z+|V+|z+|.", re.DOTALL)
_CODES = {
    "yyyy": "%Y", "uuuu": "%Y", "y": "%Y", "u": "%Y", "yy": "%y", "uu": "%y",
    "M": "%m", "MM": "%m", "MMM": "%b", "MMMM": "%B", "d": "%d", "dd": "%d",
    "H": "%H", "HH": "%H", "h": "%I", "hh": "%I", "m": "%M", "mm": "%M",
    "s": "%S", "ss": "%S", "a": "%p", "E": "%a", "EEE": "%a", "EEEE": "%A",
    "X": "%z", "XX": "%z", "XXX": "%z", "x": "%z", "xx": "%z", "xxx": "%z", "Z": "%z", "z": "%Z",
}  # fmt: skip
_SHORT = {"M", "d", "H", "h", "m", "s"}


def _code(token: str) -> str:
    if token[0] == "S":
        return "%f"
    return _CODES.get(token) or _literal(token).replace("%", "%%")


def _literal(token: str) -> str:
    if token == "''":
        return "'"
    if token[0] == "'":
        return token.strip("'")
    if token[0].isascii() and token[0].isalpha():
        raise ValueError(f"the pattern letters {token!r} are not supported here")
    return token


def _formatted(token: str, time: datetime) -> str:
    if token[0] == "S":
        return f"{time.microsecond:06}"[: len(token)].ljust(len(token), "0")
    if token[0] == "X":
        return _offset_text(time) if token == "XXX" else _offset_text(time).replace(":", "")
    if token[0] == "x" and len(token) == 3:
        return f"{time.strftime('%z')[:3]}:{time.strftime('%z')[3:5]}"
    if token in ("VV", "z"):
        return str(time.tzinfo) if token == "VV" else time.strftime("%Z")
    if token not in _CODES:
        return _literal(token)
    text = time.strftime(_CODES[token])
    return text.lstrip("0") or "0" if token in _SHORT else text


DateTimeFormatter.ISO_DATE = DateTimeFormatter.ISO_LOCAL_DATE = DateTimeFormatter("yyyy-MM-dd")
DateTimeFormatter.ISO_LOCAL_DATE_TIME = DateTimeFormatter("yyyy-MM-dd'T'HH:mm:ss")
DateTimeFormatter.ISO_DATE_TIME = DateTimeFormatter("yyyy-MM-dd'T'HH:mm:ssXXX")
DateTimeFormatter.ISO_OFFSET_DATE_TIME = DateTimeFormatter.ISO_DATE_TIME
DateTimeFormatter.ISO_INSTANT = DateTimeFormatter("yyyy-MM-dd'T'HH:mm:ssXXX", ZoneOffset.UTC)

CLASSES: dict[str, Any] = {
    "ZonedDateTime": ZonedDateTime,
    "LocalDate": LocalDate,
    "LocalDateTime": LocalDateTime,
    "Instant": Instant,
    "ZoneId": ZoneId,
    "ZoneOffset": ZoneOffset,
}
FORMAT: dict[str, Any] = {"DateTimeFormatter": DateTimeFormatter}
TEMPORAL: dict[str, Any] = {"ChronoUnit": ChronoUnit}
