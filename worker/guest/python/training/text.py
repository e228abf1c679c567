# Training for the profile: strings, formatting, regular expressions, parsing, encodings.
import base64
import csv
import difflib
import html
import io
import json
import random
import re
import string
import textwrap
import urllib.parse

rng = random.Random(3)
WORDS = ["alpha", "Beta", "gamma_3", "x=4;", "2024-05-17", "http://host/a?b=c", "\"quoted\"",
         "naïve", "straße", "日本", "12.50", "foo@example.org", "<b>"]
TEXT = " ".join(rng.choice(WORDS) for _ in range(4000))


def methods():
    parts = TEXT.split()
    joined = ",".join(parts)
    found = [joined.find("gamma", i) for i in range(0, 3000, 7)]
    lines = "\n".join(parts[:900]).splitlines()
    cleaned = [line.strip(" ;\"").lower().replace("=", ":") for line in lines]
    counted = {}
    for character in TEXT:
        counted[character] = counted.get(character, 0) + 1
    flags = [(w.isdigit(), w.isalpha(), w.startswith("al"), w.endswith(";")) for w in parts]
    table = str.maketrans("aeiou", "AEIOU")
    return len(found), TEXT.title()[:9], TEXT.translate(table)[:9], TEXT.count("alpha"), \
        TEXT.partition("Beta")[1], TEXT.zfill(3)[:1], len(set(cleaned)), len(counted), sum(
            a for a, *_ in flags), TEXT[::-1][:5], TEXT.casefold().upper()[:5], "%-9s|" % "a"


def formatting():
    out = []
    for i in range(2500):
        out.append(f"{i:>6}|{i / 7:.3f}|{i:#x}|{i!r:<5}|{'yes' if i % 2 else 'no'}")
        out.append("%05d %s %.2e %c" % (i, "s", i * 1.5, 65 + i % 26))
        out.append("{0[0]:^9}{name}".format([i], name="n"))
    return sum(map(len, out))


def expressions():
    total = 0
    for pattern in (r"\b[a-z]+\b", r"(\d{4})-(\d\d)-(\d\d)", r"(?P<user>\w+)@(?P<host>[\w.]+)",
                    r"https?://[^\s/]+(/\S*)?", r"(?i)BETA|gamma", r"\"([^\"]*)\"", r"(\w)\1",
                    r"^\S+", r"(?<=x=)\d+", r"[^\W\d_]+?a"):
        compiled = re.compile(pattern)
        total += len(compiled.findall(TEXT[:12000]))
        total += sum(match.end() - match.start() for match in compiled.finditer(TEXT[:6000]))
        total += len(compiled.sub("-", TEXT[:6000]))
    total += len(re.split(r"[;\s,]+", TEXT))
    total += len(re.sub(r"\d+", lambda match: str(int(match[0]) + 1), TEXT[:8000]))
    for i in range(60):
        re.compile("a%d(b|c)*[x-z]{1,%d}" % (i, i + 1))
    return total


TOKEN = re.compile(r"\s*(?:(\d+\.?\d*)|(\w+)|(.))")


class Calculator:
    """Recursive descent over the tokens of an expression."""

    def __init__(self, text):
        self.tokens = [match.groups() for match in TOKEN.finditer(text)]
        self.position = 0

    def peek(self):
        return self.tokens[self.position][2] if self.position < len(self.tokens) else None

    def expression(self):
        value = self.term()
        while self.peek() in ("+", "-"):
            operator = self.tokens[self.position][2]
            self.position += 1
            value = value + self.term() if operator == "+" else value - self.term()
        return value

    def term(self):
        value = self.factor()
        while self.peek() in ("*", "/"):
            operator = self.tokens[self.position][2]
            self.position += 1
            value = value * self.factor() if operator == "*" else value / self.factor()
        return value

    def factor(self):
        number, name, other = self.tokens[self.position]
        self.position += 1
        if other == "(":
            value = self.expression()
            self.position += 1
            return value
        return float(number) if number else float(len(name))


def calculators():
    return sum(Calculator(f"(1 + {i}) * 3 - abc / (2 + {i} * 4.5) + ((7))").expression()
               for i in range(500))


def documents():
    rows = [{"id": i, "name": f"näme {i}", "tags": ["a", None, True, 1.5], "in": {"x": i / 3}}
            for i in range(900)]
    encoded = json.dumps(rows)
    decoded = json.loads(encoded)
    pretty = json.dumps(decoded[:60], indent=2, sort_keys=True, ensure_ascii=False)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["id", "name"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(decoded)
    buffer.seek(0)
    read = list(csv.DictReader(buffer))
    return len(encoded), len(pretty), read[5]["name"], len(json.loads(pretty, parse_float=str))


def encodings():
    raw = TEXT.encode("utf-8")
    out = [raw.decode("utf-8"), raw.decode("latin-1"), TEXT.encode("utf-16").decode("utf-16"),
           base64.b64decode(base64.b64encode(raw)), raw.hex(), bytes.fromhex(raw[:50].hex())]
    data = bytearray(raw)
    for i in range(0, 3000, 2):
        data[i] ^= 0x20
    view = memoryview(bytes(data))
    return [len(item) for item in out], sum(view[:500]), bytes(data).count(b"a"), \
        raw.split(b" ")[:2], html.escape(TEXT[:3000])[:5], urllib.parse.quote(TEXT[:900])[:5], \
        urllib.parse.parse_qs("a=1&b=2&a=3"), urllib.parse.urlsplit("http://u@h:1/p?q#f").port


def layouts():
    template = string.Template("$who likes ${what}")
    made = [template.substitute(who=i, what="tea") for i in range(200)]
    wrapped = textwrap.fill(TEXT[:5000], 60)
    shorter = textwrap.dedent("\n".join("    " + line for line in wrapped.splitlines()))
    close = difflib.get_close_matches("gama", WORDS, 3, 0.3)
    changed = list(difflib.unified_diff(made[:40], made[5:45]))
    stream = io.StringIO(TEXT.replace(" ", "\n"))
    lines = sum(1 for line in stream if "a" in line)
    out = io.StringIO()
    for i in range(3000):
        print(i, "item", i * 2, sep=", ", file=out)
    return len(shorter), close, len(changed), lines, len(out.getvalue())


print(methods(), formatting(), expressions(), calculators(), documents(), encodings(), layouts())
