"""Real places that take deliveries."""

from .azurite import blob_service, proxy  # noqa: F401
