"""Makes the image that CPython's tests run in: the product's program with a bigger tree.

    image.py IMAGE PYTHON OUT

IMAGE is the product's image, PYTHON what the guest's build made (rootfs/, tests/). The program and
its description are the product's; the tree is its rootfs with the tests and the stand-ins for
CPython's C test modules in it, compiled as the rootfs is. OUT is made anew only when one of these
has changed.
"""

from __future__ import annotations

import compileall
import hashlib
import pathlib
import py_compile
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIBRARY = pathlib.Path("usr/local/lib/python3.11")
STAND_INS = ("_testcapi.py", "_testinternalcapi.py")


def inputs_hash(image: pathlib.Path, python: pathlib.Path) -> str:
    files = [image / "program", image / "image.json", python / ".inputs", HERE / "testcapi.py",
             HERE / "image.py"]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest()
                                   for file in files)).hexdigest()


def assemble(python: pathlib.Path, root: pathlib.Path) -> None:
    shutil.copytree(python / "rootfs", root, symlinks=True)
    library = root / LIBRARY
    shutil.copytree(python / "tests", library, symlinks=True, dirs_exist_ok=True)
    (library / "Modules").rename(library.parent / "Modules")
    for name in STAND_INS:
        shutil.copyfile(HERE / "testcapi.py", library / name)
    for entry in sorted((python / "tests").iterdir()):
        if entry.name == "Modules":
            continue
        # Some of them are not meant to compile.
        compileall.compile_dir(
            library / entry.name, ddir=f"/{LIBRARY / entry.name}", quiet=2, workers=2,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def make(image: pathlib.Path, python: pathlib.Path, out: pathlib.Path) -> None:
    sys.path.insert(0, str(ROOT / "aot"))
    from retort_aot import tree
    wanted = inputs_hash(image, python)
    stamp = out / ".inputs"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        assemble(python, pathlib.Path(scratch) / "root")
        with open(out / "tree", "wb") as file:
            tree.write(str(pathlib.Path(scratch) / "root"), file)
    shutil.copyfile(image / "program", out / "program")
    (out / "program").chmod(0o755)
    shutil.copyfile(image / "image.json", out / "image.json")
    stamp.write_text(wanted)


if __name__ == "__main__":
    make(*map(pathlib.Path, sys.argv[1:]))
