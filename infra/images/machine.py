"""How this machine reaches packages: its own settings of pip, Go, apt, proxies and certificates.

The steps of a build get them as secrets (see the top of the template's Dockerfile), so that they are in no layer, and
no image tells where it was built. Where a machine has no settings there are no secrets.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from infra.local.bootstrap import PIP_TO_UV

SETTINGS, CERTIFICATES, APT, SOURCES = "build-settings", "build-certificates", "build-apt", "build-sources"
_SECRETS = Path("/run/secrets")
# Settings of pip that name files of this machine.
_OF_THE_FILES = {"cert", "client-cert", "config-file"}
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
_GO = ("GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE")
_APT = re.compile(r'^Acquire::(?:(?:http|https)::|Check-Valid-Until|Check-Date|Retries).* ".*";$')
_DEBIAN = ("trixie", "trixie-updates")


def write_secrets(folder: Path) -> dict[str, Path]:
    """Write what a build needs into a folder of the owner alone; the secrets by name."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    pip = pip_settings()
    contents = {SETTINGS: _shell(pip), CERTIFICATES: _certificates(pip), APT: _apt(), SOURCES: sources()}
    written = {}
    for name, text in contents.items():
        path = folder / name
        path.unlink(missing_ok=True)
        if text:
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
            written[name] = path
    return written


def pip_settings() -> dict[str, str]:
    """What pip is told, by its variables or files: `index-url` and the like."""
    result = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found = {}
    for line in result.stdout.splitlines():
        key, _, value = line.partition("=")
        found[key.rpartition(".")[2].replace("_", "-")] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    return found


def _shell(pip: dict[str, str]) -> str:
    variables = {name: os.environ[name] for name in _PROXIES if os.environ.get(name)}
    for key, told in pip.items():
        # A build does not see the folders of this machine.
        value = " ".join(place for place in told.split() if "://" in place) if key == "find-links" else told
        if value and key not in _OF_THE_FILES:
            variables[f"PIP_{key.upper().replace('-', '_')}"] = value
            if key in PIP_TO_UV:
                variables[PIP_TO_UV[key]] = value
    variables |= {name: value for name, value in os.environ.items() if name.startswith("UV_") and "://" in value}
    variables |= _go()
    if _certificates(pip):
        file = str(_SECRETS / CERTIFICATES)
        variables |= dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), file)
    if sources():
        variables["APT_CONFIG"] = str(_SECRETS / APT)
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))


def _go() -> dict[str, str]:
    """What Go's programs are told where Go is installed, or by the environment."""
    if shutil.which("go"):
        found = json.loads(subprocess.run(["go", "env", "-json", *_GO], capture_output=True, check=True).stdout)
    else:
        found = {name: os.environ.get(name, "") for name in _GO}
    return {name: str(value) for name, value in found.items() if value}


def _certificates(pip: dict[str, str]) -> str:
    """The certificates that this machine was told to trust instead of the usual ones."""
    for file in (os.environ.get("SSL_CERT_FILE"), pip.get("cert")):
        if file and Path(file).is_file():
            return Path(file).read_text(encoding="utf-8")
    return ""


def _apt() -> str:
    """The configuration of apt in a build: this machine's proxies, and our list of sources instead of the image's."""
    if not sources():
        return ""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in dump.splitlines() if _APT.match(line)]
    lines += [f'Dir::Etc::SourceList "{_SECRETS / SOURCES}";', 'Dir::Etc::SourceParts "-";']
    if _certificates(pip_settings()):
        lines.append(f'Acquire::https::CaInfo "{_SECRETS / CERTIFICATES}";')
    # The downloads run as root: the user that apt would take may not read a secret.
    return "\n".join([*lines, 'APT::Sandbox::User "root";', ""])


def sources() -> str:
    """Debian trixie from where this machine gets its own Debian, one line each; empty on other systems."""
    main, security = mirrors()
    if not main:
        return ""
    lines = [f"deb {main} {suite} main" for suite in _DEBIAN]
    lines += [f"deb {security} trixie-security main"] if security else []
    return "\n".join([*lines, ""])


def mirrors() -> tuple[str, str]:
    """The addresses of Debian and of its security updates, as apt knows them."""
    if shutil.which("apt-get") is None:
        return "", ""
    told = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    main = security = ""
    for line in subprocess.run(told, capture_output=True, text=True, check=True).stdout.splitlines():
        uri, _, release = line.partition(" ")
        if "-security" in release:
            security = security or uri.rstrip("/")
        else:
            main = main or uri.rstrip("/")
    return main, security
