"""Attributes, methods, properties, slots, inheritance."""


class Point:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, dx, dy):
        return Point(self.x + dx, self.y + dy)


class Base:
    scale = 2

    def __init__(self):
        self.total = 0

    @property
    def half(self):
        return self.total // 2

    def feed(self, value):
        self.total = (self.total + value * self.scale) & 0xFFFFFF
        return self


class Derived(Base):
    scale = 3

    def feed(self, value):
        return super().feed(value + 1)


def run():
    point = Point(0, 0)
    sink = Derived()
    halves = 0
    for i in range(150000):
        point = point.moved(1, i & 3)
        sink.feed(point.x).feed(point.y)
        halves += sink.half
    return point.x, point.y, sink.total, halves
