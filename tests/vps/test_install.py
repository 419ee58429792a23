"""install.sh in a Debian that is not running: what it refuses, what it leaves, and that it changes nothing twice."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.vps import box
from tests.vps.box import Debian
from tests.vps.installation import SCRIPT, Installation

_OPTION = re.compile(r"(?<![\w-])--[a-z0-9-]+")
_GOOD = ["--domain", "ads.example.com", "--owner", "o@example.com", "--demo"]
_BAD = {
    "there is no option --fast": [*_GOOD, "--fast"],
    "--domain needs a value": ["--domain"],
    "--domain NAME is missing": ["--owner", "o@example.com", "--demo"],
    "without https:// and slashes": [*_GOOD, "--domain", "https://ads.example.com/"],
    "no certificate can be had for that": [*_GOOD, "--domain", "192.0.2.7"],
    "--owner EMAIL is missing": ["--domain", "ads.example.com", "--demo"],
    "or --demo to try it": ["--domain", "ads.example.com", "--owner", "o@example.com"],
    "it has digits only": [*_GOOD[:4], "--meta-app-id", "abc"],
    "ends with .apps.googleusercontent.com": [*_GOOD[:4], "--google-ads-client-id", "123"],
    "--tiktok-app-id is 7x; it has digits only": [*_GOOD[:4], "--tiktok-app-id", "7x"],
    "say --demo or the ids of your apps": [*_GOOD, "--meta-app-id", "123"],
    "the Meta app's secret is missing": [*_GOOD[:4], "--meta-app-id", "123"],
    "the TikTok app's secret is missing": [*_GOOD[:4], "--tiktok-app-id", "123"],
    "names /nowhere, which is no file": [*_GOOD, "--minio-bin", "/nowhere"],
    "from 1024 to 65535": [*_GOOD, "--postgres-port", "80"],
    "go together": [*_GOOD, "--timescale-source", "deb https://example.com/ trixie main"],
    "--s3-endpoint needs": [*_GOOD, "--s3-endpoint", "https://s3.example.com"],
    "need --s3-endpoint URL": [*_GOOD, "--s3-access-key-file", "/etc/hostname"],
    "is no public key of age": [*_GOOD, "--backup-recipient", "age1short"],
    "where faasd is missing": [*_GOOD, "--openfaas-bin", "/usr/bin"],
    "which one may be used is your decision": _GOOD,
}


@pytest.fixture(scope="module")
def bare(shared: Path, secrets: Path, folder: Path) -> Iterator[Debian]:
    """A Debian on which nothing was installed."""
    debian = Debian.fresh(folder / "bare", secrets, shared)
    yield debian
    subprocess.run(["rm", "-rf", str(debian.path)], check=True)


def test_a_wrong_option_gets_a_sentence_and_changes_nothing(bare: Debian) -> None:
    before = bare.manifest()
    for sentence, words in _BAD.items():
        done = bare.run(SCRIPT, *words)
        assert done.returncode in {1, 2}, done.stdout
        assert sentence in done.stdout
    assert bare.manifest() == before


def test_without_a_network_a_sentence_says_so(bare: Debian) -> None:
    faasd = "printf '#!/bin/sh\\n' > /usr/local/bin/faasd; chmod 755 /usr/local/bin/faasd"
    unit = "printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/faasd.service"
    bare.run("bash", "-c", f"echo key > /root/key; {faasd}; {unit}")
    keys = ["--s3-access-key-file", "/root/key", "--s3-secret-key-file", "/root/key"]
    done = bare.run(SCRIPT, *_GOOD, "--s3-endpoint", "https://s3.example.com", *keys, network=False)
    assert done.returncode == 1
    assert "Debian's package lists could not be fetched. Look at the network" in done.stdout


def test_on_another_system_it_stops(bare: Debian) -> None:
    script = f"sed -i 's/^VERSION_ID=.*/VERSION_ID=\"12\"/' /usr/lib/os-release; {SCRIPT} {' '.join(_GOOD)}"
    done = bare.run("bash", "-c", script)
    bare.run("sed", "-i", 's/^VERSION_ID=.*/VERSION_ID="13"/', "/usr/lib/os-release")
    assert done.returncode == 1
    assert "it needs Debian 13" in done.stdout


def test_what_was_cut_off_is_completed_by_the_next_run(installation: Installation) -> None:
    assert "systemd does not run here" not in installation.first
    assert "installing the locked Python packages" in installation.said
    assert "installing postgresql" not in installation.said
    assert installation.said.splitlines()[-1].startswith("systemd does not run here: the units are enabled")


def test_a_second_run_changes_nothing_and_needs_no_network(installation: Installation) -> None:
    before = installation.debian.manifest()
    for options in ([], installation.options):
        done = installation.debian.run(SCRIPT, *options, network=False)
        assert done.returncode == 0, done.stdout
        assert done.stdout.splitlines() == [installation.said.splitlines()[-1]]
    assert installation.debian.manifest() == before
    assert before.count("adloom-") > 20


def test_only_the_folders_that_are_said_have_something_new(installation: Installation) -> None:
    new = installation.folders() - installation.before
    strangers = {path for path in new if not re.match(r"/(opt/adloom|opt/cni|usr/local/(s?bin|lib|share))(/|$)", path)}
    assert not strangers


def test_secrets_are_roots_alone(installation: Installation) -> None:
    listed = installation.debian.run("bash", "-c", "stat -c '%a %U %F %n' /etc/adloom/secrets /etc/adloom/secrets/*")
    lines = listed.stdout.splitlines()
    assert lines[0].startswith("700 root directory")
    assert len(lines) > 20
    assert {line.rpartition(" ")[0] for line in lines[1:]} == {"600 root regular file"}


def test_no_secret_is_in_a_file_that_others_read(installation: Installation) -> None:
    script = r"""
    find /etc /opt/adloom/releases /var/lib/adloom -type f -perm /o+r ! -path '*/venv/*' -print0 > /tmp/readable
    cd /etc/adloom/secrets
    for secret in *-password *-key *-secret *-url *-ring; do
        xargs -0 grep -F -l -f "$secret" < /tmp/readable && echo "$secret"
    done
    true
    """
    assert installation.debian.run("bash", "-c", script).stdout == ""


def test_every_unit_passes_systemds_own_check(installation: Installation) -> None:
    script = "systemd-analyze verify --man=no /etc/systemd/system/adloom*.service /etc/systemd/system/adloom*.t*"
    done = installation.debian.run("bash", "-c", script)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_firewall_passes_nfts_own_check(installation: Installation) -> None:
    done = installation.debian.run("nft", "--check", "--file", "/etc/adloom/nftables.conf", network=False)
    assert (done.returncode, done.stdout) == (0, "")
    rules = (installation.debian.path / "etc/adloom/nftables.conf").read_text(encoding="utf-8")
    assert "tcp dport { 2222 } accept" in rules


def test_shellcheck_finds_nothing() -> None:
    scripts = [
        path for path in (box.PROJECT / "infra/faasd").iterdir() if path.is_file() and path.suffix in {"", ".sh"}
    ]
    assert len(scripts) == 4
    command = [
        "shellcheck",
        "--check-sourced",
        "--external-sources",
        *map(str, scripts),
        *map(str, box.HERE.glob("*.sh")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_cloud_init_calls_install_with_options_that_it_knows() -> None:
    text = (box.PROJECT / "infra/faasd/cloud-init.yaml").read_text(encoding="utf-8")
    known = set(_OPTION.findall((box.PROJECT / "infra/faasd/lib/options.sh").read_text(encoding="utf-8")))
    calls = [str(step) for step in yaml.safe_load(text)["runcmd"] if "install.sh" in str(step)]
    assert len(calls) == 1
    assert set(_OPTION.findall(calls[0])) <= known
