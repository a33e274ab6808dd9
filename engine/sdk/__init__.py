"""Everything that a snap may import from the engine."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.documents import (
    NO_LINEAGE,
    Batch,
    Document,
    Header,
    Item,
    Lineage,
    RawJson,
    StreamEnd,
    StreamStart,
    Value,
    without_raw_json,
)
from engine.errors import (
    AbsentError,
    ConfigurationError,
    DataError,
    EndlessCallsError,
    ExecutionError,
    ExpressionError,
)
from engine.expressions import exact_decimals, json_hook
from engine.expressions.steps import (
    DecodeJson,
    DecodeRows,
    EncodeJson,
    EncodeRows,
    Keep,
    Make,
    Merge,
    Share,
    Step,
)
from engine.sdk.children import ChildPipeline, ChildPipelines, ChildReference, ChildRun, ChildView
from engine.sdk.context import Context, Function, JsonPath
from engine.sdk.excerpts import excerpt
from engine.sdk.facts import Foreign
from engine.sdk.files import (
    FileAction,
    FileContent,
    FileEntry,
    FileName,
    Files,
    FileTarget,
    ReadFile,
    WrittenFile,
)
from engine.sdk.http import (
    HttpCall,
    HttpClient,
    HttpDownload,
    HttpOptions,
    HttpRequest,
    HttpResponse,
    RetryPolicy,
    shown_url,
)
from engine.sdk.outside import OutsideCall
from engine.sdk.parallel import ByKey, ByRun, Once, Parallel
from engine.sdk.reading import ReadPaths, fields_read, paths_read
from engine.sdk.results import BATCH_SIZE, Emission, Result, To
from engine.sdk.rows import RowSink, RowSource
from engine.sdk.scripts import (
    Outcome,
    Script,
    ScriptAnswer,
    ScriptExecutor,
    ScriptFailure,
    ScriptModule,
    ScriptSession,
    part_of,
    without_mark,
)
from engine.sdk.settings import (
    Account,
    AccountPerDocument,
    BoundText,
    Evaluated,
    Expression,
    Issue,
    Path,
    Settings,
    TargetPath,
    outside_setting,
    setting,
)
from engine.sdk.snap import Example, PythonCode, Snap
from engine.sdk.stream_snap import StreamSnap
from engine.sdk.views import View, Views

if TYPE_CHECKING:
    from engine.charsets import CharsetError, codec_of, decoded, encoded
    from engine.expressions.dates import DateTime, LocalDate, LocalDateTime, LocalTime
    from engine.expressions.values import to_text
    from engine.numbers import decimal_of
    from engine.sdk.accounts import AccountKind
    from engine.sdk.accounts.rest import BasicAccount, BearerAccount, HeaderAccount, OAuth2Account
    from engine.sdk.accounts.s3 import S3Account
    from engine.sdk.accounts.smtp import SmtpAccount
    from engine.sdk.accounts.sql import SqlAccount
    from engine.sdk.addresses import AddressError, address_of
    from engine.sdk.columns import Columns, lineage_at, numbers_of
    from engine.sdk.compression import (
        BombError,
        DecompressionError,
        Decompressor,
        RatioGuard,
        compressor,
    )
    from engine.sdk.content_types import charset_of, is_json, media_type
    from engine.sdk.document_size import document_too_large
    from engine.sdk.external_sort import ExternalSort, SortOrder
    from engine.sdk.header_values import HeaderError, header_text
    from engine.sdk.held_rows import HeldRows
    from engine.sdk.json_errors import not_a_document
    from engine.sdk.json_output import CHANGE_IT_FIRST, prettified, to_json, to_json_lines
    from engine.sdk.json_reading import JsonReader, json_value
    from engine.sdk.json_schema import schema_check, schema_mistake
    from engine.sdk.memory import Gauge, check_memory, memory_setting
    from engine.sdk.ordering import Column, keys_of, kind_of_column, orderable, ranked, same
    from engine.sdk.packing import PACKING_BYTES, packing_of
    from engine.sdk.patterns import searcher
    from engine.sdk.quantities import parse_size
    from engine.sdk.spill_file import PARTITIONS, Partitions, SpilledList, SpillingRows

_IMPORTED_WHEN_USED = {
    "schema_check": "engine.sdk.json_schema",
    "schema_mistake": "engine.sdk.json_schema",
    "searcher": "engine.sdk.patterns",
    "DateTime": "engine.expressions.dates",
    "LocalDate": "engine.expressions.dates",
    "LocalDateTime": "engine.expressions.dates",
    "LocalTime": "engine.expressions.dates",
    "Columns": "engine.sdk.columns",
    "lineage_at": "engine.sdk.columns",
    "numbers_of": "engine.sdk.columns",
    "document_too_large": "engine.sdk.document_size",
    "ExternalSort": "engine.sdk.external_sort",
    "SortOrder": "engine.sdk.external_sort",
    "to_text": "engine.expressions.values",
    "Gauge": "engine.sdk.memory",
    "check_memory": "engine.sdk.memory",
    "memory_setting": "engine.sdk.memory",
    "Column": "engine.sdk.ordering",
    "keys_of": "engine.sdk.ordering",
    "kind_of_column": "engine.sdk.ordering",
    "orderable": "engine.sdk.ordering",
    "ranked": "engine.sdk.ordering",
    "same": "engine.sdk.ordering",
    "PARTITIONS": "engine.sdk.spill_file",
    "Partitions": "engine.sdk.spill_file",
    "SpilledList": "engine.sdk.spill_file",
    "SpillingRows": "engine.sdk.spill_file",
    "CharsetError": "engine.charsets",
    "PACKING_BYTES": "engine.sdk.packing",
    "packing_of": "engine.sdk.packing",
    "codec_of": "engine.charsets",
    "decimal_of": "engine.numbers",
    "decoded": "engine.charsets",
    "encoded": "engine.charsets",
    "AccountKind": "engine.sdk.accounts",
    "BasicAccount": "engine.sdk.accounts.rest",
    "BearerAccount": "engine.sdk.accounts.rest",
    "HeaderAccount": "engine.sdk.accounts.rest",
    "OAuth2Account": "engine.sdk.accounts.rest",
    "S3Account": "engine.sdk.accounts.s3",
    "SmtpAccount": "engine.sdk.accounts.smtp",
    "SqlAccount": "engine.sdk.accounts.sql",
    "AddressError": "engine.sdk.addresses",
    "address_of": "engine.sdk.addresses",
    "BombError": "engine.sdk.compression",
    "DecompressionError": "engine.sdk.compression",
    "Decompressor": "engine.sdk.compression",
    "RatioGuard": "engine.sdk.compression",
    "compressor": "engine.sdk.compression",
    "charset_of": "engine.sdk.content_types",
    "is_json": "engine.sdk.content_types",
    "media_type": "engine.sdk.content_types",
    "HeaderError": "engine.sdk.header_values",
    "header_text": "engine.sdk.header_values",
    "HeldRows": "engine.sdk.held_rows",
    "CHANGE_IT_FIRST": "engine.sdk.json_output",
    "prettified": "engine.sdk.json_output",
    "to_json": "engine.sdk.json_output",
    "to_json_lines": "engine.sdk.json_output",
    "parse_size": "engine.sdk.quantities",
    "JsonReader": "engine.sdk.json_reading",
    "json_value": "engine.sdk.json_reading",
    "not_a_document": "engine.sdk.json_errors",
}


def __getattr__(name: str) -> Any:
    """Names whose module is imported when the first snap uses it: a run starts quickly."""
    if name not in _IMPORTED_WHEN_USED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_WHEN_USED[name]), name)


__all__ = [
    "BATCH_SIZE",
    "CHANGE_IT_FIRST",
    "NO_LINEAGE",
    "PACKING_BYTES",
    "PARTITIONS",
    "AbsentError",
    "Account",
    "AccountKind",
    "AccountPerDocument",
    "AddressError",
    "BasicAccount",
    "Batch",
    "BearerAccount",
    "BombError",
    "BoundText",
    "ByKey",
    "ByRun",
    "CharsetError",
    "ChildPipeline",
    "ChildPipelines",
    "ChildReference",
    "ChildRun",
    "ChildView",
    "Column",
    "Columns",
    "ConfigurationError",
    "Context",
    "DataError",
    "DateTime",
    "DecodeJson",
    "DecodeRows",
    "DecompressionError",
    "Decompressor",
    "Document",
    "Emission",
    "EncodeJson",
    "EncodeRows",
    "EndlessCallsError",
    "Evaluated",
    "Example",
    "ExecutionError",
    "Expression",
    "ExpressionError",
    "ExternalSort",
    "FileAction",
    "FileContent",
    "FileEntry",
    "FileName",
    "FileTarget",
    "Files",
    "Foreign",
    "Function",
    "Gauge",
    "Header",
    "HeaderAccount",
    "HeaderError",
    "HeldRows",
    "HttpCall",
    "HttpClient",
    "HttpDownload",
    "HttpOptions",
    "HttpRequest",
    "HttpResponse",
    "Issue",
    "Item",
    "JsonPath",
    "JsonReader",
    "Keep",
    "Lineage",
    "LocalDate",
    "LocalDateTime",
    "LocalTime",
    "Make",
    "Merge",
    "OAuth2Account",
    "Once",
    "Outcome",
    "OutsideCall",
    "Parallel",
    "Partitions",
    "Path",
    "PythonCode",
    "RatioGuard",
    "RawJson",
    "ReadFile",
    "ReadPaths",
    "Result",
    "RetryPolicy",
    "RowSink",
    "RowSource",
    "S3Account",
    "Script",
    "ScriptAnswer",
    "ScriptExecutor",
    "ScriptFailure",
    "ScriptModule",
    "ScriptSession",
    "Settings",
    "Share",
    "SmtpAccount",
    "Snap",
    "SortOrder",
    "SpilledList",
    "SpillingRows",
    "SqlAccount",
    "Step",
    "StreamEnd",
    "StreamSnap",
    "StreamStart",
    "TargetPath",
    "To",
    "Value",
    "View",
    "Views",
    "WrittenFile",
    "address_of",
    "charset_of",
    "check_memory",
    "codec_of",
    "compressor",
    "decimal_of",
    "decoded",
    "document_too_large",
    "encoded",
    "exact_decimals",
    "excerpt",
    "fields_read",
    "header_text",
    "is_json",
    "json_hook",
    "json_value",
    "keys_of",
    "kind_of_column",
    "lineage_at",
    "media_type",
    "memory_setting",
    "not_a_document",
    "numbers_of",
    "orderable",
    "outside_setting",
    "packing_of",
    "parse_size",
    "part_of",
    "paths_read",
    "prettified",
    "ranked",
    "same",
    "schema_check",
    "schema_mistake",
    "searcher",
    "setting",
    "shown_url",
    "to_json",
    "to_json_lines",
    "to_text",
    "without_mark",
    "without_raw_json",
]
