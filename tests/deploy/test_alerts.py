"""Alert rules: of metrics that there are, well-formed, and each goes off when it should."""

from __future__ import annotations

import re
import subprocess
import unittest

import yaml

from manifests import ROOT
from promtool import promtool

ALERTS = ROOT / "deploy/prometheus/alerts.yml"
TRIALS = ROOT / "tests/deploy/alerts_test.yml"
# A metric where PromQL has one: a name that is no function, keyword, label or number's unit.
NAME = re.compile(r"\b(?:retort|process)_\w+")
SUFFIX = re.compile(r"_(?:bucket|sum|count)$")


def metrics() -> dict[str, tuple[str, set[str]]]:
    """Name -> kind and labels."""
    text = (ROOT / "common/metrics.def").read_text("utf-8")
    rows = re.findall(r'^METRIC\([A-Z |]+,\s*(\w+),\s*\w+,\s*"(\w+)",\s*(\w+),\s*(\w+),\s*(\w+),',
                      text, re.MULTILINE)
    return {name: (kind, {label.lower() for label in labels} - {"none"})
            for kind, name, *labels in rows}


def rules() -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
            for rule in group["rules"]]


class Alerts(unittest.TestCase):
    def run_promtool(self, *words: str) -> None:
        done = subprocess.run([promtool(), *words], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_metric_in_a_rule_is_one_of_ours(self) -> None:
        known = metrics()
        self.assertGreater(len(known), 20)
        for rule in rules():
            used = NAME.findall(str(rule["expr"]))
            self.assertTrue(used, rule)
            for name in used:
                base = SUFFIX.sub("", name)
                self.assertTrue(name in known or known.get(base, ("",))[0] == "HISTOGRAM",
                                f"{rule['alert']}: {name}")

    def test_labels_that_rules_select_by_are_those_of_the_metric(self) -> None:
        for rule in rules():
            for name, inside in re.findall(r"(retort_\w+)\{([^}]*)\}", str(rule["expr"])):
                labels = set(re.findall(r"(\w+)\s*[=!]", inside))
                self.assertLessEqual(labels, metrics()[name][1], rule["alert"])

    def test_the_rules_and_the_configuration_are_well_formed(self) -> None:
        self.run_promtool("check", "rules", "--lint-fatal", str(ALERTS))
        self.run_promtool("check", "config", "--lint-fatal", str(ALERTS.with_name("prometheus.yml")))

    def test_each_rule_goes_off_and_stays_quiet(self) -> None:
        self.run_promtool("test", "rules", str(TRIALS))

    def test_each_rule_is_tried(self) -> None:
        text = TRIALS.read_text("utf-8")
        for rule in rules():
            self.assertIn(f'alertname="{rule["alert"]}"', text)


if __name__ == "__main__":
    unittest.main()
