"""The rewriting steps: what they make of text, that results stay, what they refuse."""
import unittest

from retort_aot import options, wasm2c
from retort_aot.errors import Failure
from retort_aot.passes import computed_goto, constant_base, native_libc, static_instance
from retort_aot.passes.common import Context
from retort_aot.wasm import FunctionType

import cases
import support


def program(body, **more):
    function = wasm2c.Function("w2c_f", "u32", [("u32", "w2c_p0")], body, **more)
    return wasm2c.Program([function], {}, "", [], "", {}, [], "w2c_memory")


def rewritten(step, body, context=None, **more):
    made = program(body, **more)
    step.apply(made, context)
    return made.functions[0].body


class Text(unittest.TestCase):
    def test_constant_base_rewrites_loads_and_stores(self):
        self.assertEqual(
            rewritten(constant_base, "x = i32_load8_s(&instance->w2c_memory, (u64)(w2c_i0) + 5u);"),
            "x = LOAD(s8, s32, u32, w2c_i0, 5ull);")
        self.assertEqual(
            rewritten(constant_base, "i64_store32(&instance->w2c_memory, (u64)(w2c_i0), w2c_j1);"),
            "STORE(u32, w2c_i0, 0ull, w2c_j1);")

    def test_constant_base_names_the_function_that_it_does_not_understand(self):
        for body in ("x = i32_load(&instance->w2c_memory, (u64)(w2c_i0 + 1) + 5u);",
                     "x = i32_load(&instance->other, (u64)(w2c_i0));"):
            with self.subTest(body=body), self.assertRaisesRegex(Failure, "w2c_f has a load"):
                rewritten(constant_base, body)

    def test_constant_base_refuses_an_offset_of_more_than_32_bits(self):
        with self.assertRaisesRegex(Failure, "4294967296"):
            rewritten(constant_base,
                      "x = i32_load(&instance->w2c_memory, (u64)(w2c_i0) + 4294967296u);")

    def test_static_instance_drops_the_parameter(self):
        self.assertEqual(rewritten(static_instance, "x = w2c_g(instance, w2c_i0) + w2c_h(instance);"
                                                    " instance->w2c_g0 = 1u;"),
                         "x = w2c_g(w2c_i0) + w2c_h(); module_instance.w2c_g0 = 1u;")

    def test_static_instance_names_the_function_that_it_does_not_understand(self):
        with self.assertRaisesRegex(Failure, "w2c_f uses the instance"):
            rewritten(static_instance, "x = other(a, instance);")

    def test_native_libc_asks_for_name_and_type(self):
        strlen = FunctionType(("i32",), ("i32",))
        other = FunctionType(("i64",), ("i32",))
        self.assertIn("strlen(", rewritten(native_libc, "old", type=strlen, wasm_name="strlen"))
        self.assertEqual(rewritten(native_libc, "old", type=other, wasm_name="strlen"), "old")
        self.assertEqual(rewritten(native_libc, "old", type=strlen, wasm_name="my_strlen"), "old")

    def test_computed_goto_refuses_a_function_without_a_large_switch(self):
        context = Context(None, set(), dispatch="loop")
        with self.assertRaisesRegex(Failure, "w2c_f has no switch"):
            rewritten(computed_goto, "return 1;", context, wasm_name="loop")

    def test_computed_goto_leaves_other_functions_alone(self):
        context = Context(None, set(), dispatch="loop")
        self.assertEqual(rewritten(computed_goto, "return 1;", context, wasm_name="f"), "return 1;")

    def test_a_step_that_needs_another_goes_with_it(self):
        self.assertIn("call-tables", options.resolve([]))
        self.assertNotIn("call-tables", options.resolve(["static-instance"]))
        self.assertNotIn("native-libc", options.resolve(["constant-base"]))


def interpreter(count):
    """A function that switches over `count` cases and returns case * 3 mod 251, else 250."""
    labels = " ".join(str(count - 1 - i) for i in range(count))
    blocks = "".join(f"(block $b{i} " for i in range(count))
    ends = "".join(f") (return (i32.const {i * 3 % 251}))"
                   for i in reversed(range(count)))
    return (f"(func $loop (param i32) (result i32) (block $default {blocks}"
            f"(br_table {labels} {count} (local.get 0)){ends}) (i32.const 250))")


