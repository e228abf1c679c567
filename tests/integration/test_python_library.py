"""The standard library: what programs commonly use gives the same results as natively."""

from __future__ import annotations

from twin import TwinTest


class Time(TwinTest):
    def test_utc_unless_told_otherwise(self) -> None:
        self.assertSame("import time, datetime\nprint(time.tzname, time.timezone, time.daylight,\n"
                        "      time.localtime(0), time.gmtime(0).tm_zone, time.ctime(0),\n"
                        "      datetime.datetime.fromtimestamp(0), time.asctime(time.gmtime(0)))\n"
                        "print(datetime.datetime(2020, 1, 1).astimezone())\n")

    def test_time_zones_of_TZ_and_of_zoneinfo(self) -> None:
        self.assertSame("import os, time, datetime\n"
                        "for zone in ('America/New_York', 'Asia/Kolkata', 'EST5EDT,M3.2.0,M11.1.0',\n"
                        "             '<+03>-3', ':Europe/Berlin', 'Australia/Lord_Howe', 'nonsense', ''):\n"
                        "    os.environ['TZ'] = zone; time.tzset()\n"
                        "    print(zone, time.tzname, time.timezone, time.daylight)\n"
                        "    for at in (-86400 * 365 * 60, 0, 1690000000, 1700000000, 2**31, 2**33):\n"
                        "        local = time.localtime(at)\n"
                        "        print(local, local.tm_zone, local.tm_gmtoff, time.mktime(local) == at)\n"
                        "    print(datetime.datetime(2023, 7, 1).astimezone().isoformat())\n")
        self.assertSame("from zoneinfo import ZoneInfo, available_timezones\nfrom datetime import datetime\n"
                        "d = datetime(2023, 7, 1, 12, tzinfo=ZoneInfo('Europe/Berlin'))\n"
                        "print(d, d.astimezone(ZoneInfo('Asia/Tokyo')), len(available_timezones()) > 500)\n"
                        "ZoneInfo('No/Where')\n")

    def test_strftime_is_that_of_glibc(self) -> None:
        self.assertSame("import time, datetime, itertools\n"
                        "letters = 'aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%+qEOLv'\n"
                        "for at in (0, 1700000000, 951782399):\n"
                        "    t = time.gmtime(at)\n"
                        "    for c, f in itertools.product(letters, ('', '-', '_', '0', '^', '#', '9', '-3', 'E', 'O')):\n"
                        "        print(f, c, repr(time.strftime('<%' + f + c + '>', t)))\n"
                        "for year in (1, 99, 905, 1970, 9999):\n"
                        "    print([datetime.date(year, 2, 3).strftime('%' + c) for c in 'CFgGyYcVD'])\n"
                        "print(datetime.datetime.strptime('14 Nov 2023 10:13 PM', '%d %b %Y %I:%M %p'))\n")

    def test_sleep_is_exact(self) -> None:
        self.assertSame("import time\nfor d in (0, 0.001, 0.01, 0.05):\n"
                        "    best = 9\n    for _ in range(5):\n"
                        "        t = time.monotonic(); time.sleep(d); best = min(best, time.monotonic() - t)\n"
                        "    print(d, d <= best < d + 0.005)\ntime.sleep(-1)\n")


