"""What the compiler gets: a header, units, a data blob; and how they are kept in the cache."""
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from .cache import digest

INDEX = "source.json"


@dataclass(frozen=True)
class Unit:
    name: str     # of the file, without suffix
    text: str
    suffix: str = ".c"
    is_dispatch: bool = False

    @property
    def file_name(self):
        return self.name + self.suffix


@dataclass(frozen=True)
class Source:
    header: str          # module.h
    units: tuple         # of Unit
    data: bytes          # data.bin
    notes: tuple = ()    # for the progress log

    def write(self, directory):
        """Writes all of it as files, as the compiler wants them, and an index."""
        (directory / "module.h").write_text(self.header)
        (directory / "data.bin").write_bytes(self.data)
        for unit in self.units:
            (directory / unit.file_name).write_text(unit.text)
        index = {"notes": self.notes,
                 "units": [[u.name, u.suffix, u.is_dispatch] for u in self.units]}
        (directory / INDEX).write_text(json.dumps(index))


def read(directory):
    """The Source that write() put there."""
    index = json.loads((directory / INDEX).read_text())
    units = tuple(Unit(name, (directory / (name + suffix)).read_text(), suffix, is_dispatch)
                  for name, suffix, is_dispatch in index["units"])
    return Source((directory / "module.h").read_text(), units,
                  (directory / "data.bin").read_bytes(), tuple(index["notes"]))


def tool_identity():
    """A digest of this tool's own text: another version of it makes other sources."""
    here = Path(__file__).resolve().parent
    return digest(*(path.read_bytes() for path in sorted(here.rglob("*.py"))))


def cached(cache, key, make):
    """The Source under that key; made by make() and kept when it is not there."""
    kept = cache.path("sources", key)
    if kept.exists():
        return read(kept)
    source = make()
    made = cache.scratch("sources")
    try:
        source.write(made)
        cache.keep(made, kept)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return source
