"""Threads in the guest: exceptions, deadlocks, limits, event loops, and what is left behind."""

from __future__ import annotations

import json
import re
import subprocess
import unittest

from programs import DEADLOCK, Programs
from service import REPOSITORY, ServiceTest

GUARD_BYTES = 65536  # FIBER_GUARD_BYTES, below each stack in linear memory


class Ends(Programs):
    def test_exceptions_in_threads(self) -> None:
        self.as_native("""\
            import sys, threading
            def fail(): raise ValueError("in a thread")
            thread = threading.Thread(target=fail, name="failing")
            thread.start(); thread.join()
            thread = threading.Thread(target=sys.exit, args=("not shown",))
            thread.start(); thread.join()
            threading.excepthook = lambda args: print(args.exc_type.__name__, args.thread.name)
            thread = threading.Thread(target=fail, name="hooked")
            thread.start(); thread.join()
            print("main goes on")
            """)

    def test_the_program_waits_for_its_threads_at_the_end(self) -> None:
        self.as_native("""\
            import atexit, threading, time
            atexit.register(print, "atexit")
            threading._register_atexit(print, "threading atexit")
            threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
            print("main")
            """)

    def test_daemons_are_not_waited_for(self) -> None:
        result = self.as_native("""\
            import atexit, threading, time
            class Late:
                def __init__(self): self.itself = self
                def __del__(self):
                    time.sleep(0.05)
                    print("deleted")
            Late()
            atexit.register(lambda: (time.sleep(0.05), print("atexit")))
            def work():
                while True: time.sleep(0.001)
            for _ in range(3): threading.Thread(target=work, daemon=True).start()
            def spin():
                while True: pass
            threading.Thread(target=spin, daemon=True).start()
            threading.Thread(target=threading.Event().wait, daemon=True).start()
            time.sleep(0.05)
            print("main")
            """)
        self.assertLess(result["exec_ms"], 5000)

    def test_the_process_ends_when_a_thread_says_so(self) -> None:
        self.assertEqual(self.run_it("""\
            import os, threading, time
            threading.Thread(target=os._exit, args=(7,)).start()
            time.sleep(10)
            """)["exit_code"], 7)

    def test_recursion_in_threads_ends_in_its_exception(self) -> None:
        self.prints("""\
            import json, pickle, re, threading
            def caught(call):
                try: call()
                except RecursionError: seen.append("RecursionError")
                except Exception as error: seen.append(repr(error))
                else: seen.append("no error")
            def plain(): plain()
            class Item:
                def __getattr__(self, name): return getattr(self, name + "x")
                def __repr__(self): return repr(self)
                def __eq__(self, other): return [self] == [Item()]
                def __add__(self, other): return self + other
                def __len__(self): return len(self)
                def __iter__(self): yield from self
                def __call__(self): return max([1, 2], key=lambda _: self())
            nested = []
            for _ in range(100000): nested = [nested]
            deep_code = "(" * 150 + ")" * 150
            checks = [plain, lambda: Item().a, lambda: repr(Item()), lambda: Item() == 1,
                      lambda: Item() + 1, lambda: len(Item()), lambda: list(Item()), Item(),
                      lambda: repr(nested), lambda: json.dumps(nested),
                      lambda: json.loads("[" * 99999),
                      lambda: pickle.dumps(nested), lambda: nested == [nested],
                      lambda: sorted([1, 2], key=lambda _: caught_sort()),
                      lambda: re.compile("(" * 5000 + ")" * 5000),
                      lambda: eval("-" * 5000 + "1"), lambda: compile(deep_code, "x", "eval"),
                      lambda: isinstance(1, deep_tuple)]
            def caught_sort(): return sorted([1, 2], key=lambda _: caught_sort())
            deep_tuple = ()
            for _ in range(100000): deep_tuple = (deep_tuple,)
            for check in checks:
                seen = []
                thread = threading.Thread(target=caught, args=(check,))
                thread.start(); thread.join()
                if seen != ["RecursionError"]: print(seen)
            print("done")
            import gc, os, sys
            sys.stdout.flush()
            os._exit(0)
            """, "['no error']\ndone\n")

    def test_deeper_recursion_than_the_stack_is_a_crash(self) -> None:
        result = self.run_it("""\
            import sys, threading
            sys.setrecursionlimit(10**6)
            class Item:
                def __repr__(self): return repr(self)
            thread = threading.Thread(target=lambda: repr(Item()))
            thread.start(); thread.join()
            """)
        self.assertEqual(result["verdict"], "crashed", result)
        self.assertIn("call stack exhausted", json.dumps(result))

    def test_a_larger_stack_lets_recursion_go_deeper(self) -> None:
        self.prints("""\
            import functools, sys, threading
            sys.setrecursionlimit(10**6)
            threading.stack_size(512 << 20)
            @functools.lru_cache(None)
            def count(n): return 0 if n == 0 else 1 + count(n - 1)
            def plain(n): return 0 if n == 0 else 1 + plain(n - 1)
            thread = threading.Thread(target=lambda: print(count(8000), plain(200000)))
            thread.start(); thread.join()
            """, "8000 200000\n")

    def test_memory_errors_in_threads(self) -> None:
        result = self.run_it("""\
            import threading
            def caught():
                try: "a" * 10**9
                except MemoryError: print("caught")
            def eat():
                kept = []
                while True: kept.append(bytes(10**6))
            for target in (caught, eat, caught):
                thread = threading.Thread(target=target)
                thread.start(); thread.join()
            print("main goes on")
            """)
        self.assertEqual((result["stdout"], result["verdict"]),
                         ("caught\ncaught\nmain goes on\n", "exited"))
        self.assertIn("MemoryError", result["stderr"])

    def test_threads_beyond_memory_cannot_be_started(self) -> None:
        result = self.run_it("""\
            import threading
            stop, threads, ballast = threading.Event(), [], bytearray(38 << 20)
            try:
                while True:
                    thread = threading.Thread(target=stop.wait)
                    thread.start()
                    threads.append(thread)
            except (RuntimeError, MemoryError) as error:
                print(10 < len(threads) < 256, error)
            stop.set()
            for thread in threads: thread.join()
            """, "--memory-limit-mb=64")
        self.assertEqual(result["stdout"], "True can't start new thread\n", result)
        self.assertLessEqual(result["memory_peak_bytes"], 64 << 20)


