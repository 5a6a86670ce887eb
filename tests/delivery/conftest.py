"""Real places that take deliveries."""

from tests.support.azurite import blob_service, proxy  # noqa: F401
