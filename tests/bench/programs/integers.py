"""Small integers: loops, bits, a sieve, a string of conditions."""


def collatz(limit):
    longest = best = 0
    for start in range(1, limit):
        n, length = start, 0
        while n != 1:
            n = n * 3 + 1 if n & 1 else n >> 1
            length += 1
        if length > longest:
            longest, best = length, start
    return best


def run():
    sieve = bytearray([1]) * 300000
    for i in range(2, 548):
        if sieve[i]:
            for j in range(i * i, 300000, i):
                sieve[j] = 0
    fizz = 0
    for i in range(200000):
        if i % 15 == 0:
            fizz += 3
        elif i % 5 == 0 or i % 3 == 0:
            fizz ^= i
    checksum = 0
    for byte in bytes(range(256)) * 300:
        checksum = ((checksum << 5) ^ (checksum >> 27) ^ byte) & 0xFFFFFFFF
    return sum(sieve), fizz, checksum, collatz(6000)
