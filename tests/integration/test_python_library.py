"""The standard library: what programs commonly use gives the same results as natively."""

from __future__ import annotations

from twin import TwinTest


class Time(TwinTest):
    def test_utc_unless_told_otherwise(self) -> None:
        self.assertSame("""
            import time, datetime
            print(time.tzname, time.timezone, time.daylight,
                  time.localtime(0), time.gmtime(0).tm_zone, time.ctime(0),
                  datetime.datetime.fromtimestamp(0), time.asctime(time.gmtime(0)))
            print(datetime.datetime(2020, 1, 1).astimezone())
            """)

    def test_time_zones_of_TZ_and_of_zoneinfo(self) -> None:
        self.assertSame("""
            import os, time, datetime
            for zone in ('America/New_York', 'Asia/Kolkata', 'EST5EDT,M3.2.0,M11.1.0',
                         '<+03>-3', ':Europe/Berlin', 'Australia/Lord_Howe', ''):
                os.environ['TZ'] = zone
                time.tzset()
                print(zone, time.tzname, time.timezone, time.daylight)
                for at in (-86400 * 365 * 60, 0, 1690000000, 1700000000, 2**31, 2**33):
                    local = time.localtime(at)
                    print(local, local.tm_zone, local.tm_gmtoff, time.mktime(local) == at)
                print(datetime.datetime(2023, 7, 1).astimezone().isoformat())
            """)
        self.assertSame("""
            from zoneinfo import ZoneInfo, available_timezones
            from datetime import datetime
            d = datetime(2023, 7, 1, 12, tzinfo=ZoneInfo('Europe/Berlin'))
            print(d, d.astimezone(ZoneInfo('Asia/Tokyo')), len(available_timezones()) > 500)
            ZoneInfo('No/Where')
            """)

    def test_strftime_is_that_of_glibc(self) -> None:
        self.assertSame("""
            import time, datetime, itertools
            letters = 'aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%+qEOLv'
            for at in (0, 1700000000, 951782399):
                t = time.gmtime(at)
                flags = ('', '-', '_', '0', '^', '#', '9', '-3', 'E', 'O')
                for c, f in itertools.product(letters, flags):
                    print(f, c, repr(time.strftime('<%' + f + c + '>', t)))
            for year in (1, 99, 905, 1970, 9999):
                print([datetime.date(year, 2, 3).strftime('%' + c) for c in 'CFgGyYcVD'])
            print(datetime.datetime.strptime('14 Nov 2023 10:13 PM', '%d %b %Y %I:%M %p'))
            """)

    def test_sleep_is_exact(self) -> None:
        self.assertSame("""
            import time
            for d in (0, 0.001, 0.01, 0.05):
                best = 9
                for _ in range(5):
                    t = time.monotonic()
                    time.sleep(d)
                    best = min(best, time.monotonic() - t)
                print(d, d <= best < d + 0.005)
            time.sleep(-1)
            """)


class Numbers(TwinTest):
    def test_floats_print_and_compute_the_same(self) -> None:
        self.assertSame(
            """
            import math, random
            r = random.Random(5)
            one = ('sin cos tan asinh atan exp2 expm1 erf erfc cbrt sinh cosh tanh exp '
                   'gamma lgamma'.split())
            for i in range(1500):
                x = r.uniform(-1e3, 1e3) * 10.0 ** r.randint(-12, 12)
                y = max(min(x, 170.5), -700)
                print(x, '%.17g' % x, '%.3e' % x, format(x, '.10f')[:40], x.hex(),
                      float(repr(x)) == x,
                      [getattr(math, f)(abs(y) if 'gamma' in f else y) for f in one],
                      math.log(abs(x)), math.log1p(abs(x)), math.acosh(1 + abs(x)),
                      math.atanh(math.sin(x)),
                      abs(x) ** 0.37, math.hypot(x, 1), math.fmod(x, 7.3), math.remainder(x, 7.3),
                      round(x, 2), math.nextafter(x, 0), math.ulp(x), math.fsum([x, 1, -x]))
            """)
        self.assertSame(
            """
            import cmath, random
            r = random.Random(7)
            names = 'sqrt exp log acos asin atan cosh tanh phase'.split()
            for i in range(400):
                z = complex(r.gauss(0, 10), r.gauss(0, 10))
                print([getattr(cmath, name)(z) for name in names], z ** 2.5, z ** z)
            """)

    def test_random_is_reproducible(self) -> None:
        self.assertSame("""
            import random
            for seed in (42, -1, 10**40, 'text', b'bytes', None):
                if seed is not None: random.seed(seed)
                else: random.setstate(state)
                state = random.getstate()
                print(random.random(), random.randint(1, 10**30), random.sample(range(100), 5),
                      random.gauss(0, 1), random.choices('abc', k=5), random.getrandbits(200),
                      random.betavariate(2, 3), random.vonmisesvariate(1, 2), random.randbytes(3))
                x = list(range(9))
                random.shuffle(x)
                print(x)
            """)

    def test_decimal_and_big_integers(self) -> None:
        self.assertSame("""
            from decimal import *
            from fractions import Fraction
            import statistics
            print(Decimal(1) / 7, getcontext(), Decimal('1.1').sqrt())
            print(f'{Decimal(1234567.891):,.2f}')
            print(Fraction(1, 3) + Fraction(0.1), statistics.stdev([1, 2, 4]))
            print(3 ** 1000 % 10 ** 20, hash(12345), (10 ** 400).bit_length(), pow(3, -1, 7))
            try: str(10 ** 5000)
            except ValueError as e: print(e)
            Decimal('x')
            """)


