"""Big integers: multiplication, division, powers, decimal text."""


def digits_of_pi(count):
    """Spigot of Gibbons."""
    q, r, t, k, n, l = 1, 0, 1, 1, 3, 3
    digits = []
    while len(digits) < count:
        if 4 * q + r - t < n * t:
            digits.append(n)
            q, r, n = q * 10, 10 * (r - n * t), 10 * (3 * q + r) // t - 10 * n
        else:
            q, r, t, k, n, l = (q * k, (2 * q + r) * l, t * l, k + 1,
                                (q * (7 * k + 2) + r * l) // (t * l), l + 2)
    return digits


def run():
    digits = digits_of_pi(700)
    a, b = 0, 1
    for _ in range(12000):
        a, b = b, a + b
    prime = (1 << 607) - 1
    powers = sum(pow(base, prime - 2, prime) & 0xFFFF for base in range(2, 12))
    product = 1
    for i in range(1, 1500):
        product *= i
    return sum(digits), len(str(a)), powers, product % 1000003, int(str(b)) == b
