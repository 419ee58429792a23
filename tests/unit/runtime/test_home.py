"""The folder of a stack before anything starts in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.local.home import Home


def test_starts_at_the_same_moment_find_the_same_home_in_order(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        for start in [pool.submit(home.prepare) for _ in range(400)]:
            start.result()
    assert sorted(each.name for each in home.path.iterdir() if not each.is_dir()) == []
