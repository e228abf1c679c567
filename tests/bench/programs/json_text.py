"""JSON: reading and writing nested documents."""
import json


def run():
    document = {
        "users": [{"id": i, "name": f"user {i}", "score": i / 7, "tags": ["a", "bé", None, True],
                   "nested": {"deep": {"deeper": list(range(i % 5))}}} for i in range(400)],
        "text": "line\n\"quoted\"\t\u2028" * 200,
    }
    length = 0
    for _ in range(12):
        text = json.dumps(document)
        document = json.loads(text)
        length += len(text)
    pretty = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    pairs = json.loads(pretty, object_pairs_hook=lambda items: len(items))
    return length, len(pretty), pairs
