"""List the objects of a bucket in S3, one document for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.sdk import (
    Account,
    Document,
    Evaluated,
    Example,
    FileEntry,
    FileName,
    Foreign,
    Issue,
    S3Account,
    Settings,
    Snap,
    View,
    Views,
    outside_setting,
    setting,
)
from snaps.files.shared.s3 import S3, account_setting, bucket_setting, files_with, object_name


class S3BrowserSettings(Settings):
    account: Account[S3Account] | None = account_setting()
    bucket: Evaluated[str] = bucket_setting()
    object_key: Evaluated[str] = setting(
        default=Evaluated(value=""),
        help="What the keys begin with. By default, all objects are listed.",
        example="2024/",
    )
    filter: Evaluated[str] = setting(
        default=Evaluated(value="**"),
        help="Which objects to list: a pattern for the part of the key after the last `/` of "
        "`object_key`. `*` matches up to the next `/`, `**` across it.",
        example="**/*.csv",
    )
    max_keys: int | None = setting(
        default=None, help="How many objects to list at most. By default, all.", example=100
    )
    ignore_empty_result: bool = setting(
        default=True,
        help="Emit nothing if nothing matches. Otherwise the input document is passed on, or an "
        "empty document if there is no input.",
    )
    allow_outside: bool = outside_setting()


class S3Browser(Snap[S3BrowserSettings]):
    since = "0.4.0"
    about = """
    Each object is a document with `Bucket`, `Key`, `Size (in bytes)`, `Last modified`, `ETag`,
    `Storage class` and `Path`, the URL that a FileReader takes. With an input document, it has
    that as `original`.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-s3-s3browser",
        "S3 Browser",
        version=1,
        settings={
            "bucket": "bucket",
            "objectKey": "object_key",
            "filter": "filter",
            "maxKeys": "max_keys",
            "ignoreEmptyResult": "ignore_empty_result",
        },
        choices={"maxKeys": {"All": None}},
        unsupported={"delimiter": "a delimiter other than '/'"},
        defaults={"delimiter": "/"},
    )
    views = Views(inputs=(View("input", unlinked="starts by itself"),))
    stateful = False
    plain = True
    changes_input = False
    blocking = True
    reaches = "network"
    examples = (
        Example(
            "a bucket from data is refused",
            settings={"bucket": "= $bucket"},
            given=[{"bucket": "of-somebody-else"}],
            on_error="discard",
        ),
    )

    @classmethod
    def check(cls, settings: S3BrowserSettings) -> Iterable[Issue]:
        if settings.max_keys is not None and settings.max_keys < 1:
            message = f"max_keys must be 1 or more, got {settings.max_keys}"
            yield Issue(("max_keys",), message, "write a number, or leave it out")

    def open(self) -> None:
        self._files = files_with(self.context, self.settings.account)
        self._has_input = self.context.linked("input")

    def process(self, document: Document) -> Iterator[Document]:
        settings = self.settings
        prefix = object_name(
            self.context,
            settings.bucket,
            settings.object_key,
            document,
            allow_outside=settings.allow_outside,
        )
        original: Document = {"original": document} if self._has_input else {}
        found = 0
        for entry in self._matching(prefix, self.context.value(settings.filter, document)):
            if found == settings.max_keys:
                break
            found += 1
            yield {**_described(entry), **original}
        if not found and not settings.ignore_empty_result:
            yield document

    def _matching(self, prefix: FileName, pattern: str) -> Iterator[FileEntry]:
        folder = FileName(prefix.text[: prefix.text.rfind("/") + 1], prefix.literal)
        wanted = prefix.text.removeprefix(S3)
        for entry in self._files.entries(folder, pattern):
            if not entry.is_folder and entry.path.removeprefix(S3).startswith(wanted):
                yield entry

    def interrupt(self) -> None:
        self.context.files.interrupt()


def _described(entry: FileEntry) -> Document:
    bucket, _, key = entry.path.removeprefix(S3).partition("/")
    time = entry.updated
    return {
        "Bucket": bucket,
        "Key": key,
        "Size (in bytes)": entry.size,
        "Last modified": time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if time
        else None,
        "ETag": entry.etag,
        "Storage class": entry.storage_class,
        "Path": entry.path,
    }
