"""What an error of an ad platform means for people: what happened, who must act, what to do next.

One catalogue for pages and mails. `advice()` takes what is stored of an error: our code and the platform's own. The
texts are English; the dashboard translates them as they stand in the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from adloom.errors import Actor
from adloom.platforms.advice_causes import CAUSES, Cause, Remedy
from adloom.platforms.advice_codes import BY_PLATFORM_CODE, FAMILIES, OWN_CODES

# Every platform by the name that people know.
NAMES: Mapping[str, str] = {"google": "Google Ads", "meta": "Meta", "tiktok": "TikTok"}


@dataclass(frozen=True)
class Advice:
    """Sentences for a person; `{platform}` in them stands for the platform's name. `acts` is who makes it go away."""

    cause: Cause
    acts: Actor
    remedy: Remedy
    happened: str
    step: str

    def named(self, platform: str) -> Advice:
        """The same with the platform's name in it."""
        name = NAMES.get(platform, platform)
        return replace(self, happened=self.happened.format(platform=name), step=self.step.format(platform=name))


# How every platform's `errors` ends a sentence that tells what the platform said.
_CODE = re.compile(r"\(code ([^\s,()]+)[,)]")

ADVICE: Mapping[Cause, Advice] = {name: Advice(name, *words) for name, words in CAUSES.items()}


def advice(platform: str, code: str, platform_code: str = "") -> Advice:
    """What to say of an error: `code` is ours, as `connection_broken`, `platform_code` the platform's, as `190/463`.

    Who acts is always whom the error's class names; the platform's code says more exactly why.
    """
    own = OWN_CODES.get(code)
    if own:
        return ADVICE[own]
    known = BY_PLATFORM_CODE.get(platform, {})
    exact = known.get(platform_code) or known.get(platform_code.partition("/")[0])
    if platform_code.partition("/")[0] == "network":
        exact = "network"
    family = FAMILIES.get(code)
    if exact is None or family is None:
        return ADVICE[exact or family or "unknown"]
    # The platform uses some codes for more than one thing; its error was classified by more than the code.
    return ADVICE[exact if ADVICE[exact].acts is ADVICE[family].acts else family]


def code_in(detail: str | None) -> str:
    """The platform's own code in the sentence that is stored with an error; empty where it has none."""
    found = _CODE.search(detail or "")
    return found[1] if found else ""
