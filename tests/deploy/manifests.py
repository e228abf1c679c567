"""What compose, systemd and Kubernetes are told, read from deploy/."""

from __future__ import annotations

import configparser
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KUBERNETES = ROOT / "deploy/kubernetes"
SYSTEMD = ROOT / "deploy/systemd"
PROGRAMS = ("api", "worker")


def settings_of(program: str) -> set[str]:
    """Names of the settings that a program has, of common/options.def."""
    rows = re.findall(r"^OPT_\w+\(([A-Z |]+), \w+, (\w+),", (ROOT / "common/options.def").read_text(),
                      re.MULTILINE)
    return {name for programs, name in rows if program.upper() in programs.split(" | ")}


def compose() -> dict[str, Any]:
    """docker-compose.yml, with the defaults in the place of its variables."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    return yaml.safe_load(re.sub(r"(?<!\$)\$\{\w+:-([^}]*)\}", r"\1", text))


class Unit(dict[str, dict[str, list[str]]]):
    """Sections of a unit; each key may be there several times."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__()
        section: dict[str, list[str]] = {}
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("["):
                section = self.setdefault(line.strip("[]"), {})
            elif line and not line.startswith(("#", ";")):
                key, value = line.split("=", 1)
                section.setdefault(key, []).append(value)


def environment_file(name: str) -> dict[str, str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string("[top]\n" + (SYSTEMD / name).read_text("utf-8"))
    return dict(parser["top"])


def documents() -> Iterator[tuple[pathlib.Path, dict[str, Any]]]:
    """Every object of deploy/kubernetes, kustomizations aside."""
    for path in sorted(KUBERNETES.glob("**/*.yaml")):
        if path.name != "kustomization.yaml":
            for document in yaml.safe_load_all(path.read_text("utf-8")):
                yield path, document


def of_kind(*kinds: str) -> dict[str, dict[str, Any]]:
    """Objects by name."""
    return {document["metadata"]["name"]: document for _path, document in documents()
            if document["kind"] in kinds}


def pods() -> dict[str, dict[str, Any]]:
    return {name: found["spec"]["template"]["spec"]
            for name, found in of_kind("Deployment", "StatefulSet").items()}


def container_environment(pod: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
