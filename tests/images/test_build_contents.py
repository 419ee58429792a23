"""What is in the images, and what is not."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker

from infra.deployment.stackfile import ROOT, read_functions
from infra.images.build import SERVICES
from tests.images.built import FUNCTIONS, PYTHON_IMAGES, configuration, contents, engine, run, tag

_MIB = 2**20
# What is above this has got something that it does not need; the sizes are printed.
# Google's SDK with its messages takes 75 MiB of what it is in.
LARGEST = {"dashboard": 380, **dict.fromkeys(FUNCTIONS, 270), "sync-google": 310, "sandbox": 310}
_LARGEST_SERVICE = 240

COMPILERS = re.compile(r"^(.*-)?(gcc|g\+\+|cc|c\+\+|cpp|clang|ld|as|make|go|rustc|tcc)(-[\d.]+)?$")
INSTALLERS = re.compile(r"^(pip[\d.]*|uv|uvx|easy_install|poetry|conda)$")
INSTALLING_PACKAGES = {"pip", "uv", "setuptools", "wheel", "ensurepip", "uv_build"}
TESTS = {"test", "tests", "conftest.py", "pytest", "_pytest"}
PROGRAMS = re.compile(r"^(usr/)?(local/)?s?bin/|^opt/adloom/bin/|^root/|^home/app/")
MODULES = re.compile(r"^(opt/adloom/lib|home/app|usr/(local/)?lib/python3)")
PYTHON_FOLDERS = re.compile(r"^(opt/adloom|home/app|usr/(local/)?lib/python3)")


pytestmark = pytest.mark.usefixtures("images")


@pytest.mark.parametrize("name", PYTHON_IMAGES)
def test_nothing_in_it_compiles_or_installs_and_no_tests_came_along(name: str) -> None:
    paths = [Path(path) for path in contents(tag(name)).entries]

    programs = {path.name for path in paths if PROGRAMS.match(str(path))}
    assert "python3" in programs
    assert not [program for program in programs if COMPILERS.match(program) or INSTALLERS.match(program)]
    ours = [path for path in paths if PYTHON_FOLDERS.match(str(path))]
    assert len(ours) > 1000
    assert not [path for path in ours if path.name in INSTALLING_PACKAGES and "site-packages" in path.parts]
    assert not [path for path in ours if path.name in {"ensurepip", "idlelib", "turtledemo"}]
    assert not [path for path in ours if path.name in TESTS]
    assert not [path for path in ours if path.name.startswith("test_") and path.is_relative_to("home")]


@pytest.mark.parametrize("name", PYTHON_IMAGES)
def test_every_module_of_ours_and_of_its_packages_is_compiled(name: str) -> None:
    entries = contents(tag(name)).entries
    version = run(tag(name), "python", "-c", "import sys; print(sys.implementation.cache_tag)").strip()
    modules = [path for path in entries if path.endswith(".py") and MODULES.match(path)]

    bytecode = {path: _bytecode(path, version) for path in modules}

    assert len(modules) > 500
    assert not [path for path, compiled in bytecode.items() if compiled not in entries]
    assert not {path for path in entries if path.endswith(".pyc") and MODULES.match(path)} - set(bytecode.values())


def _bytecode(path: str, version: str) -> str:
    local = importlib.util.cache_from_source(path)
    return re.sub(r"\.cpython-\d+\.", f".{version}.", local)


@pytest.mark.parametrize("name", PYTHON_IMAGES)
def test_it_runs_as_a_user_who_owns_nothing(name: str) -> None:
    assert configuration(tag(name))["User"] == "10001:10001"

    entries = contents(tag(name)).entries.items()
    # The sandbox keeps its numbers in a volume, which takes the owner of the folder that it covers.
    volumes = {"data"} if name == "sandbox" else set()
    assert {path.rstrip("/") for path, entry in entries if 10001 in {entry.uid, entry.gid}} == volumes
    everyone = [path for path, entry in entries if not entry.issym() and entry.mode & 0o002 and not entry.isdev()]
    assert {path.rstrip("/") for path in everyone} <= {"tmp"}
    assert not [path for path, entry in entries if entry.mode & 0o6000 and path.startswith(("opt/", "home/"))]


@pytest.mark.parametrize("name", PYTHON_IMAGES)
def test_it_has_the_locked_packages_of_its_family_and_no_others(name: str) -> None:
    found = {}
    for path, text in contents(tag(name)).texts.items():
        if path.startswith("opt/adloom/"):
            fields = dict(re.findall(r"^(Name|Version): (.+)$", text, flags=re.MULTILINE))
            found[_normal(fields["Name"])] = fields["Version"]

    family = SERVICES[name][0] if name in SERVICES else _family(name)
    assert found == _locked(family, _python_of(name))
    assert "site-packages/adloom" not in "".join(contents(tag(name)).entries)


def _family(name: str) -> str:
    return next(function.build_args["FAMILY"] for function in read_functions() if function.name == name)


def _python_of(name: str) -> str:
    return run(tag(name), "python", "-c", "import platform; print(platform.python_version())").strip()


def _locked(family: str, version: str) -> dict[str, str]:
    """Name and version of what the lock of a family asks of a Linux with this Python."""
    environment = {
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
        "sys_platform": "linux",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    wanted = {}
    for line in (ROOT / "shared/requirements" / f"{family}.txt").read_text(encoding="utf-8").splitlines():
        match = re.match(r"^([A-Za-z0-9_.-]+)==([^ ;]+)(?: ; ([^\\]+))?", line)
        if match and (match[3] is None or Marker(match[3].strip()).evaluate(environment)):
            wanted[_normal(match[1])] = match[2]
    assert wanted
    return wanted


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_handler_and_the_library_and_nothing_else_of_the_project(name: str) -> None:
    files = contents(tag(name))
    handler = next(function.folder for function in read_functions() if function.name == name)

    assert files.under("home/app") - {"__pycache__"} == {"serve.py", "function", "shared"}
    assert files.under("home/app/shared") == {"adloom"}
    own = {path.name for path in handler.iterdir() if path.name not in {"__pycache__", "build", "template"}}
    assert files.under("home/app/function") - {"__pycache__"} == own
    strays = {"infra", "ui", "migrations", "stack.yml", "requirements", "Dockerfile", "slim.py", ".git"}
    assert not [
        path
        for path in files.entries
        if path.startswith(("home/", "opt/adloom/", "tmp/")) and Path(path).name in strays
    ]


@pytest.mark.parametrize("name", list(SERVICES))
def test_a_service_has_the_parts_it_names_in_the_layout_of_the_repository(name: str) -> None:
    files = contents(tag(name))

    for part in ("shared/adloom", *SERVICES[name][1]):
        assert f"home/app/{part}" in {path.rstrip("/") for path in files.entries}
    assert files.under("home/app") == {"shared", *(part.split("/")[0] for part in SERVICES[name][1])}


@pytest.mark.parametrize("name", PYTHON_IMAGES)
def test_every_image_is_as_small_as_it_was(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    size = engine().size(tag(name)) / _MIB
    with capsys.disabled():
        sys.stdout.write(f"\n  {tag(name)}: {size:.0f} MiB")

    assert size < LARGEST.get(name, _LARGEST_SERVICE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_objects_can_be_stored_with_what_stayed_of_boto3(name: str) -> None:
    """A client for S3 and its signed link need no network."""
    script = (
        "import boto3;"
        "client = boto3.client('s3', endpoint_url='http://127.0.0.1:9', region_name='us-east-1',"
        " aws_access_key_id='key', aws_secret_access_key='word');"
        "print(client.generate_presigned_url('get_object', Params={'Bucket': 'b', 'Key': 'k'}))"
    )

    assert run(tag(name), "python", "-c", script).startswith("http://127.0.0.1:9/b/k?")


@pytest.mark.parametrize("name", PYTHON_IMAGES)
def test_every_module_of_ours_can_be_imported(name: str) -> None:
    """A module that needs a package of another family, or a part of the project that is not there, would fail late."""
    script = (
        "import importlib, pathlib, sys\n"
        "for root in ('/home/app/shared/adloom', '/home/app/infra', '/home/app/ui'):\n"
        "    for file in sorted(pathlib.Path(root).rglob('*.py')):\n"
        "        base = '/home/app/shared' if '/shared/' in root else '/home/app'\n"
        "        name = '.'.join(file.relative_to(base).with_suffix('').parts)\n"
        "        if name.endswith('__main__') or name.startswith(SKIPPED):\n"
        "            continue\n"
        "        importlib.import_module(name.removesuffix('.__init__'))\n"
        "print('imported')"
    )
    # What only some images have the packages for: a platform's own function, the log-in, the command line's.
    of_few = {
        "adloom.platforms.meta": _has_family(name, "meta"),
        "adloom.sso": _has_family(name, "auth"),
        "adloom.backup": name == "tools",
        "adloom.cli": name == "tools",
    }
    skipped = tuple(package for package, is_there in of_few.items() if not is_there)

    assert run(tag(name), "python", "-c", script.replace("SKIPPED", repr(skipped))).endswith("imported")


def _has_family(name: str, family: str) -> bool:
    return name in FUNCTIONS and _family(name) == family
