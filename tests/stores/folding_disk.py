"""A file system that keeps upper and lower case and takes them for the same, as most Macs have.

    python folding_disk.py FOLDER MOUNTPOINT

It is real to whoever uses it: mounted through FUSE, it passes everything on to a folder.
"""
# The system's own calls, one by one, are what is passed on.
# ruff: noqa: PTH101, PTH102, PTH105, PTH106, PTH108, PTH112, PTH208

import errno
import os
import sys
import unicodedata
from pathlib import Path

import mfusepy


def key(name):
    return unicodedata.normalize("NFC", name).casefold()


class FoldingDisk(mfusepy.Operations):
    """All names that have one key find one file; its name is the one that it was made with."""

    use_ns = True

    def __init__(self, folder):
        self.folder = folder

    def found(self, path):
        place = self.folder
        for name in filter(None, path.split("/")):
            names = os.listdir(place) if os.path.isdir(place) else []
            place += "/" + next((n for n in names if key(n) == key(name)), name)
        return place

    def init_with_config(self, connection, config):
        config.use_ino = True
        config.attr_timeout = config.entry_timeout = config.negative_timeout = 0

    def getattr(self, path, handle=None):
        try:
            found = os.lstat(self.found(path))
        except OSError as error:
            raise mfusepy.FuseOSError(error.errno) from error
        names = ("st_mode", "st_ino", "st_nlink", "st_size", "st_uid", "st_gid")
        times = {
            name: getattr(found, f"{name}_ns") for name in ("st_atime", "st_mtime", "st_ctime")
        }
        return {name: getattr(found, name) for name in names} | times

    def readdir(self, path, handle):
        names = [".", "..", *os.listdir(self.found(path))]
        return [(name, self.getattr(f"{path}/{name}"), 0) for name in names]

    def create(self, path, mode, info=None):
        return os.open(self.found(path), os.O_RDWR | os.O_CREAT, mode)

    def open(self, path, flags):
        return os.open(self.found(path), flags)

    def read(self, path, size, offset, handle):
        return os.pread(handle, size, offset)

    def write(self, path, data, offset, handle):
        return os.pwrite(handle, data, offset)

    def truncate(self, path, length, handle=None):
        os.truncate(self.found(path), length)

    def release(self, path, handle):
        os.close(handle)

    def fsync(self, path, datasync, handle):
        os.fsync(handle)

    def chmod(self, path, mode):
        os.chmod(self.found(path), mode)

    def mkdir(self, path, mode):
        if os.path.lexists(self.found(path)):
            raise mfusepy.FuseOSError(errno.EEXIST)
        os.mkdir(self.found(path), mode)

    def rmdir(self, path):
        os.rmdir(self.found(path))

    def unlink(self, path):
        os.unlink(self.found(path))

    def rename(self, old, new):
        os.replace(self.found(old), self.found(new))


if __name__ == "__main__":
    folder, mountpoint = sys.argv[1:]
    mfusepy.FUSE(
        FoldingDisk(str(Path(folder).absolute())), mountpoint, foreground=True, nothreads=True
    )