class Numbers(TwinTest):
    def test_floats_print_and_compute_the_same(self) -> None:
        self.assertSame(
            "import math, random\nr = random.Random(5)\n"
            "one = 'sin cos tan asinh atan exp2 expm1 erf erfc cbrt sinh cosh tanh exp gamma lgamma'.split()\n"
            "for i in range(1500):\n"
            "    x = r.uniform(-1e3, 1e3) * 10.0 ** r.randint(-12, 12)\n"
            "    y = max(min(x, 170.5), -700)\n"
            "    print(x, '%.17g' % x, '%.3e' % x, format(x, '.10f')[:40], x.hex(), float(repr(x)) == x,\n"
            "          [getattr(math, f)(y if f not in ('gamma', 'lgamma') else abs(y)) for f in one],\n"
            "          math.log(abs(x)), math.log1p(abs(x)), math.acosh(1 + abs(x)), math.atanh(math.sin(x)),\n"
            "          abs(x) ** 0.37, math.hypot(x, 1), math.fmod(x, 7.3), math.remainder(x, 7.3),\n"
            "          round(x, 2), math.nextafter(x, 0), math.ulp(x), math.fsum([x, 1, -x]))\n")
        self.assertSame(
            "import cmath, random\nr = random.Random(7)\nfor i in range(400):\n"
            "    z = complex(r.gauss(0, 10), r.gauss(0, 10))\n"
            "    print([getattr(cmath, f)(z) for f in 'sqrt exp log acos asin atan cosh tanh phase'.split()],\n"
            "          z ** 2.5, z ** z)\n")

    def test_random_is_reproducible(self) -> None:
        self.assertSame("import random\nfor seed in (42, -1, 10**40, 'text', b'bytes', None):\n"
                        "    if seed is not None: random.seed(seed)\n"
                        "    else: random.setstate(state)\n"
                        "    state = random.getstate()\n"
                        "    print(random.random(), random.randint(1, 10**30), random.sample(range(100), 5),\n"
                        "          random.gauss(0, 1), random.choices('abc', k=5), random.getrandbits(200),\n"
                        "          random.betavariate(2, 3), random.vonmisesvariate(1, 2), random.randbytes(3))\n"
                        "    x = list(range(9)); random.shuffle(x); print(x)\n")

    def test_decimal_and_big_integers(self) -> None:
        self.assertSame("from decimal import *\nfrom fractions import Fraction\nimport statistics\n"
                        "print(Decimal(1) / 7, getcontext(), Decimal('1.1').sqrt(), f'{Decimal(1234567.891):,.2f}')\n"
                        "print(Fraction(1, 3) + Fraction(0.1), statistics.stdev([1, 2, 4]))\n"
                        "print(3 ** 1000 % 10 ** 20, hash(12345), (10 ** 400).bit_length(), pow(3, -1, 7))\n"
                        "try: str(10 ** 5000)\nexcept ValueError as e: print(e)\nDecimal('x')\n")


class Hashes(TwinTest):
    def test_every_algorithm(self) -> None:
        self.assertSame("import hashlib, hmac, zlib, binascii\n"
                        "for n in sorted(hashlib.algorithms_guaranteed):\n"
                        "    h = hashlib.new(n, b'abc')\n"
                        "    print(n, h.name, h.digest_size, h.block_size,\n"
                        "          h.hexdigest(8) if 'shake' in n else h.hexdigest())\n"
                        "print(hashlib.blake2b(b'x', key=b'k', salt=b's', person=b'p', digest_size=9).hexdigest())\n"
                        "print(hmac.new(b'k', b'm', 'sha256').hexdigest(), hmac.digest(b'k', b'm', 'sha1'))\n"
                        "print(zlib.crc32(b'abc'), zlib.adler32(b'abc'), binascii.crc_hqx(b'abc', 0))\n"
                        "hashlib.new('nope')\n")

    def test_key_derivation(self) -> None:
        self.assertSame("import hashlib\n"
                        "for name in 'md5 sha1 SHA224 sha256 sha384 sha512 sha3_256 blake2b blake2s'.split():\n"
                        "    for password, rounds, size in ((b'pw', 1, None), (b'', 7, 1), (b'p' * 200, 3, 99)):\n"
                        "        print(name, hashlib.pbkdf2_hmac(name, password, b'salt', rounds, size).hex())\n"
                        "print(hashlib.pbkdf2_hmac('sha256', memoryview(b'ab'), bytearray(b'c'), 20000).hex())\n")
        self.assertSame("import hashlib\n"
                        "print(hashlib.scrypt(b'password', salt=b'NaCl', n=1024, r=8, p=16).hex())\n"
                        "print(hashlib.scrypt(b'', salt=b'', n=16, r=1, p=1, dklen=13).hex())\n"
                        "for a in (dict(n=15, r=8, p=1), dict(n=2**20, r=8, p=1), dict(n=16, r=0, p=1),\n"
                        "          dict(n=16, r=8, p=1, dklen=0), dict(n=16, r=8, p=1, maxmem=-1),\n"
                        "          dict(n=2**16, r=8, p=1, maxmem=2**26 + 2**20), dict(n='x', r=1, p=1)):\n"
                        "    try: print(hashlib.scrypt(b'p', salt=b's', **a).hex())\n"
                        "    except Exception as e: print(type(e).__name__, e)\n")
        self.assertSame("import hashlib\n"
                        "for a in (('nope', b'', b'', 1), ('sha1', b'', b'', 0), ('sha1', b'', b'', 1, 0),\n"
                        "          (1, b'', b'', 1), ('sha1', 's', b'', 1), ('sha1', b'', b'', 2**40)):\n"
                        "    try: print(hashlib.pbkdf2_hmac(*a))\n"
                        "    except Exception as e: print(type(e).__name__)\n")


