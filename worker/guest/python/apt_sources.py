"""Prints the machine's own Debian package sources as source-package entries (deb-src).

    apt_sources.py [FILE...]      default: /etc/apt/sources.list and sources.list.d

Both forms are read, one line each and deb822. Entries of other vendors (suites that are not
bookworm*) are left out: a repository that is down or strange must not stop the build.
"""
import glob
import re
import sys

SUITE = re.compile(r"^bookworm(-\w+)?/?$")
ONE_LINE = re.compile(r"^deb(?:-src)?\s+(\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(\S.*)$")
DEFAULT = ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.list")),
           *sorted(glob.glob("/etc/apt/sources.list.d/*.sources"))]


def from_list(text):
    """Entries of a one-line file, as sets of deb822 fields."""
    for line in text.splitlines():
        match = ONE_LINE.match(line.split("#", 1)[0].strip())
        if not match:
            continue
        fields = {"URIs": match[2], "Suites": match[3], "Components": match[4]}
        for option in (match[1] or "").strip("[] ").split():
            name, _, value = option.partition("=")
            if name == "signed-by":
                fields["Signed-By"] = value
            elif name == "trusted":
                fields["Trusted"] = value
        yield fields


def from_deb822(text):
    for paragraph in re.split(r"\n[ \t]*\n", text):
        fields, name = {}, None
        for line in paragraph.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and name:
                fields[name] += "\n" + line
            elif ":" in line:
                name, value = line.split(":", 1)
                fields[name] = value.strip()
        if fields.get("Enabled", "yes").lower() not in ("no", "false"):
            yield fields


def source_entry(fields):
    """The deb-src paragraph of an entry, or None when nothing in it is Debian 12's."""
    suites = [suite for suite in fields.get("Suites", "").split() if SUITE.match(suite)]
    if not suites or "URIs" not in fields:
        return None
    entry = {"Types": "deb-src", "URIs": fields["URIs"], "Suites": " ".join(suites),
             "Components": fields.get("Components", "main")}
    entry.update((name, fields[name]) for name in ("Signed-By", "Trusted") if name in fields)
    return "".join(f"{name}: {value}\n" for name, value in entry.items())


def main(paths):
    entries = []
    for path in paths or DEFAULT:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except OSError:
            continue
        parse = from_deb822 if path.endswith(".sources") else from_list
        entries += filter(None, map(source_entry, parse(text)))
    print("\n".join(dict.fromkeys(entries)), end="")
    return 0 if entries else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