class Hashes(TwinTest):
    def test_every_algorithm(self) -> None:
        self.assertSame("""
            import hashlib, hmac, zlib, binascii
            for n in sorted(hashlib.algorithms_guaranteed):
                h = hashlib.new(n, b'abc')
                print(n, h.name, h.digest_size, h.block_size,
                      h.hexdigest(8) if 'shake' in n else h.hexdigest())
            blake = hashlib.blake2b(b'x', key=b'k', salt=b's', person=b'p', digest_size=9)
            print(blake.hexdigest())
            print(hmac.new(b'k', b'm', 'sha256').hexdigest(), hmac.digest(b'k', b'm', 'sha1'))
            print(zlib.crc32(b'abc'), zlib.adler32(b'abc'), binascii.crc_hqx(b'abc', 0))
            try: hashlib.new('nope')
            except ValueError as e: print(e)
            """)

    def test_key_derivation(self) -> None:
        self.assertSame("""
            import hashlib
            for name in 'md5 sha1 SHA224 sha256 sha384 sha512 sha3_256 blake2b blake2s'.split():
                for password, rounds, size in ((b'pw', 1, None), (b'', 7, 1), (b'p' * 200, 3, 99)):
                    print(name, hashlib.pbkdf2_hmac(name, password, b'salt', rounds, size).hex())
            print(hashlib.pbkdf2_hmac('sha256', memoryview(b'ab'), bytearray(b'c'), 20000).hex())
            """)
        self.assertSame("""
            import hashlib
            print(hashlib.scrypt(b'password', salt=b'NaCl', n=1024, r=8, p=16).hex())
            print(hashlib.scrypt(b'', salt=b'', n=16, r=1, p=1, dklen=13).hex())
            for a in (dict(n=15, r=8, p=1), dict(n=2**20, r=8, p=1), dict(n=16, r=0, p=1),
                      dict(n=16, r=8, p=1, dklen=0), dict(n=16, r=8, p=1, maxmem=-1),
                      dict(n=2**16, r=8, p=1, maxmem=2**26 + 2**20), dict(n='x', r=1, p=1)):
                try: print(hashlib.scrypt(b'p', salt=b's', **a).hex())
                except Exception as e: print(type(e).__name__, e)
            """)
        self.assertSame("""
            import hashlib
            for a in (('nope', b'', b'', 1), ('sha1', b'', b'', 0), ('sha1', b'', b'', 1, 0),
                      (1, b'', b'', 1), ('sha1', 's', b'', 1), ('sha1', b'', b'', 2**40)):
                try: print(hashlib.pbkdf2_hmac(*a))
                except Exception as e: print(type(e).__name__)
            """)


