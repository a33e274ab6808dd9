"""A snap that stores each binary stream until it is complete, for formats not read in order."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, TypeVar

from engine.sdk import DataError, Document, Header, Settings, StreamSnap

S = TypeVar("S", bound=Settings)
_IN_MEMORY = 16 * 1024 * 1024


class StoredStreamSnap(StreamSnap[S]):
    """A stream of more than 16 MiB is in a temporary file. Define `documents`."""

    kind = ""
    """What the stream must be, for messages."""

    magic = b""
    """The bytes that begin every stream of the format; libraries do not look at all of them."""

    _file: SpooledTemporaryFile[bytes] | None = None

    def documents(self, file: IO[bytes]) -> Iterator[Document]:
        """The documents of a stream that is complete. Any exception fails the stream."""
        raise NotImplementedError

    def begin(self, header: Header) -> tuple[()]:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # until end
        return ()

    def feed(self, chunk: bytes) -> tuple[()]:
        if self._file is not None:
            self._file.write(chunk)
        return ()

    def end(self) -> Iterator[Document]:
        number = 0
        try:
            if self._file is None or not self._file.tell():
                raise self._refusal("it is empty")
            self._file.seek(0)
            if (found := self._file.read(len(self.magic))) != self.magic:
                raise self._refusal(f"its first bytes are {found!r} instead of {self.magic!r}")
            self._file.seek(0)
            for document in self.documents(self._file):
                number += 1
                yield document
        except DataError:
            raise
        except Exception as error:  # noqa: BLE001  # such libraries raise many kinds
            place = f"after document {number}: " if number else ""
            text = str(error).partition("\n")[0] or type(error).__name__
            raise self._refusal(f"{place}{text}") from None
        finally:
            self.abandon()

    def abandon(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def close(self) -> None:
        self.abandon()

    def _refusal(self, reason: str) -> DataError:
        return DataError(
            f"cannot parse the stream as {self.kind}",
            reason,
            f"check that the file is complete, and really {self.kind}",
        )
