"""Floating point: a gravity simulation, a matrix product, the math module."""
import math


def bodies(steps):
    state = [[math.cos(i), math.sin(i * 2), i * 0.1, -math.sin(i) * 0.1, math.cos(i) * 0.1, 0.0,
              1.0 + i] for i in range(5)]
    for _ in range(steps):
        for i, a in enumerate(state):
            for b in state[i + 1:]:
                dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
                force = 0.001 / (dx * dx + dy * dy + dz * dz + 0.01) ** 1.5
                a[3] -= dx * force * b[6]
                a[4] -= dy * force * b[6]
                a[5] -= dz * force * b[6]
                b[3] += dx * force * a[6]
                b[4] += dy * force * a[6]
                b[5] += dz * force * a[6]
        for a in state:
            a[0] += a[3] * 0.001
            a[1] += a[4] * 0.001
            a[2] += a[5] * 0.001
    return sum(sum(a) for a in state)


def run():
    energy = bodies(3000)
    left = [[(i * j) % 17 / 7 for j in range(50)] for i in range(50)]
    right = list(zip(*left))
    product = [[sum(x * y for x, y in zip(row, column)) for column in right] for row in left]
    waves = sum(math.sqrt(i) * math.floor(i / 3) / (1 + abs(i - 50.5)) for i in range(60000))
    return round(energy, 6), round(sum(map(sum, product)), 6), round(waves, 6)