class Frames(unittest.TestCase):
    def test_no_function_of_the_guest_takes_more_stack_at_once_than_the_guard_has(self) -> None:
        module = REPOSITORY / "build/python/python.wasm"
        done = subprocess.run(["wasm-objdump", "-d", module], capture_output=True, text=True,
                              check=True)
        # How a frame is made: the stack pointer (global 0) less a constant.
        frames = [int(size) for size in re.findall(
            r"\| +global\.get 0\b.*\n.*\| +i32\.const (\d+)\n.*\| +i32\.sub\n", done.stdout)]
        self.assertGreater(len(frames), 1000)
        self.assertLessEqual(max(frames), GUARD_BYTES)


class Deadlocks(Programs):
    def test_two_threads_that_wait_for_each_other(self) -> None:
        result = self.deadlocks("""\
            import threading, time
            print("printed before")
            a, b = threading.Lock(), threading.Lock()
            def first():
                with a:
                    time.sleep(0.01)
                    with b: pass
            def second():
                with b:
                    time.sleep(0.01)
                    with a: pass
            threads = [threading.Thread(target=first), threading.Thread(target=second)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            """, "all threads wait, and nothing can wake them")
        self.assertEqual(result["stdout"], "printed before\n")
        for line in (7, 11, 14):
            self.assertIn(f'File "/work/main.py", line {line} in', result["stderr"])

    def test_one_thread_that_waits_for_itself(self) -> None:
        self.deadlocks("""\
            import threading
            lock = threading.Lock()
            lock.acquire()
            lock.acquire()
            """, "the only thread waits, and nothing can wake it")

    def test_the_end_of_a_program_whose_thread_never_ends(self) -> None:
        result = self.run_it("""\
            import threading
            threading.Thread(target=threading.Event().wait).start()
            print("main is done")
            """)
        self.assertEqual((result["stdout"], result["exit_code"]), ("main is done\n", DEADLOCK))
        self.assertIn("deadlock: all threads wait", result["stderr"])

    def test_queue_event_and_event_loop(self) -> None:
        for code in ("import queue\nqueue.Queue().get()",
                     "import threading\nthreading.Event().wait()",
                     "import queue\nqueue.SimpleQueue().get()",
                     "import asyncio\nasync def main(): await asyncio.Event().wait()\n"
                     "asyncio.run(main())"):
            self.deadlocks(code, "the only thread waits")

    def test_a_thread_with_a_time_is_no_deadlock(self) -> None:
        self.prints("""\
            import threading, time
            lock = threading.Lock()
            lock.acquire()
            threading.Thread(target=lambda: (time.sleep(0.2), lock.release())).start()
            lock.acquire()
            print("released")
            """, "released\n")

    def test_a_deadlock_while_standard_output_is_locked(self) -> None:
        self.deadlocks("""\
            import sys, threading
            class Out:
                def __init__(self):
                    self.lock = threading.Lock()
                    self.lock.acquire()
                def write(self, text): self.lock.acquire()
                def flush(self): self.lock.acquire()
            sys.stdout = Out()
            print("x")
            """, "the only thread waits")


