"""Charsets by the labels of the WHATWG Encoding standard, and the text of bytes in them.

Data names its charset by many labels (`ISO_8859-1`, `x-sjis`, `cp1251`). The table maps each label
of the standard, and a few others that databases and old systems use, to a codec. Other codecs are
refused: some of Python's take time that grows with the square of the text, others are not charsets
at all.

Browsers read US-ASCII, ISO-8859-1, -9 and -11 as Windows charsets. Here these labels are taken
literally, so that text is written as it is read, and every byte of ISO-8859-1 is a character.
"""

from __future__ import annotations

DEFAULT = "utf-8"

_DOS = "437 720 737 775 850 852 855 856 857 858 860 861 862 863 864 865 866 869 1006 1125 "
_EBCDIC = "037 273 424 500 875 1026 1140"

_LABELS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
    "utf-16": "utf-16 utf16 csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be unicodefffe",
    "utf-32": "utf-32 utf32",
    "utf-32-le": "utf-32le",
    "utf-32-be": "utf-32be",
    "ascii": "us-ascii ascii ansi_x3.4-1968 iso646-us",
    "latin-1": "iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 iso-ir-100 latin1 latin-1 "
    "l1 csisolatin1 cp819 ibm819",
    "iso8859-2": "iso-8859-2 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 iso-ir-101 latin2 l2 "
    "csisolatin2",
    "iso8859-3": "iso-8859-3 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 iso-ir-109 latin3 l3 "
    "csisolatin3",
    "iso8859-4": "iso-8859-4 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 iso-ir-110 latin4 l4 "
    "csisolatin4",
    "iso8859-5": "iso-8859-5 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988 iso-ir-144 cyrillic "
    "csisolatincyrillic",
    "iso8859-6": "iso-8859-6 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 iso-ir-127 arabic "
    "asmo-708 ecma-114 csisolatinarabic iso-8859-6-e csiso88596e iso-8859-6-i csiso88596i",
    "iso8859-7": "iso-8859-7 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 iso-ir-126 greek greek8 "
    "ecma-118 elot_928 sun_eu_greek csisolatingreek",
    "iso8859-8": "iso-8859-8 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 iso-ir-138 hebrew "
    "visual csisolatinhebrew iso-8859-8-e csiso88598e iso-8859-8-i csiso88598i logical",
    "iso8859-9": "iso-8859-9 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 iso-ir-148 latin5 l5 "
    "csisolatin5",
    "iso8859-10": "iso-8859-10 iso8859-10 iso885910 iso-ir-157 latin6 l6 csisolatin6",
    "iso8859-11": "iso-8859-11 iso8859-11 iso885911",
    "iso8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso8859-15": "iso-8859-15 iso8859-15 iso885915 iso_8859-15 latin-9 l9 csisolatin9",
    "iso8859-16": "iso-8859-16",
    "koi8-r": "koi8-r koi8_r koi8 koi cskoi8r",
    "koi8-u": "koi8-u koi8-ru",
    "mac-roman": "macintosh mac x-mac-roman csmacintosh",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "tis-620": "tis-620",
    "cp874": "windows-874 dos-874",
    "cp932": "shift_jis shift-jis sjis x-sjis ms932 cp932 ms_kanji windows-31j csshiftjis",
    "cp949": "euc-kr windows-949 cp949 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 "
    "iso-ir-149 cseuckr csksc56011987",
    "gbk": "gbk x-gbk cp936 gb2312 gb_2312 gb_2312-80 chinese iso-ir-58 csgb2312 csiso58gb231280",
    "gb18030": "gb18030",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc_jp": "euc-jp x-euc-jp cseucpkdfmtjapanese",
    "iso2022_jp": "iso-2022-jp csiso2022jp",
    **{
        f"cp{page}": f"windows-{page} windows{page} cp{page} x-cp{page} cp-{page}"
        for page in range(1250, 1259)
    },
    "cp950": "cp950 ms950 windows-950 x-windows-950",
    **{
        f"cp{page}": f"cp{page} ibm{page} cp-{page} ibm-{page} {page} csibm{page}"
        for page in (_DOS + _EBCDIC).split()
    },
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}

_MARKED = frozenset(codec for codec in _LABELS if codec.startswith("utf-"))
_BYTE_ORDER_MARK = "\ufeff"


class CharsetError(Exception):
    """The charset is unknown, or cannot represent the text or the bytes."""


def codec_of(label: str) -> str | None:
    """The name of Python's codec for a label in any case; None if unknown."""
    label = label.strip().lower()
    return _CODECS.get(label) or _CODECS.get(label.replace("_", "-"))  # Java has ISO8859_1


def decoded(data: bytes, label: str, subject: str) -> str:
    """The text, without a byte order mark. Raises CharsetError, whose message names `subject`."""
    codec = _known(label)
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise CharsetError(
            f"{subject} is not valid {label.lower()}: {error.reason} at byte {error.start}"
        ) from None
    return text.removeprefix(_BYTE_ORDER_MARK) if codec in _MARKED else text


def encoded(text: str, label: str, subject: str) -> bytes:
    """The bytes of a text. Raises CharsetError for a character that the charset lacks."""
    codec = _known(label)
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        odd = text[error.start]
        shown = (
            "half of a surrogate pair" if "\ud800" <= odd <= "\udfff" else f"the character {odd!r}"
        )
        raise CharsetError(
            f"{subject} cannot be written in {label}: {shown} (U+{ord(odd):04X}) at offset "
            f"{error.start}"
        ) from None


def _known(label: str) -> str:
    codec = codec_of(label)
    if codec is None:
        raise CharsetError(f"the charset {label!r:.60} is not known")
    return codec
