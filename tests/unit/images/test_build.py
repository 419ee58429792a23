"""What a person is told who asks for what cannot be built here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.images import base
from infra.images.__main__ import main
from infra.images.build import build
from infra.images.engine import Engine, EngineError

NEVER_CALLED = Engine("podman", "/nonexistent/podman")


def test_an_image_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(EngineError, match=r"There is no image dashbord; there are auth, .*dashboard"):
        build(NEVER_CALLED, only=["dashbord"], stand_ins=False, push=False)


def test_the_watchdogs_stage_without_its_program_says_where_to_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "openfaas_program", lambda _name: None)

    with pytest.raises(EngineError, match="OPENFAAS_BIN"):
        build(NEVER_CALLED, only=["auth"], stage="openfaas", stand_ins=True, push=False)


def test_debootstrap_needs_root_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(EngineError, match="works as root only"):
        base._bootstrap(tmp_path / "debian.tar")


def test_a_machine_without_an_engine_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ADLOOM_ENGINE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main(["build"]) == 1
    assert capsys.readouterr().err == "Images need podman, Docker or buildah. On Debian: apt-get install podman\n"


def test_every_base_of_our_dockerfiles_has_a_stand_in() -> None:
    """A name in a Dockerfile and the name of its stand-in are changed together."""
    dockerfiles = [
        base.ROOT / "template" / "adloom-python" / "Dockerfile",
        base.ROOT / "infra" / "images" / "service.Dockerfile",
        base.ROOT / "infra" / "images" / "minio.Dockerfile",
    ]
    named = {
        line.partition("=")[2]
        for dockerfile in dockerfiles
        for line in dockerfile.read_text(encoding="utf-8").splitlines()
        if line.startswith(("ARG PYTHON=", "ARG GO=", "ARG WATCHDOG="))
    }

    assert {name if "/" in name else f"docker.io/library/{name}" for name in named} == {
        base.PYTHON,
        base.GOLANG,
        base.WATCHDOG,
    }
