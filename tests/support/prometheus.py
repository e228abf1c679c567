"""Reads Prometheus's text format, strictly: what is not well-formed raises."""

from __future__ import annotations

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
VALUE = r"[0-9]+(?:\.[0-9]+)?|-[0-9]+|\+Inf|NaN"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ({VALUE})")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
TYPES = ("counter", "gauge", "histogram")
SUFFIXES = ("_bucket", "_sum", "_count")

Series = tuple[str, frozenset[tuple[str, str]]]


def read_labels(text: str) -> frozenset[tuple[str, str]]:
    found = []
    at = 0
    while at < len(text):
        label = LABEL.match(text, at)
        if not label:
            raise ValueError(f"labels {text!r}")
        found.append((label[1], label[2]))
        at = label.end()
    if len({name for name, _ in found}) != len(found):
        raise ValueError(f"a label twice: {text!r}")
    return frozenset(found)


class Page:
    """page.value("retort_jobs_total", outcome="exited"); a series that is not there is None."""

    def __init__(self, text: str) -> None:
        self.types: dict[str, str] = {}
        self.series: dict[Series, float] = {}
        if not text.endswith("\n"):
            raise ValueError("the last line has no end")
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                if kind not in TYPES or name in self.types:
                    raise ValueError(line)
                self.types[name] = kind
            elif not line.startswith("# HELP "):
                self.add(line)

    def add(self, line: str) -> None:
        sample = SAMPLE.fullmatch(line)
        if not sample:
            raise ValueError(f"line {line!r}")
        base = sample[1]
        for suffix in SUFFIXES:
            if self.types.get(base.removesuffix(suffix)) == "histogram":
                base = base.removesuffix(suffix)
        if base not in self.types:
            raise ValueError(f"no type of {sample[1]}")
        series = (sample[1], read_labels(sample[2] or ""))
        if series in self.series:
            raise ValueError(f"twice: {line!r}")
        self.series[series] = float(sample[3])

    def value(self, name: str, **labels: str) -> float | None:
        return self.series.get((name, frozenset(labels.items())))

    def sum(self, name: str, **labels: str) -> float:
        """Of all series of that name with these labels, and maybe others."""
        return sum(value for (one, has), value in self.series.items()
                   if one == name and has >= frozenset(labels.items()))