class Files(TwinTest):
    def test_paths_links_and_their_errors(self) -> None:
        self.assertSame("from pathlib import Path\nimport os, glob\n"
                        "p = Path('d/e'); p.mkdir(parents=True); (p / 'f').write_text('é\\n'); (p / 'f').touch()\n"
                        "(p / 'l').symlink_to('f'); (p / 'h').hardlink_to(p / 'f'); (p / 'x').symlink_to('nothing')\n"
                        "print(sorted(map(str, Path('d').rglob('*'))), (p / 'l').resolve(), (p / 'l').readlink())\n"
                        "print((p / 'h').stat().st_nlink, (p / 'h').samefile(p / 'f'), (p / 'f').owner(),\n"
                        "      (p / 'x').exists(), glob.glob('**/?', recursive=True, root_dir='d') != [])\n"
                        "(p / 'f').rename(p / 'g'); os.truncate(p / 'g', 1); print((p / 'h').read_bytes())\n"
                        "for f in (p.rmdir, (p / 'zz').unlink, lambda: open('d'), lambda: open('no/x', 'w'),\n"
                        "          lambda: os.mkdir('d'), lambda: os.listdir(p / 'g'), lambda: os.scandir(''),\n"
                        "          lambda: os.readlink('d'), lambda: os.rename('d', 'd/e/f'), lambda: os.close(77),\n"
                        "          lambda: os.link('d', 'e'), lambda: open('x' * 300, 'w'), lambda: os.chmod('no', 1)):\n"
                        "    try: print(f())\n"
                        "    except OSError as e: print(type(e).__name__, e.errno, e)\n")

    def test_permissions_owners_and_times(self) -> None:
        self.assertSame("import os, stat\n"
                        "def show(*names): print([(n, stat.filemode(os.stat(n).st_mode)) for n in names])\n"
                        "open('a', 'w'); os.mkdir('d'); show('a', 'd')\n"
                        "print(oct(os.umask(0o077)))\n"
                        "open('b', 'w'); os.mkdir('e'); os.close(os.open('c', os.O_CREAT | os.O_WRONLY)); show('b', 'c', 'e')\n"
                        "os.umask(0o022); os.close(os.open('f', os.O_CREAT | os.O_WRONLY)); show('f')\n"
                        "os.chmod('a', 0o4750); show('a'); print(os.access('a', os.X_OK), os.access('b', os.X_OK))\n"
                        "fd = os.open('a', os.O_RDWR); os.fchmod(fd, 0o1); show('a'); os.chown('a', 5, 6); os.fchown(fd, -1, 7)\n"
                        "s = os.stat('a'); print(s.st_uid, s.st_gid, s.st_blksize, s.st_blocks)\n"
                        "os.symlink('a', 'l'); os.chmod('l', 0o640); show('a'); os.lchown('l', 1, 2); print(os.lstat('l').st_uid)\n"
                        "os.unlink('a'); open('a', 'w'); print(os.stat('a').st_uid); show('a')\n"
                        "os.utime('a'); print(os.stat('a').st_mtime > 1.6e9); os.utime('a', ns=(10**18 + 5, 7))\n"
                        "print(os.stat('a').st_atime_ns, os.stat('a').st_mtime_ns); os.utime(fd)\n"
                        "with os.scandir('.') as entries: print(sorted((e.name, e.is_dir(), e.is_symlink()) for e in entries if e.name != 'main.py'))\n"
                        "dfd = os.open('d', os.O_RDONLY); print(os.listdir(dfd), [x[0] for x in os.fwalk('e')])\n"
                        "os.chmod(99, 1)\n")

    def test_locks_are_granted(self) -> None:
        self.assertSame("import fcntl, os\nf = open('lock', 'w')\nfcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
                        "fcntl.lockf(f, fcntl.LOCK_EX); fcntl.lockf(f, fcntl.LOCK_UN); fcntl.flock(f, fcntl.LOCK_UN)\n"
                        "os.lockf(f.fileno(), os.F_LOCK, 0)\nprint('done')\nfcntl.flock(99, fcntl.LOCK_SH)\n")

    def test_temporary_files_trees_and_archives(self) -> None:
        self.assertSame("import tempfile, os, shutil, stat\n"
                        "f = tempfile.NamedTemporaryFile(); d = tempfile.mkdtemp()\n"
                        "print(os.path.dirname(f.name), oct(os.stat(f.name).st_mode), oct(os.stat(d).st_mode))\n"
                        "with tempfile.TemporaryDirectory() as t: open(t + '/a', 'w').write('1')\n"
                        "print(os.path.exists(t)); t = tempfile.TemporaryFile('w+'); t.write('x'); t.seek(0); print(t.read())\n"
                        "os.makedirs('a/b'); open('a/b/c', 'w').write('x'); os.chmod('a/b/c', 0o755)\n"
                        "shutil.copytree('a', 'z'); print(oct(os.stat('z/b/c').st_mode)); shutil.copy2('a/b/c', 'q')\n"
                        "shutil.move('q', 'z/q'); print(sorted(os.listdir('z')))\n"
                        "for kind in ('zip', 'tar', 'gztar', 'bztar', 'xztar'):\n"
                        "    name = shutil.make_archive('ar', kind, 'z'); shutil.unpack_archive(name, kind)\n"
                        "    print(os.path.basename(name), open(kind + '/b/c').read(), oct(os.stat(kind + '/b/c').st_mode))\n"
                        "shutil.rmtree('z'); print(os.path.exists('z'), shutil.which('ls') is None or 1)\n")

    def test_sqlite(self) -> None:
        self.assertSame("import sqlite3\nc = sqlite3.connect('t.db'); c.execute('create table t(a, b)')\n"
                        "c.executemany('insert into t values(?,?)', [(i, str(i)) for i in range(1000)]); c.commit(); c.close()\n"
                        "c = sqlite3.connect('t.db'); c.create_function('f', 1, lambda x: x * 2)\n"
                        "print(c.execute('select count(*), sum(f(a)), max(b), sqrt(16) from t').fetchall())\n"
                        "with c: c.execute('delete from t where a > 10')\n"
                        "print(c.total_changes, list(c.iterdump())[-2:]); c.execute('select nope')\n")


