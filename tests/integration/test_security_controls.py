"""Every control that the document on security names is held by the test that it names: without it that test fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from adloom.db import migrate
from tests.conftest import LENT_HOME, LENT_TEMPLATE
from tests.integration.controls import switched_off
from tests.integration.controls.switched_off import Control, Copies, DoesNotFitError, Run, Said

# A database in which TimescaleDB's workers are at work cannot be lent as a template.
pytestmark = pytest.mark.skipif("ADLOOM_POSTGRES_BIN" in os.environ, reason="what is switched off is our own code")

CONTROLS = switched_off.documented()
AS_IT_IS = "as-it-is"
# Exit codes of pytest: all passed; some tests failed.
PASSED, FAILED = 0, 1


@pytest.fixture(scope="module")
def lent(postgres_stack: Any, name_database: Callable[[], Any]) -> Iterator[dict[str, str]]:
    """The server of this run, not one that was named for it, and a migrated database to copy."""
    template = replace(name_database(), elsewhere=None)
    template.create()
    migrate.upgrade(template.admin_url)
    yield {LENT_HOME: str(postgres_stack.home.path), LENT_TEMPLATE: template.name}
    template.drop()


@pytest.fixture(scope="module")
def said(lent: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """What the named tests say of the project as it is, and each of a copy without its control."""
    folder = tmp_path_factory.mktemp("controls")
    copies, stale = Copies(folder), dict[str, Said]()
    runs = [Run(AS_IT_IS, copies.plain, tuple(sorted({each.test for each in CONTROLS})), lent)]
    for control in CONTROLS:
        try:
            copy = copies.without(control)
        except DoesNotFitError as error:
            stale[control.name] = Said(-1, str(error))
        else:
            # A database that is made without a control cannot be a copy of the one that has it.
            environment = {LENT_HOME: lent[LENT_HOME]} if control.is_in_the_database else lent
            runs.append(Run(control.name, copy, (control.test,), environment))
    return switched_off.run(folder, runs) | stale


def test_every_mutant_is_named_in_the_document_once() -> None:
    assert sorted(each.name for each in CONTROLS) == sorted(path.stem for path in switched_off.PATCHES.glob("*.patch"))
    assert len(CONTROLS) >= 20


def test_the_named_tests_pass_as_the_project_is(said: dict[str, Said]) -> None:
    assert said[AS_IT_IS].code == PASSED, said[AS_IT_IS].text[-5000:]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_a_control_that_is_switched_off_is_noticed(said: dict[str, Said], control: Control) -> None:
    """By a test that fails in what it asserts: a copy that cannot even be imported would show nothing."""
    here = said[control.name]

    assert here.code == FAILED, here.text[-3000:]
    assert f"FAILED {control.test}" in here.text
    assert "\nERROR " not in here.text, here.text[-3000:]
