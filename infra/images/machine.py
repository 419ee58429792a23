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
_RELEASE = re.compile(r"^'(\S+?)/?/dists/([^/]+)/InRelease'", flags=re.MULTILINE)
_DEBIAN = ("trixie", "trixie-updates")


def write_secrets(folder: Path) -> dict[str, Path]:
    """Write what a build needs into a folder of the owner alone; the secrets by name."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    pip, debian = pip_settings(), sources()
    certificates = _certificates(pip)
    settings = _shell(pip, certified=bool(certificates), sourced=bool(debian))
    apt = _apt(certified=bool(certificates)) if debian else ""
    contents = {SETTINGS: settings, CERTIFICATES: certificates, APT: apt, SOURCES: debian}
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


def _shell(pip: dict[str, str], *, certified: bool, sourced: bool) -> str:
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
    if certified:
        file = str(_SECRETS / CERTIFICATES)
        variables |= dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), file)
    if sourced:
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


def _apt(*, certified: bool) -> str:
    """The configuration of apt in a build: this machine's proxies, and our list of sources instead of the image's."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in dump.splitlines() if _APT.match(line)]
    lines += [f'Dir::Etc::SourceList "{_SECRETS / SOURCES}";', 'Dir::Etc::SourceParts "-";']
    if certified:
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
    """The addresses of Debian and of its security updates, as apt knows them; empty where this is no Debian."""
    codename = _codename(Path("/etc/os-release"))
    if not codename or shutil.which("apt-get") is None:
        return "", ""
    told = ["apt-get", "update", "--print-uris"]
    return mirrors_of(subprocess.run(told, capture_output=True, text=True, check=True).stdout, codename)


def mirrors_of(listing: str, codename: str) -> tuple[str, str]:
    """The same from what `apt-get update --print-uris` prints. Others than Debian have a suite of its name as well, but
    no updates beside it.
    """
    places: dict[str, list[str]] = {}
    for uri, suite in _RELEASE.findall(listing):
        places.setdefault(suite, []).append(uri)
    updates = places.get(f"{codename}-updates", [])
    main = [uri for uri in places.get(codename, []) if uri in updates or not updates]
    security = places.get(f"{codename}-security", [])
    return main[0] if main else "", security[0] if security else ""


def _codename(release: Path) -> str:
    if not release.is_file():
        return ""
    fields = dict(line.split("=", 1) for line in release.read_text(encoding="utf-8").splitlines() if "=" in line)
    return fields.get("VERSION_CODENAME", "").strip('"') if fields.get("ID", "").strip('"') == "debian" else ""
