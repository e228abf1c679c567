"""What Schemathesis has to know beyond the schemas (SCHEMATHESIS_HOOKS; runs in its environment).

What no schema can say is left out: names with NUL within unknown members; names of files that are too
long in bytes, kept for others, or of which one is another's or lies below it; parts of a form without
a name.
"""

from __future__ import annotations

from typing import Any

import schemathesis


def has_nul_name(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\0" in name or has_nul_name(member) for name, member in value.items())
    return isinstance(value, list) and any(map(has_nul_name, value))


def file_names(body: Any) -> list[str]:
    files = body.get("files") if isinstance(body, dict) else None
    named = [file.get("name", file.get("path")) for file in files if isinstance(file, dict)
             ] if isinstance(files, list) else []
    return [name for name in named if isinstance(name, str)]


def is_too_long(name: str) -> bool:
    parts = [len(part.encode("utf-8", "surrogatepass")) for part in name.split("/")]
    return sum(parts) + len(parts) - 1 > 1024 or max(parts) > 255


def names_collide(names: list[str]) -> bool:
    taken = [name + "/" for name in [*names, "main.py", "outputs"]]
    return any(b.startswith(a) for i, a in enumerate(taken) for j, b in enumerate(taken) if i != j)


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    if isinstance(body, dict) and any(not 0 < len(name.encode("utf-8", "replace")) < 256 for name in body):
        return False
    names = file_names(body)
    return not (has_nul_name(body) or names_collide(names) or any(map(is_too_long, names)))
