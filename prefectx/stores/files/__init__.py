"""Filestore: outputs as ordinary files, on this machine or wherever fsspec reaches."""

from prefectx.stores.files.filestore import Filestore

__all__ = ["Filestore"]
