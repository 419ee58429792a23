"""A machine within the machine, for what OpenFaaS does to one: it has processes, mounts and a network of its own.

    python -m tests.faasd.box WORK BINARIES COMMAND...

faasd wants fixed places: /usr/local/bin/faasd, /opt/cni/bin, /etc/cni/net.d, a bridge, rules of the firewall, ports. In
the box it has all of them, and a containerd of its own, while the machine's stay as they are. When the first process
of the box ends, the kernel ends all others and takes mounts, bridge and rules away; it ends when the process that
opened the box does, however that comes about. Outside only the folder `WORK` is written to, and the control group in
which the box has its own; `machine.clean` removes both.

Run as the first process of the box, this module prepares it and runs the command.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

# Where the box sees its folder, whatever the path of it is outside.
HOME = Path("/run/adloom")
BRIDGE = "openfaas0"
# The address at which faasd's functions reach their host.
HOST = "10.62.0.1"
_SUBNET = "10.62.0.0/16"
_PLUGINS = "/usr/lib/cni"
# What is written there stays in the box.
_PRIVATE = ("/etc", "/opt", "/usr/local", "/var/lib")
_PATIENCE_S = 60.0
# A part of each hierarchy of control groups is the box's root: the name, and then the command that goes on from there.
_JOIN = """
name=$1; shift
for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
    [ -f "$procs" ] || continue
    group=${procs%/*}
    [ ! -f "$group/cgroup.type" ] || continue # with one hierarchy only, these are groups of others
    mkdir -p "$group/$name"
    for file in cpuset.cpus cpuset.mems; do
        [ "${group##*/}" != cpuset ] || cat "$group/$file" > "$group/$name/$file"
    done
    echo $$ > "$group/$name/cgroup.procs"
done
exec "$@"
"""
# containerd starts this program for every container, hands over the container's output as 3 and 4, and waits until 5 is
# closed. OpenFaaS's own sends the lines to the journal, which a box does not have.
_LOGGER = f"""#!/bin/sh
exec >>{HOME}/logs/function-$CONTAINER_ID.log 2>&1
cat <&3 5>&- &
cat <&4 5>&- &
exec 3<&- 4<&- 5>&-
wait
"""


def group_name(work: Path) -> str:
    """The control group that holds the box of this folder, in every hierarchy."""
    return f"adloom-box-{hashlib.sha256(str(work).encode()).hexdigest()[:12]}"


def run(work: Path, binaries: Path, command: Sequence[str]) -> int:
    """Run a command in a new box; its exit status. SIGINT and SIGTERM reach it as SIGINT."""
    inner = [sys.executable, "-m", "tests.faasd.box", str(work), str(binaries), *command]
    private = ["unshare", "--mount", "--net", "--pid", "--cgroup", "--mount-proc", "--fork", "--kill-child=KILL"]
    joined = ["sh", "-euc", _JOIN, "join", group_name(work)]
    box = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *joined, *private, *inner], start_new_session=True)
    with _passing_on(box):
        status = box.wait()
    return status if status >= 0 else 128 - status


@contextlib.contextmanager
def _passing_on(box: subprocess.Popen[bytes]) -> Iterator[None]:
    """Send what shall end us to the box's first process, and end the box when it takes too long."""

    def pass_on(_number: int, _frame: object) -> None:
        with contextlib.suppress(psutil.Error):
            for first in psutil.Process(box.pid).children():
                first.send_signal(signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE_S)

    def end(_number: int, _frame: object) -> None:
        box.kill()  # and the kernel everything within

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, end)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> int:
    work, binaries, *command = sys.argv[1:]
    _prepare(Path(work), Path(binaries))
    # Whoever was started in the background has it ignored, and so would the command.
    child = os.posix_spawnp(command[0], command, os.environ, setsigdef=[signal.SIGINT])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGINT))
    while True:  # the first process of a box inherits every orphan
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def _prepare(work: Path, binaries: Path) -> None:
    _call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    HOME.mkdir()
    _call("mount", "--bind", str(work), str(HOME))
    for place in _PRIVATE:
        _shadow(place)
    Path("/opt/cni/bin").mkdir(parents=True, exist_ok=True)
    _call("mount", "--bind", _PLUGINS, "/opt/cni/bin")
    for folder in ("logs", "tmp", "home"):
        (HOME / folder).mkdir(exist_ok=True)
    shutil.copytree(binaries, HOME / "bin", dirs_exist_ok=True)
    logger = Path("/usr/local/bin/faasd")
    logger.write_text(_LOGGER, encoding="ascii")
    logger.chmod(0o755)
    _control_groups()
    _network()
    os.environ.update(TMPDIR=str(HOME / "tmp"), HOME=str(HOME / "home"))


def _shadow(place: str) -> None:
    upper, scratch = (Path("/run/shadow") / kind / place.strip("/") for kind in ("upper", "work"))
    for folder in (upper, scratch):
        folder.mkdir(parents=True)
    _call("mount", "-t", "overlay", "-o", f"lowerdir={place},upperdir={upper},workdir={scratch}", "overlay", place)


def _control_groups() -> None:
    """Show the box's part of each hierarchy as the whole of it."""
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    _call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/sys/fs/cgroup")  # nothing is mounted over itself
    for line in mounts:
        before, _, after = line.partition(" - ")
        kind, _, options = after.split()
        if kind in {"cgroup", "cgroup2"}:
            place = Path(before.split()[4])
            place.mkdir(exist_ok=True)
            _call("mount", "-t", kind, "-o", options.removeprefix("rw,"), kind, str(place))
    everything = Path("/sys/fs/cgroup")
    if (everything / "cgroup.controllers").exists():  # there, groups within want a parent without processes
        (everything / "box").mkdir()
        for pid in (everything / "cgroup.procs").read_text(encoding="ascii").split():
            (everything / "box" / "cgroup.procs").write_text(pid, encoding="ascii")


def _network() -> None:
    """Loopback, and the bridge before its first function, so that our services can listen on its address."""
    _call("ip", "link", "set", "lo", "up")
    _call("ip", "link", "add", BRIDGE, "type", "bridge")
    _call("ip", "address", "add", f"{HOST}/16", "dev", BRIDGE)
    _call("ip", "link", "set", BRIDGE, "up")


def _call(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
