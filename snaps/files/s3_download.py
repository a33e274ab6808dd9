"""Download objects from S3 as binary streams: one for each input document."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event

from engine.sdk import (
    Account,
    Document,
    Evaluated,
    Example,
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
from snaps.files.shared.reading import Pieces, pieces_of
from snaps.files.shared.retries import Retries, check_retries, interval_setting, retries_setting
from snaps.files.shared.s3 import account_setting, bucket_setting, files_with, object_name


class S3DownloadSettings(Settings):
    account: Account[S3Account] | None = account_setting()
    bucket: Evaluated[str] = bucket_setting()
    object_key: Evaluated[str] = setting(help="The key of the object.", example="= $Key")
    retries: Evaluated[int] = retries_setting("How often to retry if it cannot be opened.")
    retry_interval: Evaluated[float] = interval_setting()
    allow_outside: bool = outside_setting()


class S3Download(Snap[S3DownloadSettings]):
    since = "0.4.0"
    about = """
    The header of the stream has `content-location`, `content-type` and `content-length`. Data may
    choose the key, but not the bucket, unless `allow_outside` is set.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-s3-s3download",
        "S3 Download",
        version=1,
        settings={"bucket": "bucket", "objectKey": "object_key", "maxRetries": "retries"},
        ignored=("enableStaging",),
        unsupported={
            "versionId": "a version of the object",
            "getObjectTags": "the tags of the object",
            "outputHeaders": "further fields of the header",
        },
    )
    views = Views(
        inputs=(View("input", unlinked="starts by itself"),),
        outputs=(View("output", "binary"),),
    )
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    blocking = True
    reaches = "network"
    examples = (
        Example(
            "a bucket from data is refused",
            settings={"bucket": "= $bucket", "object_key": "a.csv"},
            given=[{"bucket": "of-somebody-else"}],
            on_error="discard",
        ),
    )

    @classmethod
    def check(cls, settings: S3DownloadSettings) -> Iterable[Issue]:
        yield from check_retries(settings)

    def open(self) -> None:
        self._ended = Event()
        self._files = files_with(self.context, self.settings.account)

    def process(self, document: Document) -> Pieces:
        settings = self.settings
        name = object_name(
            self.context,
            settings.bucket,
            settings.object_key,
            document,
            allow_outside=settings.allow_outside,
        )
        location = self._files.locate(name)
        retries = Retries(settings, self.context, document, self._ended)
        content = retries.run(lambda: self._files.read(name))
        yield from pieces_of(location, content, {})

    def interrupt(self) -> None:
        self._ended.set()
        self.context.files.interrupt()
