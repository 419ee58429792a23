"""What the audit trail says, in the visitor's language: actions, kinds of actors, fields of what changed."""

from __future__ import annotations

from adloom.audit.actions import ACTIONS
from ui.i18n import _


def actions() -> dict[str, str]:
    """Every action in words; one that is new here is said as the trail itself says it."""
    return {**ACTIONS, **people(), **access(), **system()}


def people() -> dict[str, str]:
    return {
        "session.opened": _("Logged in"),
        "session.ended": _("Ended sessions"),
        "session.renewed": _("Proved again who they are"),
        "session.switched": _("Went on in another organisation"),
        "login.passed": _("Gave the right password"),
        "login.failed": _("A log-in failed"),
        "permission.denied": _("Was refused"),
        "organisation.made": _("Made the organisation"),
        # Whoever acts may be the new one or somebody who added them.
        "member.added": _("New member"),
        "member.role_changed": _("Changed a member's role or accounts"),
        "member.removed": _("Removed a member"),
        "invitation.made": _("Invited somebody"),
        "invitation.revoked": _("Withdrew an invitation"),
        "invitation.accepted": _("Accepted an invitation"),
        "registration.asked": _("Asked to register"),
        "email.change_asked": _("Asked to change an e-mail address"),
        "email.verification_asked": _("Asked to confirm an e-mail address"),
        "email.verified": _("Confirmed an e-mail address"),
        "email.changed": _("Changed an e-mail address"),
        "profile.changed": _("Changed a profile"),
    }


def access() -> dict[str, str]:
    return {
        "password.changed": _("Changed a password"),
        "password.reset_asked": _("Asked for a new password"),
        "password.reset": _("Chose a new password by mail"),
        "mfa.begun": _("Began to set up a second factor"),
        "mfa.enabled": _("Turned a second factor on"),
        "mfa.disabled": _("Took a second factor away"),
        "mfa.failed": _("A code was wrong"),
        "mfa.recovery_code_used": _("Used a recovery code"),
        "mfa.recovery_codes_made": _("Made new recovery codes"),
        "key.made": _("Made an API key"),
        "key.changed": _("Changed an API key"),
        "key.revoked": _("Revoked an API key"),
        "operator_key.made": _("Made an operator key"),
        "operator_key.revoked": _("Revoked an operator key"),
        "sso.linked": _("Linked an identity"),
        "sso.unlinked": _("Unlinked an identity"),
        "sso.failed": _("A log-in by a provider failed"),
    }


def system() -> dict[str, str]:
    return {
        "connection.begun": _("Began to connect a platform"),
        "connection.made": _("Connected a platform"),
        "connection.accounts_chosen": _("Chose ad accounts"),
        "connection.broken": _("A platform's access stopped working"),
        "connection.refreshed": _("A platform's access was prolonged"),
        "connection.mended": _("A platform's access works again"),
        "connection.removed": _("Disconnected a platform"),
        "sync.asked": _("Asked for a sync"),
        "account.changed": _("Changed an ad account"),
        "ring.rotated": _("Encrypted anew by another key"),
        "event.replayed": _("Sent events again"),
        "event.republished": _("Announced numbers again"),
        "sandbox.clock_moved": _("Moved the sandbox's clock"),
        "backup.made": _("Wrote a backup"),
        "backup.restored": _("Restored a backup"),
        "database.migrated": _("Migrated the database"),
        "audit.archived": _("Archived a part of the trail"),
        "audit.exported": _("Exported the trail"),
    }


def actors() -> dict[str, str]:
    """Who acts, where it is no person by name."""
    return {
        "user": _("a person"),
        "key": _("an API key"),
        "operator": _("the operator"),
        "anonymous": _("somebody unknown"),
        "system": _("Adloom itself"),
        "command_line": _("the command line"),
    }
