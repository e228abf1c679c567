"""Sorting and searching: with keys, of tuples, heaps, bisection."""
import bisect
import heapq


def run():
    state = 12345
    numbers = []
    for _ in range(40000):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        numbers.append(state)
    ordered = sorted(numbers)
    by_digits = sorted(numbers, key=lambda n: (n % 100, -n))
    texts = sorted(map(str, numbers), reverse=True)
    pairs = sorted(zip(numbers[:20000], numbers[20000:]))
    heap = numbers[:10000]
    heapq.heapify(heap)
    smallest = [heapq.heappop(heap) for _ in range(5000)]
    placed = []
    for number in numbers[:8000]:
        bisect.insort(placed, number)
    nearly = ordered[:]
    nearly[100], nearly[200] = nearly[200], nearly[100]
    nearly.sort()
    return (ordered[7], by_digits[9], texts[0], pairs[3], smallest[-1], placed[4000],
            nearly == ordered)
