"""What a function may have and do: as `stack.yml` says, and no more."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra.deployment.stackfile import read_functions
from tests.faasd.openfaas import CONTROL_GROUPS, NAMESPACE, URL, OpenFaaS
from tests.faasd.programs import answers

NAMES = [function.name for function in read_functions()]
_PYTHON = "/opt/adloom/bin/python"
_KILLED = 137
_TOO_MUCH = "import sys; hog = bytearray(int(sys.argv[1])); print('it got', len(hog))"


def limit_of(name: str) -> int:
    """Bytes that the kernel lets the function's container have."""
    for group in (CONTROL_GROUPS / NAMESPACE / name / "memory.max", _group(name) / "memory.limit_in_bytes"):
        if group.exists():
            return int(group.read_text())
    raise AssertionError(f"{name} has no control group of memory")


def _group(name: str) -> Path:
    return CONTROL_GROUPS / "memory" / NAMESPACE / name


def inside(faasd: OpenFaaS, name: str, *command: str) -> str:
    """Run a program in the function's container, as its user."""
    return faasd.ctr("tasks", "exec", "--exec-id", f"look-{id(command)}", "--user", "10001:10001", name, *command)


@pytest.mark.parametrize("name", NAMES)
def test_the_memory_limit_of_the_deployment_list_is_the_kernels(faasd: OpenFaaS, name: str) -> None:
    assert limit_of(name) == next(one.memory for one in read_functions() if one.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_what_takes_more_is_killed_and_the_function_lives(faasd: OpenFaaS, name: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as killed:
        inside(faasd, name, _PYTHON, "-c", _TOO_MUCH, str(limit_of(name)))
    assert killed.value.returncode == _KILLED, killed.value.stderr
    assert "it got" in inside(faasd, name, _PYTHON, "-c", _TOO_MUCH, str(limit_of(name) // 4))
    faasd.wait_ready(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_has_its_own_secrets_and_no_others(faasd: OpenFaaS, name: str) -> None:
    listed = inside(faasd, name, "ls", "/var/openfaas/secrets").split()
    assert sorted(listed) == sorted(next(one.secrets for one in read_functions() if one.name == name))


@pytest.mark.parametrize("name", NAMES)
def test_a_function_is_no_root_and_has_no_capability(faasd: OpenFaaS, name: str) -> None:
    status = Path(f"/proc/{faasd.task(name).pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["10001"] * 4
    assert int(fields["CapEff"], 16) == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_function_writes_only_to_tmp(faasd: OpenFaaS, name: str) -> None:
    """faasd gives no read-only root, so what the files' modes allow is what counts."""
    look = "find / -xdev -writable -not -type l 2>/dev/null; true"
    found = inside(faasd, name, "sh", "-c", look).split()
    assert any(path.startswith("/tmp") for path in found)  # noqa: S108
    assert [path for path in found if not path.startswith("/tmp")] == []  # noqa: S108


def test_every_function_answers_afterwards(faasd: OpenFaaS) -> None:
    for name in NAMES:
        assert answers(f"{URL}/function/{name}/_/ready")()
