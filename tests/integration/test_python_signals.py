"""Signals that a program sends itself, by hand or by a timer."""

from __future__ import annotations

from twin import TwinTest


class Timers(TwinTest):
    def test_an_alarm_ends_a_computation(self) -> None:
        self.assertSame("""
            import signal
            def handler(number, frame):
                raise TimeoutError(signal.Signals(number).name)
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            try:
                while True:
                    pass
            except TimeoutError as error:
                print(repr(error))
            print(signal.alarm(100), signal.alarm(0), signal.alarm(0))
            """)

    def test_an_alarm_ends_sleep_only_when_its_handler_raises(self) -> None:
        self.assertSame("""
            import signal, time
            rings = []
            signal.signal(signal.SIGALRM, lambda *_: rings.append(1))
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            began = time.monotonic()
            time.sleep(0.1)
            print(time.monotonic() - began >= 0.1, len(rings) > 3)
            print(signal.getitimer(signal.ITIMER_REAL)[1])
            signal.setitimer(signal.ITIMER_REAL, 0)
            def fail(*_):
                raise InterruptedError('now')
            signal.signal(signal.SIGALRM, fail)
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            time.sleep(30)
            """)

    def test_an_alarm_ends_what_the_main_thread_waits_for(self) -> None:
        self.assertSame("""
            import queue, signal, threading
            def fail(*_):
                raise TimeoutError
            signal.signal(signal.SIGALRM, fail)
            lock = threading.Lock()
            lock.acquire()
            stop = threading.Event()
            other = threading.Thread(target=stop.wait)
            other.start()
            for wait in (lock.acquire, queue.Queue().get, other.join, signal.pause):
                signal.setitimer(signal.ITIMER_REAL, 0.02)
                try:
                    wait()
                except TimeoutError:
                    print('timed out', threading.active_count())
            stop.set()
            """)

    def test_one_that_nobody_handles_ends_the_program(self) -> None:
        self.assertSame("import signal, time\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\n"
                        "print('on', flush=True)\ntime.sleep(30)\n")

    def test_timers_of_cpu_time(self) -> None:
        self.assertSame("""
            import signal, time
            rings = []
            for timer, number in ((signal.ITIMER_VIRTUAL, signal.SIGVTALRM),
                                  (signal.ITIMER_PROF, signal.SIGPROF)):
                signal.signal(number, lambda number, _: rings.append(number))
                signal.setitimer(timer, 0.03)
                time.sleep(0.1)
                while time.process_time() < 20 and len(rings) == 0:
                    pass
                print(rings)
                rings.clear()
            for wrong in (lambda: signal.setitimer(9, 1), lambda: signal.setitimer(0, -1)):
                try:
                    wrong()
                except signal.ItimerError as error:
                    print(error)
            """)

    def test_threads_go_on_meanwhile(self) -> None:
        self.assertSame("""
            import signal, threading
            rings, counts = [], [0, 0]
            signal.signal(signal.SIGALRM, lambda *_: rings.append(threading.current_thread()))
            signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
            def count(index):
                while len(rings) < 10:
                    counts[index] += 1
            threads = [threading.Thread(target=count, args=(index,)) for index in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(min(counts) > 0, set(rings) == {threading.main_thread()})
            """)
