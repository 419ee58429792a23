"""A box leaves nothing on the machine, however it ends. These run outside of one."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.deployment.stackfile import ROOT
from tests.faasd import box, machine
from tests.faasd.programs import until

_OPEN = """
import sys; from pathlib import Path; from tests.faasd import box
sys.exit(box.run(Path({work!r}), Path({work!r}), {what!r}))
"""
# What containerd, the provider and the network plugins do to a machine, in short.
_DISTURB = f"""
set -e
iptables -t nat -A POSTROUTING -s 10.62.0.0/16 -m comment --comment openfaas-cni-bridge -j MASQUERADE
mkdir -p /var/lib/faasd /run/containerd /etc/cni/net.d
touch /etc/cni/net.d/10-openfaas.conflist /run/containerd/x
mount -t tmpfs openfaas-fn /run/containerd
ip link show {box.BRIDGE}
setsid sleep 1000 &
touch {box.HOME}/ready
wait
"""


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    work = tmp_path / "work"
    work.mkdir()
    yield work
    machine.clean(work)
    assert not any("adloom-box" in trace or str(work) in trace for trace in machine.traces(work))


def opened(work: Path, *what: str) -> subprocess.Popen[bytes]:
    code = _OPEN.format(work=str(work), what=list(what))
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)


def processes(work: Path) -> set[str]:
    return {trace for trace in machine.traces(work) if trace.startswith("process ")}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_whatever_ends_a_box_nothing_stays(work: Path, number: signal.Signals) -> None:
    before = machine.traces(work)
    keeper = opened(work, "sh", "-c", _DISTURB)
    until((work / "ready").exists, "the box to be open")
    assert processes(work), "from here they can be seen"
    keeper.send_signal(number)
    assert keeper.wait(30) != 0
    until(lambda: processes(work) == set(), "the kernel to end the box", 10)
    machine.clean(work)
    assert machine.traces(work) <= before


def test_a_box_ends_with_its_command_and_tells_how(work: Path) -> None:
    assert opened(work, "sh", "-c", "setsid sleep 1000 & exit 7").wait(30) == 7


def test_a_box_has_no_way_out(work: Path) -> None:
    look = "ip -o route show | grep -c default"
    assert opened(work, "sh", "-c", look).wait(30) == 1
