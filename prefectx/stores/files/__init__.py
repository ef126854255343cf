"""Filestore: outputs as ordinary files, on this machine or behind any URL that fsspec knows."""

from prefectx.stores.files.filestore import Filestore

__all__ = ["Filestore"]
