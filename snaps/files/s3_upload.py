"""Upload each binary stream as an object to S3."""

from __future__ import annotations

from collections.abc import Iterator

from engine.sdk import (
    Account,
    Document,
    Evaluated,
    Example,
    FileTarget,
    Foreign,
    Header,
    S3Account,
    Settings,
    StreamEnd,
    StreamSnap,
    StreamStart,
    View,
    Views,
    outside_setting,
    setting,
)
from snaps.files.shared.s3 import S3, account_setting, bucket_setting, files_with, object_name


class S3UploadSettings(Settings):
    account: Account[S3Account] | None = account_setting()
    bucket: Evaluated[str] = bucket_setting()
    object_key: Evaluated[str] = setting(
        help="The key of the object. An expression is evaluated on the header of the stream.",
        example="= 'orders/' + $name",
    )
    write_empty_file: bool = setting(
        default=False, help="Write an object for a stream without bytes; otherwise it is ignored."
    )
    allow_outside: bool = outside_setting()


class S3Upload(StreamSnap[S3UploadSettings]):
    since = "0.4.0"
    writes = True
    would = "upload {items} as {object_key}"
    about = """
    The object appears when its stream is complete. The output has one document for each stream:
    `bucket`, `object_key`, `path`, `status` (`uploaded` or `ignored`), `size`, and the header as
    `original`. Data may choose the key, but not the bucket, unless `allow_outside` is set.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-s3-s3upload",
        "S3 Upload",
        version=1,
        settings={
            "bucket": "bucket",
            "objectKey": "object_key",
            "writeEmptyFile": "write_empty_file",
        },
        ignored=("multipartSize", "threadPoolSize", "maxRetries"),
        defaults={"cannedACL": "None"},
        unsupported={
            "cannedACL": "access rights of the object",
            "acl": "access rights of the object",
            "objectTags": "tags of the object",
            "userDefinedMetadata": "metadata of the object",
            "passThrough": "the input as part of the output",
        },
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    single = True
    replayable = False
    blocking = True
    plain = True
    changes_input = False
    shares_output = False
    loses_lineage = ""
    examples = (
        Example(
            "a bucket from data is refused",
            settings={"bucket": "= $bucket", "object_key": "a.csv"},
            given=[StreamStart({"bucket": "of-somebody-else"}), b"1", StreamEnd()],
            on_error="discard",
        ),
    )

    def open(self) -> None:
        self._target: FileTarget | None = None
        self._files = files_with(self.context, self.settings.account)

    def begin(self, header: Header) -> tuple[()]:
        settings = self.settings
        self._original = header
        self._name = object_name(
            self.context,
            settings.bucket,
            settings.object_key,
            header,
            allow_outside=settings.allow_outside,
        )
        self._path = self._files.locate(self._name)  # before anything is written
        self._count = 0
        return ()

    def feed(self, chunk: bytes) -> tuple[()]:
        self._count += len(chunk)
        self._begun().write(chunk)
        return ()

    def end(self) -> Iterator[Document]:
        if self._count or self.settings.write_empty_file:
            self._begun().commit()
            self._target = None
        bucket, _, key = self._path.removeprefix(S3).partition("/")
        yield {
            "bucket": bucket,
            "object_key": key,
            "path": self._path,
            "status": "uploaded" if self._count or self.settings.write_empty_file else "ignored",
            "size": self._count,
            "original": self._original,
        }

    def abandon(self) -> None:
        if self._target is not None:
            self._target.discard()
            self._target = None

    def close(self) -> None:
        self.abandon()

    def interrupt(self) -> None:
        self.context.files.interrupt()
        if self._target is not None:
            self._target.abort()

    def _begun(self) -> FileTarget:
        if self._target is None:
            self._target = self._files.write(self._name, "overwrite", create_folder=False)
        return self._target
