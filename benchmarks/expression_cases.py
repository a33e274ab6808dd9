"""Expressions of all families, each with the Python function that one would write by hand.

Both see the same document and return the same value. Decimals are computed by hand with `decimal`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from engine.expressions import DateTime

Document = dict[str, Any]
Function = Callable[[Document], Any]

TOKEN = "s3cret"
ITEMS = [
    {"id": n, "name": f"item {n}", "price": Decimal(n) + Decimal("0.50"), "quantity": n % 4 + 1}
    for n in range(20)
]
ORDER: Document = {
    "id": 17,
    "token": TOKEN,
    "amount": 300,
    "discount": 20,
    "customer": {
        "first": "Ann",
        "last": "Lee",
        "email": "Ann.Lee@Example.com",
        "address": {"city": "Oslo", "zip": "0150"},
    },
    "price": Decimal("605.3109"),
    "before": Decimal("581.2025"),
    "quantity": 3,
    "state": "A",
    "tags": ["new", "web", "sale", "blue", "big"],
    "numbers": [9, 4, 7, 1, 8, 2, 6, 3, 5, 10],
    "items": ITEMS,
    "currency": "EUR",
    "note": "  leave at the door ",
    "path": "a/b/c/d.txt",
    "row": "17,Ann,Lee,Oslo,EUR",
    "phone": "(555) 123-4567",
    "text_price": "19.99",
    "text_id": "4711",
    "when": "2020-01-15T10:30:45.678Z",
    "date": DateTime(2020, 1, 15, 10, 30, 45, 678000, tzinfo=UTC),
    "day": "15.01.2020",
    "json": '{"a": [1, 2, 3.5], "b": "x"}',
    "missing": None,
}
DECIMAL128 = Context(prec=34)
ROUNDING = Context(prec=100)
DIGITS = re.compile(r"[^0-9]")
DOOR = re.compile("door")
COMMA = re.compile(",")
PHONE = re.compile(r"\((\d+)\) (\d+)-(\d+)")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Case:
    text: str
    by_hand: Function


def change(d: Document) -> Decimal:
    return DECIMAL128.divide((d["price"] - d["before"]) * 100, d["before"])


def total(d: Document) -> Any:
    total = 0
    for item in d["items"]:
        total = total + item["price"] * item["quantity"]
    return total


def found(d: Document) -> Any:
    for item in d["items"]:
        if item["id"] == 7:
            return item
    return None


def phone(d: Document) -> list[str | Any] | None:
    match = PHONE.search(d["phone"])
    return [match.group(), *match.groups()] if match else None


def state(d: Document) -> str:
    match d["state"]:
        case "B":
            return "back"
        case "A":
            return "open"
        case _:
            return "closed"


def band(d: Document) -> str:
    amount = d["amount"]
    return "low" if 0 <= amount <= 100 else "mid" if 100 <= amount <= 500 else "high"


def whose(d: Document) -> int:
    first = d["customer"].get("first")
    return 1 if first == "Bob" else 2 if first == "Ann" else 0


def has_city(d: Document) -> bool:
    address = d.get("customer", {}).get("address")
    return address is not None and address.get("city") is not None


def has_address(d: Document) -> bool:
    return "customer" in d and "address" in d["customer"]


def place_found(d: Document) -> int:
    for place, item in enumerate(d["items"]):
        if item["id"] == 7:
            return place
    return -1


def count_of_pairs(items: list[Document]) -> int:
    return len([item for item in items if item["quantity"] == 2])


def two_digits(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.01"), ROUND_HALF_UP, ROUNDING)


def parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)


def day(d: Document) -> str:
    when = parsed(d["when"])
    return f"{when.day:02}.{when.month:02}.{when.year:04}"


def compared(d: Document) -> bool:
    return d["token"] == TOKEN and d["amount"] > 250  # type: ignore[no-any-return]


CASES = [
    # members and comparisons
    Case("$customer.address.city", lambda d: d["customer"]["address"]["city"]),
    Case("$items[3].name", lambda d: d["items"][3]["name"]),
    Case("$state == 'A'", lambda d: d["state"] == "A"),
    Case("$price > 100.50", lambda d: d["price"] > Decimal("100.50")),
    Case("$token == _token && $amount > 250", compared),
    Case("$missing != null && $missing.x", lambda d: d["missing"] is not None),
    Case("$state == 'A' ? 'open' : 'closed'", lambda d: "open" if d["state"] == "A" else "closed"),
    Case("$.get('note', 'none')", lambda d: d.get("note", "none")),
    Case("$.hasOwnProperty('note')", lambda d: "note" in d),
    # arithmetic
    Case("$amount - $discount", lambda d: d["amount"] - d["discount"]),
    Case("$amount * 2 + 1", lambda d: d["amount"] * 2 + 1),
    Case("$amount % 7", lambda d: d["amount"] % 7),
    Case("$price * $quantity", lambda d: d["price"] * d["quantity"]),
    Case("$price - $before", lambda d: d["price"] - d["before"]),
    Case("($price - $before) * 100 / $before", change),
    Case("Math.round($price)", lambda d: int(d["price"].to_integral_value(ROUND_HALF_UP))),
    Case("Math.max($amount, $discount)", lambda d: max(d["amount"], d["discount"])),
    Case("Math.sqrt($amount)", lambda d: Decimal(repr(math.sqrt(d["amount"])))),
    Case(
        "$price.toFixed(2)",
        lambda d: str(d["price"].quantize(Decimal("0.01"), ROUND_HALF_UP, ROUNDING)),
    ),
    Case("parseFloat($text_price)", lambda d: Decimal(d["text_price"])),
    Case("parseInt($text_id)", lambda d: int(d["text_id"])),
    # strings
    Case(
        "$customer.first + ' ' + $customer.last",
        lambda d: d["customer"]["first"] + " " + d["customer"]["last"],
    ),
    Case("'no. ' + $id", lambda d: "no. " + str(d["id"])),
    Case("$customer.email.toLowerCase()", lambda d: d["customer"]["email"].lower()),
    Case("$note.trim().length > 3", lambda d: len(d["note"].strip()) > 3),
    Case("$path.substring(2, 5)", lambda d: d["path"][2:5]),
    Case("$path.slice(-3)", lambda d: d["path"][-3:]),
    Case("$path.lastIndexOf('/')", lambda d: d["path"].rfind("/")),
    Case("$customer.email.indexOf('@') > 0", lambda d: d["customer"]["email"].find("@") > 0),
    Case("$path.startsWith('a/')", lambda d: d["path"].startswith("a/")),
    Case("$note.contains('door')", lambda d: "door" in d["note"]),
    Case("$row.split(',')", lambda d: d["row"].split(",")),
    Case("$path.replaceAll('/', '.')", lambda d: d["path"].replace("/", ".")),
    Case("$phone.replace(/[^0-9]/g, '')", lambda d: DIGITS.sub("", d["phone"])),
    Case("$phone.match(/\\((\\d+)\\) (\\d+)-(\\d+)/)", phone),
    Case("'%s: %05d'.sprintf($state, $id)", lambda d: f"{d['state']}: {d['id']:05}"),
    Case("'%.2f'.sprintf($price)", lambda d: f"{two_digits(d['price']):f}"),
    Case("$price.toString()", lambda d: str(d["price"])),
    Case("$state.localeCompare('B')", lambda d: (d["state"] > "B") - (d["state"] < "B")),
    Case("$note.search(/door/)", lambda d: m.start() if (m := DOOR.search(d["note"])) else -1),
    Case("$row.split(/,/)", lambda d: COMMA.split(d["row"])),
    Case("$row.split(',').map(x => x.trim())", lambda d: [x.strip() for x in d["row"].split(",")]),
    # arrays
    Case(
        "$items.filter(x => x.price > 10).map(x => x.name)",
        lambda d: [x["name"] for x in d["items"] if x["price"] > 10],
    ),
    Case(
        "$items.map(x => x.price * x.quantity)",
        lambda d: [x["price"] * x["quantity"] for x in d["items"]],
    ),
    Case("$items.reduce((sum, x) => sum + x.price * x.quantity, 0)", total),
    Case("$items.find(x => x.id == 7)", found),
    Case("$numbers.slice(0).sort((a, b) => a - b)", lambda d: sorted(d["numbers"])),
    Case("$tags.slice(0).sort()", lambda d: sorted(d["tags"])),
    Case("$tags.join(', ')", lambda d: ", ".join(d["tags"])),
    Case("$tags.indexOf('sale')", lambda d: d["tags"].index("sale")),
    Case("$numbers.sum()", lambda d: sum(d["numbers"])),
    Case("$tags.concat(['x', 'y'])", lambda d: [*d["tags"], "x", "y"]),
    Case("[...$tags, 'x']", lambda d: [*d["tags"], "x"]),
    Case("$tags.toString()", lambda d: ",".join(d["tags"])),
    Case("$items.findIndex(x => x.id == 7)", place_found),
    Case(
        "$items.map(x => ({id: x.id, total: x.price * x.quantity}))",
        lambda d: [{"id": x["id"], "total": x["price"] * x["quantity"]} for x in d["items"]],
    ),
    Case(
        "$items.map(x => x.name + ': ' + x.id)",
        lambda d: [x["name"] + ": " + str(x["id"]) for x in d["items"]],
    ),
    Case("$items.filter(x => x.quantity == 2).length", lambda d: count_of_pairs(d["items"])),
    Case("$numbers.reduce((a, b) => a > b ? a : b)", lambda d: max(d["numbers"])),
    # objects
    Case(
        "{id: $id, name: $customer.first}",
        lambda d: {"id": d["id"], "name": d["customer"]["first"]},
    ),
    Case("{...$customer, id: $id}", lambda d: {**d["customer"], "id": d["id"]}),
    Case("$customer.extend({id: $id})", lambda d: {**d["customer"], "id": d["id"]}),
    Case("$customer.keys()", lambda d: list(d["customer"])),
    Case("match $state { 'B' => 'back', 'A' => 'open', _ => 'closed' }", state),
    Case("match $amount { 0..=100 => 'low', 100..=500 => 'mid', _ => 'high' }", band),
    Case("match $customer { {first: 'Bob'} => 1, {first: 'Ann'} => 2, _ => 0 }", whose),
    Case("$.hasPath('customer.address.city')", has_city),
    Case("$.hasOwnProperty('customer.address')", has_address),
    Case("$.getFirst('tags', 'none')", lambda d: d["tags"][0]),
    Case("$customer.values()", lambda d: list(d["customer"].values())),
    Case("$customer.entries()", lambda d: [[k, v] for k, v in d["customer"].items()]),
    Case(
        "$customer.filter((v, k) => k != 'email')",
        lambda d: {k: v for k, v in d["customer"].items() if k != "email"},
    ),
    Case("$customer.mapValues(v => v)", lambda d: {k: v for k, v in d["customer"].items()}),  # noqa: C416
    Case(
        "$customer.mapKeys((v, k) => k.toUpperCase())",
        lambda d: {k.upper(): v for k, v in d["customer"].items()},
    ),
    # paths, dates, JSON
    Case("jsonPath($, '$.customer.address.city')", lambda d: d["customer"]["address"]["city"]),
    Case("jsonPath($, '$.items[*].name')", lambda d: [x["name"] for x in d["items"]]),
    Case(
        "jsonPath($, '$.items[?(@.price > 10)].name')",
        lambda d: [x["name"] for x in d["items"] if x["price"] > 10],
    ),
    Case("jsonPath($, '$.items[0:3].name')", lambda d: [x["name"] for x in d["items"][0:3]]),
    Case("jsonPath($, '$.customer.*')", lambda d: list(d["customer"].values())),
    Case("Date.parse($when)", lambda d: parsed(d["when"])),
    Case(
        "Date.parse($day, 'dd.MM.yyyy')",
        lambda d: datetime.strptime(d["day"], "%d.%m.%Y").replace(tzinfo=UTC),
    ),
    Case(
        "$date.toLocaleDateTimeString({format: 'yyyy-MM-dd HH:mm:ss'})",
        lambda d: d["date"].strftime("%Y-%m-%d %H:%M:%S"),
    ),
    Case("$date > Date.parse('2019-12-31')", lambda d: d["date"] > EPOCH),
    Case("$date.plusMonths(1)", lambda d: d["date"].replace(month=2)),
    Case("Date.parse($when).toLocaleDateString({format: 'dd.MM.yyyy'})", day),
    Case("$date.plusDays(1)", lambda d: d["date"] + timedelta(days=1)),
    Case("$date.getTime()", lambda d: (d["date"] - EPOCH) // MILLISECOND),
    Case("JSON.parse($json)", lambda d: json.loads(d["json"], parse_float=Decimal)),
    Case(
        "JSON.stringify($customer)",
        lambda d: json.dumps(d["customer"], separators=(",", ":"), ensure_ascii=False),
    ),
]


def ten_fields(d: Document) -> Document:
    customer = d["customer"]
    return {
        "id": d["id"],
        "name": customer["first"] + " " + customer["last"],
        "email": customer["email"].lower(),
        "city": customer["address"]["city"],
        "total": d["price"] * d["quantity"],
        "is_large": d["quantity"] > 100,
        "status": "open" if d["state"] == "A" else "closed",
        "first_tag": d["tags"][0],
        "currency": d["currency"],
        "note": d["note"].strip(),
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
