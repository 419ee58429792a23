"""Our build contexts are the ones that faas-cli writes."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deployment.stackfile import ROOT, read_functions
from infra.images.base import openfaas_program
from infra.images.context import write_function

PARTS = ("functions", "shared", "template", "stack.yml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What a build reads of the project, as a fresh clone has it: without bytecode."""
    no_bytecode = shutil.ignore_patterns("__pycache__", "*.pyc")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / "project" / part, ignore=no_bytecode)
        else:
            shutil.copy2(ROOT / part, tmp_path / "project" / part)
    return tmp_path / "project"


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of every file."""
    return {
        str(path.relative_to(folder)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def faas_cli() -> Path:
    found = openfaas_program("faas-cli")
    if found is None:
        sys.stdout.write("skipped: no faas-cli\n")
        pytest.skip("no faas-cli: it is looked for in OPENFAAS_BIN, /opt/openfaas/bin and the PATH")
    return found


def test_a_functions_context_is_the_one_that_faas_cli_writes_byte_for_byte(project: Path, faas_cli: Path) -> None:
    command = [faas_cli, "build", "--shrinkwrap", "--quiet", "-f", "stack.yml"]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=120)
    theirs = {path.name: snapshot(path) for path in (project / "build").iterdir()}

    functions = read_functions(project / "stack.yml")
    ours = {function.name: snapshot(write_function(function, project)) for function in functions}

    assert ours.keys() == theirs.keys()
    for name, files in ours.items():
        assert files.keys() == theirs[name].keys()
        assert [path for path, held in files.items() if held != theirs[name][path]] == []
        assert len(files) > 50


def test_bytecode_that_faas_cli_takes_along_is_kept_out_by_the_template(project: Path) -> None:
    ignored = (project / "template" / "adloom-python" / ".dockerignore").read_text(encoding="utf-8").split()

    assert ignored == ["**/__pycache__", "**/*.pyc"]
