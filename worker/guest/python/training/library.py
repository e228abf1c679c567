# Training for the profile: the interpreter at work on source and modules: compiling, importing,
# tracebacks, hashing, compression, dates, SQL, files.
import ast
import bz2
import calendar
import datetime
import dis
import hashlib
import importlib
import inspect
import io
import logging
import lzma
import os
import pathlib
import pickle
import pprint
import sqlite3
import sys
import tempfile
import tokenize
import traceback
import typing
import unittest
import uuid
import xml.etree.ElementTree as etree
import zlib
import zoneinfo


def sources():
    nodes = tokens = 0
    for module in (inspect, traceback, pprint, calendar, typing):
        with open(module.__file__, encoding="utf-8") as file:
            text = file.read()
        tree = ast.parse(text)
        nodes += sum(1 for _ in ast.walk(tree))
        compile(text, module.__file__, "exec")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        tokens += token.type
    return nodes, tokens, len(ast.unparse(tree.body[5])), len(list(dis.get_instructions(sources)))


def imports():
    import cgi, chunk, code, colorsys, ftplib, graphlib, imaplib, mailbox, netrc  # noqa
    import optparse, plistlib, sched, shelve, tarfile, telnetlib, wave, zipfile  # noqa
    sys.path.insert(0, os.getcwd())
    for i in range(40):
        path = pathlib.Path(f"made{i}.py")
        path.write_text(f"value = {i}\ndef double(): return value * 2\n")
    importlib.invalidate_caches()
    return sum(__import__(f"made{i}").double() for i in range(40))


def tracebacks():
    def fail(depth):
        if depth:
            return fail(depth - 1)
        return undefined_name  # noqa: F821
    shown = 0
    for depth in range(40):
        try:
            fail(depth % 8)
        except NameError:
            shown += len(traceback.format_exc())
            sys.excepthook(*sys.exc_info())
    for bad in ("def f(:", "x = = 1", "(1, 2", "for i in range(3)\n  pass", "return 'a"):
        try:
            compile(bad, "main.py", "exec")
        except SyntaxError as error:
            shown += len(traceback.format_exception(error))
            sys.excepthook(*sys.exc_info())
    return shown


def digests():
    data = os.urandom(2000) + b"retort" * 12000
    names = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s")
    return sum(len(hashlib.new(name, data).hexdigest()) for name in names), \
        len(zlib.decompress(zlib.compress(data))), len(bz2.decompress(bz2.compress(data))), \
        len(lzma.decompress(lzma.compress(data[:20000]))), zlib.crc32(data) != 0, \
        uuid.uuid4() != uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")


def dates():
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    moment = datetime.datetime(2024, 1, 31, 12, tzinfo=zone)
    texts = []
    for day in range(500):
        later = moment + datetime.timedelta(days=day, hours=day)
        texts.append(later.isoformat() + later.strftime("%d %b %Y %H:%M %Z"))
        datetime.datetime.fromisoformat(later.isoformat())
    parsed = [datetime.datetime.strptime(f"2024-02-{d:02}", "%Y-%m-%d") for d in range(1, 29)]
    return len(texts), parsed[-1].weekday(), calendar.month(2024, 2)[:8]


def tables():
    database = sqlite3.connect(":memory:")
    database.execute("create table item(id integer primary key, name text, price real)")
    database.executemany("insert into item(name, price) values(?, ?)",
                         [(f"item {i}", i * 1.25) for i in range(1500)])
    database.execute("create index by_price on item(price)")
    rows = database.execute("select name, sum(price) from item where price > ? "
                            "group by id % 7 order by 2 desc", (100,)).fetchall()
    return len(rows), database.execute("select count(*) from item where name like '%9'").fetchone()


def files():
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "notes.txt"
        with open(path, "w", encoding="utf-8") as file:
            for i in range(3000):
                file.write(f"line {i}\n")
        with open(path, encoding="utf-8") as file:
            lines = [line.rstrip() for line in file if line.endswith("0\n")]
        size = path.stat().st_size
        path.rename(path.with_suffix(".bak"))
        listed = sorted(entry.name for entry in os.scandir(directory))
    return len(lines), size, listed


def objects():
    data = {"list": list(range(2000)), "text": ["abc"] * 500, "deep": {"a": ({1, 2}, None)}}
    again = pickle.loads(pickle.dumps(data))
    root = etree.fromstring("<r>" + "<i n='1'>t</i>" * 800 + "</r>")
    stream = io.StringIO()
    logger = logging.Logger("training")
    logger.addHandler(logging.StreamHandler(stream))
    for i in range(300):
        logger.warning("message %d", i)

    class Case(unittest.TestCase):
        def test_equal(self):
            self.assertEqual([1, 2], [1, 2])
            with self.assertRaises(ZeroDivisionError):
                1 / 0
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    return again == data, len(root.findall("i")), len(stream.getvalue()), result.testsRun, \
        len(pprint.pformat(data)), str(inspect.signature(files)), len(inspect.getsource(files))


print(sources(), imports(), tracebacks(), digests(), dates(), tables(), files(), objects())
