"""Bases and fields of requests."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_LARGEST_ID = 2**63 - 1  # bigint


def whole(value: Any) -> Any:
    """JSON has one kind of number: 7.0 is the integer 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[int, Field(ge=1, le=_LARGEST_ID), BeforeValidator(whole)]


def _closed(schema: dict[str, Any]) -> None:
    schema["additionalProperties"] = False


class RequestModel(BaseModel):
    """A request's body or query: unknown fields are refused. Models inside it derive from this one too."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ForeignQuery(BaseModel):
    """A query that others write, such as an ad platform's redirect: what we do not know in it is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Accepted(BaseModel):
    """A hint was heard. Tells nothing else."""

    model_config = ConfigDict(json_schema_extra=_closed)
