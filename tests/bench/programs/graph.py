"""Algorithms as people write them: spanning trees, permutations, n queens, dynamic programming."""
import collections
import functools
import heapq


def spanning_tree(size):
    """Prim's algorithm over a ring with chords."""
    neighbours = collections.defaultdict(set)
    for a in range(size):
        for b in ((a + 1) % size, (a * 5 + 2) % size, (a ^ 21) % size):
            neighbours[a].add(b)
            neighbours[b].add(a)
    reached, weight = set(), 0
    heap = [(0, 0)]
    while heap and len(reached) < size:
        cost, a = heapq.heappop(heap)
        if a not in reached:
            reached.add(a)
            weight += cost
            for b in neighbours[a] - reached:
                heapq.heappush(heap, ((a * b) % 61, b))
    return len(reached), weight


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
    return (spanning_tree(4000), queens(7), distance("the quick brown fox jumps over", "a lazy dog sat"),
            sum(queue))
