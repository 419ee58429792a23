"""Every text of the dashboard goes through `_()` and `_n()`; the visitor's language is the one chosen on the profile
page, else it comes from Accept-Language.

Catalogues are gettext `.po` files, read at start and kept as they are: nothing is compiled into the repository.
The current language is a context variable: `speaking(language)` sets it around whatever builds markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LOCALES = Path(__file__).parent / "locales"
TEMPLATE = LOCALES / "adloom.pot"
SOURCE_LANGUAGE = "en"
# Texts are written in British English, so are dates when a visitor says no more than "English".
DEFAULT_LOCALE = "en_GB"


@dataclass(frozen=True)
class Language:
    """The visitor's language: the catalogue, and the region's way of writing numbers and dates."""

    locale: Locale
    translations: NullTranslations

    @property
    def tag(self) -> str:
        """What the `lang` attribute says, e.g. `de`."""
        return str(self.locale.language)


def catalogue(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "adloom.po"


@cache
def languages() -> tuple[str, ...]:
    """The languages there are texts in: the source language and one per catalogue."""
    translated = sorted(path.parent.parent.name for path in LOCALES.glob("*/LC_MESSAGES/adloom.po"))
    return (SOURCE_LANGUAGE, *translated)


@cache
def _translations(language: str) -> NullTranslations:
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    compiled = BytesIO()
    with catalogue(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


@cache
def language_of(tag: str) -> Language | None:
    """The language of a tag such as `de-AT`; None when there are no texts in it."""
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return None
    if locale.language not in languages():
        return None
    if locale.language == SOURCE_LANGUAGE and locale.territory is None:
        locale = Locale.parse(DEFAULT_LOCALE)
    return Language(locale, _translations(locale.language))


def negotiate(accept_language: str | None) -> Language:
    """The best language for an Accept-Language header; English where it names none of ours."""
    weighted = []
    for position, part in enumerate((accept_language or "").split(",")[:20]):
        tag, _sep, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        weighted.append((-weight, position, tag))
    for weight, _position, tag in sorted(weighted):
        found = language_of(tag) if weight < 0 else None
        if found is not None:
            return found
    return Language(Locale.parse(DEFAULT_LOCALE), _translations(SOURCE_LANGUAGE))


def language_for(chosen: str | None, accept_language: str | None) -> Language:
    """The language that was chosen; where nobody chose one of ours, the best for the header."""
    wanted = negotiate(accept_language)
    if chosen not in languages() or chosen == wanted.tag:
        return wanted
    return language_of(chosen) or wanted


_current: ContextVar[Language] = ContextVar("language")


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Texts, numbers and dates inside are in this language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Language:
    return _current.get(None) or negotiate(None)


def _(message: str) -> str:
    """The message in the current language."""
    return current().translations.gettext(message)


def _n(singular: str, plural: str, number: int) -> str:
    """The message in the form that fits the number."""
    return current().translations.ngettext(singular, plural, number)
