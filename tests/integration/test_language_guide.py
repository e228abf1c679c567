"""docs/LANGUAGES.md, done: its interpreter, compiled, made an image and served beside Python."""

from __future__ import annotations

import json
import re
import shlex
import subprocess

from service import BUILD, REPOSITORY
from test_languages import Installation

PAGE = (REPOSITORY / "docs/LANGUAGES.md").read_text("utf-8")


def block(kind: str, start: str) -> str:
    found = [text for text in re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL) if text.startswith(start)]
    assert len(found) == 1, f"{kind} beginning with {start}: {len(found)}"
    return found[0]


class Guide(Installation):
    def test_the_language_of_the_page_runs_beside_python(self) -> None:
        (self.directory / "upper.c").write_text(block("c", "#include"))
        image = self.directory / "lib/retort/image/upper"
        compile_it, make_it, try_it = block("sh", "clang-14").splitlines()
        for command in (compile_it, make_it.replace("aot/retort-aot", str(REPOSITORY / "aot/retort-aot"))):
            command = command.replace("build/image/upper", str(image))
            subprocess.run(shlex.split(command), cwd=self.directory, check=True, capture_output=True, timeout=300)
        tried = shlex.split(try_it.replace("build/release", str(BUILD)).replace("build/image/upper", str(image)))
        ran = subprocess.run(tried, capture_output=True, text=True, timeout=60)
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "HELLO", ""))
        service = self.start({"LANGUAGES": "python,upper"}, LANGUAGES="python,upper")
        for _ in range(3):
            answer = service.post({"code": "hello", "language": "upper"}, "/execute")
            self.assertEqual((answer.status, answer.json["output"]), (200, "HELLO"), answer.body)
        run = service.post({"code": "hello", "language": "upper"}, "/v1/runs").json
        self.assertEqual((run["status"], run["stdout"]), ("succeeded", "HELLO"))
        self.assertEqual(service.post({"code": "print(1)"}).json["stdout"], "1\n")
        self.assertEqual(json.loads(service.request("GET", "/").body)["supported_languages"],
                         ["python", "upper"])
