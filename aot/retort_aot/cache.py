"""The cache: what was built, by the SHA-256 of all that went into it.

Every entry is written under a temporary name and renamed, so an interrupted build leaves whole
entries or none, and goes on where it was. Nothing depends on times of files.
"""
import hashlib
import os
import shutil
import tempfile
from pathlib import Path


def default_directory():
    chosen = os.environ.get("RETORT_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "retort"


def digest(*parts):
    """SHA-256 over parts (bytes or str), each with its length, so that they cannot run together."""
    total = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, (bytes, bytearray)) else str(part).encode()
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


class Cache:
    def __init__(self, directory=None):
        self.directory = Path(directory or default_directory())

    def path(self, kind, key, suffix=""):
        """Where the entry is, or will be. Its directory exists afterwards."""
        directory = self.directory / kind
        directory.mkdir(parents=True, exist_ok=True)
        return directory / (key + suffix)

    def scratch(self, kind):
        """A temporary directory on the same file system; the caller removes it."""
        directory = self.directory / kind
        directory.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".tmp-", dir=directory))

    @staticmethod
    def keep(made, path):
        """Moves a finished file or directory to its place. Who comes second loses nothing."""
        try:
            os.rename(made, path)
        except OSError:
            if not path.is_dir():
                raise
            shutil.rmtree(made)
