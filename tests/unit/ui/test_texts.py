import re

import pytest
from babel.messages.pofile import read_po

from adloom.accounts.arrivals import device_name
from adloom.clock import real_now
from ui import catalogues
from ui.i18n import SOURCE_LANGUAGE, TEMPLATE, catalogue, language_for, languages, negotiate, speaking
from ui.pages import security

TRANSLATED = [language for language in languages() if language != SOURCE_LANGUAGE]


def placeholders(message):
    return sorted(set(re.findall(r"{\w+}", message)))


def read(language):
    with catalogue(language).open("rb") as file:
        return read_po(file, locale=language)


def test_the_template_has_the_texts_of_the_code():
    assert TEMPLATE.read_bytes() == catalogues.written(catalogues.extract()), "run: python -m ui.catalogues"


def test_there_is_a_translation():
    assert TRANSLATED == ["de"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(language):
    wanted = {message.id for message in catalogues.extract() if message.id}
    known = {message.id: message for message in read(language) if message.id}
    missing = [key for key in wanted if key not in known or not all(_forms(known[key].string))]
    assert missing == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_the_placeholders(language):
    for message in read(language):
        for shown in _forms(message.string):
            if (message.id and shown != _forms(message.string)[0]) or (isinstance(message.id, str) and message.id):
                assert placeholders(shown) == placeholders(_forms(message.id)[-1]), message.id


def _forms(string):
    return list(string) if isinstance(string, tuple | list) else [string]


@pytest.mark.parametrize(
    ("header", "language", "region"),
    [
        (None, "en", "GB"),
        ("", "en", "GB"),
        ("de", "de", None),
        ("de-AT,de;q=0.9,en;q=0.8", "de", "AT"),
        ("fr-FR,fr;q=0.9,de;q=0.5", "de", None),
        ("fr", "en", "GB"),
        ("en-US,en;q=0.9", "en", "US"),
        ("en;q=0.2, de;q=0.8", "de", None),
        ("de;q=0, en", "en", "GB"),
        ("*;q=x, ../../etc, de;q=nonsense, en", "en", "GB"),
    ],
)
def test_the_visitors_language_is_the_best_of_ours(header, language, region):
    found = negotiate(header)
    assert (found.locale.language, found.locale.territory) == (language, region)


def test_a_browser_that_says_nothing_of_itself_has_a_name_in_every_language():
    now = real_now().isoformat()
    session = {"session_id": "1", "last_used_at": now, "created_at": now, "place": "", "address": "", "current": True}
    with speaking(language_for("de", None)):
        unknown = security._session(session | {"device": device_name("")}, name_organisation=False)
        known = security._session(session | {"device": device_name("curl/8.5.0")}, name_organisation=False)
    assert "Unbekanntes Gerät" in unknown
    assert "curl" in known
