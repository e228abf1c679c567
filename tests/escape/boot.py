"""Attacks in a zygote: what its guest does when it boots, and what the zygote does when it serves.

The scripts come in the image's environment (ESCAPE_AT_BOOT). Runs of retort-run, since a zygote
that dies is no service.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from escape import BUILD, IMAGE

RUN = BUILD / "retort-run"
SERVED = "served"


class BootTest(unittest.TestCase):
    """prefix: a command that starts retort-run in another way."""

    prefix: list[str] = []

    def setUp(self) -> None:
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="retort-escape-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.directory.chmod(0o755)

    def image(self, at_boot: str) -> pathlib.Path:
        """The image, with a script for when it boots."""
        image = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        image.chmod(0o755)
        for name in ("program", "tree"):
            (image / name).symlink_to(IMAGE / name)
        facts = json.loads((IMAGE / "image.json").read_text())
        facts["env"] = [f"ESCAPE_AT_BOOT={at_boot}"]
        (image / "image.json").write_text(json.dumps(facts))
        return image

    def run_at_boot(self, at_boot: str, job: str = f'print "{SERVED}"\n') -> tuple[str, str]:
        """What was said at boot (and by retort-run), and what a job said afterwards."""
        image = self.image(at_boot)
        (image / "job").write_text(job)
        done = subprocess.run([*self.prefix, RUN, "--image", image, image / "job"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        return done.stderr, done.stdout

    def results(self, at_boot: str) -> list[int]:
        """What the calls at boot gave; a job is served afterwards."""
        said, job = self.run_at_boot(at_boot)
        self.assertEqual(job, SERVED + "\n", said)
        return [int(line) for line in said.split()]
