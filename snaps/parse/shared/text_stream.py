"""Text of a binary stream that arrives in pieces, decoded by its charset or byte order mark."""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from engine.sdk import PACKING_BYTES, DataError, Issue, codec_of, packing_of

AUTO = "auto"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONGEST_MARK = 4


def check_charset(label: str) -> Iterable[Issue]:
    """The mistake in the setting `charset`, if there is one."""
    if not is_auto(label) and codec_of(label) is None:
        yield Issue(
            ("charset",),
            f"the charset {label!r} is not known",
            "write one such as UTF-8, UTF-16, windows-1252 or ISO-8859-1, or auto",
        )


def is_auto(label: str) -> bool:
    """SnapLogic's own word for it is `Auto BOM detect`."""
    return label.lower() in (AUTO, "auto bom detect")


class TextStream:
    """Decodes the chunks of one stream.

    A byte order mark is left out. `auto` decodes by the mark, or else as UTF-8.
    """

    def __init__(self, charset: str) -> None:
        self._charset = charset
        self._start: bytes | None = b""
        self._decoder: codecs.IncrementalDecoder
        self._offset = 0

    def decode(self, chunk: bytes, *, final: bool = False) -> str:
        """The text of the next chunk. Raises DataError for bytes that are not in the charset."""
        if self._start is not None:
            self._start += chunk
            if len(self._start) < _LONGEST_MARK and not final:
                return ""
            chunk, self._start = self._begin(self._start), None
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            if (packing := packing_of(self._head)) is not None:
                raise DataError(
                    "the stream is not text", f"it is {packing[0]}", packing[1]
                ) from None
            pending = len(error.object) - len(chunk)
            place = self._offset - pending + error.start
            raise DataError(
                f"the stream is not valid {self._name}",
                f"{error.reason}: byte 0x{error.object[error.start]:02x} at offset {place:,}",
                "set charset to that of the data, such as windows-1252 or iso-8859-1",
            ) from None
        except UnicodeError:  # of codecs that choose the order of bytes by the mark
            raise DataError(
                f"the stream is not valid {self._name}",
                "it does not begin with a byte order mark",
                f"set charset to {self._name}le or {self._name}be, or to auto",
            ) from None
        self._offset += len(chunk)
        return text

    def _begin(self, start: bytes) -> bytes:
        """Choose the decoder; the bytes without the mark."""
        mark, codec = next((each for each in _MARKS if start.startswith(each[0])), (b"", ""))
        wanted = "" if is_auto(self._charset) else codec_of(self._charset) or ""
        if wanted and not codec.startswith(wanted):  # the setting wins over a mark of another kind
            mark, codec = b"", wanted
        self._name = codec or "utf-8"
        self._decoder = codecs.getincrementaldecoder(self._name)("strict")
        self._offset = len(mark)
        self._head = start[:PACKING_BYTES]
        return start[len(mark) :]