class Dispatch(support.Case):
    def test_every_case_and_the_default_are_reached_with_and_without_computed_goto(self):
        count = 70
        wanted = [0, 1, 35, 68, 69, 70, 100, 127]
        module = support.wat2wasm(cases.module(
            [(str(n), f"(call $loop (i32.const {n}))") for n in wanted], interpreter(count)),
            self.directory)
        for flags in ((), ("--no-computed-goto",)):
            built = self.build(module, "--dispatch", "loop", *flags)
            for number, value in enumerate(wanted):
                with self.subTest(flags=flags, value=value):
                    status = self.run_program(built, *cases.arguments(number))[0]
                    self.assertEqual(status, value * 3 % 251 if value < count else 250)


TABLES = """
  (type $number (func (result i32)))
  (table $a 4 8 funcref) (table $b 4 funcref)
  (elem (table $a) (i32.const 0) func $one $two $sched_yield)
  (elem $late func $two $one)
  (func $one (type $number) (i32.const 1)) (func $two (type $number) (i32.const 2))
  (func $other (param i32)) (elem declare func $one $other)
"""
OOB = "out of bounds memory access"
INDIRECT = "indirect call to a missing function or one of another type"
TABLE_CASES = [
    ("call", "(call_indirect $a (type $number) (i32.const 1))", 2),
    ("an import", "(call_indirect $a (type $number) (i32.const 2))", 0),
    ("the other table is empty", "(call_indirect $b (type $number) (i32.const 1))", INDIRECT),
    ("set and call", "(table.set $b (i32.const 1) (ref.func $one))"
     "(call_indirect $b (type $number) (i32.const 1))", 1),
    ("set a function of another type", "(table.set $b (i32.const 1) (ref.func $other))"
     "(call_indirect $b (type $number) (i32.const 1))", INDIRECT),
    ("set past the end", "(table.set $b (i32.const 4) (ref.func $one)) (i32.const 0)", OOB),
    ("get past the end", "(drop (table.get $b (i32.const 4))) (i32.const 0)", OOB),
    ("init", "(table.init $b $late (i32.const 2) (i32.const 0) (i32.const 2))"
     "(call_indirect $b (type $number) (i32.const 2))", 2),
    ("init past the segment", "(table.init $b $late (i32.const 0) (i32.const 1) (i32.const 2))"
     "(i32.const 0)", OOB),
    ("init of a dropped segment", "(elem.drop $late)"
     "(table.init $b $late (i32.const 0) (i32.const 0) (i32.const 1)) (i32.const 0)", OOB),
    ("copy", "(table.copy $b $a (i32.const 1) (i32.const 0) (i32.const 3))"
     "(call_indirect $b (type $number) (i32.const 2))", 2),
    ("copy past the end", "(table.copy $b $a (i32.const 2) (i32.const 0) (i32.const 3))"
     "(i32.const 0)", OOB),
    ("fill", "(table.fill $b (i32.const 0) (ref.func $two) (i32.const 4))"
     "(call_indirect $b (type $number) (i32.const 3))", 2),
    ("fill past the end", "(table.fill $b (i32.const 1) (ref.func $two) (i32.const 4))"
     "(i32.const 0)", OOB),
    ("grow", "(drop (table.grow $a (ref.func $two) (i32.const 3)))"
     "(i32.add (table.size $a) (call_indirect $a (type $number) (i32.const 6)))", 9),
    ("grow past the maximum", "(i32.eq (table.grow $a (ref.func $two) (i32.const 5))"
     " (i32.const -1))", 1),
]


class Tables(support.Case):
    def test_tables_that_change_keep_their_checks(self):
        module = support.wat2wasm(cases.module([c[:2] for c in TABLE_CASES], TABLES),
                                  self.directory)
        for flags in ((), ("--no-static-instance",), ("--no-constant-base",)):
            built = self.build(module, *flags)
            for number, (name, _, expected) in enumerate(TABLE_CASES):
                with self.subTest(flags=flags, case=name):
                    status, _, errors = self.run_program(built, *cases.arguments(number))
                    got = status if status != support.TRAP_STATUS else \
                        errors.strip().removeprefix("trap: ")
                    self.assertEqual(got, expected)


if __name__ == "__main__":
    unittest.main()
