"""Fibers of a module: entered, left and ended, however the module was translated."""
import unittest

from retort_aot import options

import support

FIBER_FD = 0x72666231  # worker/engine/fiber_abi.h
# The request is at 64 (operation, slot, argument), its iovec at 32, the count written at 48.
MODULE = f"""
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (global $stack (mut i32) (i32.const 4096))
  (global $seen (mut i32) (i32.const 0))
  (memory (export "memory") 1)
  (data (i32.const 32) "\\40\\00\\00\\00\\10\\00\\00\\00")
  (func $ask (param $operation i32) (param $slot i32) (param $argument i32) (result i32)
    (i32.store (i32.const 64) (local.get $operation))
    (i32.store (i32.const 68) (local.get $slot))
    (i32.store (i32.const 72) (local.get $argument))
    (call $fd_write (i32.const {FIBER_FD}) (i32.const 32) (i32.const 1) (i32.const 48)))
  (func $see (param $digit i32)
    (global.set $seen (i32.add (i32.mul (global.get $seen) (i32.const 10)) (local.get $digit))))
  (func (export "retort_fiber_main") (param $argument i32)
    (call $see (local.get $argument))
    ;; Its own stack pointer, above the first one's.
    (call $see (i32.gt_u (global.get $stack) (i32.const 65536)))
    (global.set $stack (i32.sub (global.get $stack) (i32.const 16)))
    (drop (call $ask (i32.const 2) (i32.const 0) (i32.const 0)))
    (call $see (i32.const 5))
    (drop (call $ask (i32.const 3) (i32.const 0) (i32.const 0)))
    unreachable)
  (func (export "_start")
    (call $see (i32.add (i32.const 1) (call $ask (i32.const 1) (i32.const 7) (i32.const 3))))
    (drop (call $ask (i32.const 2) (i32.const 7) (i32.const 0)))
    (call $see (i32.const 4))
    (drop (call $ask (i32.const 2) (i32.const 7) (i32.const 0)))
    ;; 1, then 3 1 from the fiber, 4 here, 5 from the fiber.
    (if (i32.ne (global.get $seen) (i32.const 13145)) (then (call $proc_exit (i32.const 1))))
    (if (i32.ne (global.get $stack) (i32.const 4096)) (then (call $proc_exit (i32.const 2))))
    (call $proc_exit (i32.const 42))))
"""
WITHOUT_ENTRY = MODULE.replace('(export "retort_fiber_main")', "$no_entry")


class Fibers(support.Case):
    def test_a_fiber_is_entered_and_ended_with_every_step_on_and_off(self):
        for disabled in ((), *((step.name,) for step in options.STEPS)):
            with self.subTest(disabled=disabled):
                module = support.wat2wasm(MODULE, self.directory)
                program = self.build(module, *(f"--no-{name}" for name in disabled))
                self.assertEqual(self.run_program(program), (42, b"", ""))

    def test_a_module_without_an_entry_has_no_fibers(self):
        program = self.build(support.wat2wasm(WITHOUT_ENTRY, self.directory))
        # The first answer is EBADF, 8, and so the trace another.
        self.assertEqual(self.run_program(program), (1, b"", ""))


if __name__ == "__main__":
    unittest.main()
