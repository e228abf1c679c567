# Training for the profile: classes, attributes, method calls, descriptors, operators.
import dataclasses
import enum
import functools
import operator


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def __eq__(self, other):
        return (self.x, self.y, self.z) == (other.x, other.y, other.z)

    def __hash__(self):
        return hash((self.x, self.y, self.z))

    def norm(self):
        return (self.x * self.x + self.y * self.y + self.z * self.z) ** 0.5


class Account:
    interest = 0.03
    opened = 0

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.history = []
        Account.opened += 1

    def deposit(self, amount, *, note="deposit"):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.history.append((note, amount))
        return self

    def withdraw(self, amount):
        if amount > self.balance:
            raise RuntimeError(f"{self.owner} has only {self.balance}")
        self.balance -= amount
        self.history.append(("withdraw", -amount))

    @property
    def rich(self):
        return self.balance > 1000

    @classmethod
    def parse(cls, text):
        owner, _, balance = text.partition(":")
        return cls(owner, int(balance))

    @staticmethod
    def fee(amount):
        return max(1, amount // 100)


class Savings(Account):
    def __init__(self, owner, balance=0, rate=None):
        super().__init__(owner, balance)
        self.rate = rate or self.interest

    def deposit(self, amount, **options):
        return super().deposit(amount - self.fee(amount), **options)

    def grow(self, years):
        for _ in range(years):
            self.balance += int(self.balance * self.rate)


class Typed:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else instance.__dict__[self.name]

    def __set__(self, instance, value):
        if not isinstance(value, (int, float)):
            raise TypeError(self.name)
        instance.__dict__[self.name] = value


class Box:
    width = Typed()
    height = Typed()

    def __init__(self, width, height):
        self.width = width
        self.height = height

    def __getattr__(self, name):
        if name.startswith("twice_"):
            return getattr(self, name[6:]) * 2
        raise AttributeError(name)

    def __len__(self):
        return int(self.width)

    def __iter__(self):
        yield self.width
        yield self.height

    def __contains__(self, value):
        return value == self.width or value == self.height

    def __getitem__(self, index):
        return (self.width, self.height)[index]

    def __bool__(self):
        return self.width > 0

    def __call__(self, scale, *rest, **named):
        return self.width * scale + len(rest) + len(named)


class Shade(enum.Enum):
    DARK = 1
    LIGHT = 2


class Rights(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4


@dataclasses.dataclass(order=True)
class Part:
    weight: float
    name: str = dataclasses.field(compare=False)
    tags: list = dataclasses.field(default_factory=list, compare=False)


@functools.total_ordering
class Version:
    def __init__(self, text):
        self.parts = tuple(int(part) for part in text.split("."))

    def __eq__(self, other):
        return self.parts == other.parts

    def __lt__(self, other):
        return self.parts < other.parts

    def __repr__(self):
        return f"Version({'.'.join(map(str, self.parts))!r})"


def vectors():
    total = Vector(0, 0, 0)
    for i in range(15000):
        total = total + Vector(i, 1, 0.5) * 2
    return total.norm(), len({Vector(i % 50, 0, 0) for i in range(2000)})


def accounts():
    people = [Account.parse(f"p{i}:{i * 10}") for i in range(400)]
    people += [Savings(f"s{i}", i) for i in range(400)]
    for turn in range(12):
        for person in people:
            person.deposit(turn * 150 + 5, note="pay")
            try:
                person.withdraw(turn * 200)
            except RuntimeError as error:
                str(error)
            if person.rich and isinstance(person, Savings):
                person.grow(2)
    people.sort(key=operator.attrgetter("balance", "owner"))
    return sum(person.balance for person in people), Account.opened


def boxes():
    count = 0
    for i in range(4000):
        box = Box(i % 7, 2.5)
        box.width += 1
        if box and 3 in box:
            count += box(2, 1, a=1) + len(box) + box[0] + box.twice_height
        width, height = box
        count += width < height
        try:
            box.missing
        except AttributeError:
            count += 1
        getattr(box, "nothing", None)
        hasattr(box, "width")
    return count


def records():
    parts = [Part(i * 37 % 101 / 3, f"part{i}") for i in range(1500)]
    parts.sort()
    changed = [dataclasses.replace(part, weight=1.0) for part in parts[:200]]
    shades = [Shade(1 + i % 2) for i in range(1500)]
    rights = [Rights.READ | Rights.WRITE for _ in range(300)]
    versions = sorted(Version(f"{i % 5}.{i % 7}.{i}") for i in range(800))
    return repr(parts[:3]), len(changed), shades.count(Shade.DARK), rights[0] & Rights.READ, \
        versions[:2]


def classes():
    made = []
    for i in range(120):
        made.append(type(f"Made{i}", (Account,), {"index": i, "get": lambda self: self.index}))
    return sum(kind("x").get() for kind in made)


print(vectors(), accounts(), boxes(), records(), classes())
