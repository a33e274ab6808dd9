"""`java.util`: maps, lists and sets that are Python's own with Java's methods, and a few more."""

# Names are Java's.
# ruff: noqa: N802

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import cmp_to_key
from typing import Any

from .java_types import JavaObject


class _Collection:
    """What Java's lists, sets and maps have in common."""

    def size(self) -> int:
        return len(self)  # type: ignore[arg-type]  # always mixed into a collection of Python's

    def isEmpty(self) -> bool:
        return not len(self)  # type: ignore[arg-type]

    def toString(self) -> str:
        return str(self)

    def equals(self, other: Any) -> bool:
        return bool(self == other)


class Iterating:
    """Java's Iterator, which Python can iterate over as well."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = iter(items)
        self._held: list[Any] = []

    def hasNext(self) -> bool:
        if not self._held:
            self._held.extend(item for item in (next(self._items, _END),) if item is not _END)
        return bool(self._held)

    def next(self) -> Any:
        return self._held.pop() if self._held else next(self._items)

    def __iter__(self) -> Iterator[Any]:
        while self.hasNext():
            yield self.next()


_END = object()


class Entry:
    """An entry of a map."""

    def __init__(self, holder: dict[Any, Any], key: Any) -> None:
        self._holder = holder
        self._key = key

    def getKey(self) -> Any:
        return self._key

    def getValue(self) -> Any:
        return self._holder[self._key]

    def setValue(self, value: Any) -> Any:
        old, self._holder[self._key] = self._holder[self._key], value
        return old

    key = property(getKey)
    value = property(getValue)


class LinkedHashMap(_Collection, dict[Any, Any]):
    """A map in the order of its keys' arrival, as a document is."""

    def put(self, key: Any, value: Any) -> Any:
        old = self.get(key)
        self[key] = value
        return old

    def putAll(self, other: Any) -> None:
        self.update(other)

    def putIfAbsent(self, key: Any, value: Any) -> Any:
        old = self.get(key)
        if old is None:
            self[key] = value
        return old

    def getOrDefault(self, key: Any, default: Any) -> Any:
        return self.get(key, default)

    def containsKey(self, key: Any) -> bool:
        return key in self

    def containsValue(self, value: Any) -> bool:
        return value in self.values()

    has_key = containsKey

    def remove(self, key: Any) -> Any:
        return self.pop(key, None)

    def keySet(self) -> ArrayList:
        return ArrayList(self)

    def entrySet(self) -> ArrayList:
        return ArrayList(Entry(self, key) for key in self)

    def keys(self) -> Any:
        return ArrayList(self)

    def values(self) -> Any:
        return ArrayList(dict.values(self))

    def items(self) -> Any:
        return ArrayList(dict.items(self))

    def clone(self) -> LinkedHashMap:
        return type(self)(self)

    copy = clone


class HashMap(LinkedHashMap):
    """Java leaves the order of its keys open; here it is that of their arrival."""


class TreeMap(LinkedHashMap):
    """A map in the order of its keys."""

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(dict.__iter__(self)))

    def values(self) -> Any:
        return ArrayList(self[key] for key in self)

    def items(self) -> Any:
        return ArrayList((key, self[key]) for key in self)

    def firstKey(self) -> Any:
        return min(dict.__iter__(self))

    def lastKey(self) -> Any:
        return max(dict.__iter__(self))


class ArrayList(_Collection, list[Any]):
    """A list."""

    def __init__(self, items: Any = ()) -> None:
        super().__init__(() if isinstance(items, int) else items)  # Java takes a capacity

    def add(self, *place_and_item: Any) -> bool:
        """`add(item)` or `add(place, item)`."""
        if len(place_and_item) == 2:
            self.insert(place_and_item[0], place_and_item[1])
        else:
            self.append(*place_and_item)
        return True

    def addAll(self, items: Iterable[Any]) -> bool:
        self.extend(items)
        return True

    def get(self, place: int) -> Any:
        return self[place]

    def set(self, place: int, item: Any) -> Any:
        old, self[place] = self[place], item
        return old

    def contains(self, item: Any) -> bool:
        return item in self

    def indexOf(self, item: Any) -> int:
        return self.index(item) if item in self else -1

    def iterator(self) -> Iterating:
        return Iterating(self)

    def toArray(self) -> list[Any]:
        return list(self)

    def subList(self, start: int, end: int) -> ArrayList:
        return ArrayList(self[start:end])

    def addFirst(self, item: Any) -> None:
        self.insert(0, item)

    def addLast(self, item: Any) -> None:
        self.append(item)

    def getFirst(self) -> Any:
        return self[0]

    def getLast(self) -> Any:
        return self[-1]


