"""The schemas of Kubernetes's objects: JSON files of a package that the Python index has.

The package is fetched by version and checksum into the build cache and never installed or run; the
schemas are read out of its archive.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import subprocess
import tempfile
import zipfile
from typing import Any

import jsonschema

PACKAGE = "kubernetes-validate==1.37.0"
FILE = "kubernetes_validate-1.37.0-py3-none-any.whl"
SHA256 = "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9"
# The oldest that has everything in deploy/kubernetes, and the newest that the package knows.
VERSIONS = ("1.25.0", "1.37.0")


def archive() -> pathlib.Path:
    cache = pathlib.Path(os.environ.get("RETORT_CACHE") or pathlib.Path.home() / ".cache/retort")
    kept = cache / "schemas" / FILE
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as work:
            wanted = pathlib.Path(work) / "requirements.txt"
            wanted.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
            subprocess.run(["/usr/bin/python3", "-m", "pip", "download", "--quiet", "--no-deps",
                            "--only-binary", ":all:", "--require-hashes", "--dest", work,
                            "--requirement", str(wanted)], check=True, timeout=120)
            (pathlib.Path(work) / FILE).rename(kept)
    return kept


class Schemas:
    """Of one version of Kubernetes. Unknown fields are errors."""

    def __init__(self, version: str) -> None:
        self.directory = f"kubernetes_validate/kubernetes-json-schema/v{version}-local-strict"
        self.zip = zipfile.ZipFile(archive())

    @functools.lru_cache(maxsize=None)
    def read(self, name: str) -> Any:
        return json.loads(self.zip.read(f"{self.directory}/{name}"))

    def errors(self, document: dict[str, Any]) -> list[str]:
        """What is wrong with an object, one sentence each."""
        group, _, version = document["apiVersion"].rpartition("/")
        kind = document["kind"].lower()
        name = f"{kind}-{group.split('.')[0]}-{version}.json" if group else f"{kind}-{version}.json"
        resolver = jsonschema.RefResolver(
            "http://schemas.invalid/", self.read(name),
            handlers={"http": lambda uri: self.read(uri.rsplit("/", 1)[1])})
        validator = jsonschema.Draft4Validator(self.read(name), resolver=resolver)
        return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
                for error in validator.iter_errors(document)]

    def close(self) -> None:
        self.zip.close()
