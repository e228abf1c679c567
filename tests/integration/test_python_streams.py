"""What a program finds when it starts: its streams, arguments, names, and the modules beside it."""

from __future__ import annotations

from twin import TwinTest


class Streams(TwinTest):
    def test_input_with_prompts_and_its_end(self) -> None:
        self.assertSame("a = input('name? '); b = input(); print([a, b])\ninput('more? ')\n",
                        stdin="x\ny")

    def test_lines_bytes_and_line_ends(self) -> None:
        self.assertSame("""
            import sys
            for line in sys.stdin: print(repr(line))
            print(repr(sys.stdin.read()))
            """, stdin="a\r\nb\rc\n\nd")
        self.assertSame("""
            import sys
            print(sys.stdin.buffer.read(2), sys.stdin.read(1))
            print(open(0).read())
            """, stdin="éab\ncd\n")

    def test_encodings_and_buffering(self) -> None:
        self.assertSame(r"""
            import sys
            for s in (sys.stdin, sys.stdout, sys.stderr):
                print(s, s.encoding, s.errors, s.line_buffering, s.write_through,
                      s.newlines, s.isatty(), s.fileno(), s.buffer.raw)
            print(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
            print('\udc80')
            """)
        self.assertSame(r"""
            import sys
            print('é☃🐍', ascii('é'))
            print('é☃\udcff', file=sys.stderr)
            """)

    def test_output_keeps_its_order_within_a_stream(self) -> None:
        self.assertSame(r"""
            import sys, os
            print('one')
            sys.stdout.write('two')
            os.write(2, b'raw\n')
            print('three', flush=True)
            os.write(1, b'four\n')
            sys.stderr.write('last')
            """)

    def test_standard_streams_are_no_terminals(self) -> None:
        self.assertSame("""
            import os, stat, shutil
            print([stat.S_ISFIFO(os.fstat(n).st_mode) for n in (1, 2)])
            print([os.isatty(n) for n in range(3)], shutil.get_terminal_size())
            os.get_terminal_size()
            """)


class Start(TwinTest):
    def test_names_and_arguments(self) -> None:
        self.assertSame("""
            import sys
            print(sorted(globals()), __name__, __file__, __spec__, __doc__,
                  __package__, __cached__, __builtins__, type(__loader__).__name__)
            print(sys.argv, __import__('__main__') is sys.modules['__main__'])
            """,
                        args=("a b", "-x", "--", "é", ""))

    def test_flags_are_those_of_isolated_mode(self) -> None:
        self.assertSame("""
            import sys, site
            print(sys.flags, site.ENABLE_USER_SITE, sys.warnoptions,
                  sys._xoptions, sys.dont_write_bytecode, sys.pycache_prefix)
            """,
                        flags=("-I",))

    def test_the_environment_is_empty(self) -> None:
        self.assertEqual(self.ours("import os\nprint(dict(os.environ))\n").stdout, "{}\n")

    def test_modules_and_packages_beside_the_program(self) -> None:
        self.assertSame("""
            import sys, helper, pkg.sub
            from pkg import thing
            print(helper.f(), pkg.sub.__file__, thing.__name__, helper.__cached__)
            print(sys.path[0], pkg.__path__)
            import helper.nothing
            """,
                        {"helper.py": "def f(): return 7\n", "pkg/__init__.py": "",
                         "pkg/sub.py": "", "pkg/thing.py": ""})

    def test_they_come_before_the_library(self) -> None:
        """Also before modules that the image has imported for all jobs."""
        self.assertSame("""
            import random, statistics, chunk
            print(random.__file__, chunk.x, statistics.__file__)
            from json import dumps
            print(dumps)
            """,
                        {"random.py": "def Random(): 0\n", "chunk.py": "x = 1\n",
                         "statistics.py": "", "json/__init__.py": "dumps = 'mine'\n"})
        self.assertSame("""
            import os, time, math, re
            print(os.__file__, time.time() > 0, re.__file__)
            """,
                        {"os.py": "1/0", "time.py": "1/0", "re/data.txt": ""})

    def test_who_and_where(self) -> None:
        self.assertSame("""
            import os, getpass, pwd, grp
            print(os.getcwd(), os.getuid(), os.geteuid(), os.getgid())
            print(getpass.getuser(), pwd.getpwuid(0).pw_name, grp.getgrgid(0).gr_name)
            print(os.getpid() > 1, os.umask(0o22) == 0o22)
            """)
        self.assertEqual(self.ours("""
            import os.path, pathlib
            print(os.path.expanduser('~'),
            pathlib.Path.home())
            """).stdout, "/work /work\n")
