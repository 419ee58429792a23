"""Install what a target of the Makefile needs, then become it: `bootstrap.py <family> [--browser] -- <arguments>`.

The system's Python runs this with its standard library alone; any Python 3.8 can read it, so that an old one is told
what is missing. It makes `.venv`, installs uv from a hashed list and with it the hashed list of the family. A stamp
holds the hash of everything that went in: with the same stamp there is nothing to do, and after a run that was cut
off the next one begins anew.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
# There while packages are being installed. Half a package can look whole to pip, so what was cut off is thrown away.
UNFINISHED = VENV / "unfinished"
LOCKS = ROOT / "shared" / "requirements"
OLDEST, NEWEST = (3, 11), (3, 14)
# What holds what: with the larger family installed the smaller one is, too.
HOLDS_ALL = "dev"
# Libraries of the system that the wheels link to, and Debian's packages of them.
LIBRARIES = {"libz.so.1": "zlib1g", "libgcc_s.so.1": "libgcc-s1", "libstdc++.so.6": "libstdc++6"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# pip's settings that uv knows by another name, so that a machine set up for pip is set up for uv.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}


class Missing(Exception):
    """Something the machine lacks; the message names the command that brings it."""


def main() -> int:
    began = time.time()
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    wanted, rest = sys.argv[1:split], sys.argv[split + 1 :]
    use_a_fitting_python()
    try:
        check_platform()
        with one_at_a_time():
            install(wanted[0])
        if "--browser" in wanted:
            need_browser()
    except Missing as missing:
        print(f"Adloom cannot be installed: {missing}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"Adloom could not be installed: `{' '.join(map(str, error.cmd))}` failed.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Adloom could not be installed: {error.filename or ROOT}: {error.strerror}", file=sys.stderr)
        return 1
    if rest:
        os.environ.setdefault("ADLOOM_BEGAN", str(began))
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), *rest])  # noqa: S606 - this process becomes the target
    return 0


def use_a_fitting_python() -> None:
    """Go on with a Python that the dependencies have wheels for, if this one is not."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and subprocess.run([other, "-c", ""], check=False).returncode == 0:
            os.execv(other, [other, *sys.argv])  # noqa: S606 - the same script, read by the other
    print(
        f"Adloom needs Python 3.11 to 3.14, and {sys.executable} is {platform.python_version()}. "
        "Install one of them, for example with: apt-get install python3.11 python3.11-venv",
        file=sys.stderr,
    )
    sys.exit(1)


def check_platform() -> None:
    """Missing where there are no wheels of Postgres, NATS, rclone and Caddy."""
    known = {"Linux": {"x86_64", "aarch64"}, "Darwin": {"x86_64", "arm64"}}
    system, machine = platform.system(), platform.machine()
    if machine not in known.get(system, set()):
        raise Missing(f"its programs exist for Linux and macOS on x86-64 and ARM64, and this is {system} {machine}.")
    if system == "Linux" and "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE")):
        raise Missing("its PostgreSQL needs a Linux with glibc, such as Debian, and this one has musl.")


@contextlib.contextmanager
def one_at_a_time():  # type: ignore[no-untyped-def]  # noqa: ANN201 - an iterator; old Pythons read this
    """Two targets that are called at once install one after the other."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another make is installing; waiting for it")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def install(family: str) -> None:
    """Bring `.venv` to what the lock files say."""
    if any(is_installed(one) for one in (family, HOLDS_ALL)) and works(PYTHON, "-c", ""):
        return
    began = time.monotonic()
    need_libraries()
    make_venv()
    UNFINISHED.touch()
    for old in VENV.glob("*.stamp"):
        old.unlink()
    if not works(UV, "--version", says=pinned_uv()):
        say("installing uv")
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        run([*pip, "-r", LOCKS / "uv.txt"])
    say(f"installing the locked packages of the family {family}")
    uv = [UV, "pip", "install", "--quiet", "--python", PYTHON]
    environment = {**os.environ, **uv_settings()}
    run([*uv, "--require-hashes", "-r", LOCKS / f"{family}.txt"], environment)
    run([*uv, "--no-deps", "--editable", ROOT / "shared"], environment)
    stamp(family).write_text(fingerprint(family))
    UNFINISHED.unlink()
    say(f"installed in {time.monotonic() - began:.1f} s")


def is_installed(family: str) -> bool:
    return stamp(family).is_file() and stamp(family).read_text() == fingerprint(family)


def stamp(family: str) -> Path:
    return VENV / f"{family}.stamp"


def fingerprint(family: str) -> str:
    parts = [LOCKS / "uv.txt", LOCKS / f"{family}.txt", ROOT / "shared" / "pyproject.toml"]
    content = b"\0".join(part.read_bytes() for part in parts)
    return hashlib.sha256(str(VENV).encode() + b"\0" + content).hexdigest()


def pinned_uv() -> str:
    """`uv 0.13.9`, from the lock."""
    first = (LOCKS / "uv.txt").read_text().split()[0]
    return first.replace("==", " ")


def make_venv() -> None:
    """A virtual environment whose pip works; what an interrupted installation left is made anew."""
    if not UNFINISHED.exists() and works(PYTHON, "-c", "import pip"):
        return
    if not works(Path(sys.executable), "-c", "import ensurepip, venv"):
        major, minor = sys.version_info[:2]
        apt_install([f"python{major}.{minor}-venv"], "Python's venv is missing")
    if VENV.exists():
        shutil.rmtree(VENV)
    say(f"making .venv with Python {platform.python_version()}")
    VENV.mkdir()
    UNFINISHED.touch()
    run([sys.executable, "-m", "venv", VENV])


def need_libraries() -> None:
    """Libraries that bare images of Debian leave out."""
    if platform.system() != "Linux":
        return
    missing = []
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    if missing:
        apt_install(missing, f"the system libraries {', '.join(missing)} are missing")


def need_browser() -> None:
    if not any(shutil.which(name) for name in BROWSERS):
        apt_install(["chromium"], "the browser that the tests of the pages need is missing")


def apt_install(packages: list[str], why: str) -> None:
    """Install packages of the system as root; otherwise say how."""
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sudo = "" if os.geteuid() == 0 else "sudo "
        raise Missing(f"{why}. Install it with: {sudo}{' '.join(command)}")
    say(f"{why}; installing with apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "--quiet", "--quiet"], environment)
    run(command, environment)


def uv_settings() -> dict[str, str]:
    """What pip is told on this machine, by its variables or its files, in uv's words."""
    result = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found = {}
    for line in result.stdout.splitlines():
        key, _, value = line.partition("=")
        name = PIP_TO_UV.get(key.rpartition(".")[2].replace("_", "-"))
        if name and name not in os.environ:
            separator = "," if name == "UV_FIND_LINKS" else " "
            found[name] = separator.join(value.strip("'\"").replace("\\n", " ").split())
    return found


def works(program: Path, *arguments: str, says: str = "") -> bool:
    """Whether a program starts and succeeds, and its output begins with `says`."""
    try:
        result = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return result.returncode == 0 and result.stdout.startswith(says)


def run(command: list, environment: dict[str, str] | None = None) -> None:  # type: ignore[type-arg]
    subprocess.run([str(part) for part in command], check=True, env=environment, stdin=subprocess.DEVNULL)


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
