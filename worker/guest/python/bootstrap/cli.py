# Given to `python -c` by the cli engine. Standard input: the program's size in bytes as decimal
# digits, a newline, the program; what follows is the program's own standard input, so nothing
# beyond the program may be read here.
def _boot():
    import linecache
    import os
    import sys

    def read(size):
        data = b""
        while len(data) < size:
            part = os.read(0, size - len(data))
            if not part:
                sys.exit("retort: the program did not arrive")
            data += part
        return data

    digits = b""
    while (digit := read(1)) != b"\n":
        digits += digit
    source = read(int(digits))
    path = "/work/main.py"
    sys.argv[0] = path
    module = sys.modules["__main__"].__dict__
    module.pop("_boot", None)
    module["__file__"] = path

    def show(kind, value, trace):
        import traceback

        # The frames of this file come first, and are no part of the program. The interpreter's own
        # printer would look for the source on disk; traceback asks linecache.
        while trace and trace.tb_frame.f_code.co_filename == "<string>":
            trace = trace.tb_next
        traceback.print_exception(kind, value, trace)

    text = source.decode("utf-8", "replace")
    # As linecache makes them of a file: every line with its newline, the last one too, or carets
    # stand one column off.
    lines = [line + "\n" for line in text.replace("\r\n", "\n").split("\n")]
    linecache.cache[path] = (len(text), None, lines, path)
    sys.excepthook = show
    return compile(source, path, "exec", dont_inherit=True)


exec(_boot())
