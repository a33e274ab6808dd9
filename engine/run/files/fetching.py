"""Files over http and https: one GET, and the errors of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.errors import DataError
from engine.run.files.failures import status_words
from engine.sdk.files import FileContent
from engine.sdk.http import HttpClient, HttpDownload, HttpRequest, HttpResponse, shown_url

_SETTINGS = ("read_timeout", "connection_timeout", "follow_redirects", "trust_all_certificates")
"""Settings that only other snaps have, though the HTTP client's hints may name them."""


class Fetcher:
    """Opens files with the HTTP client that `http` returns."""

    def __init__(self, http: Callable[[], HttpClient]) -> None:
        self._http = http
        self._under_way: set[HttpDownload] = set()

    def open(self, url: str) -> FileContent:
        """Raises DataError unless the response is successful."""
        request = HttpRequest("GET", url, (("Accept-Encoding", "identity"),))
        download = self._http().download(request)
        self._under_way.add(download)
        try:
            response = download.response()
        except DataError as error:
            raise _as_failure(url, error) from error
        finally:
            self._under_way.discard(download)
        if not 200 <= response.status < 300:
            raise _refused(url, response)
        coded = response.header("content-encoding") not in ("", "identity")
        length = response.header("content-length")
        return FileContent(
            self._chunks(url, download),
            int(length) if length.isdecimal() and not coded else None,
            response.header("content-type"),
        )

    def interrupt(self) -> None:
        """Make pending calls fail soon. Called from another thread."""
        for download in list(self._under_way):
            download.cancel()

    def _chunks(self, url: str, download: HttpDownload) -> Iterator[bytes]:
        self._under_way.add(download)
        try:
            yield from download.pieces()
        except DataError as error:
            raise _as_failure(url, error) from error
        finally:
            self._under_way.discard(download)


def _as_failure(url: str, error: DataError) -> DataError:
    """An error of the HTTP client as one about a file."""
    resolution = error.resolution
    if any(setting in resolution for setting in _SETTINGS):
        before, _, after = resolution.partition("; or, ")
        resolution = before if after else "check the address and the server"
    summary = f"cannot read the file {shown_url(url)!r}"
    return DataError(summary, error.reason, resolution, details=error.details)


def _refused(url: str, response: HttpResponse) -> DataError:
    summary = f"cannot read the file {shown_url(url)!r}"
    status = response.status
    details = {"status": status, "statusCode": status}
    return DataError(summary, *status_words(status, response.reason), details=details)
