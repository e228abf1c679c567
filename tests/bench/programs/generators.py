"""Generators, comprehensions, itertools."""
import itertools


def walk(low, high):
    if low < high:
        middle = (low + high) // 2
        yield from walk(low, middle)
        yield middle
        yield from walk(middle + 1, high)


def pairs(values):
    previous = None
    for value in values:
        if previous is not None:
            yield previous, value
        previous = value


def smoother(weight):
    """Receives values, gives their exponentially smoothed course."""
    level = yield None
    while True:
        level += weight * ((yield level) - level)


def run():
    total = sum(a * b for a, b in pairs(walk(0, 15000)))
    running = smoother(0.125)
    next(running)
    for i in range(60000):
        level = running.send(i)
    chained = sum(itertools.chain.from_iterable([range(100)] * 600))
    chosen = sum(1 for _ in itertools.combinations(range(24), 4))
    zipped = sum(a + b for a, b in zip(itertools.accumulate(range(50000)), itertools.count()))
    lists = [[j * j for j in range(30) if j % 3] for _ in range(2500)]
    table = {i: {j for j in range(i % 9)} for i in range(9000)}
    return total, level, chained, chosen, zipped, len(lists), sum(map(len, table.values()))
