"""requests and httpx as ordinary programs use them; runs in the environment of tests/clients/venv.

    python_clients.py BASE_URL KEY
"""

from __future__ import annotations

import json
import sys

import httpx
import requests

LARGE = "print('x' * 100000)"


def check(condition: bool, what: str) -> None:
    if not condition:
        raise SystemExit(f"{what} is not so")


def with_requests(base: str, key: str) -> None:
    with requests.Session() as session:
        check(session.post(f"{base}/v1/execute", json={"code": "1"}).status_code == 401, "a key is wanted")
        session.headers["Authorization"] = f"Bearer {key}"
        for number in range(20):
            answer = session.post(f"{base}/v1/execute", json={"code": f"print({number})"}).json()
            check(answer["stdout"] == f"{number}\n", "its output")
        large = session.post(f"{base}/v1/execute", json={"code": LARGE})
        check(large.headers["Content-Encoding"] == "gzip" and len(large.json()["stdout"]) == 100001, "gzip")
        kept = session.post(f"{base}/v1/files", files={"file": ("a.csv", b"1,2\n" * 100000)},
                            data={"purpose": "assistants"}).json()
        content = session.get(f"{base}/v1/files/{kept['id']}/content", headers={"Range": "bytes=4-6"})
        check((content.status_code, content.content) == (206, b"1,2"), "a range of a file")
        run = session.post(f"{base}/v1/runs", json={
            "language": "python", "code": "print(len(open('/work/a.csv').read()))",
            "files": [{"file_id": kept["id"], "path": "a.csv"}]}).json()
        check((run["status"], run["stdout"]) == ("succeeded", "400000\n"), "a run with a file")
        check(session.delete(f"{base}/v1/files/{kept['id']}").json()["deleted"], "a deletion")


def with_httpx(base: str, key: str) -> None:
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        answer = client.post("/execute", json={"code": "print(1)", "language": "python"}).json()
        check(answer["output"] == "1\n" and answer["success"], "a snippet")
        run = client.post("/v1/runs", json={"language": "python", "wait": False,
                                            "code": "print('live', flush=True)"}).json()
        seen = []
        with client.stream("GET", f"/v1/runs/{run['id']}/events") as events:
            check(events.headers["content-type"].startswith("text/event-stream"), "a stream of events")
            for line in events.iter_lines():
                if line.startswith("event: "):
                    seen.append(line.removeprefix("event: "))
                elif line.startswith("data: ") and seen[-1:] == ["finished"]:
                    check(json.loads(line.removeprefix("data: "))["stdout"] == "live\n", "the run")
        check(seen[0] == "queued" and seen[-1] == "finished", "its events")
        refused = client.post("/v1/execute", json={"code": 1})
        check(refused.status_code == 422 and refused.json()["error"]["param"] == "code", "a refusal")
        pieces = client.post("/v1/execute", headers={"Content-Type": "application/json"},
                             content=iter([b'{"code":', b'"print(2)"}']))
        check(pieces.json()["stdout"] == "2\n", "a body in pieces")


if __name__ == "__main__":
    with_requests(*sys.argv[1:])
    with_httpx(*sys.argv[1:])
