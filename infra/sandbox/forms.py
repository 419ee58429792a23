"""What a request sends as text: in its address, and in a form."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request


async def texts(request: Request) -> dict[str, str]:
    """The fields of its form."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


async def parameters(request: Request) -> dict[str, str]:
    """Those of the address and, of a POST, those of its form over them."""
    params = dict(request.query_params)
    return params | await texts(request) if request.method == "POST" else params


def chosen(form: FormData, name: str) -> list[str] | None:
    """What a person ticked on a page with choices; None where the form came from no such page."""
    return [str(one) for one in form.getlist(name)] if "choices" in form else None