class Tools(TwinTest):
    def test_unittest_in_a_job(self) -> None:
        code = ("import unittest\nclass T(unittest.TestCase):\n  def test_a(self): self.assertEqual(1, 1)\n"
                "  def test_b(self): self.assertEqual([1, 2], [1, 3])\n  def test_c(self): 1/0\n"
                "  @unittest.skip('why')\n  def test_d(self): pass\n  def test_e(self):\n"
                "    for i in range(3):\n      with self.subTest(i=i): self.assertLess(i, 2)\n"
                "unittest.main()\n")
        mine, theirs = self.ours(code), self.native(code)
        self.assertEqual(mine.exit_code, theirs.exit_code)
        without_time = [text.rsplit("Ran 5 tests in", 1)[0] for text in (mine.stderr, theirs.stderr)]
        self.assertEqual(without_time[0], without_time[1])
        self.assertTrue(mine.stderr.endswith("FAILED (failures=2, errors=1, skipped=1)\n"))

    def test_doctest_pdb_help_and_code(self) -> None:
        self.assertSame("def f(x):\n  '''\n  >>> f(2)\n  5\n  '''\n  return x * 2\nimport doctest\nprint(doctest.testmod())\n")
        self.assertSame("x = 1\nbreakpoint()\nprint(x)\n", stdin="p x\nw\nn\n")
        self.assertSame("import pdb\npdb.set_trace()\nprint(1)\n")
        self.assertSame("class A:\n  '''doc'''\n  def f(self, a: int = 1) -> str: 'fdoc'\nhelp(len); help(A)\n")
        self.assertSame("import code\ncode.interact('hi')\n", stdin="1+1\nx = 3\nprint(x)\n1/0\n")

    def test_logging_and_argparse(self) -> None:
        self.assertSame("import logging\nlogging.warning('w %s', 1)\n"
                        "logging.basicConfig(level=10, format='%(levelname)s %(name)s %(threadName)s %(message)s')\n"
                        "logging.debug('d')\ntry: 1/0\nexcept Exception: logging.exception('exc')\n")
        for args in (("3", "--x", "a"), ("q",), ("-h",), ("3", "--x", "c"), ()):
            self.assertSame("import argparse\np = argparse.ArgumentParser(description='d')\n"
                            "p.add_argument('n', type=int, help='number'); p.add_argument('--x', choices='ab')\n"
                            "print(p.parse_args())\n", args=args)

    def test_locale_is_that_of_a_bare_debian(self) -> None:
        self.assertSame("import locale\nprint(locale.setlocale(locale.LC_ALL), locale.getpreferredencoding())\n"
                        "print(locale.localeconv(), locale.strcoll('a', 'B'), locale.strxfrm('a'))\n"
                        "for name in ('', 'C', 'POSIX', 'C.UTF-8', 'C.utf8', 'de_DE.UTF-8', 'en_US.UTF-8', 'x'):\n"
                        "    for category in (locale.LC_ALL, locale.LC_NUMERIC):\n"
                        "        try: print(name, locale.setlocale(category, name), locale.setlocale(locale.LC_ALL))\n"
                        "        except locale.Error as e: print(name, e)\n"
                        "saved = locale.setlocale(locale.LC_ALL); print(locale.setlocale(locale.LC_ALL, saved))\n"
                        "print([locale.nl_langinfo(getattr(locale, n)) for n in 'CODESET D_FMT DAY_1 RADIXCHAR'.split()])\n"
                        "print(f'{1234567:n}', locale.format_string('%.1f', 1234.5, grouping=True))\n")

    def test_data_formats(self) -> None:
        self.assertSame("import csv, io, json, pickle, copy, collections, configparser, tomllib, base64, struct\n"
                        "w = csv.writer(f := io.StringIO()); w.writerow([1, 'a,b', 'q\"q', None]); print(repr(f.getvalue()))\n"
                        "print(list(csv.DictReader(io.StringIO('a,b\\n1,2\\n'))), tomllib.loads('a = 1979-05-27'))\n"
                        "print(json.dumps({'a': [1, 2.5, None, True, 'é\\ud800'], 'b': float('nan')}, indent=1))\n"
                        "class A:\n  def __init__(s): s.x = 1\n"
                        "a = pickle.loads(pickle.dumps([A(), collections.OrderedDict(a=1), 10 ** 50, 'é']))\n"
                        "print(a[0].x, a[1:], len(pickle.dumps(list(range(1000)))), struct.pack('<qd', 1, 2.5))\n"
                        "print(copy.deepcopy(a)[1] == a[1], base64.b85encode(b'abc'))\npickle.dumps(lambda: 0)\n")

    def test_classes_and_types(self) -> None:
        self.assertSame("from dataclasses import *\nfrom enum import *\nfrom typing import *\n"
                        "class C(StrEnum):\n  A = auto(); B = auto()\n"
                        "@dataclass(order=True, slots=True)\nclass P:\n  x: int = 1; y: list[int] = field(default_factory=list)\n"
                        "print(P(), list(C), get_type_hints(P), asdict(P(2)), P(1) < P(2), Optional[int], Flag('F', 'a b')(3))\n"
                        "import dis\ndef f(a): return a + 1\ndis.dis(f)\nP(1, 2, 3)\n")


