"""The sandbox's checks hold in the native code, with every rewriting step on and off.

Every case says what WebAssembly demands: a value, or a trap. Each is run in programs built with
different steps, so that a step that loses a check is seen.
"""
import unittest

import cases
import support
from cases import DATA, END

OOB = "out of bounds memory access"
INDIRECT = "indirect call to a missing function or one of another type"
DIVIDE = "integer divide by zero"
OVERFLOW = "integer overflow"
CONVERSION = "invalid conversion to integer"
UNREACHABLE = "unreachable executed"
STACK = "call stack exhausted"

MORE = f"""
  (type $unary (func (param i32) (result i32)))
  (type $unary_again (func (param i32) (result i32)))
  (type $nullary (func (result i32)))
  (type $pair (func (param i32 i64) (result i64 i32)))
  (table 8 funcref)
  (elem (i32.const 1) $increment $seven $sched_yield $swap)
  (data (i32.const {DATA}) "0123456789abcdef\\00tail")
  (data $passive "passive")
  (data (i32.const {DATA + 256}) "x\\00y")
  (func $increment (type $unary) (i32.add (local.get 0) (i32.const 1)))
  (func $seven (type $nullary) (i32.const 7))
  (func $swap (type $pair) (local.get 1) (local.get 0))
  (func $recurse (param i32) (result i32)
    (i32.rotl (call $recurse (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func $depth (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.rotl (call $depth (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
      (else (i32.const 5))))
  (func $memcpy (param i32 i32 i32) (result i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2)) (local.get 0))
  (func $memset (param i32 i32 i32) (result i32)
    (memory.fill (local.get 0) (local.get 1) (local.get 2)) (local.get 0))
  (func $memcmp (param i32 i32 i32) (result i32) (unreachable))
  (func $memchr (param i32 i32 i32) (result i32) (unreachable))
  (func $strlen (param i32) (result i32) (local $n i32)
    (loop $next (result i32)
      (if (result i32) (i32.load8_u (i32.add (local.get 0) (local.get $n)))
        (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $next))
        (else (local.get $n)))))
  ;; Another signature than the C function of that name: stays what it is.
  (func $strcmp (param i64) (result i32) (i32.const 55))
"""


def indirect(kind, index, *arguments):
    return f"(call_indirect (type ${kind}) {' '.join(arguments)} (i32.const {index}))"



