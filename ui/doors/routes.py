"""The doors' addresses. All are public: their credentials are in the forms."""

from __future__ import annotations

from nicegui import app

from ui.doors.asking import ForgottenDoor, RegisterDoor, SetupDoor
from ui.doors.mailed import InvitationDoor, RegistrationDoor, ResetDoor, VerifyDoor
from ui.doors.second_step import CodeDoor, EnrolDoor
from ui.doors.sso import PROVIDERS, START, CallbackDoor, StartDoor
from ui.services import Services


def register(services: Services) -> None:
    """Add a page and its form for each."""
    doors = (
        CodeDoor(services),
        EnrolDoor(services),
        SetupDoor(services, "setup"),
        ForgottenDoor(services, "forgotten"),
        RegisterDoor(services, "register"),
        ResetDoor(services, "reset"),
        VerifyDoor(services, "verify"),
        RegistrationDoor(services, "registration"),
        InvitationDoor(services, "invitation"),
        StartDoor(services, START),
        *(CallbackDoor(services, provider) for provider in PROVIDERS),
    )
    for door in doors:
        app.add_route(door.path, door.greet, methods=["GET"])
        app.add_route(door.path, door.take, methods=["POST"])
