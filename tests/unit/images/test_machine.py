"""A machine's own ways to packages reach a build, and only as secrets."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infra.images import machine
from infra.images.machine import CERTIFICATES, SETTINGS, write_secrets


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine without any setting: no variables, no files of pip, no apt, no Go."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "GO", "SSL_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return monkeypatch


def variables(path: Path) -> dict[str, str]:
    """What a shell has after reading the file."""
    command = ["/bin/sh", "-c", f". {path}; exec /usr/bin/env -0"]
    output = subprocess.run(command, env={}, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in output.split("\0") if line)


def test_a_machine_without_settings_has_no_secrets(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert write_secrets(tmp_path / "secrets") == {}


def test_pips_index_is_uvs_too(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.setenv("PIP_INDEX_URL", "https://user:a$b'c@packages.example/simple")
    bare.setenv("PIP_FIND_LINKS", "/opt/wheels https://wheels.example/")

    found = variables(write_secrets(tmp_path / "secrets")[SETTINGS])

    assert found["PIP_INDEX_URL"] == found["UV_DEFAULT_INDEX"] == "https://user:a$b'c@packages.example/simple"
    assert found["PIP_FIND_LINKS"] == "https://wheels.example/"


def test_proxies_and_certificates_come_along(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "company.pem").write_text("-----BEGIN CERTIFICATE-----\n", encoding="utf-8")
    bare.setenv("SSL_CERT_FILE", str(tmp_path / "company.pem"))
    bare.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    bare.setenv("GOPROXY", "https://go.example")

    written = write_secrets(tmp_path / "secrets")
    found = variables(written[SETTINGS])

    assert written[CERTIFICATES].read_text(encoding="utf-8") == "-----BEGIN CERTIFICATE-----\n"
    assert found["SSL_CERT_FILE"] == f"/run/secrets/{CERTIFICATES}"
    assert (found["HTTPS_PROXY"], found["GOPROXY"]) == ("http://proxy.example:3128", "https://go.example")


def test_only_the_owner_reads_them(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.setenv("PIP_INDEX_URL", "https://user:word@packages.example/simple")

    written = write_secrets(tmp_path / "secrets")

    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in written.values()] == [0o600] * len(written)


def test_a_setting_that_is_gone_leaves_no_secret_behind(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert SETTINGS in write_secrets(tmp_path / "secrets")
    bare.delenv("HTTPS_PROXY")

    assert "HTTPS_PROXY" not in "".join(
        path.read_text(encoding="utf-8") for path in write_secrets(tmp_path / "secrets").values()
    )


def test_debian_comes_from_where_the_machine_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "mirrors", lambda: ("http://mirror.example/debian", "http://mirror.example/security"))

    assert machine.sources().splitlines() == [
        "deb http://mirror.example/debian trixie main",
        "deb http://mirror.example/debian trixie-updates main",
        "deb http://mirror.example/security trixie-security main",
    ]


LISTING = """'http://docker.example/linux/debian/dists/bookworm/InRelease' docker_InRelease 0
'http://mirror.example/debian/dists/bookworm/InRelease' mirror_InRelease 0
'http://mirror.example/debian/dists/bookworm-updates/InRelease' mirror_updates_InRelease 0
'http://mirror.example/debian-security/dists/bookworm-security/InRelease' mirror_security_InRelease 0
'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' mirror_Packages 0
"""


def test_debian_is_told_from_others_that_have_a_suite_of_its_name() -> None:
    found = machine.mirrors_of(LISTING, "bookworm")

    assert found == ("http://mirror.example/debian", "http://mirror.example/debian-security")
    assert machine.mirrors_of(LISTING, "trixie") == ("", "")
