"""Schemathesis over the service's own OpenAPI document, with every check.

    schemathesis_run.py [--examples N] [--operation ID]

Everything is asked with a key. Requests that a schema cannot tell from good ones (two files of one
name, a language that is not installed) are made good or left out by hooks.py.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from service import Service  # noqa: E402

KEY = "dev_123"
SETTINGS = {"API_KEYS": f"{KEY}:dev:100000:100000", "MAX_EXEC_TIMEOUT_MS": "2000",
            "CPU_TIME_LIMIT_SEC": "1"}


def command(venv: str, service: Service, arguments: argparse.Namespace) -> list[str]:
    chosen = ["--include-operation-id", arguments.operation] if arguments.operation else []
    return [f"{venv}/bin/st", "--config-file", str(HERE / "schemathesis.toml"), "run", f"http://127.0.0.1:{service.port}/openapi.json",
            "--checks", "all", "--max-examples", str(arguments.examples), "--seed", str(arguments.seed),
            "--generation-database", "none", "--no-color", "--header", f"Authorization: Bearer {KEY}",
            "--request-timeout", "60", "--suppress-health-check", "all", *chosen]


def run(venv: str, service: Service, arguments: argparse.Namespace) -> tuple[int, str]:
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
    with tempfile.TemporaryDirectory(prefix="retort-schemathesis-") as directory:
        process = subprocess.Popen(command(venv, service, arguments), cwd=directory, env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            print("   ", line, end="")
        return process.wait(), "".join(lines)


def server_errors(service: Service) -> list[str]:
    """Answers of 500 and above, from the log: whatever Schemathesis makes of them."""
    return [f"{line['method']} {line['path']}: {line['status']}" for line in service.log_lines("api")
            if line.get("event") == "request" and int(line["status"]) >= 500]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--examples", type=int, default=25)
    parser.add_argument("--operation", default="")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    venv = subprocess.run([HERE / "venv"], capture_output=True, text=True, check=True).stdout.strip()
    service = Service(SETTINGS)
    try:
        service.start()
        code, text = run(venv, service, arguments)
        faults = server_errors(service)
    finally:
        faults_at_end = service.close()
    for fault in [*faults[:20], *faults_at_end]:
        print(f"  FAIL  {fault}")
    asked = re.search(r"(\d+) generated", text)
    failed = (code != 0) + len(faults) + len(faults_at_end)
    print(f"schemathesis: {asked.group(1) if asked else 0} requests")
    print(f"schemathesis: {1 if failed == 0 and asked else 0} passed, {failed or int(not asked)} failed, 0 skipped"
          if failed or not asked else "schemathesis: 1 passed, 0 failed, 0 skipped")
    return 1 if failed or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
