"""Takes the pictures of the page at /admin in docs/images anew, from a real service.

    make screenshots
"""

from __future__ import annotations

import pathlib
import sys

from browser import Browser
from png import smaller
from service import REPOSITORY, Call, Service, wait_until

MOST_BYTES = 150_000
CODE = '''\
import sys, zlib, struct

def png(width, height, rows):
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    raw = b"".join(b"\\0" + row for row in rows)
    return (b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))

def colour(x, y):
    c, z, n = complex(x / 110 - 2.1, y / 90 - 1), 0, 0
    while abs(z) < 2 and n < 10:
        z, n = z * z + c, n + 1
    return bytes((n * 8, n * 20, 80 + n * 14))

print("drawing", flush=True)
rows = [b"".join(colour(x, y) for x in range(320)) for y in range(180)]
open("outputs/mandelbrot.png", "wb").write(png(320, 180, rows))
print("rows:", len(rows))
print("done", file=sys.stderr)
'''


def run(browser: Browser, code: str) -> None:
    browser.set_code(code)
    browser.click("#run")
    wait_until(lambda: browser.text("#usage"), "the run has ended")


def take(browser: Browser, path: pathlib.Path) -> None:
    browser.script("document.activeElement.blur(); scrollTo(0, 0);"
                   "return new Promise((done) => setTimeout(done, 2500))")  # the board looks again
    picture = smaller(browser.screenshot())
    if len(picture) > MOST_BYTES:
        raise SystemExit(f"{path} would have {len(picture)} bytes")
    path.write_bytes(picture)


def main() -> int:
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "docs/images")
    directory.mkdir(exist_ok=True)
    service = Service({"LANGUAGES": "python:4"})
    try:
        service.start()
        for code in ("print(1)", "print(2)", "import time; time.sleep(0.2)", "x" * 3):
            service.execute(code)
        service.execute("while True: pass", limits={"cpu_ms": 100})
        with Browser() as browser:
            browser.emulate(1240, 1130)
            browser.open(f"http://127.0.0.1:{service.port}/admin")
            browser.wait_for_text("#health", "Serving")
            run(browser, "print('hello')")
            run(browser, "raise SystemExit(3)")
            Call(service, "import time; time.sleep(20)", timeout_ms=5000)  # a slot that is busy
            run(browser, CODE)
            take(browser, directory / "admin-light.png")
            browser.emulate(1240, 1130, dark=True)
            take(browser, directory / "admin-dark.png")
            browser.emulate(390, 1000)
            take(browser, directory / "admin-phone.png")
    finally:
        for fault in service.close():
            print(fault, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
