"""Threads in the guest: what programs do with them, and who runs when."""

from __future__ import annotations

from programs import Programs

MOST = 256  # threads beside the first


class Threads(Programs):
    def test_threads_start_and_are_joined(self) -> None:
        self.as_native("""\
            import threading
            results = []
            def square(i): results.append(i * i)
            threads = [threading.Thread(target=square, args=(i,)) for i in range(50)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(sorted(results), threading.active_count(), [t.is_alive() for t in threads[:3]])
            print(threads[0].name, threading.current_thread().name, threading.main_thread().name)
            """)

    def test_256_threads_live_beside_the_first_and_no_more(self) -> None:
        self.prints("""\
            import threading
            stop = threading.Event()
            threads = []
            def start():
                thread = threading.Thread(target=stop.wait)
                thread.start()
                threads.append(thread)
            try:
                while True: start()
            except RuntimeError as error:
                print(len(threads), error)
            stop.set()
            for thread in threads: thread.join()
            # And they can be had again.
            stop.clear(); threads.clear()
            for _ in range(256): start()
            stop.set()
            for thread in threads: thread.join()
            print(threading.active_count())
            """, f"{MOST} can't start new thread\n1\n")

    def test_ten_thousand_threads_one_after_the_other(self) -> None:
        self.prints("""\
            import threading
            n = 0
            def count():
                global n
                n += 1
            for _ in range(10000):
                thread = threading.Thread(target=count)
                thread.start()
                thread.join()
            print(n)
            """, "10000\n")

    def test_what_a_thread_knows_of_itself(self) -> None:
        self.as_native("""\
            import sys, threading
            seen = []
            def look():
                thread = threading.current_thread()
                seen.append((threading.get_ident(), threading.get_native_id(), thread.name,
                             thread.ident == threading.get_ident(),
                             thread.native_id == threading.get_native_id(), thread.daemon))
            threads = [threading.Thread(target=look, name=f"worker {i}") for i in range(3)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            look()
            print(len({s[1] for s in seen}), [s[2:] for s in seen])
            print(all(s[0] and s[1] for s in seen))
            print(sys.thread_info.name, sys.getswitchinterval(), threading.stack_size())
            print(threading.get_ident() == threading.main_thread().ident)
            """)

    def test_stack_size_can_be_set(self) -> None:
        self.as_native("""\
            import threading
            for size in (0, 32768, 65536, 1 << 20, 512 << 20, 1000, -1):
                try:
                    threading.stack_size(size)
                except ValueError as error:
                    print(size, error)
                    continue
                ran = []
                thread = threading.Thread(target=ran.append, args=(1,))
                thread.start()
                thread.join()
                print(size, threading.stack_size(), ran)
            """)

    def test_values_of_threads_are_their_own(self) -> None:
        self.as_native("""\
            import contextvars, threading, time
            local, variable = threading.local(), contextvars.ContextVar("v", default=0)
            local.x = "main"
            seen = {}
            def use(i):
                before = (getattr(local, "x", None), variable.get())
                local.x = i
                variable.set(i)
                time.sleep(0.01)
                seen[i] = (before, local.x, variable.get())
            threads = [threading.Thread(target=use, args=(i,)) for i in range(5)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(sorted(seen.items()), local.x, variable.get())
            """)


