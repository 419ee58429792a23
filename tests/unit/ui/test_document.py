"""The narrow page, outside of NiceGUI."""

import pytest

from ui.document import document, door_card


@pytest.mark.parametrize("sandbox", [True, False])
def test_it_says_whether_the_numbers_are_the_sandboxs(sandbox):
    page = document("Log in", door_card("Log in"), None, sandbox=sandbox, status=503)
    assert page.status_code == 503
    assert (b"data-sandbox" in page.body) is sandbox
    assert b"<h1>Log in</h1>" in page.body