class Asyncio(TwinTest):
    def test_tasks_queues_timeouts_groups(self) -> None:
        self.assertSame(
            "import asyncio\n"
            "async def worker(q, out):\n"
            "    while True:\n"
            "        x = await q.get(); await asyncio.sleep(0.001 * x); out.append(x); q.task_done()\n"
            "async def numbers():\n    for i in range(3): yield i; await asyncio.sleep(0)\n"
            "async def bad(): raise ValueError('b')\n"
            "async def main():\n"
            "    q = asyncio.Queue(); out = []\n"
            "    ts = [asyncio.create_task(worker(q, out)) for _ in range(3)]\n"
            "    for i in range(9): q.put_nowait(9 - i)\n"
            "    await q.join(); [t.cancel() for t in ts]\n"
            "    print(sorted(out), await asyncio.gather(*ts, return_exceptions=True))\n"
            "    try: await asyncio.wait_for(asyncio.sleep(10), 0.02)\n"
            "    except TimeoutError as e: print(repr(e))\n"
            "    try:\n        async with asyncio.timeout(0.01): await asyncio.sleep(1)\n"
            "    except TimeoutError: print('timeout')\n"
            "    try:\n        async with asyncio.TaskGroup() as tg:\n            tg.create_task(asyncio.sleep(1)); tg.create_task(bad())\n"
            "    except* ValueError as eg: print(eg.exceptions)\n"
            "    r = asyncio.StreamReader(); r.feed_data(b'one\\ntwo'); r.feed_eof(); print(await r.readline(), await r.read())\n"
            "    e = asyncio.Event(); asyncio.get_running_loop().call_later(0.01, e.set); await e.wait()\n"
            "    print([x async for x in numbers()])\n"
            "asyncio.run(main())\nasyncio.run(bad())\n")
        self.assertSame("import asyncio\nasync def f(): raise RuntimeError('x')\n"
                        "async def main():\n    asyncio.create_task(f(), name='t'); await asyncio.sleep(0.01)\n"
                        "asyncio.run(main())\nasync def never(): pass\nnever()\n")
