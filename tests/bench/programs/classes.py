"""Making and using classes: dataclasses, operators, abc, enum, polymorphism."""
import abc
import dataclasses
import enum


class Kind(enum.Enum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass(order=True)
class Money:
    cents: int
    kind: str = "eur"

    def __add__(self, other):
        return Money(self.cents + other.cents, self.kind)

    def __hash__(self):
        return self.cents


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self):
        ...


class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side * self.side


class Rectangle(Square):
    def area(self):
        return super().area() // 2


def run():
    purse = Money(0)
    coins = [Money(i * 37 % 1009) for i in range(12000)]
    for coin in coins:
        purse = purse + coin
    unique = len(set(coins))
    cheapest = min(coins), max(coins)
    shapes = [Square(i) if i & 1 else Rectangle(i) for i in range(40000)]
    area = sum(shape.area() for shape in shapes)
    kinds = sum(Kind(1 + (i & 1)) is Kind.LARGE for i in range(20000))
    made = [type(f"T{i}", (Square,), {"area": lambda self: 1, "n": i}) for i in range(400)]
    return (purse.cents, unique, cheapest[0].cents, area, kinds,
            sum(isinstance(kind(2), Shape) and kind.n for kind in made))
