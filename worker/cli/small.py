# Given to `-c` where cli.py does not run: for interpreters with little of CPython's library, such as
# MicroPython. Standard input is the same: the program's size as decimal digits, a newline, the
# program, then its own input, of which nothing may be read here.
def _boot():
    import sys

    def read(size):
        data = b""
        while len(data) < size:
            part = sys.stdin.buffer.read(size - len(data))
            if not part:
                raise SystemExit("retort: the program did not arrive")
            data += part
        return data

    digits = b""
    digit = read(1)
    while digit != b"\n":
        digits += digit
        digit = read(1)
    return compile(read(int(digits)).decode(), "/work/main.py", "exec")


exec(_boot())
