"""`make idle-connections`: many clients that do nothing, and many that wait, on one API process.

2,000 clients keep their connections after an answer; 500 have a job in the queue, for which there
is no worker yet. Then a worker comes: every waiting client must get its own answer, and every idle
one must still be served on its connection. Memory of a connection is what the API process grew by.
Writes build/idle-connections.json.

    idle_connections.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import resource
import socket
import sys
import time

from verdicts import Verdicts, memory_kib

from service import Service, wait_until

SETTINGS = {"MAX_CONNECTIONS": "4096", "MAX_IN_FLIGHT": "512", "MAX_QUEUE_DEPTH": "1000",
            "MAX_QUEUE_WAIT_MS": "300000", "IDLE_TIMEOUT_MS": "600000", "SLOTS": "2"}
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
ASKED_MEANWHILE = 200


def receive(client: socket.socket) -> tuple[int, bytes]:
    """Status and body of one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            raise ConnectionError(f"closed after {data!r}")
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                  if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += client.recv(65536)
    return int(head.split()[1]), body


def ask_health(client: socket.socket) -> float:
    """Seconds until the answer."""
    began = time.monotonic()
    client.sendall(HEALTH)
    status, _ = receive(client)
    if status != 200:
        raise ConnectionError(f"/healthz: {status}")
    return time.monotonic() - began


def connect(service: Service) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def send_job(service: Service, number: int) -> socket.socket:
    client = connect(service)
    body = json.dumps({"code": f"print({number})"}).encode()
    client.sendall(b"POST /v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    return client


def is_right(client: socket.socket, number: int) -> bool:
    status, body = receive(client)
    return status == 200 and json.loads(body)["stdout"] == f"{number}\n"


def measure(service: Service, verdicts: Verdicts, idle_count: int, waiting_count: int) -> None:
    api = service.parts["api"].pid
    before = memory_kib(api)
    idle = [connect(service) for _ in range(idle_count)]
    for client in idle:
        ask_health(client)
    with_idle = memory_kib(api)
    waiting = [send_job(service, number) for number in range(waiting_count)]
    wait_until(lambda: service.redis("LLEN", "retort:queue:python") == waiting_count,
               "all jobs in the queue", 60)
    with_all = memory_kib(api)
    meanwhile = sorted(ask_health(client) for client in idle[:ASKED_MEANWHILE])
    service.start_worker()
    began = time.monotonic()
    right = sum(is_right(client, number) for number, client in enumerate(waiting))
    seconds = time.monotonic() - began
    served = sum(ask_health(client) < 60 for client in idle)
    verdicts.figures |= {
        "idle": idle_count, "waiting": waiting_count, "kib_before": before,
        "kib_of_idle": (with_idle - before) / idle_count,
        "kib_of_waiting": (with_all - with_idle) / waiting_count,
        "health_p99_ms": meanwhile[len(meanwhile) * 99 // 100 - 1] * 1000,
        "seconds_to_answer": seconds}
    verdicts.say(f"API process {before} KiB; {verdicts.figures['kib_of_idle']:.1f} KiB for an idle "
                 f"connection, {verdicts.figures['kib_of_waiting']:.1f} KiB for a waiting request; "
                 f"/healthz meanwhile p99 {verdicts.figures['health_p99_ms']:.1f} ms; "
                 f"all answered {seconds:.1f} s after the worker's start")
    verdicts.at_least("waiting requests answered right", right, waiting_count)
    verdicts.at_least("idle connections still served", served, idle_count)
    verdicts.at_most("memory of an idle connection", verdicts.figures["kib_of_idle"], 16, " KiB")
    verdicts.at_most("memory of a waiting request", verdicts.figures["kib_of_waiting"], 64, " KiB")
    for client in idle + waiting:
        client.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a fifth of the clients")
    arguments = parser.parse_args()
    part = 5 if arguments.quick else 1
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    verdicts = Verdicts("idle-connections")
    service = Service(SETTINGS)
    try:
        service.start_redis()
        service.start_api()
        measure(service, verdicts, 2000 // part, 500 // part)
    finally:
        faults = service.close()
    return verdicts.close(faults)


if __name__ == "__main__":
    sys.exit(main())
