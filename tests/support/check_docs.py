"""Checks that what is committed of what a program prints is what it prints.

    check_docs.py [--write] [--whole | --table=NAME] PROGRAM DOCUMENT

A table (NAME: settings, unless it is given) stands between two comment lines; --whole: the document
is the program's whole output. --write puts it there.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys

BEGIN = "<!-- {}: printed by the programs, checked by make docs -->\n"
END = "<!-- end of {} -->\n"
TABLE = "--table="


def split(text: str, begin: str, end: str) -> tuple[str, str, str]:
    """What stands before the printed part, the part, what stands after it."""
    before, rest = text.split(begin, 1)
    table, after = rest.split(end, 1)
    return before + begin, table, end + after


def main() -> int:
    options = {argument for argument in sys.argv[1:] if argument.startswith("--")}
    whole = "--whole" in options
    program, document = [argument for argument in sys.argv[1:] if argument not in options]
    name = next((option.removeprefix(TABLE) for option in options if option.startswith(TABLE)),
                "settings")
    begin, end = BEGIN.format(name), END.format(name)
    path = pathlib.Path(document)
    text = path.read_text("utf-8") if path.exists() or not whole else ""
    if not whole and (begin not in text or end not in text):
        print(f"{document}: the lines around the table of {name} are missing:\n{begin}{end}")
        return 1
    before, found, after = ("", text, "") if whole else split(text, begin, end)
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    wanted = printed if whole else "\n" + printed + "\n"
    if found == wanted:
        return 0
    if "--write" in options:
        path.write_text(before + wanted + after, "utf-8")
        print(f"{document}: written")
        return 0
    print(f"{document} is not what {pathlib.Path(program).name} prints; run make docs WRITE=1")
    return 1


if __name__ == "__main__":
    sys.exit(main())