class HashSet(_Collection, dict[Any, None]):
    """A set; here its items come in the order of their arrival."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(dict.fromkeys(items))

    def add(self, item: Any) -> bool:
        is_new = item not in self
        self[item] = None
        return is_new

    def addAll(self, items: Iterable[Any]) -> bool:
        before = len(self)
        self.update(dict.fromkeys(items))
        return len(self) > before

    def contains(self, item: Any) -> bool:
        return item in self

    def remove(self, item: Any) -> bool:
        return self.pop(item, _END) is not _END

    def iterator(self) -> Iterating:
        return Iterating(self)


class Arrays:
    @staticmethod
    def asList(*items: Any) -> ArrayList:
        is_array = len(items) == 1 and isinstance(items[0], list | tuple)
        return ArrayList(items[0] if is_array else items)


class Collections:
    @staticmethod
    def sort(items: list[Any], compare: Callable[[Any, Any], int] | None = None) -> None:
        items.sort(key=None if compare is None else cmp_to_key(compare))

    @staticmethod
    def reverse(items: list[Any]) -> None:
        items.reverse()

    @staticmethod
    def emptyList() -> ArrayList:
        return ArrayList()

    @staticmethod
    def emptyMap() -> LinkedHashMap:
        return LinkedHashMap()

    @staticmethod
    def singletonList(item: Any) -> ArrayList:
        return ArrayList([item])


class UUID(JavaObject):
    def __init__(self, value: uuid.UUID) -> None:
        self._value = value

    @staticmethod
    def randomUUID() -> UUID:
        return UUID(uuid.uuid4())

    @staticmethod
    def fromString(text: str) -> UUID:
        return UUID(uuid.UUID(text))

    def __str__(self) -> str:
        return str(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UUID) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


class Encoder:
    def __init__(self, encode: Callable[[bytes], bytes], *, padded: bool = True) -> None:
        self._encode = encode
        self._padded = padded

    def encode(self, data: Any) -> bytes:
        encoded = self._encode(as_bytes(data))
        return encoded if self._padded else encoded.rstrip(b"=")

    def encodeToString(self, data: Any) -> str:
        return self.encode(data).decode()

    def withoutPadding(self) -> Encoder:
        return Encoder(self._encode, padded=False)


class Decoder:
    def __init__(self, altchars: bytes | None) -> None:
        self._altchars = altchars

    def decode(self, data: Any) -> bytes:
        encoded = as_bytes(data)
        return base64.b64decode(encoded + b"=" * (-len(encoded) % 4), self._altchars, validate=True)


class Base64:
    @staticmethod
    def getEncoder() -> Encoder:
        return Encoder(base64.b64encode)

    @staticmethod
    def getDecoder() -> Decoder:
        return Decoder(None)

    @staticmethod
    def getUrlEncoder() -> Encoder:
        return Encoder(base64.urlsafe_b64encode)

    @staticmethod
    def getUrlDecoder() -> Decoder:
        return Decoder(b"-_")

    @staticmethod
    def getMimeEncoder() -> Encoder:
        return Encoder(base64.b64encode)

    @staticmethod
    def getMimeDecoder() -> Decoder:
        return Decoder(None)


def as_bytes(data: Any) -> bytes:
    """Bytes of what Jython passes as a byte array: bytes, a list of numbers, or text."""
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, list | tuple):
        return bytes(number & 255 for number in data)
    return bytes(data)


CLASSES: dict[str, Any] = {
    "HashMap": HashMap,
    "LinkedHashMap": LinkedHashMap,
    "TreeMap": TreeMap,
    "Map": dict,
    "ArrayList": ArrayList,
    "LinkedList": ArrayList,
    "List": list,
    "HashSet": HashSet,
    "LinkedHashSet": HashSet,
    "Set": HashSet,
    "Iterator": Iterating,
    "Arrays": Arrays,
    "Collections": Collections,
    "UUID": UUID,
    "Base64": Base64,
}
