"""What the guest cannot do: each attempt ends at once and says what is missing."""

from __future__ import annotations

from twin import TwinTest

LAST_LINES = {
    "import subprocess; subprocess.run(['ls'])": "OSError: [Errno 95] wasi does not support "
                                                 "processes.",
    "import os; os.popen('ls')": "OSError: [Errno 95] wasi does not support processes.",
    "import os; os.system('ls')": "AttributeError: module 'os' has no attribute 'system'",
    "import os; os.fork()": "AttributeError: module 'os' has no attribute 'fork'",
    "import multiprocessing as m; m.Process(target=print).start()":
        "OSError: [Errno 95] wasi does not support processes.",
    "import socket; socket.socket()": "OSError: [Errno 95] Operation not supported",
    "import socket; socket.create_connection(('localhost', 1))":
        "socket.gaierror: [Errno -2] Name or service not known",
    "import urllib.request; urllib.request.urlopen('http://localhost:1/')":
        "urllib.error.URLError: <urlopen error [Errno -2] Name or service not known>",
    "import ssl": "ModuleNotFoundError: No module named '_ssl'",
    "import ctypes": "ModuleNotFoundError: No module named '_ctypes'",
    "import mmap": "ModuleNotFoundError: No module named 'mmap'",
    "import readline": "ModuleNotFoundError: No module named 'readline'",
    "import tkinter": "ModuleNotFoundError: No module named 'tkinter'",
    "import os; os.kill(1, 9)": "ProcessLookupError: [Errno 3] No such process",
    "open('/usr/local/lib/x', 'w')":
        "OSError: [Errno 30] Read-only file system: '/usr/local/lib/x'",
    "import os; os.chmod('/usr/local/lib', 0)":
        "OSError: [Errno 30] Read-only file system: '/usr/local/lib'",
}


class Missing(TwinTest):
    def test_each_attempt_says_what_is_missing(self) -> None:
        for code, line in LAST_LINES.items():
            with self.subTest(code):
                outcome = self.ours(code)
                self.assertEqual(outcome.stderr.splitlines()[-1], line)
                self.assertEqual((outcome.stdout, outcome.exit_code), ("", 1))

    def test_the_import_alone_is_harmless(self) -> None:
        code = (r"""
            import socket, subprocess, multiprocessing.pool, webbrowser, select, selectors,\
                http.client, smtplib, xmlrpc.client, concurrent.futures.process, fcntl, pwd, grp
            print(socket.gethostname(), webbrowser.open('http://x'))
            """)
        outcome = self.ours(code)
        self.assertEqual((outcome.stdout, outcome.stderr), ("localhost False\n", ""))
