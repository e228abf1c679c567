"""Checks that the table of settings in a document is what the programs print.

    check_docs.py [--write] PROGRAM DOCUMENT

The table stands between two comment lines. --write puts it there.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys

BEGIN = "<!-- settings: printed by the programs, checked by make docs -->\n"
END = "<!-- end of settings -->\n"


def main() -> int:
    arguments = sys.argv[1:]
    write = "--write" in arguments
    program, document = [argument for argument in arguments if argument != "--write"]
    path = pathlib.Path(document)
    text = path.read_text("utf-8")
    if BEGIN not in text or END not in text:
        print(f"{document}: the lines around the table of settings are missing:\n{BEGIN}{END}")
        return 1
    before, rest = text.split(BEGIN, 1)
    table, after = rest.split(END, 1)
    wanted = "\n" + subprocess.run([program], capture_output=True, text=True,
                                   check=True).stdout + "\n"
    if table == wanted:
        return 0
    if write:
        path.write_text(before + BEGIN + wanted + END + after, "utf-8")
        print(f"{document}: settings written")
        return 0
    print(f"{document}: the settings are not those of the programs; run make docs WRITE=1")
    return 1


if __name__ == "__main__":
    sys.exit(main())
