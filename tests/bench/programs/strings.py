"""Strings: formatting, splitting, joining, searching, encoding."""


def run():
    lines = [f"{i:06d};{i * 3.5:.2f};item-{i % 97:x};{'yes' if i & 1 else 'no'}"
             for i in range(25000)]
    text = "\n".join(lines)
    fields = total = 0
    for line in text.split("\n"):
        parts = line.split(";")
        fields += len(parts)
        total += int(parts[0]) + len(parts[2].partition("-")[2])
    swapped = text.replace("item", "thing").upper().lower().title().swapcase()
    found = start = 0
    while (start := text.find("item-2a", start)) >= 0:
        found += 1
        start += 1
    shifted = {ord(c): chr((ord(c) - 48 + 3) % 10 + 48) for c in "0123456789"}
    caesar = text[:20000].translate(shifted)
    encoded = ("é中" + text).encode("utf-8")
    reverse = "".join(reversed(text[:50000]))
    return (fields, total, len(swapped), found, caesar[:12], len(encoded.decode("utf-8")),
            reverse[:5], sum(line.startswith("0001") for line in lines),
            len(repr(text[:10000])), "%s|%5d|%-8s|%.3e" % ("a", 42, "b", 12345.678))
