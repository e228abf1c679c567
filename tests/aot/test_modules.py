"""Which modules are taken, which are refused and with what sentence."""
import pathlib
import subprocess
import unittest

from retort_aot import check, wasm
from retort_aot.errors import Failure

import support

WASI = check.wasi_functions(support.ROOT / "worker/wasi/functions.def")
COMMAND = '(memory (export "memory") 1) (func (export "_start"))'


class Modules(support.Case):
    def assert_refused(self, text, *words):
        sentence = self.refused(support.wat2wasm(f"(module {text})", self.directory))
        for word in words:
            self.assertIn(word, sentence)

    def test_foreign_imports_are_listed_in_one_sentence(self):
        self.assert_refused(
            '(import "env" "spawn" (func)) (import "env" "table" (table 1 funcref))'
            '(import "wasi_snapshot_preview1" "fd_read" (func (param i32 i32 i32 i32) (result i32)))'
            + COMMAND, "env.spawn (function)", "env.table (table)", "WASI preview 1")

    def test_an_import_with_another_type_than_wasi_gives_it_is_refused(self):
        self.assert_refused('(import "wasi_snapshot_preview1" "fd_close" (func (param i64)))'
                            + COMMAND, "fd_close", "(i64) -> ()", "(i32) -> (i32)")

    def test_a_function_that_wasi_does_not_have_is_refused(self):
        self.assert_refused('(import "wasi_snapshot_preview1" "fork" (func))' + COMMAND,
                            "wasi_snapshot_preview1.fork")

    def test_a_module_without_start_is_refused(self):
        self.assert_refused('(memory (export "memory") 1)', "_start")

    def test_a_module_that_keeps_its_memory_to_itself_is_refused(self):
        self.assert_refused('(memory 1) (func (export "_start"))', "export it as \"memory\"")

    def test_data_past_the_end_of_memory_is_refused(self):
        self.assert_refused(COMMAND + '(data (i32.const 65530) "1234567")', "65530")

    def test_an_entry_for_fibers_must_be_one(self):
        entry = '(func (export "retort_fiber_main") %s)'
        stack = "(global (mut i32) (i32.const 4096))"
        self.assert_refused(stack + COMMAND + entry % "", "retort_fiber_main", "(i32) -> ()")
        self.assert_refused(stack + COMMAND + entry % "(param i64)", "(i32) -> ()")
        self.assert_refused(COMMAND + entry % "(param i32)", "no stack pointer")
        self.assert_refused("(global i32 (i32.const 4096))" + COMMAND + entry % "(param i32)",
                            "no stack pointer")

    def test_something_that_is_no_module_is_refused(self):
        path = self.directory / "text.wasm"
        path.write_bytes(b"int main(void);")
        self.assertIn("not a WebAssembly module", self.refused(path))

    def test_a_missing_file_is_a_sentence(self):
        self.assertIn("cannot read", self.refused(self.directory / "absent.wasm"))

    def test_a_module_cut_short_anywhere_is_refused(self):
        whole = support.wat2wasm(f"(module {COMMAND} (data (i32.const 5) \"abc\"))",
                                 self.directory).read_bytes()
        for length in range(len(whole)):
            piece = self.directory / "piece.wasm"
            piece.write_bytes(whole[:length])
            if subprocess.run(["wasm-validate", piece], capture_output=True).returncode == 0:
                continue  # ends where a section ends
            with self.subTest(length=length), self.assertRaises(Failure):
                check.check(wasm.parse(whole[:length]), WASI)

    def test_base_0_is_only_for_modules_that_leave_the_first_64_kib_alone(self):
        memory = '(memory (export "memory") 4) (func (export "_start"))'
        stack = "(global (mut i32) (i32.const {}))".format
        for text, fits in (
                (stack(70000) + '(data (i32.const 70000) "x")', True),
                (stack(70000) + '(data (i32.const 1024) "x")', False),
                (stack(65536) + '(data (i32.const 70000) "x")', False),
                (stack(80000) + '(data (i32.const 70000) "x")', False),
                ('(global i32 (i32.const 70000)) (data (i32.const 70000) "x")', False),
                (stack(70000), False), ('(data (i32.const 70000) "x")', False)):
            with self.subTest(text=text):
                path = support.wat2wasm(f"(module {memory} {text})", self.directory)
                module = wasm.parse(path.read_bytes())
                self.assertEqual(check.fits_base_zero(module), fits)

    def test_base_0_cannot_be_forced_on_a_module_that_needs_its_first_page(self):
        path = support.wat2wasm(f"(module {COMMAND} (data (i32.const 1024) \"x\"))",
                                self.directory)
        self.assertIn("first 64 KiB", self.refused(path, "--base", "0"))

    def test_another_version_of_wasm2c_is_refused(self):
        path = support.wat2wasm(f"(module {COMMAND})", self.directory)
        fake = pathlib.Path(self.directory, "wasm2c")
        fake.write_text("#!/bin/sh\necho 1.0.36\n")
        fake.chmod(0o755)
        self.assertIn("1.0.36", self.refused(path, "--wasm2c", str(fake)))

    def test_tools_that_are_missing_are_named(self):
        path = support.wat2wasm(f"(module {COMMAND})", self.directory)
        self.assertIn("wabt", self.refused(path, "--wasm2c", "/nonexistent/wasm2c"))
        self.assertIn("gcc", self.refused(path, "--cc", "/nonexistent/gcc"))


if __name__ == "__main__":
    unittest.main()
