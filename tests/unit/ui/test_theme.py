import re

import pytest

from ui import theme

TEXTS = ("text", "muted", "accent", "good", "bad", "warn")
GROUNDS = ("page", "sidebar", "surface", "field", "hover")
ON_SOFT = (("accent", "accent-soft"), ("bad", "bad-soft"), ("warn", "warn-soft"))


def luminance(colour):
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=theme.THEMES)
@pytest.mark.parametrize(
    ("text", "ground"),
    [(text, ground) for text in TEXTS for ground in GROUNDS] + list(ON_SOFT) + [("on-accent", "accent")],
)
def test_every_text_can_be_read_on_every_ground(text, ground, mode):
    assert contrast(theme.TOKENS[text][mode], theme.TOKENS[ground][mode]) >= 4.5


def test_the_stylesheet_uses_only_colours_that_there_are():
    sheet = (theme.STATIC / "adloom.css").read_text(encoding="utf-8")
    used = set(re.findall(r"var\(--([a-z-]+)\)", sheet))
    assert used <= set(theme.TOKENS)
    assert re.findall(r"#[0-9a-f]{3,8}\b", sheet) == []


def test_the_visitors_choice_is_stronger_than_the_systems():
    assert ':root[data-theme="dark"]{color-scheme:dark}' in theme.variables()
