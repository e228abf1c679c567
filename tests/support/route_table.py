"""The rows of api/routes.def, as the tests need them."""

from __future__ import annotations

import dataclasses
import re

from stack import REPOSITORY

ROW = re.compile(r'^ROUTE\((\w+), "([^"]+)", (\w+), (\w+), (\w+), (\w+), (\w+),', re.MULTILINE)
NO_SUCH_ID = "nothing_0"


@dataclasses.dataclass(frozen=True)
class Route:
    method: str
    pattern: str  # of the path, {id} in it
    limit: str    # the setting that bounds the body; NONE: no body is taken
    content: str  # json, any, ...
    access: str   # open, key

    @property
    def path(self) -> str:
        """One that fits, and names nothing that there is."""
        return re.sub(r"\{\w+\}", NO_SUCH_ID, self.pattern)

    @property
    def takes_body(self) -> bool:
        return self.limit != "NONE"


def routes() -> list[Route]:
    text = (REPOSITORY / "api/routes.def").read_text("utf-8")
    found = [Route(row[0], row[1], row[4], row[5], row[6]) for row in ROW.findall(text)]
    assert len(found) == len(re.findall(r"^ROUTE\(", text, re.MULTILINE)), "a row is not understood"
    return found


def methods() -> dict[str, list[str]]:
    """For each pattern what Allow says of it."""
    allowed: dict[str, list[str]] = {}
    for route in routes():
        names = allowed.setdefault(route.pattern, [])
        names += ["GET", "HEAD"] if route.method == "GET" else [route.method]
    return {pattern: [*names, "OPTIONS"] for pattern, names in allowed.items()}
