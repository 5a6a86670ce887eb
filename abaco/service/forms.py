"""The page that makes reports, and its forms: no other site can send them, and whatever is refused is one line."""

import hmac
import logging
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response

from abaco.service import make_page
from abaco.service.making import Maker
from abaco.service.multipart import STALE
from abaco.service.pages import Page
from abaco.service.reports import Book

log = logging.getLogger(__name__)
PATH = "/make"
MAX_BODY = 10_000  # bytes of a form without files


def routes(book: Book, maker: Maker) -> APIRouter:
    """Return the routes of the page and its forms. They are for people, and no part of the description."""
    router = APIRouter(prefix=PATH, include_in_schema=False, default_response_class=Page)

    async def fields(request: Request) -> dict[str, str]:
        """Return the fields of a form that this service has made."""
        _refuse_other_sites(request)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise HTTPException(413, "The form is too long: use the page")
        found = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        if not hmac.compare_digest(found.get("token", "").encode(), maker.token.encode()):
            raise HTTPException(403, STALE)
        return found

    Fields = Annotated[dict[str, str], Depends(fields)]

    @router.get("")
    def show(chosen: str = "") -> Response:
        return Page(make_page.page(book, maker, chosen))

    @router.post("/check")
    def check(form: Fields) -> Response:
        maker.check(form.get("input", ""), form.get("date", ""))
        return _back()

    @router.post("/report")
    def make(form: Fields) -> Response:
        maker.make(form.get("check", ""))
        return _back()

    @router.post("/remove")
    def remove(form: Fields) -> Response:
        maker.remove(form.get("upload", ""))
        return _back()

    @router.post("/upload")
    async def upload(request: Request) -> Response:
        _refuse_other_sites(request)
        headers, size = request.headers, request.headers.get("content-length", "")
        await run_in_threadpool(maker.prune)
        try:
            taken = await maker.uploads.receive(
                headers.get("content-type", ""), int(size) if size.isdecimal() else None, request.stream(), maker.token
            )
        except ClientDisconnect:
            log.info("an upload was broken off, and nothing of it is kept")
            return Response(status_code=400)
        except HTTPException:
            await _take_rest(request)
            raise
        log.info("upload %s has arrived", taken.name)
        return _back(f"?chosen={taken.name}")

    return router


def _back(query: str = "") -> RedirectResponse:
    return RedirectResponse(PATH + query, 303)


def _refuse_other_sites(request: Request) -> None:
    """Raise where a browser says that another site has sent a form; the token of the form proves it besides."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403, STALE)


async def _take_rest(request: Request) -> None:
    """Read on without keeping anything: a browser shows no answer before it has sent everything."""
    try:
        async for _ in request.stream():
            pass
    except (ClientDisconnect, RuntimeError):  # gone, or read to its end
        pass