class Files(TwinTest):
    def test_paths_links_and_their_errors(self) -> None:
        self.assertSame(r"""
            from pathlib import Path
            import os, glob
            p = Path('d/e')
            p.mkdir(parents=True)
            (p / 'f').write_text('é\n')
            (p / 'f').touch()
            (p / 'l').symlink_to('f')
            (p / 'h').hardlink_to(p / 'f')
            (p / 'x').symlink_to('nothing')
            print(sorted(map(str, Path('d').rglob('*'))), (p / 'l').resolve(), (p / 'l').readlink())
            print((p / 'h').stat().st_nlink, (p / 'h').samefile(p / 'f'), (p / 'f').owner(),
                  (p / 'x').exists(), glob.glob('**/?', recursive=True, root_dir='d') != [])
            (p / 'f').rename(p / 'g')
            os.truncate(p / 'g', 1)
            print((p / 'h').read_bytes())
            for f in (p.rmdir, (p / 'zz').unlink, lambda: open('d'), lambda: open('no/x', 'w'),
                      lambda: os.mkdir('d'), lambda: os.listdir(p / 'g'), lambda: os.scandir(''),
                      lambda: os.readlink('d'), lambda: os.rename('d', 'd/e/f'),
                      lambda: os.close(77), lambda: os.link('d', 'e'),
                      lambda: open('x' * 300, 'w'), lambda: os.chmod('no', 1)):
                try: print(f())
                except OSError as e: print(type(e).__name__, e.errno, e)
            """)

    def test_permissions_owners_and_times(self) -> None:
        self.assertSame("""
            import os, stat
            def show(*names): print([(n, stat.filemode(os.stat(n).st_mode)) for n in names])
            open('a', 'w')
            os.mkdir('d')
            show('a', 'd')
            print(oct(os.umask(0o077)))
            open('b', 'w')
            os.mkdir('e')
            os.close(os.open('c', os.O_CREAT | os.O_WRONLY))
            show('b', 'c', 'e')
            os.umask(0o022)
            os.close(os.open('f', os.O_CREAT | os.O_WRONLY))
            show('f')
            os.chmod('a', 0o4750)
            show('a')
            print(os.access('a', os.X_OK), os.access('b', os.X_OK))
            fd = os.open('a', os.O_RDWR)
            os.fchmod(fd, 0o1)
            show('a')
            os.chown('a', 5, 6)
            os.fchown(fd, -1, 7)
            s = os.stat('a')
            print(s.st_uid, s.st_gid, s.st_blksize, s.st_blocks)
            os.symlink('a', 'l')
            os.chmod('l', 0o640)
            show('a')
            os.lchown('l', 1, 2)
            print(os.lstat('l').st_uid)
            os.unlink('a')
            open('a', 'w')
            print(os.stat('a').st_uid)
            show('a')
            os.utime('a')
            print(os.stat('a').st_mtime > 1.6e9)
            os.utime('a', ns=(10**18 + 5, 7))
            print(os.stat('a').st_atime_ns, os.stat('a').st_mtime_ns)
            os.utime(fd)
            with os.scandir('.') as entries:
                print(sorted((e.name, e.is_dir(), e.is_symlink()) for e in entries
                             if e.name not in ('main.py', 'outputs')))
            dfd = os.open('d', os.O_RDONLY)
            print(os.listdir(dfd), [x[0] for x in os.fwalk('e')])
            os.chmod(99, 1)
            """)

    def test_descriptors_of_files_and_directories(self) -> None:
        self.assertSame("""
            import os, shutil
            os.makedirs('d/e')
            open('d/f', 'w').write('x')
            files = os.open('d', os.O_RDONLY)
            print(sorted(os.listdir(files)), [next(os.fwalk('d'))[:2]])
            print(sorted((entry.name, entry.is_dir()) for entry in os.scandir(files)))
            print(os.read(os.open('f', 0, dir_fd=files), 9))
            os.close(os.open('made', os.O_CREAT, 0o600))
            file = os.open('d/f', os.O_RDWR)
            for call in (lambda: os.listdir(file), lambda: os.scandir(file),
                         lambda: shutil.rmtree('d/f'), lambda: os.read(99, 1),
                         lambda: os.write(os.open('d/f', 0), b'x')):
                try:
                    call()
                except OSError as error:
                    print(type(error).__name__, error.errno)
            shutil.rmtree('d')
            print(os.listdir(files), os.path.exists('d'))
            """)

    def test_locks_are_granted(self) -> None:
        self.assertSame("""
            import fcntl, os
            f = open('lock', 'w')
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(f, fcntl.LOCK_EX)
            fcntl.lockf(f, fcntl.LOCK_UN)
            fcntl.flock(f, fcntl.LOCK_UN)
            os.lockf(f.fileno(), os.F_LOCK, 0)
            print('done')
            try:
                fcntl.fcntl(f, fcntl.F_GETLK, 0)
            except OSError as error:
                print(error.errno)
            fcntl.flock(99, fcntl.LOCK_SH)
            """)

    def test_temporary_files_trees_and_archives(self) -> None:
        self.assertSame("""
            import tempfile, os, shutil, stat
            f = tempfile.NamedTemporaryFile()
            d = tempfile.mkdtemp()
            print(os.path.dirname(f.name), oct(os.stat(f.name).st_mode), oct(os.stat(d).st_mode))
            with tempfile.TemporaryDirectory() as t: open(t + '/a', 'w').write('1')
            print(os.path.exists(t))
            t = tempfile.TemporaryFile('w+')
            t.write('x')
            t.seek(0)
            print(t.read())
            os.makedirs('a/b')
            open('a/b/c', 'w').write('x')
            os.chmod('a/b/c', 0o755)
            shutil.copytree('a', 'z')
            print(oct(os.stat('z/b/c').st_mode))
            shutil.copy2('a/b/c', 'q')
            shutil.move('q', 'z/q')
            print(sorted(os.listdir('z')))
            for kind in ('zip', 'tar', 'gztar', 'bztar', 'xztar'):
                name = shutil.make_archive('ar', kind, 'z')
                shutil.unpack_archive(name, kind)
                copy = kind + '/b/c'
                print(os.path.basename(name), open(copy).read(), oct(os.stat(copy).st_mode))
            shutil.rmtree('z')
            print(os.path.exists('z'))
            """)

    def test_sqlite(self) -> None:
        self.assertSame("""
            import sqlite3
            c = sqlite3.connect('t.db')
            c.execute('create table t(a, b)')
            c.executemany('insert into t values(?,?)', [(i, str(i)) for i in range(1000)])
            c.commit()
            c.close()
            c = sqlite3.connect('t.db')
            c.create_function('f', 1, lambda x: x * 2)
            print(c.execute('select count(*), sum(f(a)), max(b), sqrt(16) from t').fetchall())
            with c: c.execute('delete from t where a > 10')
            print(c.total_changes, list(c.iterdump())[-2:])
            c.execute('select nope')
            """)


