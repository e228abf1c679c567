# Training for the profile: input, arguments, output of many lines, and an exit by sys.exit().
import atexit
import sys


class Resource:
    def __del__(self):
        print("released", file=sys.stderr)


held = Resource()
atexit.register(print, "end")
lines = sys.stdin.read().split()
try:
    input()
except EOFError:
    lines.append("none")
for number in range(2000):
    print(number, number * number)
sys.stdout.write("done\n")
sys.stderr.write(f"{sys.argv} {lines}\n")
sys.exit(0)
