"""Azure Blob Storage: the folder of a finished run, its manifest last, and latest.json, which only moves forward."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from abaco.core import secrets
from abaco.core.files import read_object
from abaco.core.net import AUTHORITY, untrusted
from abaco.delivery import blobs
from abaco.delivery.channel import REPORT, Channel, Delivery, DeliveryError

CONNECTION, ACCOUNT = "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_URL"
LATEST, BACKUPS = "latest.json", "backups"
SHOWN_AGAIN = "shown_again"  # in the payload of a run that its date shows after a rollback, although it is older
# The client retries each block, so that an almost complete upload does not start again.
RETRIES = 3
PAUSE_SECONDS = 2
MAX_RACES = 10  # with other runs for latest.json


class MissingBlobError(DeliveryError):
    """The container has no such file."""


class AzureChannel(Channel):
    """The container that receives finished runs, each in <prefix>/<date>/<run_id>/."""

    name, variables, takes = "azure", (CONNECTION, ACCOUNT), (REPORT,)

    def __init__(self, settings: dict[str, dict[str, Any]]):
        super().__init__(settings)
        self.container = settings["delivery"]["azure_container"]
        self.prefix = settings["delivery"]["azure_prefix"].strip("/")

    def missing(self) -> str | None:
        """Return None when one of the two variables is set, otherwise both names."""
        return None if _variable() else f"{CONNECTION} or {ACCOUNT}"

    def send(self, delivery: Delivery) -> dict[str, Any]:
        """Upload the files of a run that are not there yet, and return the receipt.

        Raises
        ------
        DeliveryError
            When not everything arrived, or the service lists other content than was sent.
        """
        prefix = self._name(delivery.date, delivery.run_id, "")
        files = blobs.manifest_files(delivery.folder)
        with self._explaining_errors(), self._service() as service:
            container = service.get_container_client(self.container)
            existing = _existing(container, prefix)
            blobs.clear(container, prefix, delivery.folder, files, existing)
            sent: dict[str, blobs.Content] = {}
            *others, last = files
            for paths in (others, [last]):
                stage = {path: files[path] for path in paths}
                sent |= blobs.upload(container, prefix, delivery.folder, stage, existing, _content_settings)
                blobs.check(container, prefix, sent)
            self._advance(container, delivery, prefix, sent[blobs.MANIFEST].sha256)
        skipped = sum(existing.get(path) == content for path, content in sent.items())
        return {
            "container": self.container,
            "prefix": prefix,
            "files": len(sent),
            "bytes": sum(content.bytes for content in sent.values()),
            "uploaded": len(sent) - skipped,
            "skipped": skipped,
        }

    def refresh(self, date: str, run_id: str, folder: Path) -> None:
        """Upload run.json of a run again, which says since its upload what became of the other deliveries."""
        with self._explaining_errors(), self._service() as service:
            container = service.get_container_client(self.container)
            blobs.upload(container, self._name(date, run_id, ""), folder, {blobs.RUN: None}, {}, _content_settings)

    def keep(self, path: Path, folder: str = BACKUPS) -> str:
        """Upload a file to <prefix>/<folder>/ and return its name there.

        Raises
        ------
        DeliveryError
            When it did not arrive completely.
        """
        prefix = self._name(folder, "")
        with self._explaining_errors(), self._service() as service:
            container = service.get_container_client(self.container)
            existing = _existing(container, prefix)
            sent = blobs.upload(container, prefix, path.parent, {path.name: None}, existing, _content_settings)
            blobs.check(container, prefix, sent)
        return path.name

    def keep_newest(self, start: str, pattern: re.Pattern, count: int) -> None:
        """Delete the files of <prefix>/backups/ whose names match, all with this start, but for the last by name."""
        prefix = self._name(BACKUPS, "")
        with self._explaining_errors(), self._service() as service:
            container = service.get_container_client(self.container)
            names = [blob.name for blob in container.list_blobs(name_starts_with=prefix + start)]
            for name in sorted(name for name in names if pattern.fullmatch(name.removeprefix(prefix)))[:-count]:
                container.delete_blob(name)

    def fetch(self, name: str, path: Path, folder: str = BACKUPS) -> None:
        """Download a file from <prefix>/<folder>/.

        Raises
        ------
        MissingBlobError
            When it does not exist.
        DeliveryError
            When it cannot be downloaded.
        """
        from azure.core.exceptions import ResourceNotFoundError

        with self._explaining_errors(), self._service() as service, path.open("xb") as file:
            blob = service.get_blob_client(self.container, self._name(folder, name))
            try:
                blob.download_blob(max_concurrency=1).readinto(file)
            except ResourceNotFoundError:
                path.unlink()
                raise MissingBlobError(
                    f"Azure container {self.container} has no {blob.blob_name}: give the name that the backup printed"
                ) from None

    def probe(self) -> str:
        """Ask once for the container, without changing anything, and return the answer in words."""
        from azure.core.exceptions import ResourceNotFoundError

        with self._explaining_errors(), self._service(retries=0) as service:
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
        address = secrets.read(_variable() or ACCOUNT).strip()
        if _variable() == CONNECTION:
            try:
                return BlobServiceClient.from_connection_string(address, **options)
            except ValueError:
                raise DeliveryError(
                    f"{CONNECTION} is not a connection string: copy it from the access keys of the account"
                ) from None
        if not address.startswith("https://"):
            raise DeliveryError(f"{ACCOUNT} is not an https address: write it as https://account.blob.core.windows.net")
        return BlobServiceClient(address, credential=credential(), **options)

    def _advance(self, container: Any, delivery: Delivery, prefix: str, manifest_sha256: str) -> None:
        """Let latest.json name this run, unless it names a later date or a newer run of the same date."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

        blob = container.get_blob_client(self._name(LATEST))
        latest = {
            "schema_version": 1,
            "date": delivery.date,
            "run_id": delivery.run_id,
            "started_at": read_object(delivery.folder / blobs.RUN)["started_at"],
            "folder": prefix,
            "manifest_sha256": manifest_sha256,
        }
        for _ in range(MAX_RACES):
            condition: dict[str, Any] = {"overwrite": False}
            with suppress(ResourceNotFoundError):
                current = blob.download_blob()
                condition = {
                    "overwrite": True,
                    "etag": current.properties.etag,
                    "match_condition": MatchConditions.IfNotModified,
                }
                date, started_at = _order(current.readall())
                is_newer = started_at >= latest["started_at"] and not delivery.payload.get(SHOWN_AGAIN)
                if date > delivery.date or (date == delivery.date and is_newer):
                    return
            with suppress(ResourceExistsError, ResourceModifiedError):  # changed by another run: read it again
                content = _content_settings(blobs.CONTENT_TYPES[".json"])
                blob.upload_blob(json.dumps(latest, indent=1) + "\n", content_settings=content, **condition)
                return
        raise DeliveryError(
            f"Azure container {self.container}: {blob.blob_name} was changed by others each of {MAX_RACES} times: "
            "it is tried again with the next attempt"
        )

    @contextmanager
    def _explaining_errors(self) -> Iterator[None]:
        """Turn an error of the SDK into one line with cause and remedy."""
        from azure.core.exceptions import AzureError

        try:
            yield
        except AzureError as error:
            reason = _explain(error, self.timeout)
            # the SDK's own message may contain a signature, and would be logged as the cause
            raise DeliveryError(f"Azure container {self.container}: {reason}") from None


