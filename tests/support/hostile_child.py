"""A child whose file has taken it over, in place of the one that inspects. Which one, its file says."""

import json
import os
import subprocess
import sys
import time

FOUND: dict[str, object] = {
    "kind": "text",
    "title": None,
    "launch": None,
    "standard": None,
    "pages": None,
    "text": "",
    "contents": [],
    "problems": [],
    "thumbnail": None,
    "sketch": [],
}
ANSWERS = {
    "no_json": b"found",
    "no_object": b"[]",
    "nothing": b"{}",
    "both": json.dumps({"found": FOUND, "costly": True}).encode(),
    "other_kind": json.dumps({"found": FOUND | {"kind": "exe"}}).encode(),
    "other_code": json.dumps({"refused": {"code": "token.invalid", "details": {}}}).encode(),
    "own_words": json.dumps({"refused": {"code": "file.damaged", "details": {}, "vi": "x", "en": "x"}}).encode(),
    "deep_details": json.dumps({"refused": {"code": "file.damaged", "details": {"a": {"b": 1}}}}).encode(),
    "long_text": json.dumps({"found": FOUND | {"text": "x" * 300_000}}).encode(),
    "number_as_text": json.dumps({"found": FOUND | {"pages": "3"}}).encode(),
    "half_a_letter": json.dumps({"found": FOUND | {"text": "\ud800"}}).encode(),
}


def main() -> None:
    mode = sys.stdin.read()
    if mode == "talks_on":
        while True:
            sys.stdout.write("x" * 65536)
    elif mode == "never_ends":
        sys.stdout.write(json.dumps({"found": FOUND}))
        sys.stdout.flush()
        os.close(1)
        time.sleep(600)
    elif mode == "leaves_another":
        subprocess.Popen(["/bin/sleep", "5"], start_new_session=True)
        time.sleep(600)
    elif mode == "dies":
        sys.stdout.write(json.dumps({"found": FOUND}))
        sys.stdout.flush()
        os.abort()
    else:
        sys.stdout.buffer.write(ANSWERS[mode])


if __name__ == "__main__":
    main()
