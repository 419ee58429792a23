"""The addresses of the settings' forms. All need a session, and a form token of it."""

from __future__ import annotations

from ui.deeds import connections, desk, keys, members, profile, security
from ui.services import Services

_PROFILE, _SECURITY, _MEMBERS, _KEYS = "/settings/profile", "/settings/security", "/settings/members", "/settings/keys"

DEEDS: dict[str, desk.Deed] = {
    f"{connections.PAGE}/connect": connections.connect,
    f"{connections.PAGE}/token": connections.adopt,
    f"{connections.PAGE}/{{connection_id:uuid}}/check": connections.check,
    f"{connections.PAGE}/{{connection_id:uuid}}/reconnect": connections.reconnect,
    f"{connections.PAGE}/{{connection_id:uuid}}/accounts": connections.choose,
    f"{connections.PAGE}/accounts/{{account_id:int}}/conversion": connections.count,
    f"{connections.PAGE}/{{connection_id:uuid}}/disconnect": connections.disconnect,
    "/settings/step-up": profile.step_up,
    f"{_PROFILE}/name": profile.rename,
    f"{_PROFILE}/email": profile.change_email,
    f"{_PROFILE}/email/verify": profile.verify_email,
    f"{_PROFILE}/password": profile.change_password,
    f"{_PROFILE}/language": profile.choose_language,
    f"{_PROFILE}/organisation": profile.switch,
    f"{_SECURITY}/sessions/end-others": security.end_others,
    f"{_SECURITY}/sessions/{{session_id:uuid}}/end": security.end_session,
    f"{_SECURITY}/authenticator": security.begin_authenticator,
    f"{_SECURITY}/authenticator/confirm": security.confirm_authenticator,
    f"{_SECURITY}/authenticator/remove": security.remove_authenticator,
    f"{_SECURITY}/recovery-codes": security.new_recovery_codes,
    f"{_SECURITY}/identities/link": security.link,
    f"{_SECURITY}/identities/{{identity_id:uuid}}/unlink": security.unlink,
    f"{_MEMBERS}/invite": members.invite,
    f"{_MEMBERS}/invitations/{{invitation_id:uuid}}/withdraw": members.withdraw,
    f"{_MEMBERS}/{{user_id:uuid}}/change": members.change,
    f"{_MEMBERS}/{{user_id:uuid}}/remove": members.remove,
    f"{_MEMBERS}/{{user_id:uuid}}/end-sessions": members.end_sessions,
    f"{_MEMBERS}/{{user_id:uuid}}/reset-factor": members.reset_factor,
    f"{_KEYS}/make": keys.make,
    f"{_KEYS}/{{key_id:uuid}}/revoke": keys.revoke,
}


def register(services: Services) -> None:
    desk.register(services, DEEDS)
