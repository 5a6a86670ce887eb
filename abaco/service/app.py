"""The application: the routes of all pages, and the pages for errors."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.params import Path, Query
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from abaco.core.errors import AbacoError, DamagedError, DatabaseError
from abaco.service import files, metrics, pages
from abaco.service.reports import Book, health
from abaco.service.security import Access, Guard

log = logging.getLogger(__name__)
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
Date = Annotated[str, Path(pattern=r"^\d{4}-\d\d-\d\d$")]
Named = Annotated[str, Query(max_length=60)]


def create_app(book: Book, access: Access) -> FastAPI:
    """Return the application that shows a book of reports.

    Parameters
    ----------
    book
        The reports; their schedule starts and stops with the application.
    access
        Who may read.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        book.schedule.start()
        yield
        await run_in_threadpool(book.schedule.stop)

    # its own documentation pages would load scripts from elsewhere
    app = FastAPI(lifespan=life, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(Guard, access=access)
    _add_probes(app, book)
    _add_pages(app, book)
    _add_errors(app)
    return app


def _add_probes(app: FastAPI, book: Book) -> None:
    @app.get("/health")
    def read_health() -> Response:
        content = health(book)
        return JSONResponse(content, 503 if content["status"] == "unhealthy" else 200)

    @app.get("/ready")
    def read_ready() -> Response:
        content = health(book)
        ready = content["status"] != "unhealthy"
        reason = None if ready else content["last_error"]
        return JSONResponse({"ready": ready, "reason": reason}, 200 if ready else 503)

    @app.get("/metrics")
    def read_metrics() -> Response:
        try:
            return Response(metrics.exposition(book), media_type=PROMETHEUS)
        except DatabaseError as error:
            log.error("no metrics: %s", error)
            return PlainTextResponse(f"{error}\n", 503)


def _add_pages(app: FastAPI, book: Book) -> None:
    @app.get("/favicon.ico")
    def read_no_icon() -> Response:  # browsers ask for it where a page has none
        return Response(status_code=204)

    @app.get("/")
    def read_reports(before: Named = "") -> HTMLResponse:
        return HTMLResponse(pages.reports(book, before))

    @app.get("/compare")
    def read_comparison(one: Named, other: Named) -> HTMLResponse:
        return HTMLResponse(pages.comparison(_run(book, one), _run(book, other), book))

    @app.get("/reports/{date}")
    def lead_to_report(date: Date) -> Response:
        return RedirectResponse(f"/reports/{date}/")

    @app.get("/reports/{date}/")
    def read_report(date: Date) -> HTMLResponse:
        return HTMLResponse(pages.run(_run(book, date), book, f"/reports/{date}/"))

    @app.get("/reports/{date}/{name:path}")
    def read_file_of_report(date: Date, name: str) -> FileResponse:
        return _file(book, date, name)

    @app.get("/runs/{run_id}/")
    def read_run(run_id: str) -> HTMLResponse:
        if not pages.find(book, run_id) and (failed := pages.find_failed(book, run_id)):
            return HTMLResponse(pages.failed_run(failed, book))
        return HTMLResponse(pages.run(_run(book, run_id), book, f"/runs/{run_id}/"))

    @app.get("/runs/{run_id}/{name:path}")
    def read_file_of_run(run_id: str, name: str) -> FileResponse:
        return _file(book, run_id, name)


def _run(book: Book, name: str) -> dict:
    if run := pages.find(book, name):
        return run
    raise HTTPException(404, f"There is no report or run {name}")


def _file(book: Book, name: str, path: str) -> FileResponse:
    folder = files.folder_of(book.output, _run(book, name))
    if folder and (response := files.answer(folder, path)):
        return response
    raise HTTPException(404, "The run has no such file")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(StarletteHTTPException)
    async def refuse(_: Request, error: StarletteHTTPException) -> Response:
        text = "There is no such page" if error.detail == "Not Found" else error.detail
        return HTMLResponse(pages.failure(text), error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def refuse_form(_: Request, error: RequestValidationError) -> Response:
        is_address = error.errors()[0]["loc"][0] == "path"
        text = "There is no such page" if is_address else "Name two runs, or the dates of two reports"
        return HTMLResponse(pages.failure(text), 404 if is_address else 422)

    @app.exception_handler(DamagedError)
    @app.exception_handler(DatabaseError)
    async def explain_error(_: Request, error: AbacoError) -> Response:
        log.error("no page: %s", error)
        return HTMLResponse(pages.failure(str(error)), 503)
