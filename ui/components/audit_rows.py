"""Events of the audit trail, one row each that unfolds, and what keeps the trail honest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from adloom import clock
from ui import audit_words, formats
from ui.components.status import tag
from ui.i18n import _, _n
from ui.icons import icon
from ui.markup import Child, h
from ui.reads.audit import AuditParams

# Heads are signed hourly.
_LATE = timedelta(hours=2)
_LONGEST_VALUE = 2000
# As long as a line has room for.
_ROOM = 48
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def events(found: list[dict[str, Any]], actions: Mapping[str, str]) -> Markup:
    """The rows; `actions` are the words for what was done."""
    actors = audit_words.actors()
    return h("ul", [_event(each, actions, actors) for each in found], class_="events")


def _event(each: dict[str, Any], actions: Mapping[str, str], actors: Mapping[str, str]) -> Markup:
    """When, who, what and to what at a glance; unfolded everything that is known."""
    words = actions.get(each["action"], each["what"])
    when = datetime.fromisoformat(each["at"])
    failed = each["action"].endswith((".failed", ".denied", ".broken"))
    summary = h(
        "summary",
        h("time", formats.stamp(when), datetime=each["at"], class_="when"),
        h("span", h("b", _actor(each["actor"], actors), class_="plain"), class_="who"),
        h("span", words, h("span", _target(each["target"]), class_="muted"), class_="bad what" if failed else "what"),
        icon("down"),
    )
    return h("li", h("details", summary, _details(each), id=f"event-{each['position']}"))


def _actor(actor: dict[str, Any], actors: Mapping[str, str]) -> str:
    words = actors.get(actor["kind"], actor["kind"])
    if actor["kind"] == "key" and actor["name"]:
        return _("API key {name}").format(name=actor["name"])
    return str(actor["name"] or words[:1].upper() + words[1:])


def _target(target: dict[str, Any] | None) -> str | None:
    if target is None:
        return None
    shown = str(target["name"] or "")
    if not shown:
        known = target["id"]
        shown = f"{target['kind']} {known[:8]}…" if _UUID.fullmatch(known) else f"{target['kind']} {known}"
    return f" · {shown}" if len(shown) <= _ROOM else f" · {shown[: _ROOM - 1]}…"


def _details(each: dict[str, Any]) -> Markup:
    actor, target = each["actor"], each["target"]
    facts: list[tuple[str, Child]] = [(_("Action"), _search(each["action"], AuditParams(action=each["action"])))]
    who = [_search(actor["name"] or actor["id"] or actor["kind"], AuditParams(actor=actor["id"] or actor["kind"]))]
    if actor["email"]:
        who.append(h("span", f" {actor['email']}", class_="muted"))
    facts.append((_("Who"), who))
    if target:
        shown = f"{target['kind']} {target['name'] or target['id']}"
        facts.append((_("To what"), _search(shown, AuditParams(target=target["id"]))))
    facts += [
        (label, str(value))
        for label, value in (
            (_("From where"), actor["address"]),
            (_("With"), actor["agent"]),
            (_("Session"), actor["session"]),
            (_("Request"), each["request"]),
        )
        if value
    ]
    facts += [(_("Position"), formats.count(each["position"])), (_("Hash"), h("code", each["hash"], class_="quiet"))]
    listed = [h("div", h("dt", label), h("dd", value)) for label, value in facts]
    return h("div", _changes(each["old"], each["new"]), h("dl", listed), class_="event-more")


def _search(label: str, to: AuditParams) -> Markup:
    """Leads to everything that is like it."""
    return h("a", label, href=to.address())


def _changes(old: Any, new: Any) -> Markup | None:
    """Old and new beside each other, by field where both have fields."""
    if old is None and new is None:
        return None
    before = old if isinstance(old, dict) else {} if old is None else {"": old}
    after = new if isinstance(new, dict) else {} if new is None else {"": new}
    rows = []
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name), after.get(name)
        changed = None if name not in before else h("del", _value(was))
        becomes = None if name not in after else h("ins", _value(now))
        arrow = h("span", "→", class_="muted", aria_hidden="true") if changed and becomes else None
        rows.append(h("div", h("dt", str(name).replace("_", " ")), h("dd", changed, arrow, becomes)))
    return h("dl", rows, class_="changes")


def _value(value: Any) -> str:
    if value is None:
        return formats.NONE
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def chain(trail: dict[str, Any]) -> Markup:
    """How long the chain is, when its end was signed last, and what needs somebody."""
    count = int(trail["events"])
    events = _n("{count} event in one chain", "{count} events in one chain", count)
    parts = [events.format(count=formats.count(count)), *_signed(trail)]
    if trail["archived"]:
        where = _("the first {count}, up to {day}, are archived in {place}")
        until = datetime.fromisoformat(trail["archived_until"])
        parts.append(
            where.format(
                count=formats.count(trail["archived"]),
                day=formats.day_with_year(until.date()),
                place=trail["archived_at"],
            )
        )
    problems = [tag("bad", _problem(one)) for one in trail["problems"]]
    mood = "bad" if problems else "ok" if trail["signed_at"] else ""
    dot = h("i", class_=f"dot {mood}", aria_hidden="true")
    verify = _("`adloom audit verify` checks every link and every signature.")
    before, _sep, rest = verify.partition("`")
    command, _sep, after = rest.partition("`")
    how = h("p", before, h("code", command, class_="quiet"), after, class_="muted small")
    said = h("p", dot, h("span", " · ".join(parts)), class_="chain-line")
    return h("section", said, problems, how, class_="card chain")


def _signed(trail: dict[str, Any]) -> list[str]:
    if not trail["signed_at"]:
        return [_("its end has not been signed yet; that happens every hour")]
    signed, now = datetime.fromisoformat(trail["signed_at"]), clock.real_now()
    words = _("its end was signed {time}").format(time=formats.ago(signed, now))
    return [words if now - signed < _LATE else _("{words}, later than it should be").format(words=words)]


def _problem(one: dict[str, Any]) -> str:
    duties = {
        "heads": _("The chain's end cannot be signed and stored"),
        "archive": _("Old months cannot be archived"),
    }
    since = datetime.fromisoformat(one["since"])
    return _("{what} ({code}), since {time}").format(
        what=duties.get(one["duty"], one["duty"]), code=one["code"], time=formats.stamp(since)
    )
