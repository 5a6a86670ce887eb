"""The description of the service by OpenAPI: what its answers are, besides what its routes say of themselves."""

from typing import Any, Literal

from fastapi import Depends
from fastapi.security.http import HTTPBase
from pydantic import BaseModel, ConfigDict

from abaco.kpis.verdict import STATES
from abaco.service.security import Access


class Verdict(BaseModel):
    """What the latest report says of itself."""

    model_config = ConfigDict(extra="forbid")

    date: str
    text: str
    state: Literal[STATES]
    limits: int
    checked: int
    lost: bool
    shrunk: bool
    absent: bool
    past_limits: dict[str, Literal["critical", "warning"]]


class Running(BaseModel):
    """A run at work, whoever started it."""

    model_config = ConfigDict(extra="forbid")

    date: str
    since: str
    phase: str | None


class Health(BaseModel):
    """The state of the service; times in UTC."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["healthy", "degraded", "unhealthy"]
    last_run: str | None
    next_run: str | None
    running: Running | None
    metrics_computed: int | None
    verdict: Verdict | None
    last_error: str | None


class Readiness(BaseModel):
    """Whether the service can answer, and why not."""

    model_config = ConfigDict(extra="forbid")

    ready: bool
    reason: str | None


def _said(text: str, *kinds: str) -> dict[str, Any]:
    return {"description": text, "content": {kind: {"schema": {"type": "string"}} for kind in kinds}}


PAGE, TEXT = "text/html", "text/plain"
NOT_THERE = {404: _said("There is no such report, run or file", PAGE, TEXT)}
FILE = {
    200: {
        "description": "The file; what a browser cannot show is an attachment",
        "content": {kind: {} for kind in (PAGE, "application/json", "image/png", "application/octet-stream")},
    },
    206: {"description": "The part of the file that the header Range asks for"},
    400: _said("The header Range cannot be read", TEXT),
    416: {"description": "The file has no such part"},
}
ARCHIVE = {200: {"description": "All files of the run", "content": {"application/zip": {}}}}
SCRIPT = FILE | {200: {"description": "The script of the pages", "content": {"text/javascript": {}}}}
NOTEBOOK = FILE | NOT_THERE
HEALTH = {
    200: {
        "description": "It works, also when its status is degraded; as a page, where a browser asks",
        "model": Health,
        "content": {PAGE: {"schema": {"type": "string"}}},
    },
    503: {"description": "It cannot work; or, as text, there are too many connections", "model": Health},
}
READINESS = {
    200: {"description": "It can answer", "model": Readiness},
    503: {"description": "It cannot; or, as text, there are too many connections", "model": Readiness},
}


def errors(access: Access) -> dict[int, dict[str, Any]]:
    """Return the answers that every route may give besides its own."""
    unusual = {
        405: _said("The method is neither GET nor HEAD", PAGE),
        422: _said("A parameter is missing or too long", PAGE),
        503: _said("The database cannot be read, a report is damaged, or there are too many connections", PAGE, TEXT),
    }
    return unusual if access.is_set else unusual | {421: _said("The header Host does not name this machine", TEXT)}


def refusals(access: Access) -> dict[int, dict[str, Any]]:
    """Return the answers without the token or the password, if one is set."""
    if not access.is_set:
        return {}
    wait = {"headers": {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}}
    return {
        401: _said("The token or password is missing or wrong", TEXT),
        429: _said("Too many wrong tokens or passwords of one address; the right one is always taken", TEXT) | wait,
    }


def security(access: Access) -> list[Any]:
    """Return what gives access, as dependencies of routes; `abaco.service.security.Guard` is what checks it."""
    schemes = {"token": ("bearer", access.token), "password": ("basic", access.password)}
    return [
        Depends(HTTPBase(scheme=scheme, scheme_name=name, auto_error=False))
        for name, (scheme, secret) in schemes.items()
        if secret
    ]
