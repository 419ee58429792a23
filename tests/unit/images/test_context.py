"""What goes into a build, and what never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.deployment.stackfile import ROOT, Function, read_functions
from infra.images.build import SERVICES, names, service_tag
from infra.images.context import write_function, write_service


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small repository with all that must stay outside."""
    for name in (
        *("template/python/Dockerfile", "template/python/.dockerignore", "shared/adloom/errors.py"),
        *(
            "shared/adloom/__pycache__/errors.cpython-313.pyc",
            "shared/requirements/uv.txt",
            "shared/requirements/base.txt",
        ),
        *("shared/requirements/dev.txt", "functions/auth/handler.py", "functions/auth/__pycache__/handler.pyc"),
        *("functions/auth/build/left.py", "functions/auth/template/left.py", "functions/sync/handler.py"),
        *("infra/connector/call.py", "migrations/env.py", "ui/main.py", "tests/test_all.py", ".env"),
        *("template/adloom-python/slim.py", "build/auth/function/gone.py"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    return tmp_path


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_function_gets_template_handler_and_shared_and_nothing_that_was_left_from_before(root: Path) -> None:
    function = Function("auth", root / "functions/auth", lang="python", image="adloom/auth", memory=1)

    folder = write_function(function, root)

    assert folder == root / "build/auth"
    assert listing(folder) == {
        "Dockerfile",
        ".dockerignore",
        "function/handler.py",
        "function/shared/adloom/errors.py",
        "function/shared/requirements/uv.txt",
        "function/shared/requirements/base.txt",
        "function/shared/requirements/dev.txt",
    }


def test_a_service_gets_only_the_parts_that_it_names(root: Path) -> None:
    folder = write_service("connector", "base", ("infra/connector",), root)

    assert listing(folder) == {
        "app/infra/connector/call.py",
        "app/shared/adloom/errors.py",
        "requirements/uv.txt",
        "requirements/base.txt",
        "slim.py",
    }


def test_every_part_of_every_service_exists() -> None:
    for family, parts in SERVICES.values():
        assert (ROOT / "shared/requirements" / f"{family}.txt").is_file()
        for part in parts:
            assert (ROOT / part).exists()


@pytest.mark.parametrize("told", [{}, {"ADLOOM_IMAGES": "127.0.0.1:5000/adloom", "ADLOOM_VERSION": "7"}])
def test_services_are_named_as_the_functions_are(told: dict[str, str]) -> None:
    for function in read_functions(environment=told):
        assert function.image == service_tag(function.name, told)


def test_everything_that_is_deployed_is_built() -> None:
    assert {"auth", "oauth-callback", "sync-meta", "dashboard", "connector", "sandbox", "tools", "minio"} <= set(
        names()
    )