# (name, body, exit status or trap)
CASES = [
    ("load of the last word", f"(i32.load (i32.const {END - 4}))", 0),
    ("load one byte past the end", f"(i32.load (i32.const {END - 3}))", OOB),
    ("load of the last byte", f"(i32.load8_u (i32.const {END - 1}))", 0),
    ("load of the first byte past the end", f"(i32.load8_u (i32.const {END}))", OOB),
    ("64-bit load over the end", f"(i64.eqz (i64.load (i32.const {END - 7})))", OOB),
    ("float load past the end", f"(i32.trunc_f64_s (f64.load (i32.const {END})))", OOB),
    ("load with offset past the end", f"(i32.load offset=1 (i32.const {END - 4}))", OOB),
    ("load at the top of the address space", "(i32.load (i32.const -1))", OOB),
    ("load with the largest offset", "(i32.load offset=4294967295 (i32.const 0))", OOB),
    ("address and offset do not wrap around",
     f"(i32.load8_u offset=4294967295 (i32.const {DATA + 1}))", OOB),
    ("largest address and largest offset",
     "(i32.wrap_i64 (i64.load offset=4294967295 (i32.const -1)))", OOB),
    ("signed load extends", f"(i32.store8 (i32.const {DATA}) (i32.const 255))"
     f"(i32.eq (i32.load8_s (i32.const {DATA})) (i32.const -1))", 1),
    ("unaligned load", f"(i32.eq (i32.load (i32.const {DATA + 1})) (i32.const 0x34333231))", 1),
    ("store of the last word", f"(i32.store (i32.const {END - 4}) (i32.const 9))"
     f"(i32.load (i32.const {END - 4}))", 9),
    ("store over the end", f"(i32.store (i32.const {END - 3}) (i32.const 9)) (i32.const 0)", OOB),
    ("store of a byte past the end", f"(i32.store8 (i32.const {END}) (i32.const 9)) (i32.const 0)",
     OOB),
    ("store with the largest offset",
     "(i64.store offset=4294967295 (i32.const -1) (i64.const 9)) (i32.const 0)", OOB),
    ("indirect call", indirect("unary", 1, "(i32.const 41)"), 42),
    ("indirect call by an equal type", indirect("unary_again", 1, "(i32.const 41)"), 42),
    ("indirect call of an import", indirect("nullary", 3), 0),
    ("indirect call with two results", indirect("pair", 4, "(i32.const 3)", "(i64.const 4)")
     + "(i32.sub (i32.const 10)) (drop) (drop) (i32.const 5)", 5),
    ("indirect call of another type", indirect("nullary", 1), INDIRECT),
    ("indirect call of an import by another type", indirect("unary", 3, "(i32.const 1)"),
     INDIRECT),
    ("indirect call of entry 0, which is null", indirect("nullary", 0), INDIRECT),
    ("indirect call of a later null entry", indirect("nullary", 7), INDIRECT),
    ("indirect call one past the table", indirect("nullary", 8), INDIRECT),
    ("indirect call of the largest index", indirect("nullary", -1), INDIRECT),
    ("indirect call by a type that no function has",
     "(call_indirect (param f32) (result i32) (f32.const 1) (i32.const 1))", INDIRECT),
    ("division by zero", "(i32.div_s (i32.const 1) (i32.const 0))", DIVIDE),
    ("unsigned division by zero", "(i32.div_u (i32.const 1) (i32.const 0))", DIVIDE),
    ("64-bit division by zero",
     "(i32.wrap_i64 (i64.div_u (i64.const 1) (i64.const 0)))", DIVIDE),
    ("remainder by zero", "(i32.rem_s (i32.const 1) (i32.const 0))", DIVIDE),
    ("unsigned 64-bit remainder by zero",
     "(i32.wrap_i64 (i64.rem_u (i64.const 1) (i64.const 0)))", DIVIDE),
    ("division that overflows", "(i32.div_s (i32.const 0x80000000) (i32.const -1))", OVERFLOW),
    ("64-bit division that overflows", "(i32.wrap_i64 (i64.div_s "
     "(i64.const 0x8000000000000000) (i64.const -1)))", OVERFLOW),
    ("remainder that would overflow", "(i32.rem_s (i32.const 0x80000000) (i32.const -1))", 0),
    ("conversion of NaN", "(i32.trunc_f32_s (f32.const nan))", CONVERSION),
    ("conversion of NaN, 64 bits, unsigned",
     "(i32.wrap_i64 (i64.trunc_f64_u (f64.const nan)))", CONVERSION),
    ("conversion that overflows", "(i32.trunc_f64_s (f64.const 2147483648))", OVERFLOW),
    ("conversion of a negative number to unsigned", "(i32.trunc_f64_u (f64.const -1))", OVERFLOW),
    ("saturating conversion of NaN", "(i32.trunc_sat_f64_s (f64.const nan))", 0),
    ("saturating conversion that overflows",
     "(i32.eq (i32.trunc_sat_f64_s (f64.const 1e300)) (i32.const 0x7fffffff))", 1),
    ("unreachable", "(unreachable)", UNREACHABLE),
    ("endless recursion", "(call $recurse (i32.const 0))", STACK),
    ("deep recursion that ends",
     "(call $depth (i32.const 320000))", 5),
    ("memory size", "(memory.size)", 4),
    ("memory grows and the new page is there",
     f"(drop (memory.grow (i32.const 1))) (i32.store (i32.const {END}) (i32.const 3))"
     f"(i32.add (memory.size) (i32.load (i32.const {END})))", 8),
    ("memory grows to its maximum and no further",
     "(drop (memory.grow (i32.const 2))) (i32.eq (memory.grow (i32.const 1)) (i32.const -1))", 1),
    ("growing by more than there can be", "(i32.eq (memory.grow (i32.const -1)) (i32.const -1))",
     1),
    ("growing by nothing tells the size", "(memory.grow (i32.const 0))", 4),
    ("a refused page is not there", "(drop (memory.grow (i32.const 3)))"
     f"(i32.load (i32.const {END}))", OOB),
    ("memory.copy of overlapping ranges",
     f"(memory.copy (i32.const {DATA + 1}) (i32.const {DATA}) (i32.const 8))"
     f"(i32.eq (i32.load (i32.const {DATA + 5})) (i32.const 0x37363534))", 1),
    ("memory.copy past the end", f"(memory.copy (i32.const {END - 3}) (i32.const {DATA}) "
     "(i32.const 4)) (i32.const 0)", OOB),
    ("memory.copy from past the end", f"(memory.copy (i32.const {DATA}) (i32.const {END - 3}) "
     "(i32.const 4)) (i32.const 0)", OOB),
    ("memory.copy of 4 GiB", f"(memory.copy (i32.const {DATA}) (i32.const {DATA}) "
     "(i32.const -1)) (i32.const 0)", OOB),
    ("memory.copy of nothing at the end", f"(memory.copy (i32.const {END}) (i32.const {END}) "
     "(i32.const 0)) (i32.const 3)", 3),
    ("memory.copy of nothing past the end", f"(memory.copy (i32.const {END + 1}) "
     f"(i32.const {DATA}) (i32.const 0)) (i32.const 3)", OOB),
    ("memory.fill", f"(memory.fill (i32.const {END - 4}) (i32.const 5) (i32.const 4))"
     f"(i32.load8_u (i32.const {END - 1}))", 5),
    ("memory.fill past the end", f"(memory.fill (i32.const {END - 3}) (i32.const 5) "
     "(i32.const 4)) (i32.const 0)", OOB),
    ("memory.init", f"(memory.init $passive (i32.const {DATA}) (i32.const 1) (i32.const 4))"
     f"(i32.load8_u (i32.const {DATA}))", ord("a")),
    ("memory.init past the segment", f"(memory.init $passive (i32.const {DATA}) (i32.const 4) "
     "(i32.const 4)) (i32.const 0)", OOB),
    ("memory.init past memory's end", f"(memory.init $passive (i32.const {END - 3}) "
     "(i32.const 0) (i32.const 4)) (i32.const 0)", OOB),
    ("memory.init of a dropped segment", "(data.drop $passive) (memory.init $passive "
     f"(i32.const {DATA}) (i32.const 0) (i32.const 1)) (i32.const 0)", OOB),
    ("memory.init of nothing of a dropped segment", "(data.drop $passive) (memory.init $passive "
     f"(i32.const {DATA}) (i32.const 0) (i32.const 0)) (i32.const 4)", 4),
    ("data of the second segment", f"(i32.load8_u (i32.const {DATA + 258}))", ord("y")),
    ("memcpy of overlapping ranges", f"(drop (call $memcpy (i32.const {DATA + 1}) "
     f"(i32.const {DATA}) (i32.const 8))) (i32.load8_u (i32.const {DATA + 8}))", ord("7")),
    ("memcpy over the end", f"(call $memcpy (i32.const {END - 3}) (i32.const {DATA}) "
     "(i32.const 4))", OOB),
    ("memcpy of 4 GiB", f"(call $memcpy (i32.const {DATA + 4096}) (i32.const {DATA}) "
     "(i32.const -1))", OOB),
    ("memcpy of 4 GiB to the top", "(call $memcpy (i32.const -1) "
     f"(i32.const {DATA}) (i32.const -1))", OOB),
    ("memset of 4 GiB", f"(call $memset (i32.const {DATA}) (i32.const 1) (i32.const -1))", OOB),
    ("memset of 4 GiB at the top", "(call $memset (i32.const -1) (i32.const 1) (i32.const -1))",
     OOB),
    ("strlen", f"(call $strlen (i32.const {DATA}))", 16),
    ("strlen without an end", f"(drop (call $memset (i32.const {END - 64}) (i32.const 1) "
     f"(i32.const 64))) (call $strlen (i32.const {END - 64}))", OOB),
    ("a function with the name but not the type of a C function", "(call $strcmp (i64.const 1))",
     55),
]
# Only with the native bodies: the module's own are traps.
NATIVE_CASES = [
    ("native memcmp tells equal", f"(call $memcmp (i32.const {DATA}) (i32.const {DATA}) "
     "(i32.const 16))", 0),
    ("native memcmp over the end", f"(call $memcmp (i32.const {END - 16}) "
     f"(i32.const {END - 32}) (i32.const 64))", OOB),
    ("native memchr finds", f"(i32.sub (call $memchr (i32.const {DATA}) (i32.const 97) "
     f"(i32.const 16)) (i32.const {DATA}))", 10),
    ("native memchr does not find", f"(call $memchr (i32.const {DATA}) (i32.const 122) "
     "(i32.const 16))", 0),
    ("native memchr past the end", f"(call $memchr (i32.const {END - 8}) (i32.const 122) "
     "(i32.const -1))", OOB),
]
VARIANTS = {
    "all steps, base 0": (),
    "all steps, another base": ("--base", "0x200000000000"),
    "-O3": ("--opt", "-O3"),
    "no constant base": ("--no-constant-base",),
    "no call tables": ("--no-call-tables",),
    "no static instance": ("--no-static-instance",),
    "no native libc": ("--no-native-libc",),
    "no step at all": ("--no-constant-base", "--no-static-instance", "--no-computed-goto",
                       "--no-lto"),
    "one unit": ("--units", "1", "--no-lto"),
}
WITHOUT_NATIVE = {"no constant base", "no native libc", "no step at all"}


