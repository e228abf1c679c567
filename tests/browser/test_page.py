"""The page at /admin in a real browser, against a real service: typed, clicked, looked at."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import struct
import tempfile
import unittest
import zlib
from urllib.parse import urlsplit

from browser import CONTROL, ENTER, ESCAPE, RELEASE, SHIFT, TAB, Browser, missing
from png import SIGNATURE, chunk
from service import ServiceTest, wait_until

KEY = "dev_123"
WHY_NOT = missing()
SLOW = 'import time\nfor i in range(4):\n    print("line", i, flush=True)\n    time.sleep(0.5)\n'


def black_png(width: int, height: int) -> bytes:
    """A black picture."""
    rows = zlib.compress(b"\0" * (3 * width + 1) * height)
    return (SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


@unittest.skipIf(WHY_NOT is not None, WHY_NOT or "")
class PageTest(ServiceTest):
    """A service and a browser for the tests of a class; each begins with the page just opened."""

    browser: Browser
    refusals = False  # whether the browser may write that a request was refused

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        try:
            cls.browser = Browser()
        except BaseException:
            super().tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        cls.browser.close()
        super().tearDownClass()

    def setUp(self) -> None:
        self.browser.emulate(1280, 900)
        self.browser.open(f"http://127.0.0.1:{self.service.port}/admin")
        self.browser.wait_for_text("#version", ".")

    def tearDown(self) -> None:
        wrong = [line for line in self.browser.console() if not (
            self.refusals and line["source"] == "network")]
        self.assertEqual(wrong, [], "the console has lines")
        hosts = {urlsplit(url).netloc for url in self.browser.requests()
                 if urlsplit(url).scheme in ("http", "https", "ws", "wss")}
        self.assertLessEqual(hosts, {f"127.0.0.1:{self.service.port}"})

    def run_code(self, code: str, ends: str = "succeeded", timeout_s: float = 20) -> str:
        """The output, when the run has ended so."""
        self.browser.set_code(code)
        self.browser.click("#run")
        self.browser.wait_for_text("#run-status", ends, timeout_s)
        wait_until(lambda: self.browser.text("#usage"), "usage is shown")
        self.browser.script("return new Promise((done) => setTimeout(done, 60))")  # it is drawn by then
        return self.browser.text("#output")

    def sideways(self) -> int:
        """Pixels by which the page is wider than the window."""
        return self.browser.script("return document.scrollingElement.scrollWidth - innerWidth")


class Running(PageTest):
    def test_a_typed_program_runs_with_control_enter(self) -> None:
        self.browser.script("document.querySelector('#code').value = ''")
        self.browser.type("#code", "for i in range(3):\nprint('n', i)")
        self.assertEqual(self.browser.script("return document.querySelector('#code').value"),
                         "for i in range(3):\n    print('n', i)", "a colon indents the next line")
        self.assertEqual(self.browser.text("#gutter"), "1\n2")
        self.browser.keys(CONTROL + ENTER)
        self.browser.wait_for_text("#run-status", "succeeded")
        self.browser.wait_for_text("#output", "n 0\nn 1\nn 2\n")
        self.browser.wait_for_text("#usage", "Exit code0")

    def test_output_appears_before_the_end(self) -> None:
        self.browser.set_code(SLOW)
        self.browser.click("#run")
        self.browser.wait_for_text("#output", "line 0")
        self.assertEqual(self.browser.text("#run-status"), "running")
        self.assertNotIn("line 3", self.browser.text("#output"))
        self.browser.wait_for_text("#run-status", "succeeded")
        self.browser.wait_for_text("#output", "line 0\nline 1\nline 2\nline 3\n")

    def test_input_arguments_and_limits_reach_the_program(self) -> None:
        self.browser.type("#stdin", "from stdin")
        self.browser.type("#args", "one\ntwo words")
        self.assertIn("from stdin ['one', 'two words']",
                      self.run_code("import sys\nprint(input(), sys.argv[1:])"))
        self.browser.type("#timeout_ms", "300")
        self.run_code("import time\ntime.sleep(30)", "timed out")
        self.assertTrue(self.browser.is_shown("#run-notice"))

    def test_what_a_program_does_wrong_is_told(self) -> None:
        output = self.run_code("import sys\nprint('good')\nsys.exit('bad')", "failed")
        self.assertIn("good", output)
        self.assertEqual(self.browser.text("#output .stderr").strip(), "bad")
        self.browser.wait_for_text("#usage", "Exit code1")

    def test_a_body_that_is_refused_is_told_in_words(self) -> None:
        self.browser.script("const e = document.querySelector('#memory_mb');"
                            "e.min = 1; e.value = 1")
        self.browser.set_code("print(1)")
        self.browser.click("#run")
        self.browser.wait_for_text("#run-status", "not run")
        self.assertIn("memory_mb", self.browser.text("#run-notice"))
        self.assertEqual({line["source"] for line in self.browser.console()}, {"network"})

    def test_a_run_can_be_cancelled(self) -> None:
        self.browser.set_code("import time\nprint('up', flush=True)\ntime.sleep(30)")
        self.browser.click("#run")
        self.browser.wait_for_text("#output", "up")
        self.browser.click("#cancel")
        self.browser.wait_for_text("#run-status", "cancelled")
        self.assertFalse(self.browser.is_shown("#cancel"))

    def test_history_shows_a_run_again(self) -> None:
        self.run_code("print('in the past')")
        past = self.browser.text("#run-id")
        self.run_code("print('now')")
        button = f"#history-rows button[aria-label='Show {past}']"
        wait_until(lambda: self.browser.is_shown(button), "the run is in the history")
        self.browser.click(button)
        self.browser.wait_for_text("#output", "in the past")
        self.assertEqual(self.browser.text("#run-id"), past)

    def test_the_board_counts_jobs_and_names_workers_and_failures(self) -> None:
        self.browser.type("#cpu_ms", "100")
        self.run_code("while True: pass", "cpu limit")
        board = self.browser.wait_for_text("#board-body", "cpu limit")
        for words in ("Recent failures", "serving", "python", "Jobs"):
            self.assertIn(words, board)
        self.browser.wait_for_text("#health", "Serving")


class Files(PageTest):
    def test_a_file_goes_in_and_a_picture_comes_out(self) -> None:
        with tempfile.TemporaryDirectory(prefix="retort-page-") as directory:
            path = pathlib.Path(directory) / "<b>picture<b> é.png"
            path.write_bytes(black_png(2, 3))
            self.browser.choose_file("#files", path)
            self.assertIn(path.name, self.browser.text("#files-chosen"))
            self.assertEqual("", self.run_code(
                f"open('outputs/same.png', 'wb').write(open({path.name!r}, 'rb').read())\n"
                "open('outputs/a.svg', 'w').write('<svg/>')\nopen('outputs/a.txt', 'w').write('text')"))
        size = wait_until(lambda: self.browser.script(
            "const i = document.querySelector('#artifacts img');"
            "return i && i.complete && [i.naturalWidth, i.naturalHeight]"), "the picture is drawn")
        self.assertEqual(size, [2, 3])
        self.assertEqual(self.browser.script("return document.querySelectorAll('#artifacts img').length"), 1)
        names = self.browser.script("return [...document.querySelectorAll('#artifacts a')].map((a) => "
                                    "[a.textContent, a.download, new URL(a.href).host === location.host])")
        self.assertEqual(sorted(names), [[name, name, True] for name in ("a.svg", "a.txt", "same.png")])

    def test_the_history_shows_pictures_too(self) -> None:
        self.run_code(f"open('outputs/p.png', 'wb').write({black_png(4, 1)!r})")
        past = self.browser.text("#run-id")
        self.run_code("print('now')")
        button = f"#history-rows button[aria-label='Show {past}']"
        wait_until(lambda: self.browser.is_shown(button), "the run is in the history")
        self.browser.click(button)
        wait_until(lambda: self.browser.script(
            "return document.querySelector('#artifacts img')?.naturalWidth === 4"), "the picture is drawn")


class NoStorage(PageTest):
    settings = {"STORAGE_DIR": ""}
    refusals = True

    def test_what_the_server_does_not_offer_is_told(self) -> None:
        self.run_code("open('outputs/a.png', 'wb').write(b'x')")
        self.browser.wait_for_text("#artifacts", "not kept")
        with tempfile.NamedTemporaryFile(prefix="retort-page-") as file:
            file.write(b"x")
            file.flush()
            self.browser.choose_file("#files", pathlib.Path(file.name))
            self.browser.click("#run")
            self.browser.wait_for_text("#run-status", "not run")
        self.assertIn("STORAGE_DIR", self.browser.text("#run-notice"))


class Modules(PageTest):
    """Parts of the page by themselves, in the browser that runs them."""

    def test_events_are_read_however_they_are_cut(self) -> None:
        events = self.browser.script("""
            const text = 'retry: 1\\n\\nid: 0-1\\nevent: a\\ndata: {"x":"é😀"}\\n\\n'
                + ': nothing\\n\\nevent: b\\r\\ndata: 1\\r\\ndata: 2\\r\\n\\r\\nevent: cut\\ndata: 3';
            const bytes = new TextEncoder().encode(text);
            return import('/admin/events.js').then(async ({readEvents}) => {
                const found = [];
                for (const size of [1, 2, 3, 7, bytes.length]) {
                    const body = new ReadableStream({start(control) {
                        for (let at = 0; at < bytes.length; at += size)
                            control.enqueue(bytes.slice(at, at + size));
                        control.close();
                    }});
                    const list = [];
                    for await (const event of readEvents(body))
                        list.push([event.name, event.id, event.data]);
                    found.push(list);
                }
                return found;
            });""")
        self.assertEqual(events, [[["a", "0-1", '{"x":"é😀"}'], ["b", None, "1\n2"]]] * 5)

    def test_quantiles_are_those_of_the_last_minute(self) -> None:
        found = self.browser.script("""
            const at = (counts) => ({bounds_ms: [10, 20], queue: counts});
            return import('/admin/latency.js').then(({Recent}) => {
                const recent = new Recent(), found = [];
                recent.add(0, at([0, 0, 0]));
                found.push(recent.quantile('queue', 0.5));
                recent.add(1000, at([10, 0, 0]));
                found.push(recent.quantile('queue', 0.5));
                recent.add(61000, at([10, 0, 0]));
                recent.add(70000, at([10, 10, 0]));
                found.push(recent.quantile('queue', 0.5), recent.quantile('queue', 1));
                recent.add(71000, at([10, 10, 50]));
                found.push(recent.quantile('queue', 0.99));
                return found;
            });""")
        self.assertEqual(found, [None, 5, 15, 20, 20])


class Hostile(PageTest):
    """Whatever a program says is text."""

    NASTY = "</pre><script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\">"

    def assert_not_hacked(self) -> None:
        self.assertIsNone(self.browser.script("return window.hacked ?? null"))
        self.assertEqual(self.browser.script("return document.scripts.length"), 1)

    def test_output_is_text(self) -> None:
        output = self.run_code(f"import sys\nprint({self.NASTY!r})\nprint({self.NASTY!r}, file=sys.stderr)")
        self.assertEqual(output.count(self.NASTY), 2)
        self.assertEqual(self.browser.script("return document.querySelectorAll('#output img').length"), 0)
        self.assert_not_hacked()

    def test_names_of_artifacts_are_text(self) -> None:
        name = "<img src=x onerror='window.hacked = 3'>.txt"
        self.run_code(f"open('outputs/' + {name!r}, 'w').write('x')")
        self.browser.wait_for_text("#artifacts", name)
        self.assertEqual(self.browser.script("return document.querySelectorAll('#artifacts img').length"), 0)
        self.assert_not_hacked()

    def test_a_picture_that_can_have_scripts_is_not_drawn(self) -> None:
        picture = "<svg xmlns='http://www.w3.org/2000/svg'><script>window.hacked = 4</script></svg>"
        self.run_code(f"open('outputs/a.svg', 'w').write({picture!r})")
        self.browser.wait_for_text("#artifacts", "a.svg")
        self.assertEqual(self.browser.script("return document.querySelectorAll('#artifacts img').length"), 0)
        self.assert_not_hacked()

    def test_no_script_within_the_page_acts(self) -> None:
        """If text did become HTML, the policy would still hold."""
        self.browser.script("const s = document.createElement('script'); s.textContent = 'window.hacked = 5';"
                            "document.body.append(s);"
                            "const i = document.createElement('img'); i.setAttribute('onerror',"
                            "'window.hacked = 6'); i.src = 'data:,'; document.body.append(i)")
        wait_until(lambda: len(self.browser.console()) > 0, "the browser says that it was refused")
        self.assertIsNone(self.browser.script("return window.hacked ?? null"))
        self.browser.console()


class Looks(PageTest):
    def luminance(self, selector: str) -> float:
        red, green, blue = self.browser.script(
            "return getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
            ".match(/\\d+/g).slice(0, 3).map(Number)", selector)
        return (0.3 * red + 0.59 * green + 0.11 * blue) / 255

    def test_it_is_light_or_dark_as_the_browser_wants(self) -> None:
        self.assertGreater(self.luminance("body"), 0.8)
        self.browser.emulate(1280, 900, dark=True)
        self.assertLess(self.luminance("body"), 0.2)
        self.assertLess(self.luminance("#code"), 0.2)

    def test_a_phone_does_not_scroll_sideways(self) -> None:
        self.browser.emulate(360, 740)
        self.assertLessEqual(self.sideways(), 0)
        self.run_code("print('long' * 2000)\nopen('outputs/' + 'n' * 200, 'w').write('x')")
        self.browser.wait_for_text("#board-body", "Latency")
        self.assertLessEqual(self.sideways(), 0)

    def test_everything_can_be_done_with_the_keyboard(self) -> None:
        browser = self.browser
        seen: list[str] = []
        browser.keys(TAB)
        while browser.focused() not in ("code", "BODY") and len(seen) < 20:
            seen.append(browser.focused())
            outline = browser.script("return getComputedStyle(document.activeElement).outlineStyle")
            self.assertNotEqual(outline, "none", f"{seen[-1]} does not show its focus")
            browser.keys(TAB)
        self.assertEqual(seen[-2:], ["language", "run"])
        browser.keys(TAB)
        self.assertEqual(browser.focused(), "code", "Tab indents there")
        browser.keys(ESCAPE + TAB)
        self.assertEqual(browser.focused(), "stdin")
        browser.keys(SHIFT + TAB + RELEASE)
        self.assertEqual(browser.focused(), "code")
        browser.keys(ESCAPE + SHIFT + TAB + RELEASE)
        self.assertEqual(browser.focused(), "run")
        browser.keys(ENTER)
        browser.wait_for_text("#run-status", "succeeded")

    def test_every_field_has_a_name(self) -> None:
        nameless = self.browser.script(
            "return [...document.querySelectorAll('input, select, textarea')]"
            ".filter((e) => !e.labels.length && !e.getAttribute('aria-label')).map((e) => e.id)")
        self.assertEqual(nameless, [])


class Keys(PageTest):
    settings = {"API_KEYS": f"{KEY}:dev:1000:1000"}
    refusals = True

    def enter(self, key: str, keep: bool = False) -> None:
        self.browser.script("document.querySelector('#key').value = ''")
        self.browser.type("#key", key + (ENTER if not keep else ""))
        if keep:
            self.browser.click("#key-keep")
            self.browser.type("#key", ENTER)

    def test_without_a_key_the_page_asks_for_one_and_for_nothing_else(self) -> None:
        self.assertTrue(self.browser.is_shown("#key"))
        self.assertEqual(self.browser.focused(), "key")
        self.browser.wait_for_text("#key-notice", "API key")
        self.assertEqual([url for url in self.browser.requests() if "/v1/" in url], [])
        self.assertEqual(self.browser.console(), [])

    def test_a_wrong_key_is_told_and_the_right_one_works(self) -> None:
        self.enter("wrong")
        self.browser.wait_for_text("#key-notice", "refused")
        self.browser.click("#run")
        self.browser.wait_for_text("#run-status", "not run")
        self.enter(KEY)
        self.browser.wait_for_text("#health", "Serving")
        self.assertFalse(self.browser.is_shown("#key-notice"))
        self.assertIn("with key", self.run_code("print('with key')"))

    def test_a_key_is_kept_only_when_that_is_wanted(self) -> None:
        stored = "return JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"
        self.enter(KEY)
        self.browser.wait_for_text("#health", "Serving")
        self.assertNotIn(KEY, self.browser.script(stored))
        self.enter(KEY, keep=True)
        wait_until(lambda: KEY in self.browser.script(stored), "the key is kept")
        self.browser.call("POST", "/refresh")
        self.browser.wait_for_text("#health", "Serving")
        self.assertEqual(json.loads(self.browser.script(stored))[1:], [{}, ""])
        self.browser.click("#key-keep")
        self.assertNotIn(KEY, self.browser.script(stored))


class Trouble(PageTest):
    settings = {"MAX_QUEUE_WAIT_MS": "1500", "MAX_EXEC_TIMEOUT_MS": "8000"}
    refusals = True

    def test_a_worker_that_goes_away_is_told_and_so_is_its_end(self) -> None:
        self.browser.wait_for_text("#health", "Serving")
        self.browser.set_code("import time\nprint('begun', flush=True)\ntime.sleep(60)")
        self.browser.click("#run")
        self.browser.wait_for_text("#output", "begun")
        self.service.expected_deaths.add("worker")
        os.killpg(self.service.parts["worker"].pid, signal.SIGKILL)
        self.browser.wait_for_text("#health", "No worker serves python", 25)
        self.browser.wait_for_text("#run-status", "error", 40)
        self.assertTrue(self.browser.text("#run-notice"))
        self.browser.wait_for_text("#board-body", "worker lost")


class Vanishing(PageTest):
    refusals = True

    def test_a_server_that_goes_away_is_told_and_nothing_is_lost(self) -> None:
        self.browser.wait_for_text("#health", "Serving")
        self.browser.set_code("print('kept')")
        self.service.expected_deaths.add("api")
        os.killpg(self.service.parts["api"].pid, signal.SIGKILL)
        self.browser.wait_for_text("#health", "cannot be reached")
        self.browser.click("#run")
        self.browser.wait_for_text("#run-notice", "cannot be reached")
        self.assertEqual(self.browser.script("return document.querySelector('#code').value"),
                         "print('kept')")


if __name__ == "__main__":
    unittest.main()
