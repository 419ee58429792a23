import tomllib
from pathlib import Path

import adloom


def test_the_code_and_the_distribution_have_one_version(project_root: Path) -> None:
    project = tomllib.loads((project_root / "shared" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert adloom.__version__ == project["version"]
