"""A real stack with a browser in front of it. Numbers come from `seed`, or from a sync of the sandbox."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from infra.local.stack import Stack
from tests.ui import seed

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".adloom" / "cache" / "ui-tests"
SCREENSHOTS = ROOT / ".adloom" / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-domain-reliability",
]
# A busy machine is no fault of the page's.
expect.set_options(timeout=20_000)
DESKTOP, PHONE = {"width": 1440, "height": 1080}, {"width": 390, "height": 844}


# Begun last, one of them would keep the other process waiting at the end.
_LONGEST = ("test_look.py", "test_settings_security.py", "test_connections.py", "test_use.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, everything else in its order."""
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(_LONGEST)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"There is no Chromium at {CHROMIUM}: install Debian's, or say in CHROMIUM where yours is.")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def axe_source() -> str:
    """axe-core's script, installed once into the project's cache from the lock file beside this one."""
    script = CACHE / "node_modules" / "axe-core" / "axe.min.js"
    locked = (HERE / "package-lock.json").read_bytes()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("wb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # of several processes one installs it
        if not script.is_file() or (CACHE / "package-lock.json").read_bytes() != locked:
            if shutil.which("npm") is None:
                pytest.fail(
                    "The accessibility checks need npm (Node.js) once, to install axe-core: there is none here."
                )
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, CACHE / name)
            install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(install, cwd=CACHE, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.fail(f"axe-core could not be installed: {done.stderr[-500:]}")
    return script.read_text(encoding="utf-8")


class Site:
    """A running stack, its owner's session, and what is in its tables."""

    def __init__(self, stack: Stack, browser: Browser | None = None) -> None:
        self.stack, self.browser = stack, browser
        self.contents: object = None
        self.accounts: list[int] = []
        self.cookie: dict[str, Any] = {}

    @property
    def admin_url(self) -> str:
        return str(self.stack.secret("admin", "admin-database-url"))

    @property
    def organisation(self) -> uuid.UUID:
        found: uuid.UUID = seed.organisation(self.admin_url)
        return found

    def fill(self, accounts: Sequence[Any]) -> list[int]:
        """Exactly these accounts; nothing is done where they are there already. Returns our ids of them."""
        if self.contents is not accounts:
            seed.clear(self.admin_url)
            self.accounts = seed.seed(self.admin_url, self.organisation, accounts)
            self.contents = accounts
        return self.accounts

    def context(self, **options: Any) -> BrowserContext:
        """A browser of its own, nobody logged in."""
        assert self.browser is not None
        opened = self.browser.new_context(**{"viewport": DESKTOP, "locale": "en-GB", **options})
        opened.set_default_timeout(20_000)
        return opened

    def log_in(self, page: Page) -> None:
        email, password = self.stack.login
        page.goto(f"{self.stack.url}/login")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{self.stack.url}/")

    def owner(self, **options: Any) -> BrowserContext:
        """A browser with the owner's session, which is made once: logging in is limited."""
        context = self.context(**options)
        if not self.cookie:
            page = context.new_page()
            self.log_in(page)
            page.close()
            self.cookie = next(dict(c) for c in context.cookies() if c["name"] == "adloom_session")
        else:
            context.add_cookies([{"name": "adloom_session", "value": self.cookie["value"], "url": self.stack.url}])
        return context


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Dashboard, auth and what they need, on a business clock that stands still."""
    home = tmp_path_factory.mktemp("dashboard") / "home"
    parts = ["dashboard", "first-login", "connector", "sandbox", "oauth-callback"]
    facts = ROOT / "tests" / "data" / "meta_90_days"
    with Stack(home, parts=parts, facts=facts, clock=seed.NOW, rate=0) as stack:
        yield Site(stack)


@pytest.fixture(scope="module")
def site(running: Site, browser: Browser) -> Site:
    """The running stack, with this module's browser: while one is open, no other test can have an event loop."""
    running.browser = browser
    return running


@pytest.fixture(scope="module")
def windows(site: Site) -> Iterator[Callable[..., BrowserContext]]:
    """One logged-in browser window per kind and module, so that files come from its cache."""
    opened: dict[str, BrowserContext] = {}

    def window(**options: Any) -> BrowserContext:
        kind = repr(sorted(options.items()))
        if kind not in opened:
            opened[kind] = site.owner(**options)
        return opened[kind]

    yield window
    for context in opened.values():
        context.close()


@pytest.fixture
def open_page(site: Site, windows: Callable[..., BrowserContext]) -> Iterator[Callable[..., Page]]:
    """`open_page("/campaigns", viewport=PHONE)` is a logged-in page; an error in its console fails the test."""
    pages: list[Page] = []
    problems: list[str] = []

    def open_(path: str, *, quiet: bool = True, **options: Any) -> Page:
        page = windows(**options).new_page()
        pages.append(page)
        if quiet:
            page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(site.stack.url + path)
        page.wait_for_selector(".stack, .state")
        return page

    yield open_
    for page in pages:
        page.close()
    assert problems == []


def shot(page: Page, name: str) -> None:
    """Take a screenshot of the whole page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


# Elements that show a text of their own and have more of it than room: cut off, or spilling over their neighbours.
_CLIPPED = """
() => [...document.querySelectorAll('body *')].filter((element) => {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim());
  const unseen = '.only-read, svg, script, style, [hidden], .skip, option, details:not([open]) .menu-panel';
  if (!own || element.closest(unseen)) return false;
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height) return false;
  const style = getComputedStyle(element);
  if (style.display !== 'inline' && element.scrollWidth > element.clientWidth + 1) return true;
  const around = element.closest('td, th, .kpi, .btn, .card, .menu-item, .note, .sandbox, .trust');
  if (!around) return box.right > innerWidth + 1;
  const limit = around.getBoundingClientRect();
  return box.right > limit.right + 1 || box.left < limit.left - 1;
}).map((element) => element.outerHTML.slice(0, 160))
"""


@pytest.fixture
def inspect(axe_source: str) -> Callable[[Page, str], None]:
    """Take a screenshot, then insist: nothing scrolls sideways, no text is cut, axe has no serious finding."""

    def check(page: Page, name: str) -> None:
        shot(page, name)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px"
        assert page.evaluate(_CLIPPED) == []
        page.evaluate(axe_source)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")
        grave = [item for item in found["violations"] if item["impact"] in ("serious", "critical")]
        assert [(item["id"], [node["html"][:160] for node in item["nodes"][:3]]) for item in grave] == []

    return check
