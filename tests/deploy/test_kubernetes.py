"""deploy/kubernetes: objects that Kubernetes takes, sealed pods, names that fit together."""

from __future__ import annotations

import shutil
import subprocess
import unittest
from typing import Any

import manifests
import yaml
from kubernetes_schemas import VERSIONS, Schemas
from manifests import KUBERNETES

PODS = ("api", "redis", "worker")
# Fields of KEDA's objects, of its custom resource definitions (keda.sh/v1alpha1).
SCALED_OBJECT = {"scaleTargetRef", "pollingInterval", "initialCooldownPeriod", "cooldownPeriod",
                 "idleReplicaCount", "minReplicaCount", "maxReplicaCount", "advanced", "triggers",
                 "fallback"}
TRIGGER = {"type", "name", "metadata", "authenticationRef", "metricType", "useCachedMetrics"}
REDIS_TRIGGER = {"address", "host", "port", "username", "usernameFromEnv", "passwordFromEnv",
                 "listName", "listLength", "activationListLength", "enableTLS", "unsafeSsl",
                 "databaseIndex"}


class Objects(unittest.TestCase):
    def test_they_are_valid_in_the_oldest_and_the_newest_version(self) -> None:
        for version in VERSIONS:
            schemas = Schemas(version)
            self.addCleanup(schemas.close)
            checked = 0
            for path, document in manifests.documents():
                if document["apiVersion"].startswith("keda.sh/"):
                    continue
                with self.subTest(version=version, path=path.name, kind=document["kind"]):
                    self.assertEqual(schemas.errors(document), [])
                checked += 1
            self.assertGreater(checked, 10)

    def test_a_field_that_does_not_exist_is_found(self) -> None:
        schemas = Schemas(VERSIONS[-1])
        self.addCleanup(schemas.close)
        document = manifests.of_kind("Deployment")["api"]
        document["spec"]["template"]["spec"]["containers"][0]["liveness"] = {}
        self.assertRegex(" ".join(schemas.errors(document)), "liveness")

    def test_kustomizations_name_every_file(self) -> None:
        for path in KUBERNETES.glob("*/kustomization.yaml"):
            resources = yaml.safe_load(path.read_text("utf-8"))["resources"]
            files = {found.name for found in path.parent.glob("*.yaml")} - {path.name}
            with self.subTest(path.parent.name):
                self.assertEqual({name for name in resources if name.endswith(".yaml")}, files)
                for name in resources:
                    self.assertTrue((path.parent / name).exists(), name)

    @unittest.skipUnless(shutil.which("kubectl"), "this machine cannot: it has no kubectl")
    def test_kustomizations_can_be_built(self) -> None:
        for name, least in ((".", 12), ("keda", 2), ("sealed", 12)):
            built = subprocess.run(["kubectl", "kustomize", str(KUBERNETES / name)], text=True,
                                   capture_output=True, check=False, timeout=60)
            self.assertEqual(built.returncode, 0, built.stderr)
            found = [document["kind"] for document in yaml.safe_load_all(built.stdout)]
            self.assertGreater(len(found), least - 1)
            self.assertNotIn("Secret", found)


class Pods(unittest.TestCase):
    def test_they_are_sealed_as_the_restricted_standard_wants(self) -> None:
        self.assertEqual(set(manifests.pods()), set(PODS))
        for name, pod in manifests.pods().items():
            with self.subTest(name):
                self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
                self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertIs(pod["automountServiceAccountToken"], False)
                for container in pod["containers"]:
                    self.assertEqual(container["securityContext"], {
                        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]}})

    def test_probes_ask_ports_that_are_there(self) -> None:
        wanted = {"api": {"livenessProbe": "/healthz", "readinessProbe": "/readyz"},
                  "worker": {"startupProbe": "/healthz", "livenessProbe": "/healthz",
                             "readinessProbe": "/healthz"}}
        for name, probes in wanted.items():
            container = manifests.pods()[name]["containers"][0]
            ports = {port["name"] for port in container["ports"]}
            for probe, path in probes.items():
                found = container[probe]["httpGet"]
                self.assertEqual(found["path"], path)
                self.assertIn(found["port"], ports)

    def test_passwords_come_from_the_secret(self) -> None:
        secret = manifests.of_kind("Secret")["redis"]["stringData"]
        named = [entry["valueFrom"]["secretKeyRef"] for pod in manifests.pods().values()
                 for entry in pod["containers"][0]["env"] if "valueFrom" in entry]
        self.assertGreater(len(named), 3)
        for reference in named:
            self.assertEqual(reference["name"], "redis")
            self.assertIn(reference["key"], secret)


class Names(unittest.TestCase):
    def labels(self) -> dict[str, dict[str, str]]:
        return {name: found["spec"]["template"]["metadata"]["labels"]
                for name, found in manifests.of_kind("Deployment", "StatefulSet").items()}

    def test_selectors_find_their_pods(self) -> None:
        labels = self.labels()
        for kind in ("Service", "PodDisruptionBudget", "Deployment", "StatefulSet"):
            for name, found in manifests.of_kind(kind).items():
                selector: Any = found["spec"]["selector"]
                with self.subTest(kind=kind, name=name):
                    self.assertEqual(selector.get("matchLabels", selector), labels[name])

    def test_disruptions_are_bounded(self) -> None:
        self.assertEqual(set(manifests.of_kind("PodDisruptionBudget")), {"api", "worker"})

    def test_everything_that_no_policy_names_is_denied(self) -> None:
        policy = manifests.of_kind("NetworkPolicy")["nothing-else"]["spec"]
        self.assertEqual(policy, {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


class Keda(unittest.TestCase):
    def test_workers_scale_by_the_list_that_the_api_fills(self) -> None:
        scaled = manifests.of_kind("ScaledObject")["worker"]["spec"]
        self.assertLessEqual(set(scaled), SCALED_OBJECT)
        target = scaled["scaleTargetRef"]
        self.assertIn(target["name"], manifests.of_kind(target["kind"]))
        self.assertNotIn("replicas", manifests.of_kind("Deployment")["worker"]["spec"])
        trigger, = scaled["triggers"]
        self.assertLessEqual(set(trigger), TRIGGER)
        self.assertEqual(trigger["type"], "redis")
        self.assertLessEqual(set(trigger["metadata"]), REDIS_TRIGGER)
        for value in trigger["metadata"].values():
            self.assertIsInstance(value, str)
        self.assertEqual(trigger["metadata"]["listName"], "retort:queue:python")
        host, port = trigger["metadata"]["address"].split(":")
        service = manifests.of_kind("Service")["redis"]["spec"]
        self.assertEqual((host, int(port)), ("redis.retort.svc", service["ports"][0]["port"]))

    def test_it_is_a_user_of_its_own(self) -> None:
        trigger, = manifests.of_kind("ScaledObject")["worker"]["spec"]["triggers"]
        given = manifests.of_kind("TriggerAuthentication")[trigger["authenticationRef"]["name"]]
        reference, = given["spec"]["secretTargetRef"]
        self.assertEqual(reference, {"parameter": "password", "name": "redis", "key": "scaler"})
        self.assertEqual(trigger["metadata"]["username"], "scaler")


if __name__ == "__main__":
    unittest.main()
