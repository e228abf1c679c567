"""Runs the container tests under a Docker daemon of their own.

    run.py [--match WORD]
"""

from __future__ import annotations

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import docker_run  # noqa: E402

if __name__ == "__main__":
    sys.exit(docker_run.main("container", HERE / "test_container.py"))
