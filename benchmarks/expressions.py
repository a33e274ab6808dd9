"""Compiled expressions against hand-written Python functions.

`python -m benchmarks.expressions` prints, for each case, the time of both and their ratio. The two
are timed alternately and the best of many rounds counts, so that a busy machine matters little.
Exits with 1 if a budget is exceeded.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.expressions import Scope, compile_expression, compile_mapping

ROUNDS = 25
SECONDS_PER_ROUND = 0.01

Function = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Case:
    name: str
    compiled: Function
    by_hand: Function
    document: dict[str, Any]
    budget: float


def is_wanted(document: dict[str, Any]) -> bool:
    return document["token"] == TOKEN and document["amount"] > 250  # type: ignore[no-any-return]


def ten_fields(document: dict[str, Any]) -> dict[str, Any]:
    customer = document["customer"]
    return {
        "id": document["id"],
        "name": customer["first"] + " " + customer["last"],
        "email": customer["email"].lower(),
        "city": customer["address"]["city"],
        "total": round(document["price"] * document["quantity"], 2),
        "is_large": document["quantity"] > 100,
        "status": "open" if document["state"] == "A" else "closed",
        "first_tag": document["tags"][0],
        "currency": document["currency"],
        "note": document["note"].strip(),
    }


def expensive_names(document: dict[str, Any]) -> list[str]:
    return [item["name"] for item in document["items"] if item["price"] > 10]


TOKEN = "s3cret"
ORDER = {
    "id": 17,
    "customer": {
        "first": "Ann",
        "last": "Lee",
        "email": "Ann.Lee@Example.com",
        "address": {"city": "Oslo"},
    },
    "price": 19.99,
    "quantity": 3,
    "state": "A",
    "tags": ["new", "web"],
    "currency": "EUR",
    "note": "  leave at the door ",
}
ROWS = [
    ("$id", "$id"),
    ("$name", "$customer.first + ' ' + $customer.last"),
    ("$email", "$customer.email.toLowerCase()"),
    ("$city", "$customer.address.city"),
    ("$total", "$price * $quantity"),
    ("$is_large", "$quantity > 100"),
    ("$status", "$state == 'A' ? 'open' : 'closed'"),
    ("$first_tag", "$tags[0]"),
    ("$currency", "$currency"),
    ("$note", "$note.trim()"),
]


def cases() -> list[Case]:
    scope = Scope(parameters={"token": TOKEN})
    wanted = "$token == _token && $amount > 250"
    names = "$items.filter(x => x.price > 10).map(x => x.name)"
    items = [{"name": f"item {n}", "price": n} for n in range(20)]
    return [
        Case(
            wanted,
            compile_expression(wanted, scope=scope),
            is_wanted,
            {"token": TOKEN, "amount": 300},
            2.0,
        ),
        Case("a mapping of ten rows", compile_mapping(ROWS), ten_fields, ORDER, 2.0),
        Case(names, compile_expression(names), expensive_names, {"items": items}, 2.5),
    ]


def seconds_per_call(function: Function, document: dict[str, Any], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        function(document)
    return (time.perf_counter() - start) / calls


def measure(case: Case) -> tuple[float, float]:
    """The best time of the compiled and of the hand-written function."""
    calls = max(100, int(SECONDS_PER_ROUND / seconds_per_call(case.by_hand, case.document, 1000)))
    compiled, by_hand = float("inf"), float("inf")
    for _ in range(ROUNDS):
        compiled = min(compiled, seconds_per_call(case.compiled, case.document, calls))
        by_hand = min(by_hand, seconds_per_call(case.by_hand, case.document, calls))
    return compiled, by_hand


def main() -> int:
    exceeded = False
    for case in cases():
        assert case.compiled(case.document) == case.by_hand(case.document)
        compiled, by_hand = measure(case)
        ratio = compiled / by_hand
        exceeded |= ratio > case.budget
        times = f"{compiled * 1e9:7.0f} ns, by hand {by_hand * 1e9:7.0f} ns"
        print(f"{ratio:5.2f}x of at most {case.budget}x  {times}  {case.name}")
    return int(exceeded)


if __name__ == "__main__":
    sys.exit(main())
