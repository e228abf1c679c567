"""What the runs of CPython's test modules add up to, and the table in docs/PYTHON.md."""

from __future__ import annotations

import collections
import re
from dataclasses import dataclass, field

import reasons
from module_run import ModuleRun, Outcome

BEGIN = "<!-- CPython's tests: written by make test-cpython -->\n"
END = "<!-- end of CPython's tests -->\n"
GOOD = ("passed", "expected failure")
ROW = re.compile(r"^\| (test_\w+) \| (\d+) \| (\d+) \|", re.MULTILINE)
PUNCTUATION = re.compile(r"([\\`*_|<>\[\]])")


@dataclass
class Miss:
    """A method, or a module as a whole, that did not pass."""
    module: str
    method: str
    outcome: Outcome
    category: str | None  # None: nobody has looked at it yet
    count: int = 1        # methods; of a module as a whole, as many as it has elsewhere


@dataclass
class Summary:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    misses: list[Miss] = field(default_factory=list)
    faults: int = 0

    @property
    def methods(self) -> int:
        return self.passed + self.failed + self.skipped

    def unreviewed(self) -> list[Miss]:
        return [miss for miss in self.misses if miss.category is None]

    def categories(self) -> collections.Counter[str]:
        counter: collections.Counter[str] = collections.Counter()
        for miss in self.misses:
            counter[miss.category or "unreviewed"] += miss.count
        return counter


def summarize(run: ModuleRun, listed: int) -> Summary:
    """listed: how many methods the module has when it could not be imported here."""
    summary = Summary(run.name)
    if run.module is not None:
        category = reasons.find(run.name, "", run.module.message)
        summary.misses.append(Miss(run.name, "", run.module, category, listed))
        summary.skipped += listed
    for method, outcome in run.methods.items():
        outcome = outcome or Outcome("error", "was not run")
        if outcome.status in GOOD:
            summary.passed += 1
            continue
        summary.failed += outcome.status != "skipped"
        summary.skipped += outcome.status == "skipped"
        category = reasons.find(run.name, method, outcome.message)
        summary.misses.append(Miss(run.name, method, outcome, category))
    return summary


@dataclass
class Totals:
    methods: int
    passed: int
    categories: collections.Counter[str]

    @property
    def counted(self) -> int:
        """The methods that a sandbox without processes and sockets could pass, on this system."""
        apart = sum(count for name, count in self.categories.items()
                    if name in reasons.CATEGORIES and not reasons.CATEGORIES[name].counted)
        return self.methods - apart

    @property
    def rate(self) -> float:
        return self.passed / max(1, self.counted)


def add_up(summaries: list[Summary]) -> Totals:
    return Totals(sum(summary.methods for summary in summaries),
                  sum(summary.passed for summary in summaries),
                  sum((summary.categories() for summary in summaries), collections.Counter()))


def escape(text: str) -> str:
    return PUNCTUATION.sub(r"\\\1", text)


def totals_text(totals: Totals) -> str:
    apart = totals.methods - totals.counted
    lines = [f"{totals.methods} test methods, {totals.passed} pass. {apart} cannot be asked of it; "
             f"of the other {totals.counted}, {totals.rate:.1%} pass.\n",
             "| why a method does not pass | methods | counted |", "|---|---|---|"]
    for name, category in reasons.CATEGORIES.items():
        if totals.categories[name]:
            lines.append(f"| **{name}**: {category.text} | {totals.categories[name]} "
                         f"| {'yes' if category.counted else 'no'} |")
    if totals.categories["unreviewed"]:
        lines.append(f"| not looked at yet | {totals.categories['unreviewed']} | yes |")
    return "\n".join(lines) + "\n"


def modules_text(summaries: list[Summary]) -> str:
    lines = ["| module | methods | passed | failed | skipped | why |", "|---|---|---|---|---|---|"]
    for summary in summaries:
        why = ", ".join(f"{name} {count}" for name, count in summary.categories().most_common())
        lines.append(f"| {summary.name} | {summary.methods} | {summary.passed} | {summary.failed} "
                     f"| {summary.skipped} | {why} |")
    return "\n".join(lines) + "\n"


def short_name(miss: Miss) -> str:
    return miss.method.removeprefix(f"test.{miss.module}.") or "all"


def first_line(message: str) -> str:
    """Without what differs from run to run."""
    line = message.split("\n", 1)[0].strip()[:100]
    return re.sub(r"0x[0-9a-f]+|(?<=/tmp/)\w+", "...", line)


def misses_text(summaries: list[Summary]) -> str:
    """The methods that count, one by one; those of a module that say the same in one line."""
    parts = []
    for name, category in reasons.CATEGORIES.items():
        if not category.counted:
            continue
        groups: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
        for summary in summaries:
            for miss in summary.misses:
                if miss.category == name:
                    key = summary.name, first_line(miss.outcome.message)
                    groups[key].append(short_name(miss))
        if groups:
            parts.append(f"### {name}: {category.text}\n")
            parts += [f"- {module}: {', '.join(map(escape, methods))}: {escape(message)}"
                      for (module, message), methods in groups.items()]
            parts.append("")
    return "\n".join(parts) + "\n"


def document(summaries: list[Summary]) -> str:
    return ("\n" + totals_text(add_up(summaries)) + "\n" + modules_text(summaries) + "\n" +
            misses_text(summaries))


def known_passes(text: str) -> dict[str, int]:
    """Passed methods by module, as the table in the document says."""
    return {name: int(passed) for name, _, passed in ROW.findall(text)}
