"""What mails say. Every text is in one place, and every piece of data in it is escaped where it becomes HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Template:
    """A mail. `{name}` in its texts stands for a piece of data; `facts` are shown as label and data below the text.

    `button` is the label of the link, for templates that have one: a credential that comes with the mail, or `path`, a
    page of the dashboard, which is none.
    """

    subject: str
    headline: str
    text: str
    needs: frozenset[str] = frozenset()
    facts: Mapping[str, str] = field(default_factory=dict)
    button: str | None = None
    path: str | None = None
    after: str = ""

    def check(self, data: Mapping[str, str], *, has_link: bool) -> None:
        """ValueError unless the data is exactly what the template asks for."""
        if set(data) != self.needs:
            raise ValueError(f"this mail takes {sorted(self.needs)}, not {sorted(data)}")
        if has_link != (self.button is not None and self.path is None):
            raise ValueError("this mail has a link" if self.button else "this mail has no link")


_NOT_YOU = "If this was not you, somebody else knows your password: reset it now, and look at your sessions."

TEMPLATES: Mapping[str, Template] = {
    "invitation": Template(
        "{inviter} invites you to {organisation} on Adloom",
        "Join {organisation}",
        "{inviter} invites you to look at {organisation}'s campaigns on Adloom, as {role}.",
        frozenset({"inviter", "organisation", "role", "valid"}),
        button="Accept the invitation",
        after="The link works once and for {valid}. If you expect no invitation, do nothing.",
    ),
    "registration": Template(
        "Finish your registration at Adloom",
        "Finish your registration",
        "Somebody, probably you, wants to use Adloom with this address. Choose a name and a password to go on.",
        frozenset({"valid"}),
        button="Go on",
        after="The link works once and for {valid}. If it was not you, do nothing: nothing has been made.",
    ),
    "registered_already": Template(
        "You have an account at Adloom",
        "You have an account already",
        "Somebody, probably you, wanted to register at Adloom with this address, which has an account.",
        button="Log in",
        after="If you have forgotten the password, the log-in page lets you choose another one.",
    ),
    "verify_email": Template(
        "Confirm your e-mail address",
        "Confirm your e-mail address",
        "Hello {name}, please confirm that {email} is your address. Mails of Adloom come to it.",
        frozenset({"name", "email", "valid"}),
        button="Confirm the address",
        after="The link works once and for {valid}.",
    ),
    "reset_password": Template(
        "Choose a new password",
        "Choose a new password",
        "Hello {name}, somebody, probably you, asked for a new password for your account at Adloom.",
        frozenset({"name", "valid"}),
        button="Choose a new password",
        after="The link works once and for {valid}. If it was not you, do nothing: your password stays as it is.",
    ),
    "no_account": Template(
        "There is no account of this address",
        "There is no account of this address",
        "Somebody, probably you, asked for a new password at Adloom for this address. It has no account there; "
        "perhaps you use another address.",
        after="If it was not you, do nothing.",
    ),
    "password_changed": Template(
        "Your password was changed",
        "Your password was changed",
        "Hello {name}, the password of your account was changed, and all your sessions have ended.",
        frozenset({"name", "when", "address"}),
        {"When": "{when}", "From": "{address}"},
        after="If this was not you, reset your password from the log-in page, and tell your administrator.",
    ),
    "email_changed": Template(
        "Your e-mail address was changed",
        "Your e-mail address was changed",
        "Hello {name}, your account at Adloom has a new address. This one gets no more mails.",
        frozenset({"name", "when"}),
        {"When": "{when}"},
        after="If this was not you, tell your administrator.",
    ),
    "mfa_on": Template(
        "Two-step log-in is on",
        "Two-step log-in is on",
        "Hello {name}, from now on logging in asks for a code of your authenticator app.",
        frozenset({"name", "when", "address"}),
        {"When": "{when}", "From": "{address}"},
        after=_NOT_YOU,
    ),
    "mfa_off": Template(
        "Two-step log-in is off",
        "Two-step log-in is off",
        "Hello {name}, logging in no longer asks for a code. {reason}",
        frozenset({"name", "when", "reason"}),
        {"When": "{when}"},
        after="If you did not want this, tell your administrator.",
    ),
    "recovery_codes_new": Template(
        "You have new recovery codes",
        "You have new recovery codes",
        "Hello {name}, new recovery codes were made for your account. The old ones work no more.",
        frozenset({"name", "when", "address"}),
        {"When": "{when}", "From": "{address}"},
        after=_NOT_YOU,
    ),
    "recovery_code_used": Template(
        "A recovery code was used",
        "A recovery code was used",
        "Hello {name}, somebody logged in to your account with a recovery code. You have {left} left.",
        frozenset({"name", "when", "address", "left"}),
        {"When": "{when}", "From": "{address}"},
        after=_NOT_YOU,
    ),
    "wrong_codes": Template(
        "Somebody has your password",
        "Somebody knows your password",
        "Hello {name}, somebody logged in to your account with the right password and then gave wrong codes, "
        "several times. They did not get in.",
        frozenset({"name", "when", "address"}),
        {"When": "{when}", "From": "{address}"},
        after="If it was not you, choose another password now.",
    ),
    "sso_linked": Template(
        "You can log in with {provider} now",
        "You can log in with {provider} now",
        "Hello {name}, an identity at {provider} was linked with your account: it logs in to Adloom.",
        frozenset({"name", "when", "address", "provider"}),
        {"When": "{when}", "From": "{address}"},
        after="If this was not you, unlink it on the security page, and choose another password.",
    ),
    "sso_unlinked": Template(
        "{provider} was unlinked from your account",
        "{provider} was unlinked from your account",
        "Hello {name}, your identity at {provider} no longer logs in to Adloom.",
        frozenset({"name", "when", "address", "provider"}),
        {"When": "{when}", "From": "{address}"},
        after="If this was not you, choose another password, and tell your administrator.",
    ),
    "access_ending": Template(
        "The access to {platform} ends in {left}",
        "The access to {platform} ends in {left}",
        "Hello {name}, Adloom reads the ad accounts of {organisation} at {platform} by the log-in of {person}. That "
        "access ends soon, and only a person can prolong it. After its end no new numbers come from there.",
        frozenset({"name", "organisation", "platform", "person", "left", "when"}),
        {"Platform": "{platform}", "Log-in": "{person}", "Ends": "{when}"},
        button="Connect again",
        path="/connections",
        after="Connecting again takes a minute. Accounts and history stay as they are.",
    ),
    "new_device": Template(
        "New log-in from {device}",
        "Somebody logged in from a new device",
        "Hello {name}, your account was used from a device that we have not seen before.",
        frozenset({"name", "when", "address", "device", "place"}),
        {"Device": "{device}", "Place": "{place}", "From": "{address}", "When": "{when}"},
        after=_NOT_YOU,
    ),
}
