"""Which engine is taken, and what is said where there is none. Here an engine is a program that a test has written."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.images import engine
from infra.images.engine import Engine, EngineError


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("ADLOOM_ENGINE", raising=False)
    monkeypatch.delenv("ADLOOM_ENGINE_FLAGS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_without_any_engine_it_says_what_to_install(path: Path) -> None:
    with pytest.raises(EngineError, match="apt-get install podman"):
        engine.find()


def test_a_program_whose_service_is_away_is_passed_over(path: Path) -> None:
    program(path, "podman", "exit 125")
    program(path, "docker", "exit 0")

    assert engine.find().name == "docker"


def test_the_engine_that_was_asked_for_is_taken_or_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "podman", "exit 0")
    program(path, "buildah", "exit 0")

    assert engine.find("buildah").name == "buildah"
    monkeypatch.setenv("ADLOOM_ENGINE", "docker")
    with pytest.raises(EngineError, match="docker is not installed"):
        engine.find()
    with pytest.raises(EngineError, match="There is no engine kaniko"):
        engine.find("kaniko")


def test_the_flags_that_a_machine_needs_are_found_by_trying(path: Path) -> None:
    program(path, "runc", "exit 0")
    program(
        path, "podman", f'case "$*" in *--runtime\\ {path}/runc*nofile*) exit 0;; esac; echo "no cgroups" >&2; exit 126'
    )

    flags = Engine("podman", str(path / "podman")).with_flags("debian").flags

    assert flags[:2] == ("--runtime", str(path / "runc"))
    assert "nofile=4096:4096" in flags


def test_flags_that_were_told_are_not_tried(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "podman", "exit 126")
    monkeypatch.setenv("ADLOOM_ENGINE_FLAGS", "--runtime 'my runc'")

    assert Engine("podman", str(path / "podman")).with_flags("debian").flags == ("--runtime", "my runc")


def test_where_nothing_runs_it_says_so_with_the_engines_words(path: Path) -> None:
    program(path, "podman", 'echo "no cgroups here" >&2; exit 126')

    with pytest.raises(EngineError, match=r"no cgroups here\nSet ADLOOM_ENGINE_FLAGS"):
        Engine("podman", str(path / "podman")).with_flags("debian")


def test_a_base_that_cannot_be_fetched_is_explained(path: Path) -> None:
    program(path, "podman", 'echo "dial tcp: no such host" >&2; exit 125')

    with pytest.raises(EngineError, match=r"no such host(.|\n)*--stand-ins"):
        Engine("podman", str(path / "podman")).identity("python:3.13-slim-trixie")


def test_a_build_that_fails_shows_the_end_of_its_log(path: Path, tmp_path: Path) -> None:
    program(path, "podman", "for line in 1 2 3 4 5 6 7 8 9; do echo step $line; done; echo it broke >&2; exit 1")

    with pytest.raises(EngineError, match=r"adloom/auth could not be built(.|\n)*step 9\nit broke"):
        Engine("podman", str(path / "podman")).build(tmp_path, image="adloom/auth", dockerfile=tmp_path / "Dockerfile")