class Tools(TwinTest):
    def test_unittest_in_a_job(self) -> None:
        code = ("""
            import unittest
            class T(unittest.TestCase):
              def test_a(self): self.assertEqual(1, 1)
              def test_b(self): self.assertEqual([1, 2], [1, 3])
              def test_c(self): 1/0
              @unittest.skip('why')
              def test_d(self): pass
              def test_e(self):
                for i in range(3):
                  with self.subTest(i=i): self.assertLess(i, 2)
            unittest.main()
            """)
        mine, theirs = self.ours(code), self.native(code)
        self.assertEqual(mine.exit_code, theirs.exit_code)
        without_time = [outcome.stderr.rsplit("Ran 5 tests in", 1)[0] for outcome in (mine, theirs)]
        self.assertEqual(without_time[0], without_time[1])
        self.assertTrue(mine.stderr.endswith("FAILED (failures=2, errors=1, skipped=1)\n"))

    def test_doctest_pdb_help_and_code(self) -> None:
        self.assertSame("""
            def f(x):
              '''
              >>> f(2)
              5
              '''
              return x * 2
            import doctest
            print(doctest.testmod())
            """)
        self.assertSame("x = 1\nbreakpoint()\nprint(x)\n", stdin="p x\nw\nn\n")
        self.assertSame("import pdb\npdb.set_trace()\nprint(1)\n")
        self.assertSame("""
            class A:
              '''doc'''
              def f(self, a: int = 1) -> str: 'fdoc'
            help(len)
            help(A)
            """)
        self.assertSame("import code\ncode.interact('hi')\n", stdin="1+1\nx = 3\nprint(x)\n1/0\n")

    def test_logging_and_argparse(self) -> None:
        self.assertSame("""
            import logging
            logging.warning('w %s', 1)
            logging.basicConfig(
                level=10, format='%(levelname)s %(name)s %(threadName)s %(message)s')
            logging.debug('d')
            try: 1/0
            except Exception: logging.exception('exc')
            """)
        for args in (("3", "--x", "a"), ("q",), ("-h",), ("3", "--x", "c"), ()):
            self.assertSame("""
            import argparse
            p = argparse.ArgumentParser(description='d')
            p.add_argument('n', type=int, help='number')
            p.add_argument('--x', choices='ab')
            print(p.parse_args())
            """, args=args)

    def test_locale_is_that_of_a_bare_debian(self) -> None:
        self.assertSame("""
            import locale
            print(locale.setlocale(locale.LC_ALL), locale.getpreferredencoding())
            print(locale.localeconv(), locale.strcoll('a', 'B') > 0, locale.strxfrm('a'))
            for name in ('', 'C', 'POSIX', 'C.UTF-8', 'C.utf8', 'de_DE.UTF-8', 'en_US.UTF-8', 'x'):
                for category in (locale.LC_ALL, locale.LC_NUMERIC):
                    try:
                        print(name, locale.setlocale(category, name),
                              locale.setlocale(locale.LC_ALL))
                    except locale.Error as e: print(name, e)
            saved = locale.setlocale(locale.LC_ALL)
            print(locale.setlocale(locale.LC_ALL, saved))
            for name in 'CODESET D_FMT DAY_1 RADIXCHAR'.split():
                print(locale.nl_langinfo(getattr(locale, name)))
            print(f'{1234567:n}', locale.format_string('%.1f', 1234.5, grouping=True))
            """)

    def test_data_formats(self) -> None:
        self.assertSame(r"""
            import csv, io, json, pickle, copy, collections, configparser, tomllib, base64, struct
            w = csv.writer(f := io.StringIO())
            w.writerow([1, 'a,b', 'q"q', None])
            print(repr(f.getvalue()))
            print(list(csv.DictReader(io.StringIO('a,b\n1,2\n'))), tomllib.loads('a = 1979-05-27'))
            print(json.dumps({'a': [1, 2.5, None, True, 'é\ud800'], 'b': float('nan')}, indent=1))
            class A:
              def __init__(s): s.x = 1
            a = pickle.loads(pickle.dumps([A(), collections.OrderedDict(a=1), 10 ** 50, 'é']))
            print(a[0].x, a[1:], len(pickle.dumps(list(range(1000)))), struct.pack('<qd', 1, 2.5))
            print(copy.deepcopy(a)[1] == a[1], base64.b85encode(b'abc'))
            pickle.dumps(lambda: 0)
            """)

    def test_classes_and_types(self) -> None:
        self.assertSame("""
            from dataclasses import *
            from enum import *
            from typing import *
            class C(StrEnum):
              A = auto()
              B = auto()
            @dataclass(order=True, slots=True)
            class P:
              x: int = 1
              y: list[int] = field(default_factory=list)
            print(P(), list(C), get_type_hints(P), asdict(P(2)), P(1) < P(2), Optional[int])
            print(Flag('F', 'a b')(3))
            import dis
            def f(a): return a + 1
            dis.dis(f)
            P(1, 2, 3)
            """)


