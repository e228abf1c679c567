"""System calls made by another process, from outside: what its filter says to them, where it runs.

    with Stopped(pid) as process:
        process.call(SYS_GETPID)     # pid
        process.call(SYS_KCMP)       # -38: ENOSYS

The process must be one thread that waits in a call, as a daemon without work does; the instruction
that made that call makes ours, and then goes on waiting. x86-64; takes the right to trace it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time

TRACE_PEEK, TRACE_STEP, TRACE_GET, TRACE_SET, TRACE_ATTACH, TRACE_DETACH = 1, 9, 12, 13, 16, 17
SYSCALL_INSTRUCTION = b"\x0f\x05"
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
WAIT_S = 20.0


class Registers(ctypes.Structure):
    """struct user_regs_struct"""

    _fields_ = [(name, ctypes.c_uint64) for name in (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
        "fs_base gs_base ds es fs gs").split()]


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _trace(request: int, pid: int, address: int = 0, data: object = None) -> int:
    ctypes.set_errno(0)
    result: int = _libc.ptrace(request, pid, address, data)
    if result == -1 and ctypes.get_errno() != 0:
        raise OSError(ctypes.get_errno(), f"ptrace request {request}")
    return result


class Stopped:
    def __init__(self, pid: int) -> None:
        self.pid = pid

    def __enter__(self) -> Stopped:
        deadline = time.monotonic() + WAIT_S
        while not self._stop_in_a_call():
            if time.monotonic() > deadline:
                raise AssertionError(f"process {self.pid} does not wait in a call")
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        _trace(TRACE_DETACH, self.pid)

    def _wait_for(self, number: signal.Signals) -> None:
        _, status = os.waitpid(self.pid, 0)
        if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) != number:
            raise AssertionError(f"process {self.pid}: wait status 0x{status:x}")

    def _registers(self) -> Registers:
        registers = Registers()
        _trace(TRACE_GET, self.pid, 0, ctypes.addressof(registers))
        return registers

    def _stop_in_a_call(self) -> bool:
        _trace(TRACE_ATTACH, self.pid)
        self._wait_for(signal.SIGSTOP)
        before = self._registers().rip - len(SYSCALL_INSTRUCTION)
        word = _trace(TRACE_PEEK, self.pid, before).to_bytes(8, "little", signed=True)
        if word.startswith(SYSCALL_INSTRUCTION):
            return True
        _trace(TRACE_DETACH, self.pid)
        return False

    def call(self, number: int, *arguments: int) -> int:
        """What the kernel returned: a result, or an error's number below 0."""
        saved, used = self._registers(), self._registers()
        used.rax = number
        used.orig_rax = 2 ** 64 - 1  # nothing is to be made again
        used.rip -= len(SYSCALL_INSTRUCTION)
        for name, value in zip(ARGUMENTS, arguments):
            setattr(used, name, value)
        _trace(TRACE_SET, self.pid, 0, ctypes.addressof(used))
        _trace(TRACE_STEP, self.pid)
        self._wait_for(signal.SIGTRAP)
        result = self._registers().rax
        _trace(TRACE_SET, self.pid, 0, ctypes.addressof(saved))
        return result - 2 ** 64 if result >= 2 ** 63 else result
