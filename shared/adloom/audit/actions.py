"""Every action that an event may name. A closed list: what is not here cannot be written."""

from __future__ import annotations

ACTIONS: dict[str, str] = {
    # Log-ins and sessions
    "session.opened": "Somebody logged in",
    "session.ended": "Sessions were ended",
    "session.renewed": "Somebody proved again who they are",
    "session.switched": "Somebody went on in another organisation",
    "login.passed": "A first step was right, and a second one is asked for",
    "login.failed": "A log-in failed: a wrong password, an unknown address, a wrong code",
    "permission.denied": "Somebody was refused what they may not do",
    # People
    "organisation.made": "An organisation was made",
    "member.added": "Somebody became a member",
    "member.role_changed": "A member's role or accounts were changed",
    "member.removed": "A member was taken out",
    "invitation.made": "Somebody was invited",
    "invitation.revoked": "An invitation was taken back",
    "invitation.accepted": "An invitation was accepted",
    "registration.asked": "Somebody asked to register",
    "email.change_asked": "Somebody asked to change an e-mail address",
    "email.verification_asked": "Somebody asked to verify an e-mail address",
    "email.verified": "An e-mail address was verified",
    "email.changed": "An e-mail address was changed",
    "profile.changed": "Somebody changed their profile",
    # Passwords and second factors
    "password.changed": "Somebody changed their password",
    "password.reset_asked": "A mail to reset a password was asked for",
    "password.reset": "A password was reset by a mailed link",
    "mfa.begun": "Somebody began to set up an authenticator app",
    "mfa.enabled": "An authenticator app was taken into use",
    "mfa.disabled": "A second factor was taken away",
    "mfa.failed": "A code was wrong",
    "mfa.recovery_code_used": "A recovery code was used",
    "mfa.recovery_codes_made": "New recovery codes were made",
    # Keys and identity providers
    "key.made": "An API key was made",
    "key.changed": "An API key was changed",
    "key.revoked": "An API key was revoked",
    "operator_key.made": "An operator key was made",
    "operator_key.revoked": "An operator key was revoked",
    "sso.linked": "An identity of a provider was linked",
    "sso.unlinked": "An identity of a provider was unlinked",
    "sso.failed": "A log-in through a provider failed",
    # Ad platforms
    "connection.begun": "Somebody was sent to a platform to connect",
    "connection.made": "A platform's log-in was connected",
    "connection.accounts_chosen": "Ad accounts were chosen",
    "connection.broken": "A platform's log-in stopped working",
    "connection.removed": "A platform's log-in was disconnected",
    "sync.asked": "Somebody asked for numbers to be fetched",
    "account.changed": "An ad account's settings were changed",
    # The deployment
    "event.replayed": "Undelivered events were sent again",
    "event.republished": "Numbers were announced again",
    "sandbox.clock_moved": "The sandbox's business clock was moved",
    "backup.made": "A backup was written",
    "backup.restored": "The database was filled from a backup",
    "database.migrated": "The database was brought to another migration",
    "audit.archived": "A part of the trail was moved into the object storage",
    "audit.exported": "A part of the trail was exported",
}
