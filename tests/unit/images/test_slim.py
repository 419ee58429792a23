"""What is dropped while an image is built, and what must stay."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SLIM = Path(__file__).resolve().parents[3] / "template" / "adloom-python" / "slim.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("slim", SLIM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


slim = load()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Packages as an installation leaves them: Google Ads with four versions, boto3's data, tests of a package."""
    folder = tmp_path / "venv" / "lib" / "python3.13" / "site-packages"
    for version in ("v21", "v22", "v23", "v26"):
        write(folder / "google/ads/googleads" / version / "services/types/google_ads_service.py", "Rows = 1\n")
    write(folder / "google/ads/googleads/client.py", "class GoogleAdsClient: ...\n")
    for service in ("s3", "sts", "ec2", "lambda"):
        write(folder / "botocore/data" / service / "2006-03-01/service-2.json.gz", "x")
    write(folder / "botocore/data/endpoints.json", "{}")
    write(folder / "greenlet/tests/test_all.py", "raise AssertionError\n")
    write(folder / "greenlet/tests/deeper/tests/x.py", "")
    write(folder / "greenlet/testing.py", "")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SLIM, *arguments], capture_output=True, text=True, check=False)


def there(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_one_version_of_google_ads_stays(site: Path) -> None:
    assert run("packages", site.parents[2], "--google-ads", "v22").returncode == 0

    assert {path.name for path in (site / "google/ads/googleads").iterdir()} - {"__pycache__"} == {"v22", "client.py"}


def test_without_a_version_all_of_google_ads_stays(site: Path) -> None:
    assert run("packages", site.parents[2], "--google-ads", "").returncode == 0

    assert len([path for path in (site / "google/ads/googleads").iterdir() if path.name.startswith("v")]) == 4


def test_a_version_that_is_not_installed_is_refused_before_anything_is_gone(site: Path) -> None:
    before = there(site / "google")

    refused = run("packages", site.parents[2], "--google-ads", "v99")

    assert refused.returncode == 1
    assert "GOOGLE_ADS is v99, and the installed package knows v21, v22, v23, v26." in refused.stderr
    assert there(site / "google") == before


def test_a_version_is_nothing_to_a_function_without_google_ads(tmp_path: Path) -> None:
    write(tmp_path / "lib/python3.13/site-packages/flask/app.py", "")

    assert run("packages", tmp_path, "--google-ads", "v22").returncode == 0
    assert there(tmp_path) == {"lib/python3.13/site-packages/flask/app.py"}


def test_only_the_services_of_objects_stay_of_boto(site: Path) -> None:
    run("packages", site.parents[2])

    assert there(site / "botocore") == {
        "data/s3/2006-03-01/service-2.json.gz",
        "data/sts/2006-03-01/service-2.json.gz",
        "data/endpoints.json",
    }


def test_tests_that_packages_install_go_and_modules_stay(site: Path) -> None:
    run("packages", site.parents[2])

    assert there(site / "greenlet") == {"testing.py"}


def test_every_module_has_bytecode_that_does_not_look_at_its_source(site: Path) -> None:
    run("packages", site.parents[2], "--google-ads", "v22")

    sources = list(site.rglob("*.py"))
    assert sources
    for source in sources:
        compiled = Path(importlib.util.cache_from_source(str(source)))
        assert compiled.read_bytes()[4:8] == (0b01).to_bytes(4, "little"), source  # PEP 552: hash-based, unchecked


def test_code_that_does_not_compile_stops_the_build(tmp_path: Path) -> None:
    write(tmp_path / "handler.py", "def handle(:\n")

    assert run("compile", tmp_path).returncode == 1


def test_a_link_is_removed_and_not_what_it_points_to(tmp_path: Path) -> None:
    write(tmp_path / "kept/file", "kept")
    (tmp_path / "link").symlink_to(tmp_path / "kept")

    slim.remove([tmp_path / "link", tmp_path / "never there"])

    assert not (tmp_path / "link").is_symlink()
    assert there(tmp_path) == {"kept/file"}
