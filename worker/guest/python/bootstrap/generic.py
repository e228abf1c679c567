# Given to `python -I -c` by images of a python.wasm that was not built here (3.8 and later): boots,
# reads the job device, which is the fork point, and runs the job's program as __main__.
def _boot():
    import gc
    import os
    import sys

    # What programs commonly import, once for all jobs.
    for name in ("collections dataclasses datetime decimal enum functools heapq itertools json math"
                 " random re statistics string textwrap traceback typing uuid").split():
        try:
            __import__(name)
        except ImportError:
            pass
    device = os.open("/dev/job", os.O_RDONLY)
    gc.collect()
    gc.freeze()
    arguments = os.read(device, 1 << 20).split(b"\0")[:-1]  # the fork point
    os.close(device)
    path = os.fsdecode(arguments[0])
    sys.argv[:] = map(os.fsdecode, arguments)
    sys.path.insert(0, os.path.dirname(path))
    os.chdir(sys.path[0])
    if "random" in sys.modules:
        sys.modules["random"].seed()
    module = sys.modules["__main__"].__dict__
    module.pop("_boot", None)
    module["__file__"] = path

    def show(kind, value, trace):
        # The frames of this file come first, and are no part of the program.
        while trace and trace.tb_frame.f_code.co_filename == "<string>":
            trace = trace.tb_next
        if issubclass(kind, MemoryError):
            try:
                with open("/dev/note", "wb") as note:
                    note.write(b"M")
            except OSError:
                pass
        sys.__excepthook__(kind, value.with_traceback(trace), trace)

    sys.excepthook = show
    with open(path, "rb") as file:
        return compile(file.read(), path, "exec", dont_inherit=True)


exec(_boot())
