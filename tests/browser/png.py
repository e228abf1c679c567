"""Makes a screenshot small: from true colour to 256 colours, as PNG knows them (RFC 2083)."""

from __future__ import annotations

import collections
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Colour = tuple[int, ...]


def chunks(data: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = collections.defaultdict(bytes)
    at = len(SIGNATURE)
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        found[kind] += data[at + 8:at + 8 + size]
        at += size + 12
    return found


def paeth(left: int, above: int, corner: int) -> int:
    distances = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    return (left, above, corner)[distances.index(min(distances))]


def plain_row(kind: int, row: bytearray, above: bytes, step: int) -> bytearray:
    """What stands in a row that was filtered."""
    for i in range(len(row) if kind else 0):
        left = row[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        add = {1: left, 2: above[i], 3: (left + above[i]) // 2}.get(kind)
        row[i] = (row[i] + (paeth(left, above[i], corner) if add is None else add)) & 255
    return row


def rows_of(data: bytes) -> list[list[Colour]]:
    found = chunks(data)
    width, height, depth, kind = struct.unpack_from(">IIBB", found[b"IHDR"])
    assert depth == 8 and kind in (2, 6), "no screenshot of true colour"
    step = 3 if kind == 2 else 4
    raw, size = zlib.decompress(found[b"IDAT"]), width * step
    above: bytes | bytearray = bytes(size)
    rows = []
    for y in range(height):
        at = y * (size + 1)
        above = plain_row(raw[at], bytearray(raw[at + 1:at + 1 + size]), bytes(above), step)
        rows.append([tuple(above[x:x + 3]) for x in range(0, size, step)])
    return rows


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def smaller(data: bytes) -> bytes:
    rows = rows_of(data)
    counts = collections.Counter(colour for row in rows for colour in row)
    # What is coloured is rare between greys, and is what a viewer looks for.
    palette = sorted(counts, key=lambda c: -counts[c] * (1 + max(c) - min(c)))[:256]
    index = {colour: i for i, colour in enumerate(palette)}
    for colour in counts.keys() - index.keys():
        index[colour] = min(range(len(palette)), key=lambda i: sum(
            (a - b) ** 2 for a, b in zip(colour, palette[i])))
    pixels = b"".join(b"\0" + bytes(index[colour] for colour in row) for row in rows)
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    return (SIGNATURE + chunk(b"IHDR", head) + chunk(b"PLTE", bytes(sum(palette, ())))
            + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b""))
