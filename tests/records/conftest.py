"""What the tests of records share."""

from tests.stores.conftest import s3, s3_folder

__all__ = ["s3", "s3_folder"]
