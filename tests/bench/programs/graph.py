"""Algorithms as people write them: shortest paths, permutations, n queens, dynamic programming."""
import collections
import functools
import heapq


def dijkstra(size):
    edges = collections.defaultdict(list)
    for i in range(size):
        for step in (1, 7, 31):
            edges[i].append(((i * step + step) % size, (i ^ step) % 23 + 1))
    distance = {0: 0}
    heap = [(0, 0)]
    while heap:
        so_far, node = heapq.heappop(heap)
        if so_far > distance[node]:
            continue
        for target, cost in edges[node]:
            if so_far + cost < distance.get(target, 1 << 30):
                distance[target] = so_far + cost
                heapq.heappush(heap, (so_far + cost, target))
    return len(distance), sum(distance.values())


def queens(size, row=0, columns=0, left=0, right=0):
    if row == size:
        return 1
    found = 0
    for column in range(size):
        bit = 1 << column
        if not (columns & bit or left & (bit << row) or right & (bit << (size - row))):
            found += queens(size, row + 1, columns | bit, left | (bit << row),
                            right | (bit << (size - row)))
    return found


@functools.lru_cache(maxsize=None)
def distance(a, b):
    if not a or not b:
        return len(a) + len(b)
    if a[0] == b[0]:
        return distance(a[1:], b[1:])
    return 1 + min(distance(a[1:], b), distance(a, b[1:]), distance(a[1:], b[1:]))


def run():
    distance.cache_clear()
    queue = collections.deque(range(500))
    for i in range(40000):
        queue.rotate(3)
        queue.append(queue.popleft() ^ i & 1)
    return (dijkstra(9000), queens(7), distance("the quick brown fox jumps over", "a lazy dog sat"),
            sum(queue))
