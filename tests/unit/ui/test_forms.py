import pytest

from ui import forms
from ui.sessions import Viewer


def test_a_form_token_fits_its_form_its_browser_and_its_secret():
    token = forms.form_token("secret", "login", "nonce")
    assert forms.is_form_token(token, "secret", "login", "nonce")
    assert not forms.is_form_token(token, "secret", "logout", "nonce")
    assert not forms.is_form_token(token, "secret", "login", "another")
    assert not forms.is_form_token(token, "other", "login", "nonce")
    assert not forms.is_form_token(forms.form_token("secret", "login", ""), "secret", "login", "")
    assert not forms.is_form_token("\u00e4", "secret", "login", "nonce")


@pytest.mark.parametrize("target", ["/", "/campaigns?range=7d&q=a%20b", "/data-health#connections"])
def test_after_login_one_comes_back_to_a_page_of_ours(target):
    assert forms.safe_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "campaigns",
        "/\t/evil.example",
        "/\n",
        "/logout",
        "/login",
        "/" + "x" * 3000,
    ],
)
def test_after_login_nobody_is_sent_to_another_site(target):
    assert forms.safe_next(target) == "/"


def test_only_our_own_origin_may_change_something():
    allowed = forms.origins("https://ads.example.com")
    assert forms.same_origin("https://ads.example.com", allowed)
    for foreign in (
        None,
        "null",
        "http://ads.example.com",
        "https://ads.example.com.evil.example",
        "https://evil.example",
    ):
        assert not forms.same_origin(foreign, allowed)


def test_on_this_machine_both_its_names_are_ours():
    allowed = forms.origins("http://127.0.0.1:8080")
    assert forms.same_origin("http://127.0.0.1:8080", allowed)
    assert forms.same_origin("http://localhost:8080", allowed)
    assert not forms.same_origin("http://localhost:9090", allowed)


@pytest.mark.parametrize(
    ("name", "initials"), [("Mira Keller", "MK"), ("Owner", "O"), ("Anna Lena von Berg", "AB"), ("\u2014", "M")]
)
def test_a_person_is_shown_by_their_initials(name, initials):
    viewer = Viewer(None, name, "mail@example.com", None, "Acme", "viewer", "*", "token")
    assert viewer.initials == initials
