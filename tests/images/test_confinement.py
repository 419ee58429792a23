"""A container can write to nothing but its own scratch, has no rights, and sees its own secrets alone."""

from __future__ import annotations

import json

import pytest

from infra.deployment.stackfile import read_functions
from tests.images.running import Running, environment_of

FUNCTIONS = {function.name: function for function in read_functions()}
# NiceGUI's pool of processes has its locks in shared memory.
WRITABLE = {
    **{name: {"/tmp"} for name in [*FUNCTIONS, "connector"]},  # noqa: S108 - of a container
    "dashboard": {"/tmp", "/dev/shm"},  # noqa: S108 - of a container
    "sandbox": {"/tmp", "/data"},  # noqa: S108 - of a container
}
SECRETS = "/var/openfaas/secrets"

# Tries to make a file in every folder and to open every file for writing, as whoever runs it; prints what it could.
TRY = """
import json, os, stat
made, opened = [], []
for top, folders, files in os.walk("/"):
    if top == "/proc":
        # A process may set a few things of its own, and subscribe to the pressure; nothing of that outlives it.
        folders[:] = [one for one in folders if not one.isdecimal() and one != "pressure"]
    path = os.path.join(top, "tried")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
    except OSError:
        pass
    else:
        os.unlink(path)
        made.append(top)
    for name in files:
        path = os.path.join(top, name)
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            os.close(os.open(path, os.O_WRONLY))
        except OSError:
            continue
        opened.append(path)
print(json.dumps([os.getuid(), made, opened]))
"""


@pytest.mark.parametrize("name", WRITABLE)
def test_nothing_but_its_scratch_accepts_a_write(platform: Running, name: str) -> None:
    done = platform.exec(name, "python", "-c", TRY)
    assert done.returncode == 0, done.stderr
    user, folders, files = json.loads(done.stdout)
    assert user == 10001
    assert {place(path) for path in folders} == WRITABLE[name]
    assert {place(path) for path in files} <= WRITABLE[name]


def place(path: str) -> str:
    """The folder of the root that a path lies in; below /dev one more."""
    parts = path.split("/")
    return "/".join(parts[: 3 if parts[1] == "dev" else 2])


@pytest.mark.parametrize("name", WRITABLE)
def test_its_first_process_has_no_right_and_cannot_get_one(platform: Running, name: str) -> None:
    lines = platform.exec(name, "cat", "/proc/1/status").stdout.splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    assert status["NoNewPrivs"] == "1"
    assert status["Uid"].split() == ["10001"] * 4
    assert status["Seccomp"] == "2", "system calls are filtered"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_has_the_memory_that_the_deployment_list_gives_it(platform: Running, name: str) -> None:
    limit = str(FUNCTIONS[name].memory)
    assert platform.inspect(name, "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}") == f"{limit} {limit}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_sees_exactly_the_secrets_of_the_deployment_list(platform: Running, name: str) -> None:
    script = (
        "import json, pathlib; "
        f"print(json.dumps({{p.name: p.read_text().strip() for p in pathlib.Path('{SECRETS}').iterdir()}}))"
    )
    seen = json.loads(platform.exec(name, "python", "-c", script).stdout)
    assert seen == {secret: platform.secrets[secret] for secret in FUNCTIONS[name].secrets}


def test_no_secret_is_in_what_the_engine_tells_or_in_any_log(platform: Running, job: object) -> None:
    values = secret_values(platform.secrets)
    assert len(values) > 15
    for name in platform.services:
        told = platform.podman("inspect", platform.container(name))
        assert environment_of(json.loads(told)[0])
        told += platform.logs(name)
        assert not [secret for secret, value in values.items() if value in told], name


def secret_values(files: dict[str, str]) -> dict[str, str]:
    """The words that nobody may read: of an address only the password."""
    words = {}
    for name, value in files.items():
        if name.endswith("-url"):
            words[name] = value.split("://", 1)[1].rpartition("@")[0].partition(":")[2]
        elif name != "nats.conf":
            words[name] = value
    return words


def test_the_functions_do_not_know_the_broker_and_the_data_does_not_reach_out(platform: Running) -> None:
    reach = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
    assert platform.exec("auth", "python", "-c", reach, "postgres", "5432").returncode == 0
    assert platform.exec("connector", "python", "-c", reach, "nats", "4222").returncode == 0
    assert platform.exec("auth", "python", "-c", reach, "nats", "4222").returncode != 0
    routes = platform.exec("postgres", "cat", "/proc/net/route").stdout.splitlines()[1:]
    assert routes
    assert not [route for route in routes if route.split()[1] == "00000000"], "there is no way to anywhere else"
