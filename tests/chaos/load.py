"""Clients: threads that send requests of which the right answer is known, and note what came."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

HANG_S = 60.0     # a client waits no longer; far beyond every deadline


@dataclasses.dataclass
class Request:
    kind: str
    body: dict[str, Any]
    right: Callable[[dict[str, Any]], bool]   # of the JSON of a 200
    timeout_ms: int = 2000
    hang_up_s: float = 0.0                    # above 0: closes the connection after that
    cancel_s: float = 0.0                     # above 0: cancels the job after that
    api: str = ""
    began: float = 0.0
    ended: float = 0.0
    status: int = 0                           # 0: the connection broke; -1: nothing for HANG_S
    answer: Any = None
    note: str = ""

    @property
    def name(self) -> str:
        if self.status == 200:
            return str(self.answer.get("verdict"))
        error = self.answer.get("error") if isinstance(self.answer, dict) else None
        code = error.get("code") if isinstance(error, dict) else error
        return f"{self.status} {code or self.note}".strip()


def exited(stdout: str, exit_code: int = 0) -> Callable[[dict[str, Any]], bool]:
    return lambda a: (a["verdict"], a["stdout"], a["exit_code"]) == ("exited", stdout, exit_code)


def make_request(chance: random.Random) -> Request:
    token = secrets.token_hex(8)
    kind = chance.choices(("sum", "stdin", "exit", "raise", "sleep", "long", "loop", "files", "big",
                           "hang up", "cancel", "invalid"), (8, 3, 3, 2, 6, 3, 2, 2, 2, 3, 2, 1))[0]
    body: dict[str, Any] = {"code": f"print('{token}')", "timeout_ms": 4000}
    request = Request(kind, body, exited(token + "\n"), 4000)
    if kind == "sum":
        a, b = chance.randrange(10**9), chance.randrange(10**9)
        body["code"] = f"print('{token}', {a} * {b})"
        request.right = exited(f"{token} {a * b}\n")
    elif kind == "stdin":
        body.update(code="print(input()[::-1])", stdin=token)
        request.right = exited(token[::-1] + "\n")
    elif kind == "exit":
        code = chance.randrange(1, 120)
        body["code"] += f"\nraise SystemExit({code})"
        request.right = exited(token + "\n", code)
    elif kind == "raise":
        body["code"] += f"\nraise KeyError('{token}')"
        request.right = lambda a: exited(token + "\n", 1)(a) and "KeyError" in a["stderr"]
    elif kind in ("sleep", "long", "hang up", "cancel"):
        seconds = chance.uniform(2, 3.5) if kind == "long" else chance.uniform(0.1, 1.5)
        body["code"] = f"import time; time.sleep({seconds:.2f}); print('{token}')"
        if kind == "hang up":
            request.hang_up_s = chance.uniform(0.01, 1.0)
        if kind == "cancel":
            body["id"] = secrets.token_hex(16)
            request.cancel_s = chance.uniform(0.01, 1.0)
            request.right = lambda a: exited(token + "\n")(a) or a["verdict"] == "cancelled"
    elif kind == "loop":
        body.update(code=f"print('{token}', flush=True)\nwhile True: pass", timeout_ms=400)
        request.timeout_ms = 400
        request.right = lambda a: (a["verdict"], a["timed_out"], a["stdout"]) == (
            "timed_out", True, token + "\n")
    elif kind == "files":
        body.update(code="import os; os.makedirs('outputs', exist_ok=True)\n"
                    "open('outputs/b', 'w').write(open('a').read()[::-1])",
                    files=[{"name": "a", "content": token}])
        request.right = lambda a: a["verdict"] == "exited" and base64.b64decode(
            a["artifacts"][0]["content_base64"]).decode() == token[::-1]
    elif kind == "big":
        body["code"] = f"# {'x' * 40000}\nprint('{token}' * 3000)"
        request.right = exited(token * 3000 + "\n")
    elif kind == "invalid":
        body["timeout_ms"] = -1
    return request


class Client(threading.Thread):
    """Sends one request after the other, over one connection as long as that lasts."""

    def __init__(self, seed: str, ports: Callable[[], dict[str, int]],
                 done: Callable[[Request], None]) -> None:
        super().__init__(daemon=True)
        self.chance = random.Random(seed)
        self.ports, self.done = ports, done
        self.stopping = threading.Event()
        self.connection: http.client.HTTPConnection | None = None
        self.api = ""

    def run(self) -> None:
        while not self.stopping.is_set():
            request = make_request(self.chance)
            if self.send(request):
                self.done(request)
            self.stopping.wait(self.chance.uniform(0, 0.1))
        self.close()

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def connect(self) -> bool:
        """To an API that listens; one that is down is no answer's fault."""
        ports = list(self.ports().items())
        self.chance.shuffle(ports)
        for self.api, port in ports:
            try:
                self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_S)
                self.connection.connect()
                return True
            except OSError:
                self.close()
        time.sleep(0.05)
        return False

    def send(self, request: Request) -> bool:
        """False: it was not sent."""
        if not self.connection and not self.connect():
            return False
        assert self.connection is not None
        request.api, request.began = self.api, time.monotonic()
        timer = None
        try:
            self.connection.request("POST", "/v1/execute", json.dumps(request.body),
                                    {"Content-Type": "application/json"})
            if request.cancel_s:
                timer = threading.Timer(request.cancel_s, self.cancel, (request,))
                timer.start()
            if request.hang_up_s:
                time.sleep(request.hang_up_s)
                self.close()
                request.note = "hung up"
            else:
                reply = self.connection.getresponse()
                request.status, text = reply.status, reply.read()
                request.answer = json.loads(text)
                if reply.will_close:
                    self.close()
        except (TimeoutError, socket.timeout):
            request.status = -1
            self.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            request.status, request.note = 0, type(error).__name__
            self.close()
        request.ended = time.monotonic()
        if timer:
            timer.join()
        return True

    def cancel(self, request: Request) -> None:
        for port in self.ports().values():
            try:
                other = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                other.request("POST", "/v1/cancel", json.dumps({"id": request.body["id"]}),
                              {"Content-Type": "application/json"})
                other.getresponse().read()
                other.close()
                return
            except (OSError, http.client.HTTPException):
                continue
