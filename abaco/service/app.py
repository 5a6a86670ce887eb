"""The application: the routes of all pages, and the pages for errors."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.params import Path, Query
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from abaco.core.errors import AbacoError, DamagedDatabaseError, DamagedError, DatabaseError
from abaco.service import archive, description, files, forms, metrics, notebook, pages, rows, timeline
from abaco.service.pages import Page
from abaco.service.reports import Book, health
from abaco.service.security import MAX_WRONG_TOKENS, Access, Guard

log = logging.getLogger(__name__)
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
Date = Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2025-12-31"])]
Run = Annotated[str, Path(examples=["2025-12-31"], description="Its id, or the date of a report")]
File = Annotated[str, Path(examples=["report.html"], description="Its name in the folder of the run")]
Kpi = Annotated[str, Query(max_length=60, examples=["PAR30"], description="The id of a KPI")]
Day = Annotated[str, Query(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", examples=["2025-12-31"])]
TableName = Annotated[str, Path(pattern=r"^[a-z0-9_]+$", examples=["tape"], description="The name of a table")]
Place = Annotated[int, Query(ge=1, le=10_000_000, description="Which page of rows")]
Wanted = Annotated[str, Query(max_length=100, description="A text that each row holds")]
SCRIPT = FilePath(__file__).parent / "templates" / "service.js"
Named = Annotated[str, Query(max_length=60, examples=["2025-12-31"], description="The id of a run, or a date")]


def create_app(book: Book, access: Access, max_wrong_tokens: int = MAX_WRONG_TOKENS) -> FastAPI:
    """Return the application that shows a book of reports.

    Parameters
    ----------
    book
        The reports; their schedule starts and stops with the application.
    access
        Who may read.
    max_wrong_tokens
        Wrong tokens and passwords of one address in a minute; further ones are answered 429.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        book.schedule.start()
        yield
        await run_in_threadpool(book.schedule.stop)

    app = FastAPI(
        lifespan=life, title="Abaco", summary="Reports of a loan book", version=version("abaco"),
        responses=description.errors(access),
        # its own documentation pages would load scripts from elsewhere; a route below gives the description
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.add_middleware(Guard, access=access, max_wrong_tokens=max_wrong_tokens)
    guarded = APIRouter(dependencies=description.security(access), responses=description.refusals(access))
    _add_probes(app, book)
    _add_machine_pages(guarded, app, book)
    _add_pages(guarded, book)
    _add_files(guarded, book)
    if book.maker:
        guarded.include_router(forms.routes(book, book.maker))
    app.include_router(guarded)
    _add_errors(app, book)
    return app


def _route(to: FastAPI | APIRouter, path: str, kind: type[Response], **options: Any) -> Callable:
    """Return the decorator of the function that answers GET and HEAD."""

    def add(answer: Callable) -> Callable:
        for method in ("GET", "HEAD"):
            to.add_api_route(path, answer, methods=[method], response_class=kind, **options)
        return answer

    return add


def _add_probes(app: FastAPI, book: Book) -> None:
    @_route(app, "/health", JSONResponse, responses=description.HEALTH)
    def read_health(request: Request) -> Response:
        """Return the state of the service and of the last run: as JSON, or as a page where a browser asks."""
        content = health(book)
        code, headers = 503 if content["status"] == "unhealthy" else 200, {"Vary": "Accept"}
        if "text/html" in request.headers.get("accept", ""):
            return Page(pages.health_page(content), code, headers)
        return JSONResponse(content, code, headers)

    @_route(app, "/ready", JSONResponse, responses=description.READINESS)
    def read_ready() -> Response:
        """Return whether the service can answer, for load balancers."""
        content = health(book)
        ready = content["status"] != "unhealthy"
        reason = None if ready else content["last_error"]
        return JSONResponse({"ready": ready, "reason": reason}, 200 if ready else 503)


def _add_machine_pages(router: APIRouter, app: FastAPI, book: Book) -> None:
    @_route(router, "/metrics", PlainTextResponse)
    def read_metrics() -> Response:
        """Return the figures and the state of the pipeline for Prometheus."""
        try:
            return Response(metrics.exposition(book), media_type=PROMETHEUS)
        except DatabaseError as error:
            log.error("no metrics: %s", error)
            _examine_again(book, error)
            return PlainTextResponse(f"{error}\n", 503)

    @_route(router, "/openapi.json", JSONResponse)
    def read_description() -> Response:
        """Return this description."""
        return JSONResponse(app.openapi())

    @_route(router, "/service.js", FileResponse, responses=description.SCRIPT)
    def read_script() -> Response:
        """Return the script of the pages."""
        return FileResponse(SCRIPT, media_type="text/javascript")

    @_route(router, "/favicon.ico", Response, status_code=204)
    def read_no_icon() -> Response:
        """Return nothing: browsers ask for it where a page has no icon."""
        return Response(status_code=204)


def _add_pages(router: APIRouter, book: Book) -> None:
    @_route(router, "/", HTMLResponse)
    def read_reports(before: Named = "") -> Response:
        """Return the page of the reports by date, the newest first, before a date if one is given."""
        return Page(pages.reports(book, before))

    @_route(router, "/dictionary", HTMLResponse)
    def read_dictionary() -> Response:
        """Return the page of the data dictionary: what the tables of a report and their columns mean."""
        return Page(pages.dictionary())

    @_route(router, "/compare", HTMLResponse, responses=description.NOT_THERE)
    def read_comparison(one: Named, other: Named) -> Response:
        """Return the page that compares two runs, by their ids or the dates of their reports."""
        return Page(pages.comparison(_run(book, one), _run(book, other), book))

    @_route(router, "/history", HTMLResponse, responses=description.NOT_THERE)
    def read_history(kpi: Kpi = "", first: Day = "", last: Day = "") -> Response:
        """Return the page of a KPI over time, by default the first one, from a date to another or over all dates."""
        if text := timeline.page(book, kpi, first, last):
            return Page(text)
        raise HTTPException(404, f"There is no figure {kpi}" if kpi else "There is no report yet")

    @_route(router, "/reports/{date}", RedirectResponse, status_code=307, responses=description.NOT_THERE)
    def lead_to_report(date: Date) -> Response:
        """Redirect to the page of a report."""
        return RedirectResponse(f"/reports/{date}/")

    @_route(router, "/reports/{date}/", HTMLResponse, responses=description.NOT_THERE)
    def read_report(date: Date) -> Response:
        """Return the page of a report: its figures, files and runs."""
        return Page(pages.run(_run(book, date), book, f"/reports/{date}/"))

    @_route(router, "/runs/{run_id}/", HTMLResponse, responses=description.NOT_THERE)
    def read_run(run_id: Run) -> Response:
        """Return the page of a run, also of one that failed."""
        if not pages.find(book, run_id) and (failed := pages.find_failed(book, run_id)):
            return Page(pages.failed_run(failed, book))
        return Page(pages.run(_run(book, run_id), book, f"/runs/{run_id}/"))

    @_route(router, "/runs/{run_id}/notebook/", HTMLResponse, responses=description.NOT_THERE)
    def read_failed_notebook(run_id: Run) -> Response:
        """Return the page of the notebook in which a run failed."""
        return Page(pages.failed_notebook(*_failed_notebook(book, run_id)))


def _add_files(router: APIRouter, book: Book) -> None:
    @_route(router, "/reports/{date}/all.zip", StreamingResponse, responses=description.ARCHIVE | description.NOT_THERE)
    def read_all_files_of_report(request: Request, date: Date) -> Response:
        """Return all files of a report as one archive."""
        return _archive(book, request, date)

    @_route(router, "/runs/{run_id}/all.zip", StreamingResponse, responses=description.ARCHIVE | description.NOT_THERE)
    def read_all_files_of_run(request: Request, run_id: Run) -> Response:
        """Return all files of a run as one archive."""
        return _archive(book, request, run_id)

    @_route(
        router, "/runs/{run_id}/notebook.ipynb", FileResponse, responses=description.NOTEBOOK | description.NOT_THERE
    )
    def read_failed_notebook_file(run_id: Run) -> Response:
        """Return the notebook in which a run failed, to open it in Jupyter."""
        _, path = _failed_notebook(book, run_id)
        return files.RunFile(path, media_type="application/octet-stream", filename=path.name)

    @_route(router, "/reports/{date}/rows/{table}", HTMLResponse, responses=description.NOT_THERE)
    def read_rows_of_report(
        date: Date, table: TableName, page: Place = 1, sort: Kpi = "", down: bool = False, wanted: Wanted = ""
    ) -> Response:
        """Return the page of a table's rows, sorted by a column, and filtered by a text."""
        return _rows(book, date, f"/reports/{date}/", table, page, sort, down, wanted)

    @_route(router, "/runs/{run_id}/rows/{table}", HTMLResponse, responses=description.NOT_THERE)
    def read_rows_of_run(
        run_id: Run, table: TableName, page: Place = 1, sort: Kpi = "", down: bool = False, wanted: Wanted = ""
    ) -> Response:
        """Return the same of a run."""
        return _rows(book, run_id, f"/runs/{run_id}/", table, page, sort, down, wanted)

    @_route(router, "/reports/{date}/{name:path}", FileResponse, responses=description.NOT_THERE | description.FILE)
    def read_file_of_report(date: Date, name: File) -> Response:
        """Return a file of a report."""
        return _file(book, date, name)

    @_route(router, "/runs/{run_id}/{name:path}", FileResponse, responses=description.NOT_THERE | description.FILE)
    def read_file_of_run(run_id: Run, name: File) -> Response:
        """Return a file of a run."""
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


def _rows(book: Book, name: str, base: str, table: str, *asked: Any) -> Response:
    run, path = _run(book, name), f"tables/{table}.parquet"
    folder = files.folder_of(book.output, run)
    is_listed = bool(folder) and any(one == path or one.startswith(f"{path}/") for one in files.listed(folder))
    if is_listed and (text := rows.page(run, base, folder / path, *asked)):
        return Page(text)
    raise HTTPException(404, "The run has no such rows")


def _archive(book: Book, request: Request, name: str) -> Response:
    folder = files.folder_of(book.output, _run(book, name))
    names = list(files.listed(folder)) if folder else []
    if not names:
        raise HTTPException(404, "The files of this run are no longer there")
    headers = {"Content-Disposition": f'attachment; filename="{folder.name}.zip"'}
    content = iter(()) if request.method == "HEAD" else archive.chunks(folder, names)
    return StreamingResponse(content, media_type="application/zip", headers=headers)


def _failed_notebook(book: Book, name: str) -> tuple[dict, FilePath]:
    failed = pages.find_failed(book, name)
    if failed and (path := notebook.path_of(book.output, failed)):
        return failed, path
    raise HTTPException(404, f"There is no failed notebook of {name}")


def _examine_again(book: Book, error: AbacoError) -> None:
    if isinstance(error, DamagedDatabaseError):
        book.examine_again()


def _add_errors(app: FastAPI, book: Book) -> None:
    @app.exception_handler(StarletteHTTPException)
    async def refuse(request: Request, error: StarletteHTTPException) -> Response:
        if error.status_code == 405:
            return Page(pages.failure("Pages can only be read"), 405, {"Allow": "GET, HEAD"})
        text = "There is no such page" if error.detail == "Not Found" else error.detail
        return Page(pages.failure(text, request.url.path), error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def refuse_form(request: Request, error: RequestValidationError) -> Response:
        is_address = error.errors()[0]["loc"][0] == "path"
        is_comparison = request.url.path == "/compare"
        other = "Name two runs, or the dates of two reports" if is_comparison else "A date is written as 2025-12-31"
        text = "There is no such page" if is_address else other
        return Page(pages.failure(text), 404 if is_address else 422)

    @app.exception_handler(DamagedError)
    @app.exception_handler(DatabaseError)
    async def explain_error(_: Request, error: AbacoError) -> Response:
        log.error("no page: %s", error)
        _examine_again(book, error)
        return Page(pages.failure(str(error)), 503)
