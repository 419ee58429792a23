"""Pages of a list: what an address asks for may be gone by now."""

import pytest

from ui.components.table import Column, page_of, paged, pager
from ui.params import Params


@pytest.mark.parametrize(
    ("asked", "count", "page", "first", "last"),
    [
        (1, 45, 1, 0, 19),
        (2, 45, 2, 20, 39),
        (3, 45, 3, 40, 44),
        (4, 45, 3, 40, 44),
        (2, 40, 2, 20, 39),
        (2, 1, 1, 0, 0),
    ],
)
def test_a_page_that_is_gone_is_the_last_one(asked, count, page, first, last):
    params, shown = page_of(Params(search="x", page=asked), range(count), 20)
    assert params == Params(search="x", page=page)
    assert (shown[0], shown[-1]) == (first, last)


def test_of_nothing_there_is_one_empty_page():
    params, shown = page_of(Params(page=2), [], 20)
    assert (params.page, list(shown)) == (1, [])


def test_no_pager_is_left_when_the_rest_fits_on_one_page():
    params, shown = page_of(Params(page=2), ["this browser"], 20)
    assert pager(params, "/settings/security", shown=len(shown), total=1, size=20) is None


def listed(params: Params, rows: list[str]) -> str:
    return paged(params, "/x", [Column("Name", str)], rows, size=2, caption="Names", key=str)


def test_a_list_has_the_way_to_its_other_pages():
    assert "1 to 2 of 3" in listed(Params(), ["a", "b", "c"])
    assert "3 to 3 of 3" in listed(Params(page=9), ["a", "b", "c"])


def test_a_filter_that_leaves_nothing_is_said():
    assert "Nothing has “zz” in its name." in listed(Params(search="zz"), [])
