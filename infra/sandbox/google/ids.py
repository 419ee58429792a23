"""Google's ids are 64-bit numbers, so a facts folder with others cannot be served as Google."""

from __future__ import annotations

from infra.sandbox.facts import columns
from infra.sandbox.facts.errors import FactsError, Fault
from infra.sandbox.facts.model import Folder

_MOST = 2**63 - 1


def check(folder: Folder) -> None:
    """FactsError for the first id of an account, campaign, ad group or ad that is no such number."""
    for account in folder.of("google").values():
        for one in (account.id, *account.campaigns, *account.adgroups, *account.ads):
            if not (one.isascii() and one.isdigit() and int(one) <= _MOST and one == str(int(one))):
                reason = f"{one!r} of Google account {account.id} is no 64-bit number, as Google's ids are"
                raise FactsError([Fault(columns.FACTS_FILE, 0, reason)])
