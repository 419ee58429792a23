"""What the machine must have for these tests, and what a run may leave on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from infra.local.processes import Identity
from tests.faasd import box

# Program -> Debian's package. Whatever builds images is the business of `infra.images`.
_PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "docker-registry": "docker-registry",
    "prometheus": "prometheus",
    "ip": "iproute2",
    "iptables": "iptables",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
_ENGINES = ("podman", "buildah", "docker")
_NETWORK_PLUGIN = Path("/usr/lib/cni/bridge")
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_MOMENT_S, _POLL_S = 10.0, 0.1
# Where faasd, containerd and the network plugins write by default: the box keeps all of it from the machine.
_PLACES = (
    *("/usr/local/bin/faasd", "/var/lib/faasd", "/opt/cni", "/run/containerd", "/run/cni", "/var/lib/cni"),
    *("/etc/cni/net.d/10-openfaas.conflist", "/var/lib/containerd", "/run/adloom"),
)


class Unfit(Exception):
    """The machine cannot run these tests; the message says what to do."""


def check_user() -> None:
    if os.geteuid() != 0:
        raise Unfit("containers, mounts and networks need root. Run `make e2e-faasd` as root, or with sudo.")


def install() -> None:
    """Bring Debian's packages that are missing, without starting their services."""
    missing = {package for name, package in _PROGRAMS.items() if shutil.which(name) is None}
    if not any(shutil.which(engine) for engine in _ENGINES):
        missing.add(_ENGINES[0])
    if not _NETWORK_PLUGIN.exists():
        missing.add("containernetworking-plugins")
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise Unfit(f"{', '.join(sorted(missing))} is missing and this is no Debian. Install it.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *sorted(missing)]
    with _no_services():
        if subprocess.run(command, env=environment, check=False).returncode != 0:
            subprocess.run(["apt-get", "update", "-q"], check=False)
            if subprocess.run(command, env=environment, check=False).returncode != 0:
                raise Unfit(f"these packages could not be installed: {' '.join(sorted(missing))}")


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Debian's packages start their services unless this file forbids it."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def clean(work: Path) -> None:
    """Remove what a run leaves, also one that was killed: its folder, and its control groups."""
    if work.exists():
        shutil.rmtree(work)
    deadline = time.monotonic() + _MOMENT_S
    for group in _groups(work):
        while group.exists():
            try:
                group.rmdir()
            except OSError:  # the kernel takes a moment to let the last process go
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_S)


def _groups(work: Path) -> list[Path]:
    """The control groups of the folder's box, the inner ones first."""
    name = box.group_name(work)
    roots = {root.resolve() for root in (*_CONTROL_GROUPS.glob(f"*/{name}"), *_CONTROL_GROUPS.glob(name))}
    return [Path(folder) for root in roots for folder, _, _ in os.walk(root, topdown=False)]


def traces(work: Path) -> set[str]:
    """What of OpenFaaS and of the folder `work` is on the machine: places, processes, mounts, links, rules, groups."""
    found = {place for place in (*_PLACES, str(work)) if Path(place).exists()}
    found |= {f"process {pid}: {command}" for pid, command in _processes(work).items()}
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    found |= {f"mount {line.split()[4]}" for line in mounts if str(work) in line}
    found |= {f"link {path.name}" for path in Path("/sys/class/net").glob("openfaas*")}
    found |= {f"control group {group}" for group in _groups(work)}
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout.splitlines()
    return found | {f"rule {line}" for line in rules if "openfaas" in line or "10.62." in line}


def _processes(work: Path) -> dict[int, str]:
    """Processes that were told of the folder."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            told = command + (entry / "environ").read_bytes().decode(errors="replace")
            if str(work) in told and Identity.of(int(entry.name)):
                found[int(entry.name)] = command
    return found
