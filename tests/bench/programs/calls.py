"""Function calls: positional, keyword, default, recursive, closures."""


def add(a, b, c=3, *, d=0):
    return a + b + c + d


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def counter():
    count = 0

    def step(by):
        nonlocal count
        count += by
        return count
    return step


def run():
    total = 0
    for i in range(150000):
        total += add(i, 1) + add(i, 2, c=1, d=i)
    step = counter()
    for i in range(150000):
        step(i)
    return total, step(0), sum(ackermann(2, n) for n in range(60))