class Asyncio(Programs):
    def test_to_thread_executors_and_calls_from_threads(self) -> None:
        self.as_native("""\
            import asyncio, threading, time
            def work(i):
                time.sleep(0.05)
                return i, threading.current_thread() is threading.main_thread()
            async def later(x):
                await asyncio.sleep(0.01)
                return x + 1
            async def main():
                began = time.monotonic()
                print(await asyncio.gather(*(asyncio.to_thread(work, i) for i in range(5))))
                print(time.monotonic() - began < 0.2)
                loop = asyncio.get_running_loop()
                print(await loop.run_in_executor(None, work, 7))
                def from_thread():
                    future = asyncio.run_coroutine_threadsafe(later(1), loop)
                    value = future.result(5)
                    loop.call_soon_threadsafe(done.set_result, value)
                done = loop.create_future()
                threading.Thread(target=from_thread).start()
                print(await done)
                try:
                    await asyncio.wait_for(asyncio.to_thread(time.sleep, 0.2), 0.01)
                except asyncio.TimeoutError:
                    print("timeout")
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(later(i)) for i in range(3)]
                print([task.result() for task in tasks])
                try:
                    async with asyncio.timeout(0.02):
                        await asyncio.Event().wait()
                except TimeoutError:
                    print("timeout")
            asyncio.run(main())
            """)

    def test_a_loop_in_a_thread(self) -> None:
        self.as_native("""\
            import asyncio, threading
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=loop.run_forever)
            thread.start()
            async def answer():
                await asyncio.sleep(0.01)
                return 42
            print(asyncio.run_coroutine_threadsafe(answer(), loop).result())
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
            print(asyncio.run(answer()))
            """)

    def test_a_busy_loop_stays_awake_for_threads(self) -> None:
        self.prints("""\
            import asyncio, threading
            async def main():
                loop, n = asyncio.get_running_loop(), 0
                done = asyncio.Event()
                def call():
                    nonlocal n
                    n += 1
                    if n == 4000: done.set()
                def send():
                    for _ in range(1000): loop.call_soon_threadsafe(call)
                for _ in range(4): threading.Thread(target=send).start()
                await done.wait()
                print(n)
            asyncio.run(main())
            """, "4000\n")


class Limits(Programs):
    def test_cpu_time_is_that_of_all_threads(self) -> None:
        result = self.run_it("""\
            import threading
            def spin():
                while True: pass
            for _ in range(4): threading.Thread(target=spin).start()
            """, "--cpu-time-limit-sec=1")
        self.assertEqual(result["verdict"], "cpu_limit", result)
        self.assertLess(abs(result["cpu_ms"] - 1000), 50)

    def test_wall_clock_ends_threads_that_sleep(self) -> None:
        result = self.run_it("""\
            import threading, time
            for _ in range(20): threading.Thread(target=time.sleep, args=(60,)).start()
            """, "--max-exec-timeout-ms=500")
        self.assertEqual(result["verdict"], "timed_out", result)
        self.assertLess(abs(result["exec_ms"] - 500), 100)

    def test_output_of_many_threads_is_whole(self) -> None:
        result = self.run_it("""\
            import threading
            def write(i):
                for j in range(50): print(f"{i:03}-{j:03}" + "." * 90)
            threads = [threading.Thread(target=write, args=(i,)) for i in range(50)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            """)
        # print() writes its text and the line's end one after the other, here as anywhere.
        text = result["stdout"]
        self.assertEqual(text.count("." * 90), 2500)
        self.assertEqual(text.count("\n"), 2500)
        self.assertEqual(len(text), 2500 * 98)


class Diagnosis(Programs):
    def test_tracebacks_of_all_threads(self) -> None:
        result = self.run_it("""\
            import faulthandler, sys, threading, time
            def wait(): time.sleep(0.5)
            threading.Thread(target=wait).start()
            time.sleep(0.01)
            faulthandler.dump_traceback(all_threads=True)
            print(len(sys._current_frames()))
            faulthandler.dump_traceback_later(0.05)
            time.sleep(0.2)
            """)
        self.assertEqual(result["stdout"], "2\n")
        self.assertEqual(result["stderr"].count("line 2 in wait"), 2)
        self.assertIn("Timeout (0:00:00.050000)!", result["stderr"])

    def test_tracing_of_threads(self) -> None:
        self.as_native("""\
            import threading
            calls = []
            threading.setprofile(lambda frame, event, arg:
                                 event == "call" and calls.append(frame.f_code.co_name))
            def work(): pass
            thread = threading.Thread(target=work)
            thread.start(); thread.join()
            print("work" in calls)
            """)


class JobAfterJob(ServiceTest):
    def test_no_job_sees_another_ones_threads(self) -> None:
        leave = ("import threading, time\n"
                 "for _ in range(20):\n"
                 "    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
                 "local = threading.local()\nprint(threading.active_count())")
        for _ in range(5):
            self.assertEqual(self.service.execute(leave).stdout, "21\n")
            answer = self.service.execute(
                "import threading, _thread\nprint(threading.active_count(), _thread._count(), "
                "threading.get_native_id())")
            self.assertEqual(answer.stdout, "1 0 1\n")
