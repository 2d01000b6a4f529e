"""Brings the official schemas of SPDX 2.3 and CycloneDX 1.5 into a folder, each with the digest below.

usage: official.py FOLDER

They are not ours to copy, so they are fetched from their projects' own repositories, by tag. What is in the
folder already is not fetched again.
"""

import hashlib
import pathlib
import sys
import urllib.request

CYCLONEDX = "https://raw.githubusercontent.com/CycloneDX/specification/1.5/schema/"
SCHEMAS = {
    "spdx-schema.json":
        ("https://raw.githubusercontent.com/spdx/spdx-spec/v2.3/schemas/",
         "239208b7ac287b3cf5d9a9af23f9d69863971102a5e1587a27a398b43490b89b"),
    "bom-1.5.schema.json":
        (CYCLONEDX, "067f7824b08653839ea050ae9e09ca48375eadc2652b0e2a299476e7db90335b"),
    "spdx.schema.json":
        (CYCLONEDX, "4f6e2b05c05d26a4f2dc5879fbc2fca94b0a28db46289d0c51345621b71cfbfc"),
    "jsf-0.82.schema.json":
        (CYCLONEDX, "8bae002c25e723db7ee1f26afde680ae1a2b1a8f6b4b4b0fd65dc3becb090aae"),
}


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name, (base, digest) in SCHEMAS.items():
    path = folder / name
    if path.exists() and digest_of(path.read_bytes()) == digest:
        continue
    try:
        with urllib.request.urlopen(base + name, timeout=30) as answer:
            content = answer.read(4 << 20)
    except OSError as error:
        sys.exit(f"{base}{name}: {error}: put the file into {folder} by other means, its digest is checked")
    if digest_of(content) != digest:
        sys.exit(f"{base}{name}: has the digest {digest_of(content)}, not {digest}")
    path.write_bytes(content)
