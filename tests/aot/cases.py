"""A module of numbered cases: the count of its arguments chooses the case that it runs.

Each case is a wasm function that returns an i32, which becomes the exit status, or traps. One
compiled program so serves hundreds of checks.
"""

PAGE = 65536
DATA = 2 * PAGE          # where the cases keep their data: fits base 0 too
MEMORY_PAGES = 4
END = MEMORY_PAGES * PAGE
SCRATCH = 3 * PAGE       # for the arguments' count

HEAD = f"""(module
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") {MEMORY_PAGES} 6)
  (global $__stack_pointer (mut i32) (i32.const {PAGE + 4096}))
  (type $case (func (result i32)))
"""

START = """
  (func $_start (export "_start") (local $count i32)
    (drop (call $args_sizes_get (i32.const {scratch}) (i32.const {scratch4})))
    (local.set $count (i32.load (i32.const {scratch})))
{dispatch}
    (call $proc_exit (i32.const 99)))
)
"""


def module(cases, more=""):
    """The text of a module: cases are (name, body of a function with a result of i32)."""
    functions = "".join(f"  (func $case_{i} (result i32) {body})\n"
                        for i, (_, body) in enumerate(cases))
    dispatch = "".join(
        f"    (if (i32.eq (local.get $count) (i32.const {i + 1}))\n"
        f"      (then (call $proc_exit (call $case_{i}))))\n" for i in range(len(cases)))
    return HEAD + more + functions + START.format(
        scratch=SCRATCH, scratch4=SCRATCH + 4, dispatch=dispatch)


def arguments(number):
    """What to start the program with (after its name) to run that case."""
    return ["x"] * number
