"""MinIO as it is built from source: it keeps objects as a user that owns nothing but its volume."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError

from adloom.errors import Unavailable
from adloom.settings import StorageSettings
from adloom.storage import Storage
from infra.images.build import MINIO
from tests.images.built import configuration, contents, engine, tag

pytestmark = pytest.mark.usefixtures("images")

KEY, WORD = "adloom-test", "a-word-of-this-test"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on loopback, confined as in a deployment, with its keys in files."""
    folder = tmp_path_factory.mktemp("minio")
    folder.chmod(0o755)
    for name, value in (("key", KEY), ("word", WORD)):
        (folder / name).write_text(value, encoding="utf-8")
        (folder / name).chmod(0o644)
    name = f"adloom-test-{secrets.token_hex(4)}"
    confined = ("--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--security-opt=no-new-privileges", "--memory=512m")
    told = ("--env=MINIO_ROOT_USER_FILE=/secrets/key", "--env=MINIO_ROOT_PASSWORD_FILE=/secrets/word")
    mounts = (f"--volume={folder}:/secrets:ro", f"--volume={name}:/data", "--publish=127.0.0.1::9000")
    options = (*engine().flags, "--detach", f"--name={name}", "--pull=never", *confined, *told, *mounts)
    engine().output("run", *options, tag(MINIO))
    try:
        address = f"http://127.0.0.1:{engine().output('port', name, '9000').rpartition(':')[2]}"
        _wait(address)
        yield address
    finally:
        engine().output("rm", "--force", name)
        engine().output("volume", "rm", name)


def _wait(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/minio/health/ready", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # it is starting
        time.sleep(0.1)
    raise AssertionError("MinIO did not become ready")


def storage(endpoint: str, word: str = WORD) -> Storage:
    return Storage(
        StorageSettings(s3_endpoint=endpoint, s3_access_key=KEY, s3_secret_key=word, s3_bucket="test-bucket")
    )


def test_it_keeps_objects_and_gives_them_back(endpoint: str) -> None:
    objects = storage(endpoint)
    objects._client.create_bucket(Bucket="test-bucket")
    body = b"\x00\xff" * 3_000_000

    objects.put("reports/one.pdf", body)

    assert objects.get("reports/one.pdf") == body
    assert objects.size("reports/two.pdf") is None


def test_another_word_opens_nothing(endpoint: str) -> None:
    with pytest.raises((ClientError, Unavailable)):
        storage(endpoint, "a-wrong-word-of-this-test").get("reports/one.pdf")


def test_the_image_is_one_program_and_certificates() -> None:
    files = {path for path, entry in contents(tag(MINIO)).entries.items() if entry.isfile() and entry.size}

    assert configuration(tag(MINIO))["User"] == "10001:10001"
    assert files == {"usr/bin/minio", "etc/ssl/certs/ca-certificates.crt"}


def test_its_certificates_are_debians_own(tmp_path: Path) -> None:
    """Not those of the machine that built it, which a build trusts for a while."""
    from infra.images.machine import CERTIFICATES, write_secrets
    from tests.images.built import layers

    held = next(layer.content for layer in layers(tag(MINIO)) if layer.path.endswith("certs/ca-certificates.crt"))
    assert held.count(b"BEGIN CERTIFICATE") > 100
    own = write_secrets(tmp_path).get(CERTIFICATES)
    if own is not None and own.read_bytes() != Path("/etc/ssl/certs/ca-certificates.crt").read_bytes():
        assert held != own.read_bytes()
