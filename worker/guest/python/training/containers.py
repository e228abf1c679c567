# Training for the profile: lists, dicts, sets, comprehensions, sorting, algorithms on them.
import bisect
import collections
import copy
import functools
import heapq
import itertools
import random

rng = random.Random(11)


def word_counts():
    counts = {}
    for i in range(40000):
        key = "k%d" % (i * 7919 % 613)
        counts[key] = counts.get(key, 0) + 1
    groups = collections.defaultdict(list)
    for key, count in counts.items():
        groups[count % 5].append(key)
    return sorted((len(names), group) for group, names in groups.items())


def shortest_paths(size):
    graph = {node: [((node * 3 + step) % size, 1 + (node * step) % 9) for step in range(1, 6)]
             for node in range(size)}
    best = {0: 0}
    queue = [(0, 0)]
    while queue:
        distance, node = heapq.heappop(queue)
        if distance > best[node]:
            continue
        for target, cost in graph[node]:
            candidate = distance + cost
            if candidate < best.get(target, 1 << 30):
                best[target] = candidate
                heapq.heappush(queue, (candidate, target))
    return sum(best.values())


def knapsack(capacity):
    items = [(rng.randrange(1, 30), rng.randrange(1, 100)) for _ in range(40)]
    table = [0] * (capacity + 1)
    for weight, value in items:
        for room in range(capacity, weight - 1, -1):
            candidate = table[room - weight] + value
            if candidate > table[room]:
                table[room] = candidate
    return table[-1]


def flood(size):
    grid = [[1 if rng.random() < 0.3 else 0 for _ in range(size)] for _ in range(size)]
    regions = 0
    for row in range(size):
        for column in range(size):
            if grid[row][column]:
                continue
            regions += 1
            queue = collections.deque([(row, column)])
            grid[row][column] = 2
            while queue:
                y, x = queue.popleft()
                for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                    v, u = y + dy, x + dx
                    if 0 <= v < size and 0 <= u < size and grid[v][u] == 0:
                        grid[v][u] = 2
                        queue.append((v, u))
    return regions


def edit_distance(left, right):
    previous = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (a != b)))
        previous = current
    return previous[-1]


def insertion_sort(values):
    for i in range(1, len(values)):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value
    return values


def merge_sort(values):
    if len(values) < 2:
        return values
    middle = len(values) // 2
    left, right = merge_sort(values[:middle]), merge_sort(values[middle:])
    merged = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            merged.append(left[i])
            i += 1
        else:
            merged.append(right[j])
            j += 1
    return merged + left[i:] + right[j:]


def matrices(size):
    left = [[rng.random() for _ in range(size)] for _ in range(size)]
    right = [list(column) for column in zip(*left)]
    product = [[sum(a * b for a, b in zip(row, column)) for column in right] for row in left]
    for k in range(size):
        for i in range(size):
            factor = product[i][k]
            for j in range(size):
                product[i][j] += factor * 0.001 * product[k][j]
    return product[0][0]


def list_operations():
    numbers = [rng.randrange(10000) for _ in range(6000)]
    numbers.sort()
    numbers.sort(key=lambda n: (-n % 97, n))
    numbers.reverse()
    for i in range(300):
        bisect.insort(numbers[:50], i)
        numbers.insert(i, i)
        numbers.pop()
        numbers.pop(3)
        numbers[i:i + 3] = [1, 2, 3, 4]
        del numbers[5]
        i in numbers[:40]
    evens = [n for n in numbers if not n % 2]
    squares = {n: n * n for n in evens}
    rests = {n % 31 for n in numbers}
    pairs = [(a, b) for a in range(60) for b in range(a) if a % (b + 1) == 0]
    return len(squares), len(rests | {40, 41} - {3}), len(pairs), sum(evens), max(numbers), \
        [*evens[:3], *rests][:5], numbers.index(1), numbers.count(2), numbers[::-1][:2]


def tools():
    total = 0
    for a, b, c in itertools.combinations(range(40), 3):
        total += a < b < c
    for letters in itertools.permutations("abcdef"):
        total += letters[0] == "a"
    for left, right in itertools.product(range(70), repeat=2):
        total += left == right
    for key, group in itertools.groupby(range(3000), lambda n: n // 10):
        total += key + len(list(group))
    total += sum(itertools.islice(itertools.cycle([1, 2, 3]), 5000))
    total += functools.reduce(lambda a, b: a ^ b, range(5000))
    for index, (a, b) in enumerate(zip(range(5000), reversed(range(5000)))):
        total += index if a > b else 1
    ordered = collections.OrderedDict.fromkeys(range(500))
    for i in range(0, 500, 3):
        ordered.move_to_end(i)
    chained = collections.ChainMap({"a": 1}, {"b": 2})
    common = collections.Counter("the quick brown fox " * 200).most_common(3)
    Point = collections.namedtuple("Point", "x y")
    points = [Point(i, -i)._replace(x=1) for i in range(500)]
    return total, chained["b"], common, sum(p.y for p in points), \
        copy.deepcopy({"a": [1, {2: (3, [4])}]}), list(map(str, filter(None, range(5))))


def trees():
    def build(low, high):
        if low >= high:
            return None
        middle = (low + high) // 2
        return (build(low, middle), middle, build(middle + 1, high))

    def find(tree, value):
        while tree:
            left, here, right = tree
            if value == here:
                return True
            tree = left if value < here else right
        return False

    tree = build(0, 4000)
    return sum(find(tree, value) for value in range(-500, 4500))


print(word_counts(), shortest_paths(1200), knapsack(300), flood(45),
      edit_distance("kitten sitting" * 8, "sitting kitten" * 8),
      insertion_sort([rng.random() for _ in range(250)])[0],
      merge_sort([rng.randrange(999) for _ in range(3000)])[:3], matrices(26),
      list_operations(), tools(), trees())
