"""Puts an image in place: DIRECTORY/{program,tree,image.json}, all of it or nothing."""
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1


@dataclass(frozen=True)
class Description:
    """What image.json says (worker/image.h)."""
    language: str
    module_sha256: str
    bootstrap: bool
    argv: tuple
    env: tuple
    rehearsal: str = ""

    def text(self):
        facts = {
            "format": FORMAT, "language": self.language, "module_sha256": self.module_sha256,
            "bootstrap": self.bootstrap, "argv": list(self.argv), "env": list(self.env),
        }
        if self.rehearsal:
            facts["rehearsal"] = self.rehearsal
        return json.dumps(facts, indent=1) + "\n"


def write(directory, program, tree, description):
    """Makes or replaces the image. program and tree: paths of finished files, copied."""
    directory = Path(directory).absolute()
    directory.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        shutil.copyfile(program, made / "program")
        os.chmod(made / "program", 0o755)
        shutil.copyfile(tree, made / "tree")
        (made / "image.json").write_text(description.text())
        os.chmod(made, 0o755)
        _replace(made, directory)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _replace(made, directory):
    """A directory cannot be renamed over a full one: the old one steps aside first."""
    if not directory.exists():
        os.rename(made, directory)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
    os.rename(directory, aside / "image")
    try:
        os.rename(made, directory)
    except OSError:
        os.rename(aside / "image", directory)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
