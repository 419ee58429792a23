"""Makes the bucket on an S3 server that has none yet: `python -m infra.deployment.bucket`."""

from __future__ import annotations

import sys
import time
from typing import Any

from adloom.errors import ConfigurationError
from adloom.settings import StorageSettings, load

# A server that is started beside us answers within this time.
_PATIENCE_S = 60.0
_AGAIN_S = 0.5
_OURS_ALREADY = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")


def main() -> int:
    try:
        make(load(StorageSettings, "bucket"))
    except ConfigurationError as error:
        print(error.detail, file=sys.stderr)
        return 1
    return 0


def make(settings: StorageSettings) -> None:
    """Make the bucket, unless it is there; ConfigurationError when the server refuses or stays away."""
    from botocore.exceptions import BotoCoreError, ClientError

    client, deadline = _client(settings), time.monotonic() + _PATIENCE_S
    while True:
        try:
            client.create_bucket(Bucket=settings.s3_bucket)
        except ClientError as error:
            said = error.response["Error"]
            if said["Code"] in _OURS_ALREADY:
                return
            if time.monotonic() > deadline or said["Code"] in {"InvalidAccessKeyId", "SignatureDoesNotMatch"}:
                raise ConfigurationError(
                    f"The S3 server refuses to make the bucket {settings.s3_bucket} ({said['Code']}). Check "
                    "s3-access-key and s3-secret-key, or make the bucket there."
                ) from None
        except BotoCoreError as error:
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    f"{settings.s3_endpoint} does not answer ({type(error).__name__}). Check ADLOOM_S3_ENDPOINT."
                ) from None
        else:
            return
        time.sleep(_AGAIN_S)


def _client(settings: StorageSettings) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        aws_access_key_id=settings.s3_access_key.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_key.get_secret_value(),
        region_name="us-east-1",
        config=Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )


if __name__ == "__main__":
    sys.exit(main())
