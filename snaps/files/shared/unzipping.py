"""Reading zip archives safely: no zip bombs, no paths that lead out, clear errors."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from engine.sdk import BombError, DataError, RatioGuard
from snaps.files.shared.archives import bomb, leads_out

CHUNK = 128 * 1024


class Archive:
    """A zip archive that is read from a file which can be read in any order.

    `summary` begins the messages. Raises DataError if the archive is damaged, holds paths that lead
    out, or grows to more than `max_ratio` times its size.
    """

    def __init__(self, file: IO[bytes], summary: str, max_ratio: int) -> None:
        self._summary = summary
        size = file.seek(0, 2)
        file.seek(0)
        try:
            self._zip = ZipFile(file)
        except (BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise self._damaged(error) from error
        self._guard = RatioGuard(max_ratio, taken=size)

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def entries(self) -> list[ZipInfo]:
        """The files in the archive, in its order; folders are left out."""
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        for entry in entries:
            if leads_out(entry.filename):
                raise DataError(
                    self._summary,
                    f"the path of its entry {entry.filename!r} leads out of the archive",
                    "check where the archive comes from",
                )
        return entries

    def only_entry(self) -> ZipInfo:
        entries = self.entries()
        if len(entries) != 1:
            raise DataError(
                self._summary,
                f"the archive has {len(entries)} files instead of one",
                "write it to a file, and read that with ZipFileRead",
            )
        return entries[0]

    def pieces(self, entry: ZipInfo) -> Iterator[bytes]:
        """The content of an entry, in pieces of at most 128 KiB."""
        if entry.flag_bits & 1:
            raise DataError(
                self._summary, f"its entry {entry.filename!r} is encrypted", "decrypt it first"
            )
        try:
            with self._zip.open(entry) as file:
                while piece := file.read(CHUNK):
                    self._guard.given(len(piece))
                    yield piece
        except BombError as error:
            raise bomb(self._summary, error) from error
        except (BadZipFile, NotImplementedError, EOFError, zlib.error, OSError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> DataError:
        return DataError(
            self._summary,
            f"it is not a complete zip archive: {error}",
            "check the file; it may be cut off",
        )
