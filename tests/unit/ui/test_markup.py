from markupsafe import Markup

from ui.markup import h, join


def test_text_is_escaped_wherever_it_stands():
    evil = '"><script>alert(1)</script>'
    shown = h("a", evil, href=evil, title=evil)
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") == 3


def test_markup_inside_markup_stays_markup():
    assert h("p", h("b", "bold"), " & more") == Markup("<p><b>bold</b> &amp; more</p>")


def test_none_and_false_leave_an_attribute_out_and_true_has_no_value():
    assert h("input", required=True, disabled=False, value=None) == "<input required>"


def test_underscores_become_hyphens_and_keywords_can_be_written():
    assert h("label", for_="x", data_here="1", class_="field") == '<label for="x" data-here="1" class="field"></label>'


def test_children_may_be_lists_of_lists():
    assert join("a", ["b", [h("i"), None]], "<") == "ab<i></i>&lt;"
