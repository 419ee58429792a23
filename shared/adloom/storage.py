"""Objects in S3. Keys are never written twice, so that no reader sees half of an overwrite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from adloom.errors import ConfigurationError, NotFound, Unavailable
from adloom.settings import StorageSettings

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
MAX_LINK_SECONDS = 7 * 24 * 3600
_CHUNK = 1 << 18


@dataclass(frozen=True)
class StoredObject:
    """What a listing tells of an object; `size` in bytes."""

    key: str
    size: int


class Storage:
    """One bucket. Content type and names belong in Postgres: not every S3 server keeps an object's metadata."""

    def __init__(self, settings: StorageSettings, *, attempts: int = 4) -> None:
        """`attempts`: how often a request is made until the server answers; 1 where the caller tries again itself."""
        import boto3  # 0.2 s, so only where objects are used
        from botocore.config import Config

        self._bucket = settings.s3_bucket
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint,
            aws_access_key_id=settings.s3_access_key.get_secret_value(),
            aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
            region_name="us-east-1",
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=READ_TIMEOUT_S,
                retries={"total_max_attempts": attempts, "mode": "standard"},
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                response_checksum_validation="when_required",
            ),
        )

    def put(self, key: str, body: bytes) -> None:
        """Store an object under a key that was never used before."""
        with _mapped(key):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        """The whole object; NotFound when there is none."""
        with _mapped(key):
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            return body

    def put_file(self, key: str, body: IO[bytes]) -> None:
        """Store what a seekable file holds, without holding it in memory; the key was never used before."""
        with _mapped(key):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def stream(self, key: str) -> tuple[int, Iterator[bytes]]:
        """The size of an object and its bytes in pieces; NotFound when there is none."""
        with _mapped(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        return int(answer["ContentLength"]), _pieces(key, answer["Body"])

    def size(self, key: str) -> int | None:
        """The size of an object; None when there is none."""
        try:
            with _mapped(key):
                return int(self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"])
        except NotFound:
            return None

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object of the bucket whose key begins so, in the order of keys; read page by page."""
        listing = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        pages = iter(listing)
        while True:
            with _mapped(""):
                page = next(pages, None)
            if page is None:
                return
            yield from (StoredObject(one["Key"], int(one["Size"])) for one in page.get("Contents", ()))

    def has_bucket(self) -> bool:
        """Whether the bucket is there."""
        try:
            with _mapped(""):
                self._client.head_bucket(Bucket=self._bucket)
        except NotFound:
            return False
        return True

    def make_bucket(self) -> None:
        """Make the bucket, unless it is there."""
        if not self.has_bucket():
            with _mapped(""):
                self._client.create_bucket(Bucket=self._bucket)

    def link(self, key: str, *, seconds: int, content_type: str) -> str:
        """A link by which anybody may read the object for so many seconds (at most a week)."""
        if not 0 < seconds <= MAX_LINK_SECONDS:
            raise ValueError("a link lives between one second and a week")
        url: str = self._client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._bucket, "Key": key, "ResponseContentType": content_type},
            ExpiresIn=seconds,
        )
        return url


def _pieces(key: str, body: Any) -> Iterator[bytes]:
    with _mapped(key):
        yield from body.iter_chunks(_CHUNK)


class _mapped:  # noqa: N801 - reads as a word: with _mapped(key)
    """Turns the SDK's errors into ours."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            if error.response["Error"]["Code"] == "NoSuchBucket":
                raise ConfigurationError(
                    "The bucket is not there; make it, or set ADLOOM_S3_BUCKET to one that is"
                ) from error
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise NotFound(f"There is no stored object {self._key}") from error
            raise Unavailable("The object storage refused the request", code="storage_refused") from error
        if isinstance(error, BotoCoreError):
            raise Unavailable("The object storage does not answer", code="storage_down", retry_after=5) from error
