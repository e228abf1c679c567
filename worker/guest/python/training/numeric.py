# Training for the profile: integers of all sizes, floats, complex numbers, exact numbers.
import array
import cmath
import decimal
import fractions
import math
import random
import statistics
import struct

rng = random.Random(8)


def small_integers():
    total = 0
    number = 1
    while number < 60000:
        if number % 3 == 0 or number % 5 == 0 and not number & 1:
            total += number
        elif number ^ 5 > number | 2:
            total -= number >> 1
        number += 1
    steps = 0
    for start in range(1, 900):
        while start != 1:
            start = start // 2 if start % 2 == 0 else 3 * start + 1
            steps += 1
    return total, steps


def common_divisors():
    def gcd(a, b):
        while b:
            a, b = b, a % b
        return a
    return sum(gcd(a, b) for a in range(1, 110) for b in range(1, 110)), math.gcd(2**80, 6**50)


def factors(limit):
    smallest = list(range(limit))
    for number in range(2, int(limit ** 0.5) + 1):
        if smallest[number] == number:
            for multiple in range(number * number, limit, number):
                if smallest[multiple] == multiple:
                    smallest[multiple] = number
    return sum(1 for number in range(2, limit) if smallest[number] == number)


def long_integers():
    a, b = 0, 1
    for _ in range(3000):
        a, b = b, a + b
    factorial = math.factorial(600)
    text = str(factorial)
    back = int(text)
    root = math.isqrt(back)
    modular = [pow(3, exponent, 2**127 - 1) for exponent in range(10**9, 10**9 + 60)]
    quotients = [divmod(factorial, 7**n) for n in range(1, 200, 9)]
    return len(str(a)), back == factorial, root.bit_length(), sum(modular) % 997, \
        len(quotients), (a << 77) >> 33 & 0xffff, hex(b)[:9], -a % b == 1, a.to_bytes(300)[:2], \
        int.from_bytes(b"\xff" * 40, "little") % 1000003, factorial.bit_count()


def floats():
    total = 0.0
    for i in range(1, 40000):
        total += 1.0 / (i * i) - 0.5 / (i + 1.5)
        if total > 2.0:
            total -= 1.0
    orbit = 0.3
    for _ in range(20000):
        orbit = 3.7 * orbit * (1.0 - orbit)
    values = [math.sin(i) * math.exp(-i / 500) + math.log(i + 1) + math.sqrt(i)
              for i in range(5000)]
    rounded = [round(value, 2) for value in values]
    return total, orbit, math.fsum(values), sum(rounded), math.hypot(3, 4), \
        [repr(value) for value in values[:300]][-1], [float(f"{v:.6f}") for v in values[:300]][-1]


def integrate(function, low, high, steps):
    width = (high - low) / steps
    return width * sum(function(low + (i + 0.5) * width) for i in range(steps))


def particles():
    bodies = [[rng.random(), rng.random(), 0.0, 0.0] for _ in range(14)]
    for _ in range(40):
        for body in bodies:
            for other in bodies:
                if other is body:
                    continue
                dx = other[0] - body[0]
                dy = other[1] - body[1]
                pull = 0.0001 / (dx * dx + dy * dy + 0.01)
                body[2] += dx * pull
                body[3] += dy * pull
        for body in bodies:
            body[0] += body[2]
            body[1] += body[3]
    return sum(body[0] for body in bodies)


def transform(values):
    """A recursive fast Fourier transform."""
    size = len(values)
    if size == 1:
        return values
    even, odd = transform(values[0::2]), transform(values[1::2])
    turned = [cmath.exp(-2j * cmath.pi * k / size) * odd[k] for k in range(size // 2)]
    return [even[k] + turned[k] for k in range(size // 2)] + \
        [even[k] - turned[k] for k in range(size // 2)]


def exact():
    decimal.getcontext().prec = 40
    total = decimal.Decimal(0)
    for i in range(1, 1500):
        total += decimal.Decimal(1) / i
    harmonic = sum(fractions.Fraction(1, i) for i in range(1, 120))
    return str(total), harmonic.limit_denominator(1000), decimal.Decimal("2").sqrt(), \
        total.quantize(decimal.Decimal("0.01"))


def samples():
    values = [rng.gauss(10, 3) for _ in range(4000)]
    order = list(range(2000))
    rng.shuffle(order)
    picked = [rng.choice(order) for _ in range(3000)] + rng.sample(order, 200)
    return statistics.mean(values), statistics.pstdev(values), statistics.median(picked), \
        sum(rng.randint(1, 6) for _ in range(4000)), rng.uniform(1, 2), rng.getrandbits(100)


def packed():
    numbers = array.array("d", (i * 0.5 for i in range(3000)))
    raw = struct.pack("<3000d", *numbers)
    back = struct.unpack("<3000d", raw)
    records = [struct.unpack_from("<IHb", raw, offset) for offset in range(0, 9000, 9)]
    return sum(numbers), back == tuple(numbers), len(records)


print(small_integers(), common_divisors(), factors(30000), long_integers(), floats(),
      integrate(lambda x: x * x * math.cos(x), 0, 3, 15000), particles(),
      abs(sum(transform([complex(i % 7, 0) for i in range(512)]))), exact(), samples(), packed())