class Asyncio(TwinTest):
    def test_tasks_queues_timeouts_groups(self) -> None:
        self.assertSame(
            r"""
            import asyncio
            async def worker(q, out):
                while True:
                    x = await q.get()
                    await asyncio.sleep(0.001 * x)
                    out.append(x)
                    q.task_done()
            async def numbers():
                for i in range(3): yield i; await asyncio.sleep(0)
            async def bad(): raise ValueError('b')
            async def main():
                q = asyncio.Queue()
                out = []
                ts = [asyncio.create_task(worker(q, out)) for _ in range(3)]
                for i in range(9): q.put_nowait(9 - i)
                await q.join()
                [t.cancel() for t in ts]
                print(sorted(out), await asyncio.gather(*ts, return_exceptions=True))
                try: await asyncio.wait_for(asyncio.sleep(10), 0.02)
                except TimeoutError as e: print(repr(e))
                try:
                    async with asyncio.timeout(0.01): await asyncio.sleep(1)
                except TimeoutError: print('timeout')
                try:
                    async with asyncio.TaskGroup() as tg:
                        tg.create_task(asyncio.sleep(1))
                        tg.create_task(bad())
                except* ValueError as eg: print(eg.exceptions)
                r = asyncio.StreamReader()
                r.feed_data(b'one\ntwo')
                r.feed_eof()
                print(await r.readline(), await r.read())
                e = asyncio.Event()
                asyncio.get_running_loop().call_later(0.01, e.set)
                await e.wait()
                print([x async for x in numbers()])
            asyncio.run(main())
            asyncio.run(bad())
            """)
        self.assertSame("""
            import asyncio
            async def f(): raise RuntimeError('x')
            async def main():
                asyncio.create_task(f(), name='t')
                await asyncio.sleep(0.01)
            asyncio.run(main())
            async def never(): pass
            never()
            """)
