"""Take log lines apart with regular expressions, and compute with dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec
import orjson

from benchmarks.case import Case
from benchmarks.documents import FIRST_NAMES, LAST_NAMES, instant

LEVELS = ("INFO", "WARNING", "ERROR")
SNAPS = """\
  shape:
    snap: Mapper
    mappings:
      $id: $id
      $level: "$line.match(/^[A-Z]+/)[0]"
      $order: "$line.match(/order-([0-9]+)/)[1]"
      $text: "$line.replace(/[a-z.]+@[a-z.]+/, '***')"
      $slow: $line.match(/took [0-9]{3,} ms/) != null
      $day: Date.parse($time).toString('yyyy-MM-dd')
      $due: Date.parse($due, 'dd/MM/yyyy').plusDays(30).toString('yyyy-MM-dd')
"""
LINKS = """\
  - parse -> shape -> format
"""
DUCKDB = """
SELECT id, regexp_extract(line, '^[A-Z]+') AS level,
    regexp_extract(line, 'order-([0-9]+)', 1) AS order,
    regexp_replace(line, '[a-z.]+@[a-z.]+', '***') AS text,
    regexp_matches(line, 'took [0-9]{3,} ms') AS slow,
    strftime(time::TIMESTAMP, '%Y-%m-%d') AS day,
    strftime(strptime(due, '%d/%m/%Y') + INTERVAL 30 DAY, '%Y-%m-%d') AS due
FROM documents
"""
POLARS = """
.select(
    "id",
    level=pl.col("line").str.extract("^([A-Z]+)"),
    order=pl.col("line").str.extract("order-([0-9]+)"),
    text=pl.col("line").str.replace("[a-z.]+@[a-z.]+", "***"),
    slow=pl.col("line").str.contains("took [0-9]{3,} ms"),
    day=pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.strftime("%Y-%m-%d"),
    due=(pl.col("due").str.to_date("%d/%m/%Y") + pl.duration(days=30)).dt.strftime("%Y-%m-%d"),
)
"""
JQ = """
{id, level: (.line | capture("^(?<x>[A-Z]+)").x), order: (.line | capture("order-(?<x>[0-9]+)").x),
 text: (.line | sub("[a-z.]+@[a-z.]+"; "***")), slow: (.line | test("took [0-9]{3,} ms")),
 day: (.time | fromdate | strftime("%Y-%m-%d")),
 due: (.due | strptime("%d/%m/%Y") | mktime + 2592000 | strftime("%Y-%m-%d"))}
"""
LEVEL = re.compile("^[A-Z]+")
ORDER = re.compile("order-([0-9]+)")
ADDRESS = re.compile(r"[a-z.]+@[a-z.]+")
SLOW = re.compile("took [0-9]{3,} ms")
PERIOD = timedelta(days=30)


def event(random: Random, number: int) -> dict[str, Any]:
    """An event of about 200 bytes."""
    address = f"{random.choice(FIRST_NAMES)}.{random.choice(LAST_NAMES)}@example.com".lower()
    order, took = random.randrange(100_000), random.randrange(1, 300)
    return {
        "id": number,
        "time": instant(random),
        "due": f"{random.randrange(1, 29):02}/{random.randrange(1, 13):02}/2026",
        "host": f"worker-{random.randrange(40):02}.eu.example.com",
        "line": f"{random.choice(LEVELS)} order-{order} of {address} took {took} ms, sent to print",
    }


def by_orjson(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in lines:
        event = orjson.loads(line)
        text = event["line"]
        due = datetime.strptime(event["due"], "%d/%m/%Y") + PERIOD
        shaped = {
            "id": event["id"],
            "level": LEVEL.match(text)[0],  # type: ignore[index]
            "order": ORDER.search(text)[1],  # type: ignore[index]
            "text": ADDRESS.sub("***", text, 1),
            "slow": SLOW.search(text) is not None,
            "day": datetime.fromisoformat(event["time"]).strftime("%Y-%m-%d"),
            "due": due.strftime("%Y-%m-%d"),
        }
        write(orjson.dumps(shaped, option=orjson.OPT_APPEND_NEWLINE))


class Event(msgspec.Struct, gc=False):
    id: int
    time: datetime
    due: str
    line: str


class Shaped(msgspec.Struct, gc=False):
    id: int
    level: str
    order: str
    text: str
    slow: bool
    day: str
    due: str


def by_msgspec(lines: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    decode = msgspec.json.Decoder(Event).decode
    encode = msgspec.json.Encoder().encode
    for line in lines:
        event = decode(line)
        text = event.line
        due = datetime.strptime(event.due, "%d/%m/%Y") + PERIOD
        shaped = Shaped(
            event.id,
            LEVEL.match(text)[0],  # type: ignore[index]
            ORDER.search(text)[1],  # type: ignore[index]
            ADDRESS.sub("***", text, 1),
            SLOW.search(text) is not None,
            event.time.strftime("%Y-%m-%d"),
            due.strftime("%Y-%m-%d"),
        )
        write(encode(shaped) + b"\n")


CASE = Case(
    title="regular expressions and dates",
    wanted=0.6,
    generator=event,
    snaps=SNAPS,
    links=LINKS,
    by_orjson=by_orjson,
    by_msgspec=by_msgspec,
    duckdb=DUCKDB,
    polars=POLARS,
    jq=JQ,
)
