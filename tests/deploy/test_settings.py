"""What the ways to run Retort agree on: settings that exist, and ends that are not cut short."""

from __future__ import annotations

import unittest

import manifests
from manifests import PROGRAMS

# In the environment of a container to make REDIS_URL of.
HELPERS = {"API_PASSWORD", "WORKER_PASSWORD"}
# From the end of DRAIN_TIMEOUT_MS to the last process's.
MARGIN_S = 5


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


class Settings(unittest.TestCase):
    def environments(self) -> dict[str, tuple[str, dict[str, object]]]:
        found: dict[str, tuple[str, dict[str, object]]] = {}
        services, pods = manifests.compose()["services"], manifests.pods()
        for program in PROGRAMS:
            unit = manifests.Unit(manifests.SYSTEMD / f"retort-{program}.service")["Service"]
            found[f"compose {program}"] = (program, services[program]["environment"])
            found[f"kubernetes {program}"] = (
                program, manifests.container_environment(pods[program]))
            found[f"unit {program}"] = (
                program, dict(line.split("=", 1) for line in unit["Environment"]))
            found[f"{program}.env"] = (program, dict(manifests.environment_file(f"{program}.env")))
        return found

    def test_each_that_is_set_is_one_of_the_program(self) -> None:
        for place, (program, environment) in self.environments().items():
            with self.subTest(place):
                self.assertTrue(environment)
                unknown = set(environment) - manifests.settings_of(program) - HELPERS
                self.assertEqual(unknown, set())

    def test_each_program_is_a_user_of_its_own_in_redis(self) -> None:
        for place, (program, environment) in self.environments().items():
            if "REDIS_URL" in environment:
                with self.subTest(place):
                    self.assertIn(f"redis://{program}:", str(environment["REDIS_URL"]))


class Ends(unittest.TestCase):
    """A program that drains is not killed before it has."""

    def test_compose(self) -> None:
        for program in PROGRAMS:
            service = manifests.compose()["services"][program]
            drain_s = int(service["environment"]["DRAIN_TIMEOUT_MS"]) // 1000
            self.assertEqual(seconds(service["stop_grace_period"]), drain_s + MARGIN_S)

    def test_systemd(self) -> None:
        for program in PROGRAMS:
            unit = manifests.Unit(manifests.SYSTEMD / f"retort-{program}.service")["Service"]
            drain_s = int(unit["Environment"][0].removeprefix("DRAIN_TIMEOUT_MS=")) // 1000
            self.assertEqual(seconds(unit["TimeoutStopSec"][0]), drain_s + MARGIN_S)
            self.assertEqual(unit["KillMode"], ["mixed"])

    def test_kubernetes(self) -> None:
        for program in PROGRAMS:
            pod = manifests.pods()[program]
            drain_s = int(manifests.container_environment(pod)["DRAIN_TIMEOUT_MS"]) // 1000
            hook = pod["containers"][0].get("lifecycle", {}).get("preStop")
            before_s = int(hook["exec"]["command"][1]) if hook else 0
            self.assertEqual(pod["terminationGracePeriodSeconds"], before_s + drain_s + MARGIN_S)


if __name__ == "__main__":
    unittest.main()
