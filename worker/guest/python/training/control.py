# Training for the profile: calls of all kinds, closures, generators, exceptions, coroutines.
import asyncio
import contextlib
import functools
import itertools


def plain(a, b, c=3):
    return a + b * c


def starred(*args, scale=1, **options):
    return sum(args) * scale + len(options)


def calls():
    total = 0
    partial = functools.partial(plain, 1, c=2)
    named = {"scale": 2, "x": 1}
    for i in range(9000):
        total += plain(i, 1)
        total += plain(b=i, a=2)
        total += starred(i, 2, 3, scale=2, other=1)
        total += starred(*(1, 2), **named)
        total += partial(i)
        total += (lambda x, y=2: x * y)(i)
        total += min(i, 3) + len((1, 2)) + abs(-i) + max((i, 2, 3), key=lambda n: -n)
    return total


def counter(start):
    value = start

    def step(amount=1):
        nonlocal value
        value += amount
        return value
    return step


def closures():
    steps = [counter(i) for i in range(60)]
    return sum(step(turn) for turn in range(150) for step in steps)


@functools.lru_cache(maxsize=None)
def ways(amount, kinds):
    if amount == 0:
        return 1
    if amount < 0 or kinds == 0:
        return 0
    return ways(amount - (1, 2, 5, 10, 20, 50)[kinds - 1], kinds) + ways(amount, kinds - 1)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def hanoi(disks, source, target, spare, moves):
    if disks:
        hanoi(disks - 1, source, spare, target, moves)
        moves.append((source, target))
        hanoi(disks - 1, spare, target, source, moves)


def recursion():
    moves = []
    hanoi(11, "a", "b", "c", moves)
    sys_depth = 0

    def deep(n):
        return 0 if n == 0 else 1 + deep(n - 1)
    for _ in range(20):
        sys_depth += deep(400)
    return len(moves), ackermann(2, 40), ways(120, 6), sys_depth


def chunks(values, size):
    for start in range(0, len(values), size):
        yield values[start:start + size]


def running(values):
    total = 0
    for value in values:
        total += value
        yield total


def flatten(tree):
    for item in tree:
        if isinstance(item, list):
            yield from flatten(item)
        else:
            yield item


def averager():
    total = count = 0
    average = None
    while True:
        value = yield average
        total += value
        count += 1
        average = total / count


def generators():
    nested = [1, [2, [3, [4, [5]]]]] * 600
    average = averager()
    next(average)
    for i in range(8000):
        average.send(i)
    average.close()
    squares = (n * n for n in range(9000) if n % 3)
    taken = list(itertools.takewhile(lambda n: n < 4 * 10**7, running(squares)))
    return sum(flatten(nested)), len(taken), sum(len(c) for c in chunks(range(9000), 7))


class Failure(Exception):
    def __init__(self, code):
        super().__init__(f"code {code}")
        self.code = code


def risky(i):
    if i % 3 == 0:
        raise Failure(i)
    if i % 3 == 1:
        return {}[i]
    return int("x%d" % i)


def exceptions():
    seen = 0
    for i in range(9000):
        try:
            risky(i)
        except Failure as error:
            seen += error.code & 1
        except (KeyError, IndexError) as error:
            seen += bool(error.args)
        except ValueError:
            seen += 2
        else:
            seen += 100
        finally:
            seen += 1
    for i in range(1500):
        try:
            try:
                [][i]
            except IndexError as error:
                raise RuntimeError("outer") from error
        except RuntimeError as error:
            seen += error.__cause__ is not None
        with contextlib.suppress(ZeroDivisionError):
            1 / 0
        try:
            raise ExceptionGroup("several", [ValueError(1), TypeError(2)])
        except* ValueError:
            seen += 1
        except* TypeError:
            seen += 1
    return seen


@contextlib.contextmanager
def noted(log, name):
    log.append("+" + name)
    try:
        yield name
    finally:
        log.append("-" + name)


def contexts():
    log = []
    for i in range(1200):
        with noted(log, "a") as a, noted(log, "b"):
            if i % 4 == 0:
                continue
            log.append(a)
    with contextlib.ExitStack() as stack:
        for i in range(50):
            stack.callback(log.append, i)
    return len(log)


def match_shapes():
    shapes = [("circle", 2), {"kind": "box", "size": [1, 2]}, [1, 2, 3], "text", 7, None]
    total = 0
    for i in range(6000):
        match shapes[i % 6]:
            case ("circle", radius) if radius > 1:
                total += radius
            case {"kind": "box", "size": [width, height]}:
                total += width * height
            case [first, *rest]:
                total += first + len(rest)
            case str(text):
                total += len(text)
            case int() | float():
                total += 1
            case _:
                total -= 1
    return total


async def leaf(i):
    await asyncio.sleep(0)
    return i


async def work():
    queue = asyncio.Queue()
    lock = asyncio.Lock()

    async def producer():
        for i in range(200):
            await queue.put(i)
        await queue.put(None)

    async def consumer():
        total = 0
        while (item := await queue.get()) is not None:
            async with lock:
                total += item
        return total

    gathered = await asyncio.gather(*(leaf(i) for i in range(200)))
    _, total = await asyncio.gather(producer(), consumer())
    return sum(gathered), total


def bubble(values):
    swapped = True
    while swapped:
        swapped = False
        for i in range(len(values) - 1):
            if values[i] > values[i + 1]:
                values[i], values[i + 1] = values[i + 1], values[i]
                swapped = True
    return values


def solve(row, columns, falling, rising, size):
    """Rows of a board filled so that no two share a column or a diagonal (bit masks)."""
    if row == size:
        return 1
    count = 0
    free = ((1 << size) - 1) & ~(columns | falling | rising)
    while free:
        bit = free & -free
        free ^= bit
        count += solve(row + 1, columns | bit, (falling | bit) << 1, (rising | bit) >> 1, size)
    return count


print(calls(), closures(), recursion(), generators(), exceptions(), contexts(), match_shapes(),
      asyncio.run(work()), bubble([n * 7919 % 211 for n in range(211)])[:3],
      solve(0, 0, 0, 0, 7))
