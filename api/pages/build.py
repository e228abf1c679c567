"""Makes what the API serves as pages: each file packed, as its source holds it.

    build.py SIDECAR OUT

SIDECAR has Swagger UI and Redoc, as PyPI's drf-spectacular-sidecar holds them. OUT gets <name>.gz of each page,
the OpenAPI document among them, as JSON.
"""

from __future__ import annotations

import datetime
import gzip
import json
import pathlib
import re
import sys
from typing import Any

import yaml

API = pathlib.Path(__file__).resolve().parent.parent
# Redoc shows its maker's logo, from the maker's site. Whoever looks at this page tells no other site.
FOREIGN_LOGO = 'src:"https://cdn.redoc.ly/redoc/logo-mini.svg"'
NO_LOGO = 'src:"data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="'


def version() -> str:
    text = (API.parent / "common/version.h").read_text("utf-8")
    found = re.search(r'#define RETORT_VERSION "([^"]+)"', text)
    assert found, "common/version.h has no RETORT_VERSION"
    return found.group(1)


class OnceLoader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{node.start_mark}: {twice} stands twice"
        return super().construct_mapping(node, deep)


def plain(value: Any) -> Any:
    """YAML reads what looks like a date as one; JSON has none."""
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else value


def openapi() -> bytes:
    document = plain(yaml.load((API / "openapi/spec.yaml").read_text("utf-8"), OnceLoader))
    document["info"]["version"] = version()
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def without_comment(text: bytes) -> bytes:
    """Without the line that names a map of the source: it is not served."""
    return re.sub(rb"(?m)^(//# sourceMappingURL=.*|/\*# sourceMappingURL=.*\*/)\n?\Z", b"", text)


def redoc(sidecar: pathlib.Path) -> bytes:
    text = (sidecar / "redoc/bundles/redoc.standalone.js").read_text("utf-8")
    assert text.count(FOREIGN_LOGO) == 1, "Redoc has its logo in another way"
    return without_comment(text.replace(FOREIGN_LOGO, NO_LOGO).encode())


def pages(sidecar: pathlib.Path) -> dict[str, bytes]:
    swagger = sidecar / "swagger-ui-dist"
    own = {path.name: path.read_bytes() for path in (API / "pages").iterdir()
           if path.suffix in (".html", ".js", ".css", ".svg")}
    return {**own,
            "openapi.json": openapi(),
            "swagger-ui.js": without_comment((swagger / "swagger-ui-bundle.js").read_bytes()),
            "swagger-ui.css": without_comment((swagger / "swagger-ui.css").read_bytes()),
            "redoc.js": redoc(sidecar)}


def main() -> int:
    sidecar, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for name, content in pages(sidecar).items():
        target = out / f"{name}.gz"
        packed = gzip.compress(content, 9, mtime=0)
        if not target.exists() or target.read_bytes() != packed:
            target.write_bytes(packed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
