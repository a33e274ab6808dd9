"""JSON, Base64, Digest, GZip, iconv, HTML and Crypto: values to and from other forms."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import json
import re
import sys
import uuid
import zlib
from collections.abc import Callable
from typing import Any

from engine.charsets import codec_of
from engine.expressions.callables import call_value
from engine.expressions.failures import Failure
from engine.expressions.functions.declare import Example, Family
from engine.expressions.json_text import JsonWriter
from engine.expressions.kinds import TextLike
from engine.expressions.limits import MAX_TEXT, charge, check_text
from engine.expressions.utf16 import encodable, has_half, joined, units, utf8
from engine.expressions.values import NUMBERS, Function, kind_of, scalar_text, to_integer
from engine.numbers import decimal_in_json

JSON = Family("JSON", "Values to and from JSON text.", namespace="JSON")
BASE64 = Family(
    "Base64", "Base64 as in RFC 4648; strings are encoded as UTF-8.", namespace="Base64"
)
DIGEST = Family(
    "Digest", "Digests of strings (as UTF-8) or bytes, in hexadecimal.", namespace="Digest"
)
GZIP = Family("GZip", "Compressed bytes.", namespace="GZip")
ICONV = Family("iconv", "Strings to and from bytes in an encoding.", namespace="iconv")
HTML = Family("HTML", "Strings with HTML entities.", namespace="HTML")
CRYPTO = Family("Crypto", "Random identifiers.", namespace="Crypto")
_HALF = re.compile("[\ud800-\udfff]")


# --- JSON ---


@JSON.function(
    "parse",
    "The value of a JSON text.",
    Example("""JSON.parse('[1,2,3.1,"one",true]')""", [1, 2, 3.1, "one", True]),
)
def json_parse(text: TextLike) -> Any:
    written = _decoded(text) if text.__class__ is bytes else scalar_text(text)
    charge(len(written) // 16)
    if has_half(written):  # escaped, so that the decoder joins it with its other half
        written = _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", written)
    try:
        return json.loads(written, parse_constant=_no_constant, parse_float=decimal_in_json)
    except (ValueError, RecursionError) as error:
        message = str(error) if not isinstance(error, RecursionError) else "nested too deeply"
        if message.startswith("Exceeds the limit"):
            limit = sys.get_int_max_str_digits()
            message = f"it holds an integer of more than {limit:,} digits"
        raise Failure(f"the string is not valid JSON: {message}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not valid JSON")


@JSON.function(
    "stringify",
    "The JSON text of a value. `replacer` is an array of the properties to write, or a function of "
    "(key, value) that returns what to write; `indent` is a string or a number of spaces.",
    Example("JSON.stringify({name: 'John', age: 30})", '{"name":"John","age":30}'),
    Example("JSON.stringify({a: 1, b: 2}, ['b'])", '{"b":2}'),
    Example("JSON.stringify([1], null, 2)", "[\n  1\n]"),
)
def json_stringify(value: Any, replacer: Any = None, indent: Any = None) -> str:
    writer = JsonWriter(_indent(indent), _names(replacer), _replacing(replacer))
    return writer.text(value)


def _indent(indent: Any) -> str:
    if indent.__class__ is str:
        return joined(units(indent)[:10])
    return " " * max(0, min(10, to_integer(indent))) if indent.__class__ in NUMBERS else ""


def _names(replacer: Any) -> list[str] | None:
    if replacer.__class__ is not list:
        return None
    charge(len(replacer))
    named = [one for one in replacer if one.__class__ is str or one.__class__ in NUMBERS]
    return list(dict.fromkeys(map(scalar_text, named)))


def _replacing(replacer: Any) -> Callable[[str, Any], Any] | None:
    if replacer.__class__ is not Function:
        return None
    return lambda key, value: call_value(replacer, key, value)


# --- bytes ---


def _bytes(value: Any) -> bytes:
    if value.__class__ is bytes:
        check_text(len(value))
        return value
    if value is None:
        raise Failure("expected a string or binary data, got null")
    text = scalar_text(value, "a string or binary data")
    check_text(len(text))
    return utf8(text)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Failure("the bytes are not valid UTF-8", "keep them as binary data") from None


def _from_base64(value: Any) -> bytes:
    """The decoded bytes; spaces and line breaks are ignored, and padding is optional."""
    written = b"".join(_bytes(value).split())
    try:
        return base64.b64decode(written + b"=" * _missing_padding(written), validate=True)
    except (binascii.Error, ValueError):
        raise Failure("the string is not valid Base64", _base64_hint(written)) from None


def _missing_padding(written: bytes) -> int:
    return 0 if written.endswith(b"=") else -len(written) % 4


def _base64_hint(written: bytes) -> str:
    if not set(written) & set(b"-_"):
        return ""
    return "this is Base64URL; use x.replaceAll('-', '+').replaceAll('_', '/') first"


@BASE64.function(
    "encode",
    "A string encoded as Base64.",
    Example("Base64.encode('Pleasanton')", "UGxlYXNhbnRvbg=="),
)
def base64_encode(text: TextLike) -> str:
    return base64.b64encode(_bytes(text)).decode()


@BASE64.function(
    "decode",
    "The string in a Base64 text.",
    Example("Base64.decode('UGxlYXNhbnRvbg==')", "Pleasanton"),
)
def base64_decode(text: TextLike) -> str:
    return _decoded(_from_base64(text))


@BASE64.function(
    "encodeAsBinary",
    "Bytes encoded as Base64.",
    Example("Base64.encodeAsBinary(Base64.decodeAsBinary('MjM0'))", "MjM0"),
)
def base64_encode_binary(data: Any) -> str:
    return base64.b64encode(_bytes(data)).decode()


@BASE64.function(
    "decodeAsBinary",
    "The bytes in a Base64 text.",
    Example("iconv.decode(Base64.decodeAsBinary('MjM0'), 'UTF-8')", "234"),
)
def base64_decode_binary(text: TextLike) -> bytes:
    return _from_base64(text)


@BASE64.function(
    "decodeGZip",
    "The string in a Base64 text of gzip-compressed bytes.",
    Example("Base64.decodeGZip(Base64.encode(GZip.compress('abc')))", "abc"),
)
def base64_decode_gzip(text: TextLike) -> str:
    return _decoded(decompress(_from_base64(text)))


@BASE64.function(
    "decodeGZipAsBinary",
    "The bytes in a Base64 text of gzip-compressed bytes.",
    Example(
        "Base64.encode(Base64.decodeGZipAsBinary(Base64.encode(GZip.compress('abc'))))", "YWJj"
    ),
)
def base64_decode_gzip_binary(text: TextLike) -> bytes:
    return decompress(_from_base64(text))


def _declare_digest(name: str, example: str) -> None:
    def digest(value: Any) -> str:
        return hashlib.new(name, _bytes(value)).hexdigest()

    shown = Example(f"Digest.{name}('alpha').slice(0, 8)", example)
    DIGEST.function(name, f"The {name.upper()} digest.", shown)(digest)


_declare_digest("md5", "2c1743a3")
_declare_digest("sha1", "be76331b")
_declare_digest("sha256", "8ed3f6ad")
_declare_digest("sha384", "9cc3c0f0")
_declare_digest("sha512", "ba3ce586")


@GZIP.function(
    "compress",
    "A string or bytes, compressed with gzip.",
    Example("iconv.decode(GZip.decompress(GZip.compress('Hello')), 'UTF-8')", "Hello"),
)
def compress(value: Any) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(_bytes(value)) + packer.flush()


@GZIP.function(
    "decompress",
    "The decompressed bytes.",
    Example("Base64.encode(GZip.decompress(GZip.compress('abc')))", "YWJj"),
)
def decompress(data: Any) -> bytes:
    if data.__class__ is not bytes:
        raise Failure(f"expected binary data, got {kind_of(data)}")
    unpacker = zlib.decompressobj(wbits=47)
    try:
        unpacked = unpacker.decompress(data, MAX_TEXT)
    except zlib.error:
        raise Failure("the bytes are not compressed with gzip") from None
    if unpacker.unconsumed_tail:
        raise Failure(f"the decompressed data is longer than {MAX_TEXT:,} bytes")
    if not unpacker.eof:
        raise Failure("the compressed data is incomplete")
    check_text(len(unpacked))
    return unpacked


# --- encodings ---


def _codec(name: Any) -> str:
    text = scalar_text(name, "the name of an encoding")
    codec = codec_of(text)
    if codec is None:
        raise Failure(
            f"there is no encoding `{text[:60]}`", "use UTF-8, UTF-16, UTF-32, ISO-8859-1 …"
        )
    return codec


@ICONV.function(
    "encode",
    "A string as bytes in an encoding; UTF-16 is written big-endian with a byte-order mark.",
    Example("Base64.encode(iconv.encode('Hi', 'UTF-16'))", "/v8ASABp"),
)
def iconv_encode(text: TextLike, encoding: TextLike) -> bytes:
    written, codec = scalar_text(text), _codec(encoding)
    check_text(len(written) * 4)
    mark = b"\xfe\xff" if codec == "utf-16" else b""
    codec = {"utf-16": "utf-16-be", "utf-32": "utf-32-be"}.get(codec, codec)
    return mark + encodable(written).encode(codec, "replace")


@ICONV.function(
    "decode",
    "Bytes in an encoding as a string.",
    Example("iconv.decode(iconv.encode('é', 'ISO-8859-1'), 'ISO-8859-1')", "é"),
)
def iconv_decode(data: Any, encoding: TextLike) -> str:
    if data.__class__ is not bytes:
        raise Failure(f"expected binary data, got {kind_of(data)}")
    codec = _codec(encoding)
    has_mark = data[:2] in (b"\xfe\xff", b"\xff\xfe") or data[:4] == b"\x00\x00\xfe\xff"
    if not has_mark:
        codec = {"utf-16": "utf-16-be", "utf-32": "utf-32-be"}.get(codec, codec)
    try:
        return joined(data.decode(codec))
    except UnicodeDecodeError:
        raise Failure(f"the bytes are not valid {scalar_text(encoding)}") from None


# --- HTML, Crypto ---


@HTML.function(
    "encode",
    'The string with & < > and " as entities.',
    Example("HTML.encode('<a & b>')", "&lt;a &amp; b&gt;"),
)
def html_encode(text: TextLike) -> str:
    written = scalar_text(text)
    check_text(len(written) * 6)
    return html.escape(written, quote=False).replace('"', "&quot;")


@HTML.function(
    "decode",
    "The string with entities as characters.",
    Example("HTML.decode('&lt;&eacute;&#39;')", "<é'"),
)
def html_decode(text: TextLike) -> str:
    return joined(html.unescape(scalar_text(text)))


@CRYPTO.function("uuid", "A random UUID.", Example("Crypto.uuid().length", 36))
def crypto_uuid() -> str:
    return str(uuid.uuid4())
