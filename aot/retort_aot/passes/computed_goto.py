"""Step computed-goto: the interpreter's dispatch jumps through a table of labels.

In the function named by --dispatch (CPython: _PyEval_EvalFrameDefault) the largest switch

    switch (x) { case 0: goto A; case 1: goto B; ... default: goto D; }

becomes a jump through a constant table whose size is a power of two; entries without a case, and
those past the last case, are the default's label. The index is masked to the table's size instead
of compared with it. For an index past the mask the jump goes to another label of the same
function than wasm says; no memory or call check depends on labels, so the sandbox does not
either, and for CPython the index is an opcode, which is always in the table.

An interpreter that takes opcode - 1 first (case 255 then stands for opcode 0) gets a table that
is rotated by one, and is indexed with the opcode itself.
"""
import re

from ..errors import Failure

SWITCH = re.compile(
    r"switch \((\w+)\) \{\n((?: *case \d+: goto \w+;\n)+) *default: goto (\w+);\n *\}")
CASE = re.compile(r"case (\d+): goto (\w+);")
MASKED_MINUS_ONE = re.compile(
    r"(\w+) = (w2c_[lp]\d+);\s+(\w+) = 255u;\s+\1 &= \3;\s+\3 = 4294967295u;\s+\1 \+= \3;\s+$")
MINUS_ONE = re.compile(r"(\w+) = (w2c_[lp]\d+);\s+(\w+) = 4294967295u;\s+\1 \+= \3;\s+$")
FEWEST_CASES = 64
LOOK_BACK = 400  # characters before the switch in which its index is computed


def apply(program, context):
    for function in program.functions:
        if context.dispatch and function.wasm_name == context.dispatch:
            _rewrite(program, function)


def _rewrite(program, function):
    largest = max(SWITCH.finditer(function.body), default=None,
                  key=lambda match: match[2].count("case "))
    cases = [(int(n), label) for n, label in CASE.findall(largest[2])] if largest else []
    if len(cases) < FEWEST_CASES:
        raise Failure(f"{function.name} has no switch of {FEWEST_CASES} cases or more to dispatch "
                      "by; use --no-computed-goto, or name another function with --dispatch")
    labels, index = _table(function.body[max(0, largest.start() - LOOK_BACK):largest.start()],
                           largest[1], cases, largest[3])
    jump = ("{ static const void *const targets[%d] = {%s};\n    goto *targets[%s & %du]; }"
            % (len(labels), ", ".join("&&" + label for label in labels), index, len(labels) - 1))
    function.body = function.body[:largest.start()] + jump + function.body[largest.end():]
    program.notes.append(f"computed goto: {len(cases)} cases, table of {len(labels)}, "
                         f"index {index}")


def _table(before, switched, cases, default):
    """The labels, and the C expression that indexes them (without the mask)."""
    size = 1 << max(number for number, _ in cases).bit_length()
    labels = [default] * size
    for number, label in cases:
        labels[number] = label
    match = MASKED_MINUS_ONE.search(before) if size == 256 else MINUS_ONE.search(before)
    if match and match[1] == switched:
        return [labels[-1]] + labels[:-1], match[2]
    return labels, switched
