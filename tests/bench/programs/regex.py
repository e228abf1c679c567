"""Regular expressions: searching, capturing, replacing, backtracking."""
import re


def run():
    entry = '10.0.{}.{} - - [12/Mar/2024:10:{:02d}:00] "GET /path/{}?q={} HTTP/1.1" {} {}\n'
    log = "".join(entry.format(i % 256, i % 199, i % 60, i, i * 7, (200, 404, 500)[i % 3], i * 13)
                  for i in range(3000))
    pattern = re.compile(r'^(\d+\.\d+\.\d+\.\d+) .*?"(\w+) (\S+) HTTP/[\d.]+" (\d{3}) (\d+)$', re.M)
    size = sum(int(match.group(5)) for match in pattern.finditer(log) if match.group(4) == "200")
    queries = re.findall(r"\?q=(\d*[02468])\b", log)
    masked = re.sub(r"(\d+)\.(\d+)\.\d+\.\d+", r"\1.\2.x.x", log)
    words = re.split(r"[\s\"/?&=]+", log)
    names = re.sub(r"[a-z]{3,}", lambda match: match.group().capitalize(), log)
    nested = len(re.findall(r"(?:a|ab)(?:c|bcd)(?:d*)", "abcdabcdacdabbcd" * 2000))
    return size, len(queries), len(masked), len(words), names.count("Path"), nested
