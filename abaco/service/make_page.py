"""The page that makes a report: what can be chosen, and what has come of the check or the report that was started."""

from pathlib import Path
from typing import Any

from abaco.database import queries
from abaco.database.connection import reading
from abaco.ingest.containers import KINDS, PACKED
from abaco.page.language import phrase
from abaco.review import terminal
from abaco.run import folders
from abaco.service import notebook, pages
from abaco.service.making import CHECK, Job, Maker
from abaco.service.reports import Book
from abaco.service.tables import moment, size
from abaco.service.uploads import Upload

HEADINGS = {
    (CHECK, False): "Checking", (CHECK, True): "What the report would say", ("report", False): "Making the report",
    ("report", True): "The report is made",
}  # fmt: skip
WAITING = {
    CHECK: "The exports are being read.",
    "report": "The exports are read before the first phase, and the report is delivered after the last.",
}


def page(book: Book, maker: Maker, chosen: str) -> str:
    """Return the page, with a choice that is made beforehand."""
    uploads, job = maker.uploads.listed(), maker.job
    at_work = pages.running(book)
    known = {upload.name: upload for upload in uploads}
    if job and job.has_ended and chosen in known and known[chosen].arrived > job.began:
        job = None  # what came of another input is over
    keys = maker.choices()
    preset = chosen if chosen in keys else next(iter(keys), "")
    choices = [
        {"key": key, "label": label, "is_chosen": key == preset, **(_facts(known[key]) if key in known else {"at": ""})}
        for key, (_, label) in keys.items()
    ]
    return pages.framed(
        "make.html.j2", phrase("Make a report"), job=job and _job(job), running=at_work, token=maker.token,
        choices=choices,
        is_busy=bool(at_work) or bool(job and not job.has_ended), refresh=bool(job and not job.has_ended),
        failed=_failed(book, job), made=_made(book, job), uploads=[_facts(upload) for upload in uploads],
        forms=", ".join((*KINDS, *PACKED)), max_bytes=maker.uploads.max_bytes,
        max_mb=f"{maker.uploads.max_bytes // 1_000_000:,}", days=terminal.counted(maker.uploads.keep.days, "day"),
    )  # fmt: skip


def _facts(upload: Upload) -> dict[str, Any]:
    sizes = upload.sizes
    files, whole = ", ".join(sizes), size(sum(sizes.values()))
    return {"name": upload.name, "files": files, "size": whole, "at": moment(upload.arrived)}


def _job(job: Job) -> dict[str, Any]:
    """Return a job as the page shows it: what check would have the report say at the head, then all the rest."""
    said = [line for line in (job.output or "").splitlines() if not line.startswith("Error: ")]
    head = said[: said.index("")] if job.kind == CHECK and job.is_done and "" in said else []
    heading = phrase(HEADINGS[job.kind, job.has_ended] if not job.error else "It failed")
    return {
        "name": job.name, "kind": job.kind, "label": job.label, "date": job.date, "at": moment(job.began),
        "heading": heading, "has_ended": job.has_ended, "is_done": job.is_done, "error": job.error,
        "waiting": phrase(WAITING[job.kind]), "head": head, "rest": "\n".join(said[len(head) :]).strip(),
    }  # fmt: skip


def _failed(book: Book, job: Job | None) -> str | None:
    """Return the folder's name of the run of a job that failed in a notebook."""
    if not job or job.kind == CHECK or not job.error:
        return None
    with reading(book.engine) as connection:
        runs = [run for run in queries.failed(connection) if run["started_at"] >= job.began.replace(microsecond=0)]
    return Path(runs[-1]["folder"]).name if runs and notebook.path_of(book.output, runs[-1]) else None


def _made(book: Book, job: Job | None) -> str | None:
    """Return the date of the report that a job has made."""
    if not job or job.kind == CHECK or not job.is_done:
        return None
    return max(folders.visible(book.output).values(), key=lambda run: run["started_at"])["date"]
