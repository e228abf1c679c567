"""The description of the API: the table of routes, its own examples, and real answers, held together."""

from __future__ import annotations

import json
import re
import unittest
from typing import Any

import jsonschema
from route_table import routes
from service import Response, ServiceTest

METHODS = ("get", "post", "put", "patch", "delete")
# Only what is wrong with the request, never what it asks for.
REFUSED = {"execute": {"code": 1}, "executeSnippet": {"code": "1"}, "executeForAgent": {"timeout": 99},
           "cancel": {"id": "x"}, "createRun": {"language": "python", "code": "", "args": 1}}


class OpenApi(ServiceTest):
    settings = {"API_KEYS": "dev_123:dev:1000:1000"}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.document = cls.service.request("GET", "/openapi.json").json

    def ask(self, method: str, path: str, body: Any = ...) -> Response:
        headers = {"Authorization": "Bearer dev_123", "Content-Type": "application/json"}
        return self.service.request(method.upper(), path,
                                    None if body is ... else json.dumps(body).encode(), headers)

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [(method, path, {"parameters": [], **item[method]}) for path, item in self.document["paths"].items()
                for method in METHODS if method in item]

    def resolve(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def validate(self, instance: Any, schema: dict[str, Any]) -> None:
        whole = {**schema, "components": self.document["components"]}
        jsonschema.Draft202012Validator(whole).validate(instance)

    def assert_described(self, operation: dict[str, Any], answer: Response) -> None:
        """The status is one of the operation's, and the body is what is said there."""
        name = operation["operationId"]
        self.assertIn(str(answer.status), operation["responses"], f"{name}: {answer.body[:300]!r}")
        described = self.resolve(operation["responses"][str(answer.status)])
        for header, about in described.get("headers", {}).items():
            if self.resolve(about).get("required"):
                self.assertIn(header.lower(), answer.headers, name)
        if answer.status in (204, 304):
            self.assertEqual(answer.body, b"")
            return
        kind = answer.headers["content-type"].split(";")[0]
        self.assertIn(kind, described["content"], name)
        if kind == "application/json":
            self.validate(answer.json, described["content"][kind]["schema"])

    def test_every_route_is_described_and_every_description_is_a_route(self) -> None:
        described = {(method, path, "open" if operation.get("security") == [] else "key")
                     for method, path, operation in self.operations()}
        rows = {(route.method.lower(), route.pattern, route.access) for route in routes()}
        self.assertEqual(described ^ rows, set())

    def test_names_of_operations_and_references_are_good(self) -> None:
        names = [operation["operationId"] for _, _, operation in self.operations()]
        self.assertEqual(len(names), len(set(names)))
        used = set(re.findall(r'"\$ref":\s*"#/([^"]+)"', json.dumps(self.document)))
        for reference in used:
            self.assertTrue(self.resolve({"$ref": f"#/{reference}"}), reference)
        kept = {f"components/{kind}/{name}" for kind, members in self.document["components"].items()
                for name in members if kind != "securitySchemes"}
        self.assertEqual(kept - used, set(), "described and used nowhere")
        tags = {tag["name"] for tag in self.document["tags"]}
        for _, _, operation in self.operations():
            self.assertLessEqual(set(operation["tags"]), tags)
            self.assertTrue(operation["summary"])

    def test_every_example_is_valid_and_is_answered_as_described(self) -> None:
        sent = 0
        for method, path, operation in self.operations():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if not body:
                continue
            self.assertTrue(body["examples"], f"{path} has no example")
            for name, example in body["examples"].items():
                with self.subTest(path=path, example=name):
                    self.validate(example["value"], body["schema"])
                    answer = self.ask(method, path, example["value"])
                    self.assert_described(operation, answer)
                    told = re.search(r"\((\d+)\)", example.get("summary", ""))
                    self.assertEqual(answer.status, int(told[1]) if told else 200)
                    sent += 1
        self.assertGreater(sent, 4)

    def test_what_is_refused_is_answered_as_described(self) -> None:
        for method, path, operation in self.operations():
            name = operation["operationId"]
            if name not in REFUSED:
                continue
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            for body in (REFUSED[name], [], None, "x"):
                with self.subTest(path=path, body=body):
                    with self.assertRaises(jsonschema.ValidationError):
                        self.validate(body, schema)
                    answer = self.ask(method, path, body)
                    self.assertEqual(answer.status, 422)
                    self.assert_described(operation, answer)

    def test_every_get_without_an_id_is_answered_as_described(self) -> None:
        for method, path, operation in self.operations():
            if method == "get" and "{" not in path:
                with self.subTest(path):
                    answer = self.ask("GET", path)
                    self.assertEqual(answer.status, 200)
                    self.assert_described(operation, answer)

    def test_the_version_is_the_programs(self) -> None:
        self.assertEqual(self.document["info"]["version"],
                         self.service.request("GET", "/healthz").json["version"])


if __name__ == "__main__":
    unittest.main()
