"""Function calls: positional, keyword, default, recursive, closures."""


def add(a, b, c=3, *, d=0):
    return a + b + c + d


def takeuchi(x, y, z):
    if y >= x:
        return z
    return takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y))


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
    return total, step(0), sum(takeuchi(10, 6, n % 3) for n in range(10))
