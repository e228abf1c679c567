"""Dictionaries and sets: counting, grouping, joining, copying."""


def run():
    counts = {}
    for i in range(200000):
        key = (i * 2654435761) % 4099
        counts[key] = counts.get(key, 0) + 1
    groups = {}
    for key, count in counts.items():
        groups.setdefault(count, []).append(key)
    names = {f"name{i}": i for i in range(20000)}
    hits = sum(1 for i in range(60000) if f"name{i % 30000}" in names)
    evens = {n for n in range(60000) if not n & 1}
    threes = set(range(0, 60000, 3))
    copies = [dict(names) for _ in range(5)]
    merged = {**copies[0], **{str(i): i for i in range(10000)}}
    for key in list(merged)[::2]:
        del merged[key]
    return (len(groups), sum(counts.values()), hits, len(evens & threes), len(evens | threes),
            len(merged), sum(merged.values()))
