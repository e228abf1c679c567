"""multipart/form-data as clients send it, and as they should not."""

from __future__ import annotations

import secrets


def part(name: str, content: bytes, filename: str | None = None,
         content_type: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        quoted = filename.replace("\\", "\\\\").replace('"', '\\"')
        head += f'; filename="{quoted}"'
    if content_type:
        head += f"\r\nContent-Type: {content_type}"
    return head.encode() + b"\r\n\r\n" + content


def form(*parts: bytes, boundary: str = "") -> tuple[bytes, str]:
    """The body, and its Content-Type."""
    boundary = boundary or secrets.token_hex(16)
    line = b"--" + boundary.encode()
    body = b"".join(line + b"\r\n" + each + b"\r\n" for each in parts) + line + b"--\r\n"
    return body, f"multipart/form-data; boundary={boundary}"


def file_form(content: bytes, filename: str = "a.txt", content_type: str = "text/plain",
              purpose: str = "") -> tuple[bytes, str]:
    parts = [part("file", content, filename, content_type)]
    if purpose:
        parts.append(part("purpose", purpose.encode()))
    return form(*parts)
