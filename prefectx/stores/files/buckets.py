"""Buckets of object stores, which must exist before an object can be put there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefectx.errors import StoreError
from prefectx.masking import mask_urls
from prefectx.stores.files import s3

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# Services that show an object when its upload is complete, and not before.
OBJECT_STORES = {"abfs", "abfss", "adl", "az", "gcs", "gs", "oci", "oss", "s3", "s3a"}


def bucket_of(url: str) -> str:
    """Return the URL of the bucket or the server of a URL."""
    protocol, _, rest = url.partition("://")
    return f"{protocol}://{rest.partition('/')[0]}"


class Buckets:
    """The buckets that this process has seen. There is one such object, `BUCKETS`."""

    def __init__(self) -> None:
        self._seen: set[tuple[AbstractFileSystem, str]] = set()

    def check(self, system: AbstractFileSystem, url: str) -> None:
        """Look for the bucket of a URL, unless it was seen before.

        Raises:
            StoreError: there is none.
        """
        protocol, _, bucket = bucket_of(url).partition("://")
        if protocol not in OBJECT_STORES or (system, bucket) in self._seen:
            return
        is_there = s3.has_bucket(system, bucket) if s3.is_s3(system) else system.exists(bucket)
        if not is_there:
            raise StoreError(
                f"there is no bucket {bucket!r} for {mask_urls(url)}: make it, or choose another "
                "root"
            )
        self._seen.add((system, bucket))

    def reset(self) -> None:
        """Forget all buckets."""
        self._seen.clear()


BUCKETS = Buckets()
