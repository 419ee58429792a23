"""What mails say and how they look to a mail program."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from adloom.mail.message import LOGO_ID, compose, logo
from adloom.mail.templates import TEMPLATES

URL = "https://ads.example.com"
LINK = f"{URL}/reset#adl_r_abc&x=1"
ELEMENTS = {"html", "head", "meta", "title", "body", "div", "table", "tr", "td", "h1", "p", "a", "img"}
HOSTILE = "<script>alert(1)</script>\r\nBcc: all@example.com {link}"


class Reader(HTMLParser):
    """Every element and address of a mail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data


def data_of(template: str, value: str = "Ana") -> dict[str, str]:
    return dict.fromkeys(TEMPLATES[template].needs, value)


def link_of(template: str) -> str | None:
    chosen = TEMPLATES[template]
    return LINK if chosen.button and chosen.path is None else None


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_every_mail_says_the_same_as_text_and_as_html(template: str) -> None:
    message = compose("ana@example.com", template, data_of(template), link_of(template), URL)
    shown = Reader(message.html)

    assert "{" not in message.subject + message.text
    assert TEMPLATES[template].headline.partition("{")[0] in shown.words
    assert message.text.startswith(TEMPLATES[template].headline.partition("{")[0])
    assert shown.tags <= ELEMENTS
    page = URL + (TEMPLATES[template].path or "")
    assert set(shown.addresses) <= {LINK, URL, page, f"cid:{LOGO_ID}"}
    assert page in message.text
    assert (LINK in message.text) == (LINK in shown.addresses) == (link_of(template) is not None)
    assert all(len(line) <= 76 or LINK in line for line in message.text.splitlines())


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_data_is_text_whatever_it_looks_like(template: str) -> None:
    message = compose("ana@example.com", template, data_of(template, HOSTILE), link_of(template), URL)

    assert "script" not in Reader(message.html).tags
    assert "\n" not in message.subject
    assert "\r" not in message.subject


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_a_mail_takes_exactly_its_data(template: str) -> None:
    chosen = TEMPLATES[template]
    has_link = link_of(template) is not None
    chosen.check(data_of(template), has_link=has_link)

    for wrong in (data_of(template) | {"token": "x"}, dict(list(data_of(template).items())[1:])):
        if set(wrong) != chosen.needs:
            with pytest.raises(ValueError, match="takes"):
                chosen.check(wrong, has_link=has_link)
    with pytest.raises(ValueError, match="link"):
        chosen.check(data_of(template), has_link=not has_link)


def test_the_logo_is_a_small_png() -> None:
    assert logo().startswith(b"\x89PNG\r\n")
    assert len(logo()) < 10_000
