"""The documents that several cases read, and files of them."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import orjson

from benchmarks.case import Generator

SEED = 7
FIRST_NAMES = ("Ann", "Bob", "Carla", "Dmitri", "Emeka", "Fatima", "Goran", "Hana")
LAST_NAMES = ("Lee", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Sato")
CITIES = ("Prague", "Oslo", "Lagos", "Lima", "Hanoi", "Turin")
WORDS = ("rolling", "steel", "copper", "late", "fragile", "return", "gift", "wholesale", "paid")


def write_documents(path: Path, generator: Generator, count: int) -> None:
    """A file of JSON lines; the same for the same arguments."""
    random = Random(SEED)
    with path.open("wb") as file:
        for number in range(count):
            file.write(orjson.dumps(generator(random, number), option=orjson.OPT_APPEND_NEWLINE))


def money(random: Random, most: int) -> float:
    """An amount of two decimals."""
    return random.randrange(1, most * 100) / 100


def instant(random: Random) -> str:
    day, second = random.randrange(1, 29), random.randrange(86_400)
    time = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"2026-{random.randrange(1, 13):02}-{day:02}T{time}Z"


def customer(random: Random) -> dict[str, Any]:
    return {
        "name": f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}",
        "address": {"city": random.choice(CITIES), "zip": str(random.randrange(10_000, 99_999))},
    }


def order(random: Random, number: int) -> dict[str, Any]:
    """An order of about 200 bytes; half of the orders have a quantity over 5."""
    return {
        "id": number,
        "token": "secret",
        "created": instant(random),
        "price": money(random, 100),
        "quantity": random.randrange(1, 11),
        "discount": random.randrange(30) / 100,
        "shipping": money(random, 20),
        "customer": customer(random),
    }


def record(random: Random, number: int) -> dict[str, Any]:
    """A record of about 2 KB: 70 fields, some of them nested lists; every second one is open."""
    lines = [
        {
            "sku": f"part-{random.randrange(10_000)}",
            "price": money(random, 100),
            "quantity": random.randrange(1, 11),
            "tags": random.choices(WORDS, k=2),
        }
        for _ in range(5)
    ]
    fields = {
        "id": number,
        "status": "open" if number % 2 else "closed",
        "created": instant(random),
        "amount": money(random, 1000),
        "customer": customer(random),
        "lines": lines,
        "ratings": [[random.randrange(6) for _ in range(5)] for _ in range(3)],
    }
    return fields | {
        f"attribute_{place:02}": _attribute(random, place) for place in range(70 - len(fields))
    }


def _attribute(random: Random, place: int) -> object:
    values = (random.choice(WORDS), random.randrange(1000), money(random, 10), place % 2 == 0)
    return values[place % len(values)]