class Traps(support.Case):
    def test_every_check_holds_with_every_step_on_and_off(self):
        everything = CASES + NATIVE_CASES
        module = support.wat2wasm(cases.module([c[:2] for c in everything], MORE),
                                  self.class_directory)
        for variant, flags in VARIANTS.items():
            program = self.build(module, *flags)
            count = len(CASES if variant in WITHOUT_NATIVE else everything)
            for number, (name, _, expected) in enumerate(everything[:count]):
                with self.subTest(variant=variant, case=name):
                    status, _, errors = self.run_program(program, *cases.arguments(number))
                    got = status if status != support.TRAP_STATUS else \
                        errors.strip().removeprefix("trap: ")
                    self.assertEqual(got, expected)

    def test_memory_grows_to_the_limit_that_the_host_sets(self):
        grow = [("grow", "(drop (memory.grow (i32.const 1)))"
                         "(i32.add (memory.size) (memory.grow (i32.const 1)))")]
        module = support.wat2wasm(cases.module(grow, MORE), self.directory)
        program = self.build(module)
        limit = {"RETORT_TRAIN_MEMORY_BYTES": str(5 * 65536 + 65535)}
        self.assertEqual(self.run_program(program, env=limit)[0], 5 - 1)
        self.assertEqual(self.run_program(program)[0], 5 + 5)


if __name__ == "__main__":
    unittest.main()