class Synchronization(Programs):
    def test_locks_with_and_without_a_time(self) -> None:
        self.as_native("""\
            import threading, time
            lock = threading.Lock()
            print(lock.acquire(), lock.acquire(False), lock.acquire(timeout=0.05))
            threading.Timer(0.05, lock.release).start()
            began = time.monotonic()
            print(lock.acquire(timeout=10), 0.04 < time.monotonic() - began < 2)
            threading.Timer(0.05, lock.release).start()
            print(lock.acquire())
            rlock = threading.RLock()
            with rlock, rlock:
                other = []
                thread = threading.Thread(target=lambda: other.append(rlock.acquire(timeout=0.01)))
                thread.start(); thread.join()
                print(other)
            """)

    def test_a_counter_under_a_lock_loses_nothing(self) -> None:
        self.prints("""\
            import sys, threading
            sys.setswitchinterval(0.001)
            lock, n = threading.Lock(), 0
            def count():
                global n
                for _ in range(20000):
                    with lock:
                        value = n
                        value += 1
                        n = value
            threads = [threading.Thread(target=count) for _ in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(n)
            """, "160000\n")

    def test_condition_barrier_semaphore_event_timer(self) -> None:
        self.as_native("""\
            import threading, time
            condition, items, got = threading.Condition(), [], []
            def take():
                with condition:
                    condition.wait_for(lambda: items)
                    got.append(items.pop())
            threads = [threading.Thread(target=take) for _ in range(4)]
            for thread in threads: thread.start()
            for i in range(4):
                with condition:
                    items.append(i)
                    condition.notify()
            for thread in threads: thread.join()
            print(sorted(got))
            with condition:
                print(condition.wait(0.01), condition.wait_for(lambda: False, 0.01))
            barrier, passed = threading.Barrier(5), []
            def meet():
                barrier.wait()
                passed.append(barrier.n_waiting >= 0)
            threads = [threading.Thread(target=meet) for _ in range(4)]
            for thread in threads: thread.start()
            print(len(passed)); barrier.wait()
            for thread in threads: thread.join()
            print(len(passed))
            semaphore, inside, most = threading.Semaphore(3), 0, 0
            def work():
                global inside, most
                with semaphore:
                    inside += 1
                    most = max(most, inside)
                    time.sleep(0.01)
                    inside -= 1
            threads = [threading.Thread(target=work) for _ in range(10)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(most)
            event = threading.Event()
            print(event.wait(0.01))
            threading.Timer(0.02, event.set).start()
            print(event.wait(5))
            cancelled = threading.Timer(100, print, ["never"])
            cancelled.start(); cancelled.cancel()
            """)

    def test_queues(self) -> None:
        self.as_native("""\
            import queue, threading
            q, results = queue.Queue(5), []
            def work():
                while (item := q.get()) is not None:
                    results.append(item * 2)
                    q.task_done()
                q.task_done()
            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads: thread.start()
            for i in range(1000): q.put(i)
            for _ in threads: q.put(None)
            q.join()
            print(sorted(results) == [i * 2 for i in range(1000)])
            for call in (lambda: q.get(timeout=0.02), lambda: q.get_nowait(),
                         lambda: [q.put(1, timeout=0.02) for _ in range(6)]):
                try: call()
                except Exception as error: print(type(error).__name__)
            for kind in (queue.LifoQueue, queue.PriorityQueue, queue.SimpleQueue):
                s = kind()
                threading.Timer(0.01, s.put, ["late"]).start()
                print(s.get())
            """)

    def test_pools(self) -> None:
        self.as_native("""\
            from concurrent.futures import ThreadPoolExecutor, as_completed, wait, TimeoutError
            import time
            with ThreadPoolExecutor(8) as pool:
                print(list(pool.map(lambda x: x * x, range(20))))
                futures = [pool.submit(pow, 2, i) for i in range(20)]
                print(sorted(f.result() for f in as_completed(futures)))
                failing = pool.submit(lambda: 1 / 0)
                print(repr(failing.exception()))
                slow = pool.submit(time.sleep, 0.1)
                try: slow.result(timeout=0.01)
                except TimeoutError: print("timeout")
            print(slow.done())
            from multiprocessing.pool import ThreadPool
            with ThreadPool(4) as pool:
                print(pool.map(abs, range(-5, 5)), pool.apply_async(len, ("abc",)).get(5))
            # Left to the end of the program.
            pool = ThreadPoolExecutor(2)
            pool.submit(lambda: (time.sleep(0.05), print("last")))
            """)


class Scheduling(Programs):
    def test_threads_that_compute_take_turns(self) -> None:
        result = self.run_it("""\
            import threading, time
            counts, stop = [0] * 4, False
            def spin(i):
                while not stop: counts[i] += 1
            threads = [threading.Thread(target=spin, args=(i,)) for i in range(4)]
            for thread in threads: thread.start()
            time.sleep(1)
            stop = True
            for thread in threads: thread.join()
            print(min(counts), max(counts))
            """)
        least, most = map(int, result["stdout"].split())
        self.assertGreater(least, most / 4, result)

    def test_sleeping_ends_in_time_while_another_computes(self) -> None:
        result = self.run_it("""\
            import threading, time
            stop = False
            def spin():
                while not stop: pass
            thread = threading.Thread(target=spin)
            thread.start()
            late = []
            for _ in range(20):
                wanted = time.monotonic() + 0.02
                time.sleep(0.02)
                late.append(time.monotonic() - wanted)
            stop = True
            thread.join()
            print(min(late), sorted(late)[10])
            """)
        least, median = map(float, result["stdout"].split())
        self.assertGreaterEqual(least, 0)
        self.assertLess(median, 0.05)

    def test_threads_that_sleep_do_not_add_up_and_take_no_time(self) -> None:
        result = self.run_it("""\
            import threading, time
            began, late = time.monotonic(), []
            def doze(seconds):
                time.sleep(seconds)
                late.append(time.monotonic() - began - seconds)
            threads = [threading.Thread(target=doze, args=(0.2 + i / 1000,)) for i in range(100)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            took = time.monotonic() - began
            print(0.29 < took < 1, min(late) >= 0)
            """)
        self.assertEqual(result["stdout"], "True True\n")
        self.assertLess(result["cpu_ms"], 150)

    def test_sleep_of_0_lets_others_run(self) -> None:
        self.prints("""\
            import threading, time
            order, began = [], threading.Event()
            def take_turns(name):
                began.wait()
                for _ in range(3):
                    order.append(name)
                    time.sleep(0)
            threads = [threading.Thread(target=take_turns, args=(name,)) for name in "ab"]
            for thread in threads: thread.start()
            began.set()
            for thread in threads: thread.join()
            print("".join(order))
            """, "ababab\n")

    def test_the_switch_interval_is_kept(self) -> None:
        result = self.run_it("""\
            import sys, threading, time
            def longest_turn(interval):
                sys.setswitchinterval(interval)
                assert abs(sys.getswitchinterval() - interval) < 1e-6
                stop, switches = False, 0
                last = None
                def spin(name):
                    nonlocal last, switches
                    while not stop:
                        if last != name:
                            last = name
                            switches += 1
                threads = [threading.Thread(target=spin, args=(name,)) for name in "ab"]
                for thread in threads: thread.start()
                time.sleep(0.5)
                stop = True
                for thread in threads: thread.join()
                return switches
            print(longest_turn(0.1), longest_turn(0.005))
            """)
        rare, often = map(int, result["stdout"].split())
        self.assertLess(rare, 20)
        self.assertGreater(often, 20)
