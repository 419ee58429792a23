"""Makes an image smaller while it is built; the function never sees this.

    slim.py packages <venv> [--google-ads v22]   drop what no function reads, then compile the packages
    slim.py base                                 drop pip and its like from the base image, compile Python's library
    slim.py compile <folder>                     compile the code

The bytecode is not checked against its source at run time: both are read-only and come from the same build, and a file
that is copied keeps no promise about its time.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

# boto3 describes every service of AWS in files; objects need these. Files beside the folders describe all services.
_AWS_SERVICES = {"s3", "sts"}
# Folders of tests that packages install with themselves, and what helps only those who test an extension of a package.
_TESTS = {"test", "tests"}
_TEST_SUITES = ("alembic/testing", "nicegui/testing", "sqlalchemy/testing")
# Parts of Python's library that install, test or draw. The official image has no tests any more; others may.
_UNUSED_LIBRARY = ("ensurepip", "idlelib", "lib2to3", "test", "tkinter", "turtledemo")
# Where everybody may write besides /tmp; not every platform makes the root read-only.
_WRITABLE = (Path("/var/tmp"), Path("/run/lock"))  # noqa: S108 - not used but closed
_INSTALLERS = ("pip", "pip-*", "setuptools", "setuptools-*", "wheel", "wheel-*", "pkg_resources", "_distutils_hack")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="slim.py")
    commands = parser.add_subparsers(dest="command", required=True)
    packages = commands.add_parser("packages")
    packages.add_argument("venv", type=Path)
    packages.add_argument("--google-ads", default="", metavar="VERSION")
    commands.add_parser("base")
    commands.add_parser("compile").add_argument("folder", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.command == "packages":
        return slim_packages(next((chosen.venv / "lib").glob("python3.*/site-packages")), chosen.google_ads)
    if chosen.command == "base":
        return slim_base()
    return compile_tree(chosen.folder)


def slim_packages(site: Path, google_ads: str) -> int:
    """What stays of the installed packages is what runs."""
    before = size(site)
    remove(unused_services(site / "botocore" / "data"))
    remove([site / "pycountry" / "locales"])  # the names of countries in other languages; Meta's SDK reads their codes
    remove(other_versions(site / "google" / "ads" / "googleads", google_ads))
    remove([*tests_of_packages(site), *(site / suite for suite in _TEST_SUITES)])
    remove([site.parents[2] / ".lock"])  # uv's, which anyone may write
    print(f"packages: {before >> 20} MB, of which {(before - size(site)) >> 20} MB are not needed")
    return compile_tree(site)


def unused_services(data: Path) -> list[Path]:
    if not data.is_dir():
        return []
    return [folder for folder in data.iterdir() if folder.is_dir() and folder.name not in _AWS_SERVICES]


def other_versions(googleads: Path, kept: str) -> list[Path]:
    """The folders of all versions of the Google Ads API but one; none where the package is not installed."""
    versions = [folder for folder in googleads.glob("v[0-9]*") if folder.is_dir()]
    if not versions or not kept:
        return []
    if kept not in {folder.name for folder in versions}:
        known = ", ".join(sorted(folder.name for folder in versions))
        raise SystemExit(f"GOOGLE_ADS is {kept}, and the installed package knows {known}.")
    return [folder for folder in versions if folder.name != kept]


def tests_of_packages(site: Path) -> list[Path]:
    """Folders of tests in a package, and those that a package has put beside itself."""
    found = [Path(top) / name for top, names, _ in os.walk(site) for name in names if name in _TESTS]
    return [folder for folder in found if not any(parent in found for parent in folder.parents)]


def slim_base() -> int:
    """Python as it runs a function: nothing that installs, and its library compiled."""
    library = Path(sysconfig.get_path("stdlib"))
    programs = Path(sys.base_prefix, "bin"), Path(sys.base_prefix, "local", "bin")
    remove(library / name for name in _UNUSED_LIBRARY)
    packages = library / "site-packages", library.parent / "python3" / "dist-packages"  # python.org's place, Debian's
    remove(found for folder in packages for name in _INSTALLERS for found in folder.glob(name))
    remove(found for folder in programs for name in ("pip*", "idle*") for found in folder.glob(name))
    remove([Path("/usr/share/python-wheels")])  # Debian's copy of pip
    for folder in filter(Path.is_dir, _WRITABLE):
        folder.chmod(0o755)
    return compile_tree(library)


def remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(Path(top, name).lstat().st_size for top, _, names in os.walk(folder) for name in names)


def compile_tree(folder: Path) -> int:
    """Compile every module that is not; the exit status."""
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    return 0 if compileall.compile_dir(folder, quiet=1, workers=0, invalidation_mode=unchecked) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
