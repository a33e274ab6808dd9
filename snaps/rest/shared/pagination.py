"""Further pages of a response: whether there is one, and at which address."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event
from urllib.parse import urljoin, urlsplit

from engine.sdk import Context, DataError, Document, Expression, Issue, Settings, setting, shown_url


class PageSettings(Settings):
    has_next: Expression | None = setting(
        default=None,
        help="Whether there is a further page: true or false, of the output document (`$entity`, "
        "`$headers`, `$statusLine`, `$original`).",
        example="$entity.next != null",
    )
    next_url: Expression | None = setting(
        default=None,
        help="The address of the further page, which may be relative to this one's.",
        example="$entity.next",
    )
    pagination_interval: float = setting(
        default=0.0, help="Seconds to wait before each further page."
    )


def page_issues(settings: PageSettings) -> Iterable[Issue]:
    """Settings that do not fit each other."""
    if (settings.has_next is None) != (settings.next_url is None):
        missing = "next_url" if settings.next_url is None else "has_next"
        yield Issue((), f"{missing!r} is missing", "pages need both has_next and next_url")
    if settings.pagination_interval < 0:
        message = f"pagination_interval must be 0 or more, got {settings.pagination_interval:g}"
        yield Issue(("pagination_interval",), message)


class Pages:
    """Finds the next page. With `limit`, there are at most so many pages for each document."""

    def __init__(self, context: Context, settings: PageSettings, limit: int | None = None) -> None:
        self._has_next = None if settings.has_next is None else context.function(settings.has_next)
        self._next_url = None if settings.next_url is None else context.function(settings.next_url)
        self._interval = settings.pagination_interval
        self._limit = limit
        self._ending = Event()

    def after(self, page: Document, url: str, count: int) -> str | None:
        """The address of the page after this one, the `count`-th, which came from `url`.

        Waits for the interval. Raises DataError if it would never end, or the address is no text.
        """
        if self._has_next is None or self._next_url is None:
            return None
        if self._limit is not None and count >= self._limit:
            return None
        more = self._has_next(page)
        if more is False or more is None:
            return None
        if more is not True:
            raise DataError(
                "could not look for the next page",
                f"has_next must return true or false, but returned {more!r}",
                "compare it with a value, for example with == or !=",
            )
        address = self._next_url(page)
        if not isinstance(address, str) or not address.strip():
            raise DataError(
                "could not request the next page",
                f"next_url must return an address, but returned {address!r}",
                "let has_next be false on the last page",
            )
        following = urljoin(url, address.strip())
        if following == url:
            raise DataError(
                "could not request the next page",
                f"it has the address of this one: {shown_url(url)!r}",
                "let has_next be false on the last page",
            )
        self._ending.wait(self._interval)
        return following

    def interrupt(self) -> None:
        """Wait no more."""
        self._ending.set()


def is_same_server(one: str, other: str) -> bool:
    """Whether credentials for one address may be sent to the other."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.netloc) == (second.scheme, second.netloc)
