"""install.sh in another Debian."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field

from tests.vps.box import Debian

SCRIPT = "/host/project/infra/faasd/install.sh"
OWNER = "owner@example.com"
# Where the first run is cut off: the packages of Debian are there, those of Python half.
_CUT = "installing the locked Python packages"
# A faasd that somebody installed before, for machines that have none of its programs.
_STAND_IN = """
printf '#!/bin/sh\\nexit 0\\n' > /usr/local/bin/faasd
chmod 755 /usr/local/bin/faasd
for unit in faasd faasd-provider; do
    printf '[Unit]\\nDescription=stand-in\\n[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n' \\
        > /etc/systemd/system/$unit.service
done
"""


@dataclass
class Installation:
    """A machine and what install.sh said there. `before` is what the machine had of its own."""

    debian: Debian
    with_openfaas: bool
    first: str = field(default="", init=False)
    said: str = field(default="", init=False)
    before: set[str] = field(default_factory=set, init=False)

    def prepare(self) -> None:
        """Ssh on a port of the operator's choice, and a faasd where none comes with us."""
        script = "mkdir -p /etc/ssh/sshd_config.d && echo 'Port 2222' > /etc/ssh/sshd_config.d/own.conf"
        done = self.debian.run("bash", "-ec", script if self.with_openfaas else script + "\n" + _STAND_IN)
        assert done.returncode == 0, done.stdout
        self.before = self.folders()

    @property
    def options(self) -> list[str]:
        words = ["--domain", "localhost", "--owner", OWNER, "--demo", "--minio-bin", "/host/minio"]
        return [*words, "--openfaas-bin", "/host/openfaas", "--images", "/host/images"] if self.with_openfaas else words

    def cut_off(self) -> None:
        """The first run, killed in the middle."""
        process = subprocess.Popen(
            self.debian.command(SCRIPT, *self.options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        with process, process.stdout:
            for line in process.stdout:
                self.first += line
                if _CUT in line:
                    process.kill()
        assert _CUT in self.first, self.first

    def complete(self) -> None:
        done = self.debian.run(SCRIPT, *self.options)
        self.said = done.stdout
        assert done.returncode == 0, done.stdout

    def folders(self) -> set[str]:
        """What lies where Debian's packages put nothing."""
        done = self.debian.run("bash", "-c", "find /home /opt /root /srv /usr/local /mnt /media -mindepth 1 | sort")
        return set(done.stdout.split())
