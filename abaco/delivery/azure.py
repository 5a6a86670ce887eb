"""Azure Blob: a finished run's folder, the manifest last, and latest.json, which moves only forward."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from abaco.core.files import read_json
from abaco.delivery import blobs
from abaco.delivery.channel import DeliveryError, Item

CONNECTION, ACCOUNT = "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_URL"
LATEST, BACKUPS = "latest.json", "backups"
# The one layer of short retries is the client's, for each request: a file that is nearly up is not begun anew.
RETRIES = 3
PAUSE_SECONDS = 2
RACES = 10


class AzureChannel:
    """The container that receives finished runs, each in <prefix>/<date>/<run_id>/.

    Parameters
    ----------
    settings
        All settings by section.
    """

    def __init__(self, settings: dict[str, dict[str, Any]]):
        self.container = settings["delivery"]["azure_container"]
        self.prefix = settings["delivery"]["azure_prefix"].strip("/")
        self.timeout = settings["delivery"]["timeout_seconds"]

    def missing(self) -> str | None:
        """Return None when the environment names an account, else the variables that would."""
        return None if _variable() else f"{CONNECTION} or {ACCOUNT}"

    def send(self, item: Item) -> dict[str, Any]:
        """Upload the run's folder and return what arrived; what is there already is not sent again.

        Raises
        ------
        DeliveryError
            When it did not all arrive, or the service lists something else than was sent.
        """
        where = self._name(item.date, item.run_id, "")
        files = blobs.vouched(item.folder)
        with self._explained(), self._service() as service:
            container = service.get_container_client(self.container)
            there = _there(container, where)
            blobs.clear(container, where, item.folder, files, there)
            sent: dict[str, blobs.Content] = {}
            *others, last = files
            for paths in (others, [last]):
                stage = {path: files[path] for path in paths}
                sent |= blobs.upload(container, where, item.folder, stage, there)
                blobs.check(container, where, sent)
            self._advance(container, item, where, sent[blobs.MANIFEST].sha256)
        skipped = sum(there.get(path) == content for path, content in sent.items())
        return {
            "container": self.container,
            "prefix": where,
            "files": len(sent),
            "bytes": sum(content.bytes for content in sent.values()),
            "uploaded": len(sent) - skipped,
            "skipped": skipped,
        }

    def keep(self, path: Path) -> str:
        """Upload an archive to <prefix>/backups/ and return its name there.

        Raises
        ------
        DeliveryError
            When it did not arrive whole.
        """
        where = self._name(BACKUPS, "")
        with self._explained(), self._service() as service:
            container = service.get_container_client(self.container)
            there = _there(container, where)
            sent = blobs.upload(container, where, path.parent, {path.name: None}, there)
            blobs.check(container, where, sent)
        return path.name

    def fetch(self, name: str, path: Path) -> None:
        """Download an archive from <prefix>/backups/ to a file.

        Raises
        ------
        DeliveryError
            When there is none of that name, or it does not come.
        """
        from azure.core.exceptions import ResourceNotFoundError

        with self._explained(), self._service() as service, path.open("xb") as file:
            blob = service.get_blob_client(self.container, self._name(BACKUPS, name))
            try:
                blob.download_blob(max_concurrency=1).readinto(file)
            except ResourceNotFoundError:
                raise DeliveryError(
                    f"Azure container {self.container} has no {blob.blob_name}: give the name that the backup printed"
                ) from None

    def probe(self) -> str:
        """Ask once for the container, changing nothing, and return in words what was found.

        Raises
        ------
        DeliveryError
            When nothing could be uploaded.
        """
        from azure.core.exceptions import ResourceNotFoundError

        with self._explained(), self._service(retries=0) as service:
            container = service.get_container_client(self.container)
            try:
                next(iter(container.list_blobs(name_starts_with=self._name(LATEST))), None)
            except ResourceNotFoundError:
                return f"answers; the first upload makes the container {self.container}"
        return f"container {self.container} answers"

    def _name(self, *parts: str) -> str:
        return "/".join([self.prefix, *parts] if self.prefix else parts)

    def _service(self, retries: int = RETRIES) -> Any:
        from azure.storage.blob import BlobServiceClient, LinearRetry

        options = {
            "connection_timeout": self.timeout,
            "read_timeout": self.timeout,
            "retry_policy": LinearRetry(PAUSE_SECONDS, retries, random_jitter_range=PAUSE_SECONDS / 2),
            "max_single_put_size": blobs.BLOCK,
            "max_block_size": blobs.BLOCK,
        }
        address = os.environ.get(_variable() or ACCOUNT, "").strip()
        if _variable() == CONNECTION:
            try:
                return BlobServiceClient.from_connection_string(address, **options)
            except ValueError:
                raise DeliveryError(
                    f"{CONNECTION} is no connection string: copy it from the access keys of the account"
                ) from None
        if not address.startswith("https://"):
            raise DeliveryError(
                f"{ACCOUNT} is no https address: write it as https://account.blob.core.windows.net"
            )
        return BlobServiceClient(address, credential=credential(), **options)

    def _advance(self, container: Any, item: Item, where: str, manifest_sha256: str) -> None:
        """Let latest.json name this run, unless it names a later date, or a newer run of the same date."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
        from azure.storage.blob import ContentSettings

        blob = container.get_blob_client(self._name(LATEST))
        fresh = {
            "schema_version": 1,
            "date": item.date,
            "run_id": item.run_id,
            "started_at": read_json(item.folder / blobs.RUN)["started_at"],
            "folder": where,
            "manifest_sha256": manifest_sha256,
        }
        for _ in range(RACES):
            guard: dict[str, Any] = {"overwrite": False}
            with suppress(ResourceNotFoundError):
                held = blob.download_blob()
                guard = {
                    "overwrite": True,
                    "etag": held.properties.etag,
                    "match_condition": MatchConditions.IfNotModified,
                }
                if _order(held.readall()) >= (item.date, fresh["started_at"]):
                    return
            with suppress(ResourceExistsError, ResourceModifiedError):  # another run was faster: look again
                content = ContentSettings(blobs.TYPES[".json"])
                blob.upload_blob(json.dumps(fresh, indent=1) + "\n", content_settings=content, **guard)
                return
        raise DeliveryError(
            f"Azure container {self.container}: {blob.blob_name} was changed by others each of {RACES} times: "
            "it is tried again with the next attempt"
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in one line what went wrong between here and the service."""
        from azure.core.exceptions import AzureError

        try:
            yield
        except AzureError as error:
            said = _said(error, self.timeout)
            # the client's own words may hold a signature, and would be in the log as this error's cause
            raise DeliveryError(f"Azure container {self.container}: {said}") from None


def credential() -> Any:
    """Return what signs in at an account's address: a managed or workload identity, or a developer's own."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _variable() -> str | None:
    return next((name for name in (CONNECTION, ACCOUNT) if os.environ.get(name)), None)


def _there(container: Any, where: str) -> dict[str, blobs.Content]:
    """Return what is there. The container is made only if need be, so that the right to make it is rarely needed."""
    from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

    try:
        return blobs.listed(container, where)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # made by another run a moment ago
            container.create_container()
        return {}


def _order(latest: bytes) -> tuple[str, str]:
    """Return date and start of the run that latest.json names; before all others where it names none."""
    try:
        held = json.loads(latest)
        return held["date"], held["started_at"]
    except (ValueError, KeyError, TypeError):
        return "", ""


def _said(error: Any, timeout: float) -> str:
    """Return what the service or the way to it did, and what to do about it."""
    from azure.core import exceptions as kinds

    again = "it is tried again with the next attempt"
    if isinstance(error, (kinds.ServiceRequestTimeoutError, kinds.ServiceResponseTimeoutError)):
        return f"no answer within {timeout:g} s: {again}"
    if isinstance(error, kinds.ServiceRequestError):
        return f"cannot be reached: check the network and {_variable()}; {again}"
    status = getattr(error, "status_code", None)
    if status is None and isinstance(error, kinds.ClientAuthenticationError):
        if _variable() == CONNECTION:
            return f"the account's key is none: check {CONNECTION}"
        return f"nothing signs in at {ACCOUNT}: give this machine an identity, or set {CONNECTION}"
    if status is None:
        return f"the connection broke off: {again}"
    code = getattr(error, "error_code", None) or ""
    answer = f"answered {status} {getattr(code, 'value', code)}".rstrip()
    if status in (401, 403):
        return f"{answer}: check {_variable()} and the rights on the container"
    return f"{answer}: {again}"
