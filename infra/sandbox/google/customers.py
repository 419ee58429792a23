"""Who reaches which account, and by which way: the person, their manager accounts, and the clients below these.

An account whose `kind` in entities.csv is `direct` is the person's own; one of kind `sub_manager` is below a second
manager; every other account is a client of the first.
"""

from __future__ import annotations

from datetime import datetime

from infra.sandbox.facts.model import Account
from infra.sandbox.google import auth, errors
from infra.sandbox.google.auth import Caller
from infra.sandbox.google.nodes import Client, Manager, Node
from infra.sandbox.google.resources import customer_status
from infra.sandbox.world import World

TOP = Manager("9000000001", "Sandbox Agency")
SUB = Manager("9000000002", "Sandbox Agency, East", "JPY", "Asia/Tokyo")
_DIRECT, _BELOW = "direct", "sub_manager"


class Customers:
    """The hierarchy over the accounts that live now."""

    def __init__(self, world: World) -> None:
        self.world = world

    def accessible(self, caller: Caller) -> list[str]:
        """The accounts that the person was added to: not those below a manager."""
        clients = self._accounts(caller)
        own = [account.id for account in clients if _kind(account) == _DIRECT]
        return [*([TOP.id] if len(own) < len(clients) else []), *own]

    def customer(self, caller: Caller, customer_id: str) -> Account | Manager:
        """The account that a request names, if it may be reached by the way that the request names."""
        for one in (customer_id, caller.login_customer_id):
            if one and not (one.isascii() and one.isdigit()):
                raise errors.bad_customer_id(one)
        if not customer_id:
            raise errors.bad_customer_id(customer_id)
        login = caller.login_customer_id or customer_id
        if login not in self.accessible(caller):
            raise errors.no_permission()
        for client in self.clients(caller, login):
            if client.customer.id == customer_id:
                return self._open(client.customer, caller.now)
        raise errors.no_permission()

    def clients(self, caller: Caller, customer_id: str) -> list[Client]:
        """The account itself and, of a manager, everything below it."""
        accounts = self._accounts(caller)
        below = [account for account in accounts if _kind(account) == _BELOW]
        if customer_id != TOP.id:
            return [Client(account, 0) for account in accounts if account.id == customer_id]
        plain = [account for account in accounts if _kind(account) not in {_DIRECT, _BELOW}]
        found = [Client(TOP, 0), *(Client(account, 1) for account in plain)]
        return [*found, Client(SUB, 1), *(Client(account, 2) for account in below)] if below else found

    def client_nodes(self, caller: Caller, customer: Account | Manager) -> list[Node]:
        """The rows of `customer_client`."""
        return [Node(customer, caller.now, client=client) for client in self.clients(caller, customer.id)]

    def _accounts(self, caller: Caller) -> list[Account]:
        living = self.world.living(auth.PLATFORM, caller.now)
        return [account for account in living if account.id not in caller.withheld]

    @staticmethod
    def _open(customer: Account | Manager, now: datetime) -> Account | Manager:
        if customer_status(customer, now) == "CLOSED":
            raise errors.not_enabled()
        return customer


def _kind(account: Account) -> str:
    return account.row.kind.lower() if account.row else ""