def credential() -> Any:
    """Return the credential for an account's address: a managed or workload identity, or a developer's own."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _variable() -> str | None:
    return next((name for name in (CONNECTION, ACCOUNT) if secrets.read(name)), None)


def _content_settings(content_type: str, md5: bytes | None = None) -> Any:
    from azure.storage.blob import ContentSettings

    return ContentSettings(content_type, content_md5=md5 and bytearray(md5))


def _existing(container: Any, prefix: str) -> dict[str, blobs.Content]:
    """Return the blobs below a prefix; the container is created only when it is missing, since few may do that."""
    from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

    try:
        return blobs.list_contents(container, prefix)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # created by another run a moment ago
            container.create_container()
        return {}


def _order(latest: bytes) -> tuple[str, str]:
    """Return the date and start of the run that latest.json names, or two empty strings if it is not readable."""
    try:
        run = json.loads(latest)
        return run["date"], run["started_at"]
    except (ValueError, KeyError, TypeError):
        return "", ""


def _explain(error: Any, timeout: float) -> str:
    """Return the cause and the remedy of an error, in words."""
    from azure.core import exceptions as kinds

    again = "it is tried again with the next attempt"
    if isinstance(error, (kinds.ServiceRequestTimeoutError, kinds.ServiceResponseTimeoutError)):
        return f"no answer within {timeout:g} s: {again}"
    if reason := untrusted(error):
        return f"its certificate is not trusted ({reason}): {AUTHORITY}"
    if isinstance(error, kinds.ServiceRequestError):
        return f"cannot be reached: check the network and {_variable()}; {again}"
    status = getattr(error, "status_code", None)
    if status is None and isinstance(error, kinds.ClientAuthenticationError):
        if _variable() == CONNECTION:
            return f"the account's key is not valid: check {CONNECTION}"
        return f"nothing signs in at {ACCOUNT}: give this machine an identity, or set {CONNECTION}"
    if status is None:
        return f"the connection broke off: {again}"
    code = getattr(error, "error_code", None) or ""
    answer = f"answered {status} {getattr(code, 'value', code)}".rstrip()
    if status in (401, 403):
        return f"{answer}: check {_variable()} and the rights on the container"
    return f"{answer}: {again}"
