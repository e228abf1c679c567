"""Whole builds: C programs, profile, cache, what an image holds, failures on the way."""
import json
import re
import subprocess
import unittest
from unittest import mock

from retort_aot import compiler
from retort_aot.compiler import Compiler

import support

PROGRAM = r"""
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(int argc, char **argv)
{
    int numbers[100];
    char *text = malloc(3000000);
    if (argc > 3)
        abort();
    for (int i = 0; i < 100; i++)
        numbers[i] = i * 7919 % 101;
    qsort(numbers, 100, sizeof *numbers, by_value);
    memset(text, 'x', 2999999);
    text[2999999] = 0;
    printf("%d %d %zu %.6f %s\n", numbers[3], argc, strlen(text), exp(1.0) + pow(2, 0.5),
           argv[argc - 1]);
    return strcmp(argv[argc - 1], "last") == 0 ? 3 : 0;
}
"""
OUTPUT = b"3 2 2999999 4.132495 last\n"
STACK_FIRST = "-Wl,--stack-first,-z,stack-size=131072"


def c_program(directory, *link_flags):
    """The module of PROGRAM. Linked without -O, which would have clang strip the names."""
    clang = ["clang-14", "--target=wasm32-wasi"]
    (directory / "program.c").write_text(PROGRAM)
    subprocess.run([*clang, "-O2", "-c", "program.c"], cwd=directory, check=True)
    subprocess.run([*clang, *link_flags, "program.o", "-o", "program.wasm"], cwd=directory,
                   check=True)
    return directory / "program.wasm"


class Programs(support.Case):
    def test_a_c_program_runs_at_base_0_and_elsewhere(self):
        for flags in ((STACK_FIRST,), ()):
            with self.subTest(flags=flags):
                built = self.build(c_program(self.directory, *flags))
                status, output, errors = self.run_program(built, "last")
                self.assertEqual((status, output, errors), (3, OUTPUT, ""))

    def test_a_program_needs_no_file_to_start(self):
        """No interpreter, no library: a zygote's root is empty."""
        built = self.build(c_program(self.directory))
        headers = subprocess.run(["readelf", "-lW", built], capture_output=True, text=True,
                                 check=True).stdout
        self.assertIn("LOAD", headers)
        self.assertNotIn("INTERP", headers)

    def test_a_program_without_names_runs(self):
        module = c_program(self.directory, "-s")
        self.assertEqual(self.run_program(self.build(module), "last")[:2], (3, OUTPUT))

    def test_a_function_may_be_imported_twice(self):
        module = support.wat2wasm("""(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $a (param i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $b (param i32)))
            (type $exit (func (param i32)))
            (table funcref (elem $b $a))
            (memory (export "memory") 1)
            (func (export "_start")
                (if (i32.eqz (i32.const 0))
                    (then (call_indirect (type $exit) (i32.const 7) (i32.const 0))))
                (call $a (i32.const 8)) (call $b (i32.const 9))))""", self.directory)
        self.assertEqual(self.run_program(self.build(module))[0], 7)

    def test_a_profile_is_trained_and_used(self):
        module = c_program(self.directory, STACK_FIRST)
        with mock.patch.object(Compiler, "compile", autospec=True,
                               side_effect=Compiler.compile) as compile_units:
            built = self.build(module, "--opt", "-O2", "--train-args", "one 'two words'",
                               "--train-args", "")
        modes = [call.args[2] for call in compile_units.call_args_list]
        self.assertEqual(modes, ["instrument", "use"])
        profile = compile_units.call_args_list[1].args[3]
        self.assertEqual(sorted(p.name for p in profile.glob("*.gcda")),
                         ["module.gcda", "unit_0.gcda", "unit_1.gcda"])
        self.assertEqual(self.run_program(built, "last")[:2], (3, OUTPUT))


class Images(support.Case):
    def test_an_image_holds_program_tree_and_description(self):
        module = c_program(self.directory, STACK_FIRST)
        boot = self.directory / "boot.py"
        boot.write_text("print(1)\n")
        status, errors = self.aot(module, "--opt", "-O0", "--language", "c", "--arg", "python",
                                  "--arg", "-I", "--env", "A=b", "--bootstrap", str(boot))
        self.assertEqual(status, 0, errors)
        image = self.directory / "image"
        self.assertEqual(sorted(p.name for p in image.iterdir()),
                         ["image.json", "program", "tree"])
        described = json.loads((image / "image.json").read_text())
        self.assertEqual(len(described.pop("module_sha256")), 64)
        self.assertEqual(described, {
            "format": 1, "language": "c", "bootstrap": True, "env": ["A=b"],
            "argv": ["python", "-I", "print(1)\n"]})

    def test_the_same_input_gives_the_same_program(self):
        module = c_program(self.directory)
        images = []
        for cache in ("one", "two"):
            self.aot(module, "--opt", "-O0", "--cache", str(self.directory / cache))
            images.append((self.directory / "image" / "program").read_bytes())
        self.assertEqual(images[0], images[1])

    def test_a_build_that_fails_leaves_the_old_image(self):
        module = c_program(self.directory)
        self.assertEqual(self.aot(module, "--opt", "-O0")[0], 0)
        before = (self.directory / "image" / "program").read_bytes()
        self.assertEqual(self.aot(module, "--cflags", "-fno-such-flag")[0], 1)
        self.assertEqual((self.directory / "image" / "program").read_bytes(), before)
        self.assertEqual([p.name for p in self.directory.glob(".image*")], [])


class Cache(support.Case):
    def compiled(self, module, *flags):
        """(units that were compiled, units), by the progress lines; (0, 0) when none was."""
        status, errors = self.aot(module, "--opt", "-O0", *flags)
        self.assertEqual(status, 0, errors)
        counts = re.search(r"compiling: (\d+) of (\d+) units", errors)
        return (int(counts[1]), int(counts[2])) if counts else (0, 0)

    def test_what_was_compiled_is_not_compiled_again(self):
        module = c_program(self.directory)
        compiled, units = self.compiled(module)
        self.assertEqual(compiled, units)
        self.assertEqual(self.compiled(module), (0, 0))
        self.assertEqual(self.compiled(module, "--cflags", "-fno-inline"), (units, units))

    def test_an_interrupted_build_goes_on_where_it_was(self):
        module = c_program(self.directory, STACK_FIRST)
        finish, done = Compiler._finish, []

        def interrupted(self, *arguments):
            if len(done) == 2:
                raise KeyboardInterrupt
            finish(self, *arguments)
            done.append(1)

        with mock.patch.object(Compiler, "_finish", interrupted):
            self.assertEqual(self.aot(module, "--opt", "-O0")[0], 130)
        compiled, units = self.compiled(module)
        self.assertEqual(compiled, units - 2)


class Trouble(support.Case):
    def test_too_little_memory_for_the_compiler_is_a_sentence(self):
        module = c_program(self.directory)
        with mock.patch.object(compiler, "available_bytes", return_value=10 << 20):
            sentence = self.refused(module)
        self.assertRegex(sentence, r"the compiler needs about \d+ MiB .* 10 MiB are free")

    def test_a_library_that_is_not_there_is_a_sentence(self):
        module = c_program(self.directory)
        self.assertIn("run make first", self.refused(module, "--library", "/nonexistent.a"))

    def test_a_training_program_that_fails_is_named_with_its_last_words(self):
        module = c_program(self.directory, STACK_FIRST)
        sentence = self.refused(module, "--train-args", "one two three", "--opt", "-O0")
        self.assertIn("one two three", sentence)
        self.assertIn("134", sentence)


if __name__ == "__main__":
    unittest.main()
