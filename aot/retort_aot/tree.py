"""Writes the image's file tree (format: worker/wasi/tree.h).

The same input gives the same bytes: names are sorted as bytes, times come from
SOURCE_DATE_EPOCH, owners and modes are not kept.
"""
import os
import stat
import struct
from dataclasses import dataclass, field

from .errors import Failure

MAGIC = 0x3145455254525452
DIRECTORY, FILE, SYMLINK = 1, 2, 3
HEADER = struct.Struct("<QQIIQ")  # magic, total bytes, node count, offset of nodes, mtime
NODE = struct.Struct("<IIQQQ")    # kind, name bytes, name offset, data offset, data bytes
ALIGNMENT = 64
DEFAULT_EPOCH = 315532800  # 1980-01-01, the first time that a zip file can hold


@dataclass
class Node:
    kind: int
    name: bytes
    path: str = ""
    target: bytes = b""
    children: list = field(default_factory=list)
    first_child: int = 0
    size: int = 0
    offset: int = 0


def scan(path, name=b""):
    """The Node of a host path, with all below it."""
    mode = os.lstat(path)
    if stat.S_ISLNK(mode.st_mode):
        return Node(SYMLINK, name, path, target=os.fsencode(os.readlink(path)))
    if stat.S_ISREG(mode.st_mode):
        return Node(FILE, name, path, size=mode.st_size)
    if stat.S_ISDIR(mode.st_mode):
        names = sorted(os.fsencode(entry) for entry in os.listdir(path))
        return Node(DIRECTORY, name, path, children=[
            scan(os.path.join(path, os.fsdecode(entry)), entry) for entry in names])
    raise Failure(f"{path} is neither file, directory nor symbolic link; "
                  "an image's tree cannot hold it")


def write(root_path, file):
    """Writes the tree of a directory (None: an empty one) to an open binary file."""
    root = Node(DIRECTORY, b"") if root_path is None else scan(root_path)
    if root.kind != DIRECTORY:
        raise Failure(f"{root_path} is not a directory")
    nodes = _breadth_first(root)
    names = bytearray()
    name_start = HEADER.size + NODE.size * len(nodes)
    rows = []
    for node in nodes:
        rows.append(name_start + len(names))
        names += node.name
    at = name_start + len(names)
    for node in nodes:
        if node.kind == SYMLINK:
            node.size, node.offset = len(node.target), at
            at += node.size
    for node in nodes:
        if node.kind == FILE:
            node.offset = at = _aligned(at)
            at += node.size
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", DEFAULT_EPOCH))
    file.write(HEADER.pack(MAGIC, at, len(nodes), HEADER.size, epoch * 10**9))
    for node, name_offset in zip(nodes, rows):
        file.write(NODE.pack(node.kind, len(node.name), name_offset, *_content(node)))
    file.write(names)
    _write_contents(nodes, file)


def _breadth_first(root):
    """All nodes; the children of a directory stand side by side."""
    nodes, at = [root], 0
    while at < len(nodes):
        nodes[at].first_child = len(nodes)
        nodes.extend(nodes[at].children)
        at += 1
    return nodes


def _content(node):
    if node.kind == DIRECTORY:
        return node.first_child, len(node.children)
    return node.offset, node.size


def _aligned(offset):
    return (offset + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def _write_contents(nodes, file):
    for node in nodes:
        if node.kind == SYMLINK:
            file.write(node.target)
    for node in nodes:
        if node.kind == FILE:
            file.write(b"\0" * (node.offset - file.tell()))
            with open(node.path, "rb") as source:
                data = source.read()
            if len(data) != node.size:
                raise Failure(f"{node.path} changed while it was read")
            file.write(data)
