"""`make overload`: what five times too much work costs those jobs that were accepted.

Jobs sleep 100 ms, so slots and not processors are what there is too little of. In turns: as many
clients as slots, each sending its next job when the last is answered (capacity); and five times as
many requests a second as that gave, due whether or not others are answered (overload). The queue
takes a few jobs and refuses the rest. Writes build/overload.json.

    overload.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import sys
import tempfile
from typing import Any

from verdicts import Verdicts, load

from service import Service

SLOTS = 8
TIMES = 5
CLIENTS = 400  # enough that none of them has to be waited for
EXPECTED = '"stdout":"slept\\n"'
SETTINGS = {"SLOTS": str(SLOTS), "MAX_QUEUE_DEPTH": str(2 * SLOTS)}
PROGRAM = "import time; time.sleep(0.1); print('slept')"


def turns(service: Service, body: pathlib.Path, count: int, seconds: float) -> list[dict[str, Any]]:
    found = []
    load(service.port, SLOTS, 5 * SLOTS, body, EXPECTED)
    for _ in range(count):
        capacity = load(service.port, SLOTS, round(seconds * SLOTS * 9), body, EXPECTED)
        offered = TIMES * capacity["per_second"]
        over = load(service.port, CLIENTS, round(seconds * offered), body, EXPECTED, offered)
        found.append({"capacity": capacity, "overload": over, "offered_per_second": offered})
    return found


def judge(verdicts: Verdicts, found: list[dict[str, Any]]) -> None:
    def middle(side: str, *names: str) -> float:
        values = []
        for turn in found:
            value = turn[side]
            for name in names:
                value = value[name]
            values.append(float(value))
        return statistics.median(values)

    capacity = middle("capacity", "good", "per_second")
    goodput = middle("overload", "good", "per_second")
    verdicts.say(f"{capacity:.1f} jobs/s at capacity, {goodput:.1f} jobs/s of "
                 f"{statistics.median(turn['offered_per_second'] for turn in found):.0f} offered; "
                 f"accepted p50 {middle('overload', 'good', 'p50_us') / 1000:.0f} ms, "
                 f"p99 {middle('overload', 'good', 'p99_us') / 1000:.0f} ms")
    verdicts.at_least("goodput under overload, of that at capacity", goodput / capacity, 0.9)
    verdicts.at_least("refused, of all", middle("overload", "refused", "count")
                      / middle("overload", "count"), 0.5)
    verdicts.at_most("refusals, p99", middle("overload", "refused", "p99_us") / 1000, 50, " ms")
    others = sum(turn[side]["count"] - turn[side]["good"]["count"] - turn[side]["refused"]["count"]
                 for turn in found for side in ("capacity", "overload"))
    verdicts.at_most("accepted and not answered well (timed out: "
                     f"{sum(turn['overload']['timed_out'] for turn in found)})", others, 0)
    verdicts.at_most("refused at capacity", middle("capacity", "refused", "count"), 0)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="one short turn")
    arguments = parser.parse_args()
    verdicts = Verdicts("overload")
    service = Service(SETTINGS)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        json.dump({"code": PROGRAM}, body)
        body.flush()
        try:
            service.start()
            found = turns(service, pathlib.Path(body.name), 1 if arguments.quick else 3,
                          4 if arguments.quick else 15)
        finally:
            faults = service.close()
    verdicts.figures["turns"] = found
    judge(verdicts, found)
    return verdicts.close(faults)


if __name__ == "__main__":
    sys.exit(main())
