"""Prometheus's promtool, out of Debian's package, which is never installed: that would start a
daemon at every boot. apt-get fetches it and checks its signature; the build cache keeps it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import tempfile
import unittest


def promtool() -> str:
    cache = pathlib.Path(os.environ.get("RETORT_CACHE") or pathlib.Path.home() / ".cache/retort")
    kept = cache / "promtool"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as work:
            fetch(pathlib.Path(work))
            (pathlib.Path(work) / "usr/bin/promtool").rename(kept)
    return str(kept)


def fetch(work: pathlib.Path) -> None:
    done = subprocess.run(["apt-get", "download", "--quiet", "prometheus"], cwd=work, text=True,
                          capture_output=True, timeout=120)
    if done.returncode != 0:
        raise unittest.SkipTest("this machine cannot fetch Debian's package prometheus: "
                                + done.stderr.strip()[-200:])
    package = next(work.glob("prometheus_*.deb"))
    subprocess.run(["dpkg-deb", "--extract", str(package), str(work)], check=True, timeout=60)
