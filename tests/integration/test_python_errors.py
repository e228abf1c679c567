"""How programs end: tracebacks, syntax errors, warnings, exit codes, what runs at the end."""

from __future__ import annotations

from twin import TwinTest

SYNTAX_ERRORS = (
    "print((1,\n", "if 1:\nx", "if 1:\n\tx\n        y\n", "f'{a b}'", "if x = 3: pass", "s = 'abc",
    "x = “a”", "await x", "print 'hello'", "return 1", "def f(a,a): pass", "x=1\n\0",
    "# -*- coding: foo -*-\nx", "class A\n  pass", "for i in range(3) print(i)", "1+",
    "def f():\n nonlocal x\n", "a = 1\n b = 2\n", "x = {1:2, 3}", "(a, b) += 1", "f(**a, *b)",
    "from __future__ import nope", "'\\N{nope}'", "0777", "é = 1; é€ = 2",
)


class Tracebacks(TwinTest):
    def test_a_cause_a_context_and_carets(self) -> None:
        self.assertSame("""
            def f(x):
                return (1 +
                        x / 0)
            try:
                f(0)
            except ZeroDivisionError as e:
                raise ValueError('bad') from e
            """)
        self.assertSame("try:\n    {}['a']\nexcept KeyError:\n    int('x')\n")
        self.assertSame("""
            try:
                1/0
            except ZeroDivisionError:
                raise ValueError from None
            """)

    def test_exception_groups_and_notes(self) -> None:
        self.assertSame("""
            def g():
                raise ExceptionGroup('eg', [ValueError(1), TypeError('t'),
                                            ExceptionGroup('inner', [KeyError('k')])])
            try: g()
            except* ValueError as e:
                print(repr(e))
                raise
            """)
        self.assertSame(r"""
            e = ValueError('v')
            e.add_note('one')
            e.add_note('two\nlines')
            raise e
            """)

    def test_library_code_shows_its_lines(self) -> None:
        self.assertSame("import json\njson.loads('{bad')\n")
        self.assertSame("import statistics\nstatistics.mean([])\n")

    def test_modules_beside_the_program_show_theirs(self) -> None:
        self.assertSame("import helper\nhelper.bad()\n",
                        {"helper.py": "def bad():\n    raise ValueError('in helper')\n"})
        self.assertSame("import broken\n", {"broken.py": "def f(:\n"})

    def test_every_kind_of_syntax_error(self) -> None:
        for code in SYNTAX_ERRORS:
            self.assertSame(code)

    def test_suggestions(self) -> None:
        for code in ("import collections\ncollections.Couner", "foo = 1\nfo", "import nosuchmodule",
                     "from os import nosuch", "class A:\n    def f(self): bar\n    bar = "
                                              "1\nA().f()"):
            self.assertSame(code)

    def test_recursion_ends_as_it_does_natively(self) -> None:
        self.assertSame("def f(n): return f(n+1)\nf(0)\n")
        self.assertSame("class A:\n    def __repr__(self): return repr(self)\nrepr(A())\n")

    def test_what_cannot_be_raised_is_reported(self) -> None:
        self.assertSame("""
            class A:
                def __del__(self): raise ValueError('in del')
            a = A()
            del a
            print('after')
            """)
        self.assertSame("import sys\nsys.excepthook = lambda *a: 1/0\nraise ValueError(1)\n")

    def test_no_frame_of_ours(self) -> None:
        self.assertSame("""
            import sys, inspect
            f = sys._getframe()
            print(f.f_back, len(inspect.stack()))
            def g(): return [s.function for s in inspect.stack()]
            print(g())
            """)


class Ends(TwinTest):
    def test_exit_codes(self) -> None:
        for value in ("", "0", "7", "-1", "256", "300", "2**40", "2**70", "None", "True", "'text'",
                      "(1, 2)", "1.5", "b'x'"):
            self.assertSame(f"import sys\nsys.exit({value})\n")
        self.assertSame("raise SystemExit\n")
        self.assertSame("import os\nprint('lost')\nos._exit(9)\n")

    def test_interrupts_and_signals_of_ones_own(self) -> None:
        self.assertSame("raise KeyboardInterrupt\n")
        self.assertSame("""
            import signal
            try: signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt: print('caught')
            """)
        self.assertSame("""
            import os, signal
            print('x', flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
            print('never')
            """)
        self.assertSame("""
            import os, signal
            signal.signal(signal.SIGUSR1, lambda *a: print(a[0]))
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), 0)
            os.kill(99999, 0)
            """)

    def test_what_runs_at_the_end_and_in_which_order(self) -> None:
        self.assertSame("""
            import atexit, weakref
            class A:
                def __init__(s, n): s.n = n
                def __del__(s): print('del', s.n)
            a = A(1)
            b = A(2)
            c = [a, b]
            c.append(c)
            weakref.finalize(b, print, 'finalized')
            atexit.register(print, 'first')
            atexit.register(print, 'second')
            def bad(): raise RuntimeError('x')
            atexit.register(bad)
            print('end')
            """)
        self.assertSame("""
            import logging, logging.handlers, sys
            h = logging.handlers.MemoryHandler(99, target=logging.StreamHandler(sys.stdout))
            logging.getLogger().addHandler(h)
            logging.warning('kept until the end')
            """)

    def test_a_failed_flush_is_exit_code_120(self) -> None:
        self.assertSame("import os\nos.close(1)\nprint('x')\n")

    def test_warnings_name_the_line(self) -> None:
        self.assertSame(r"""
            import warnings
            def f(): warnings.warn('careful', stacklevel=2)
            f()
            f()
            warnings.warn('old', DeprecationWarning)
            x = 5
            x is 5
            '\d'
            """)
        self.assertSame("""
            import warnings
            warnings.simplefilter('error')
            warnings.warn('now an error')
            """)
        self.assertSame("""
            import warnings
            warnings.simplefilter('always')
            open('x', 'w')
            async def f(): pass
            f()
            """)
