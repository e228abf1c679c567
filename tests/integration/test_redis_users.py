"""The users of deploy/redis/users.conf: each can do its work, and nothing else.

A Redis as deploy/redis/start.sh starts it, an API and a worker that are its users. What Redis has
refused them stands in its ACL LOG, so that what no test asks for is found too.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import time
import unittest
from typing import Any

from service import BUILD, REPOSITORY, Redis, Service
from stack import redis_server

SOURCES = REPOSITORY / "common"
PASSWORDS = {"API_PASSWORD": "a p?/@i", "WORKER_PASSWORD": "work", "SCALER_PASSWORD": "scale",
             "ADMIN_PASSWORD": "admin"}
PERCENT = {"api": "a%20p%3F%2F%40i", "worker": "work", "admin": "admin"}
# What each sends beside its scripts. Rows of the API and the worker: common/redis.c, queue_*.c.
ALWAYS = {"ping", "select", "script|load", "eval", "evalsha"}
DIRECT = {"api": ALWAYS | {"info", "blpop", "get", "unlink"},
          "worker": ALWAYS | {"info", "blpop", "blmove", "client|id", "client|unblock",
                             "xadd", "pexpire"}}
FORBIDDEN = [("FLUSHALL",), ("KEYS", "*"), ("SCAN", "0"), ("CONFIG", "GET", "dir"),
             ("CONFIG", "SET", "dir", "/"), ("ACL", "LIST"), ("MONITOR",),
             ("SHUTDOWN",), ("SAVE",), ("CLIENT", "LIST"), ("CLIENT", "KILL", "ID", "1"),
             ("SCRIPT", "FLUSH"), ("REPLICAOF", "no", "one"), ("GET", "foreign"),
             ("SET", "foreign", "1"), ("EVAL", "return redis.call('GET', 'foreign')", "0"),
             ("EVAL", "return redis.call('KEYS', '*')", "0"), ("PUBLISH", "retort:x", "1"),
             ("DBSIZE",), ("FUNCTION", "LIST"), ("MIGRATE", "h", "1", "k", "0", "1")]
REFUSED = "NOPERM|can't (run|access)"
# KEDA's own, of its scaler for lists.
KEDA = ("local listName = KEYS[1] local listType = redis.call('type', listName).ok "
        "local cmd = {zset='zcard', set='scard', list='llen', hash='hlen', none='llen'} "
        "return redis.call(cmd[listType], listName)")


def script_commands(directory: pathlib.Path = SOURCES / "queue_scripts") -> set[str]:
    """Every command that a script calls; the name is a literal, or one of several."""
    found = set()
    for path in directory.glob("*.lua"):
        for called in re.findall(r"redis\.p?call\(([^,)]*)", path.read_text("utf-8")):
            found |= {name.lower() for name in re.findall(r"'([A-Z]+)'", called)}
    return found


class UserService(Service):
    def start_redis(self) -> Any:
        redis_server(self.directory)  # a link of that name, where there is none in the path
        environment = {"PATH": f"{os.environ['PATH']}:{self.directory}", **PASSWORDS}
        part = self.start_part(
            "redis", [str(REPOSITORY / "deploy/redis/start.sh"), "--port", "0", "--unixsocket",
                      str(self.directory / "redis.sock"), "--dir", str(self.directory), "--user",
                      "root", "on", "nopass", "~*", "&*", "+@all"], environment)
        self.wait_for(lambda: self.user_answers(), "redis does not answer")
        return part

    def user_answers(self) -> bool:
        """It has also loaded its file."""
        try:
            connection = self.user("root", "")
            connection.command("PING")
            connection.close()
            return True
        except (OSError, RuntimeError):
            return False

    def user(self, name: str, password: str) -> Redis:
        connection = Redis(self.directory / "redis.sock")
        connection.command("AUTH", name, password)
        return connection

    def url(self, name: str) -> str:
        return f"unix://{name}:{PERCENT[name]}@{self.directory}/redis.sock"


class RedisUsers(unittest.TestCase):
    service: UserService

    @classmethod
    def setUpClass(cls) -> None:
        cls.service = UserService({"SLOTS": "2", "MAX_QUEUE_WAIT_MS": "1000"})
        service = cls.service
        service.token = "key"
        try:
            service.start_redis()
            service.start_worker(extra={"REDIS_URL": service.url("worker")})
            service.start_api(extra={"REDIS_URL": service.url("api"), "API_KEYS": "key:us:999:999"})
            cls.root = service.user("root", "")
            cls.wait_ready()
        except BaseException:
            service.stop(1)
            raise

    @classmethod
    def wait_ready(cls) -> None:
        deadline = time.monotonic() + 20
        while cls.service.request("GET", "/readyz").status != 200:
            assert time.monotonic() < deadline, cls.service.parts["api"].log_tail()
            time.sleep(0.1)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.root.close()
        faults = cls.service.close()
        assert not faults, "\n".join(faults)

    def granted(self, user: str) -> tuple[set[str], str]:
        """Commands and keys of a user, as Redis has understood them."""
        reply = self.root.command("ACL", "GETUSER", user)
        rules = {reply[i].decode(): reply[i + 1] for i in range(0, len(reply), 2)}
        words = rules["commands"].decode().split()
        self.assertEqual(words[0], "-@all")
        return {word.lstrip("+") for word in words[1:]}, rules["keys"].decode()

    def test_users_have_the_commands_that_the_sources_call_and_no_others(self) -> None:
        scripts = script_commands()
        self.assertGreater(len(scripts), 10)
        for user, direct in DIRECT.items():
            commands, keys = self.granted(user)
            with self.subTest(user):
                own = script_commands(REPOSITORY / "api/scripts") if user == "api" else set()
                self.assertEqual(commands, direct | scripts | own,
                                 "see deploy/redis/script_commands, and the row of api")
                self.assertEqual(keys, "~retort:*")

    def test_nothing_else_is_allowed_to_them(self) -> None:
        for user in DIRECT:
            connection = self.service.user(user, PASSWORDS[f"{user.upper()}_PASSWORD"])
            for words in FORBIDDEN:
                with self.subTest(user=user, words=words):
                    with self.assertRaisesRegex(RuntimeError, REFUSED):
                        connection.command(*words)
            connection.close()
        self.root.command("ACL", "LOG", "RESET")

    def test_the_admin_can_do_all_that_retort_admin_does(self) -> None:
        self.root.command("ACL", "LOG", "RESET")
        self.root.command("LPUSH", "retort:dead", "x", "y")
        self.root.command("ZADD", "retort:workers", "1", "gone")
        job = "0" * 32
        for args in (("status",), ("jobs",), ("job", job), ("dead",), ("dead", "--drop", "1"),
                     ("dead", "--drop", "all"), ("ping",), ("drain", "gone"), ("cancel", job),
                     ("requeue", job), ("requeue", "--worker", "gone")):
            done = subprocess.run([BUILD / "retort-admin", *args], capture_output=True, text=True,
                                  env={"REDIS_URL": self.service.url("admin")}, timeout=60)
            self.assertIn(done.returncode, (0, 1), done)
            self.assertNotRegex(done.stdout + done.stderr, "NOPERM|permit")
        self.assertEqual(self.root.command("ACL", "LOG"), [])

    def test_without_a_password_nothing_is(self) -> None:
        connection = Redis(self.service.directory / "redis.sock")
        for words in (("PING",), ("GET", "retort:x"), ("AUTH", "api", "wrong"), ("AUTH", "wrong")):
            with self.assertRaisesRegex(RuntimeError, "NOAUTH|WRONGPASS"):
                connection.command(*words)
        connection.close()
        self.root.command("ACL", "LOG", "RESET")

    def test_the_work_of_each_is_allowed(self) -> None:
        self.root.command("ACL", "LOG", "RESET")
        self.root.command("SCRIPT", "FLUSH")
        self.assertEqual(self.service.execute("print(input())", stdin="7").stdout, "7\n")
        self.assertTrue(self.service.execute("import time; time.sleep(9)", timeout_ms=100).timed_out)
        self.service.hang_up_after_sending("while True: pass").close()
        self.queue_timeout()
        self.assertEqual(self.service.request("GET", "/v1/usage").json["label"], "us")
        self.assertEqual(self.root.command("ACL", "LOG"), [])

    def queue_timeout(self) -> None:
        """A restarted worker, and a job that nobody takes in between."""
        worker = self.service.parts.pop("worker")
        self.assertTrue(worker.terminate(15))
        self.assertEqual(self.service.post({"code": "1"}).status, 504)
        self.service.start_worker(extra={"REDIS_URL": self.service.url("worker")})
        self.assertEqual(self.service.execute("print(1)").stdout, "1\n")

    def test_the_scaler_sees_how_long_the_queues_are_and_nothing_else(self) -> None:
        scaler = self.service.user("scaler", "scale")
        self.assertEqual(scaler.command("EVAL", KEDA, "1", "retort:queue:python"), 0)
        for words in (("EVAL", KEDA, "1", "retort:dead"), ("RPUSH", "retort:queue:python", "x"),
                      ("LRANGE", "retort:queue:python", "0", "-1"), *FORBIDDEN):
            with self.subTest(words), self.assertRaisesRegex(RuntimeError, REFUSED):
                scaler.command(*words)
        scaler.close()
        self.root.command("ACL", "LOG", "RESET")

    def test_what_was_written_is_there_after_a_restart(self) -> None:
        """Redis loads its file with the rights of `default`, those of transactions too."""
        worker = self.service.user("worker", PASSWORDS["WORKER_PASSWORD"])
        script = ("redis.call('SET', 'retort:a', '1', 'PX', 60000);"
                  "redis.call('HSET', 'retort:b', 'x', '1'); return 1")
        self.assertEqual(worker.command("EVAL", script, "0"), 1)
        worker.close()
        self.root.close()
        self.service.parts.pop("redis").kill()
        self.service.start_redis()
        type(self).root = self.service.user("root", "")
        self.assertEqual(self.root.command("EXISTS", "retort:a", "retort:b"), 2)
        self.assertEqual(self.root.command("ACL", "LOG"), [])
        self.root.command("UNLINK", "retort:a", "retort:b")
        self.wait_ready()

    def test_redis_is_set_up_to_lose_nothing(self) -> None:
        wanted = {"appendonly": b"yes", "appendfsync": b"always", "maxmemory-policy": b"noeviction"}
        for name, value in wanted.items():
            self.assertEqual(self.root.command("CONFIG", "GET", name), [name.encode(), value])

    def test_passwords_are_in_neither_arguments_nor_environment(self) -> None:
        pid = self.service.parts["redis"].pid
        for name in ("cmdline", "environ"):
            text = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            self.assertTrue(text)
            self.assertNotIn(PASSWORDS["API_PASSWORD"].encode(), text)

    def test_users_without_a_password_given_are_not_there(self) -> None:
        printed = subprocess.run(
            [REPOSITORY / "deploy/redis/start.sh", "--print"], capture_output=True, text=True,
            check=True, env={"PATH": os.environ["PATH"], "API_PASSWORD": "a", "WORKER_PASSWORD": "w"})
        users = re.findall(r"^user (\w+)", printed.stdout, re.MULTILINE)
        self.assertEqual(users, ["default", "api", "worker"])
        self.assertNotIn("@SCRIPTS@", printed.stdout)


if __name__ == "__main__":
    unittest.main()
