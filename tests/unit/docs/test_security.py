"""`docs/security.md` says of every item what holds it, and what it names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "security.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
STATES = {"yes", "partly", "no", "not here"}
_ITEM = re.compile(
    r"^\| (?P<number>\d+\.\d+\.\d+) \| (?P<level>\d) \|[^|]+\| (?P<state>[^|]+) \| (?P<how>.+) \|$", re.MULTILINE
)
_SECTION = re.compile(r"^\| (?P<number>\d+\.\d+) \|[^|]+\| (?P<state>[^|]+) \| (?P<how>.+) \|$", re.MULTILINE)
_QUOTED = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SETTING = re.compile(r"ADLOOM_[A-Z_]+")
_PATH = re.compile(r"^(tests|shared|ui|functions|infra|migrations|docs)/\S+$")


@dataclass(frozen=True)
class Line:
    """A line of a table: an item with its level, or a section."""

    number: str
    state: str
    how: str
    level: str = ""


ITEMS = [Line(**found.groupdict()) for found in _ITEM.finditer(TEXT)]
SECTIONS = [Line(**found.groupdict()) for found in _SECTION.finditer(TEXT)]


def standard() -> list[list[str]]:
    """The numbers of the standard: items with their level, and sections."""
    lines = Path(__file__).with_name("asvs_5_0.txt").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def named_tests(text: str) -> list[str]:
    return [each for each in _QUOTED.findall(text) if each.startswith("tests/")]


@cache
def known_tests(file: Path) -> frozenset[str]:
    """The names of a file's tests as pytest writes them, without parameters; those of classes and their bases."""
    found: set[str] = set()
    classes: dict[str, ast.ClassDef] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            classes[node.name] = node
        found |= {node.name} if _is_test(node) else set()
    for name in classes:
        if name.startswith("Test"):
            found |= {name, *(f"{name}::{method}" for method in _methods(name, classes))}
    return frozenset(found)


def _methods(name: str, classes: dict[str, ast.ClassDef]) -> Iterator[str]:
    node = classes[name]
    yield from (
        each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and _is_test(each)
    )
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes:
            yield from _methods(base.id, classes)


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def is_there(reference: str) -> bool:
    """Whether `file` or `file::test` or `file::Class::test` exists, whatever its parameters are."""
    path, _, test = reference.partition("[")[0].partition("::")
    file = ROOT / path
    return file.is_file() and (not test or test in known_tests(file))


def anchors(text: str) -> set[str]:
    """What headings are called in links."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_item_of_the_four_chapters_has_its_line_and_its_level() -> None:
    wanted = [tuple(line) for line in standard() if len(line) == 2]

    assert [(each.number, each.level) for each in ITEMS] == wanted
    assert {number.split(".")[0] for number, _ in wanted} == {"6", "7", "8", "10"}


def test_every_section_of_the_other_chapters_has_its_line() -> None:
    assert [each.number for each in SECTIONS] == [line[0] for line in standard() if len(line) == 1]


@pytest.mark.parametrize("line", ITEMS + SECTIONS, ids=lambda line: line.number)
def test_a_line_says_whether_it_is_met_and_by_what(line: Line) -> None:
    assert line.state in STATES
    if line.state == "not here":
        assert len(line.how) > len("no"), "it says why"
    elif line in ITEMS:
        assert named_tests(line.how) or _SETTING.search(line.how) or _LINK.search(line.how), "nothing would notice"


def test_what_is_not_met_is_said_once_more_among_the_differences() -> None:
    differences = TEXT.partition("## Where we differ\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"\d+\.\d+(?:\.\d+)?", differences))
    short = {each.number for each in ITEMS if each.state in ("partly", "no")}

    assert short <= named
    for each in SECTIONS:
        if each.state in ("partly", "no"):
            assert any(number == each.number or number.startswith(f"{each.number}.") for number in named), each.number


@pytest.mark.parametrize("reference", sorted(set(named_tests(TEXT))))
def test_a_test_that_is_named_is_there(reference: str) -> None:
    assert is_there(reference)


@pytest.mark.parametrize(
    "reference",
    [
        "tests/unit/docs/test_nothing.py::test_a_test_that_is_named_is_there",
        "tests/unit/docs/test_security.py::test_nothing",
        "tests/unit/docs/test_security.py::named_tests",
        "tests/integration/test_every_route.py::TestNobodyPasses::test_nothing",
        "tests/integration/test_every_route.py::test_without_a_session",
    ],
)
def test_a_test_that_is_gone_would_be_missed(reference: str) -> None:
    assert not is_there(reference)


@pytest.mark.parametrize("setting", sorted(set(_SETTING.findall(TEXT))))
def test_a_setting_that_is_named_is_documented(setting: str) -> None:
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert f"`{setting}`" in documented


@pytest.mark.parametrize("link", sorted(set(_LINK.findall(TEXT))))
def test_a_document_that_is_linked_is_there(link: str) -> None:
    path, _, anchor = link.partition("#")
    target = DOCUMENT.parent / path if path else DOCUMENT

    assert target.is_file()
    assert not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted({each for each in _QUOTED.findall(TEXT) if _PATH.match(each)}))
def test_a_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path.partition("::")[0]).is_file()


def test_the_words_that_passwords_may_not_contain_are_those_of_the_code() -> None:
    from adloom.identity import password_rules

    assert f"`{password_rules.PRODUCT}`" in TEXT
    assert f"{password_rules.MIN_LENGTH} to {password_rules.MAX_LENGTH} characters" in TEXT
