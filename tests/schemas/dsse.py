"""Checks a DSSE envelope with openssl, from the specifications alone.

usage: dsse.py ENVELOPE MINISIGN_PUB

Ed25519 (RFC 8032) over PAE(payloadType, payload) as secure-systems-lab/dsse protocol.md 1.0.2 has it; the
key is bytes 10 to 41 of a minisign public key, wrapped as RFC 8410 says. Exits 1 where no signature fits;
prints the payload.
"""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile

envelope = json.loads(pathlib.Path(sys.argv[1]).read_text())
raw = base64.b64decode(pathlib.Path(sys.argv[2]).read_text().splitlines()[1])
kind = envelope["payloadType"].encode()
payload = base64.b64decode(envelope["payload"])
encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
fits = False
with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    (place / "key.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + raw[10:42])
    (place / "message").write_bytes(encoded)
    for signature in envelope["signatures"]:
        (place / "signature").write_bytes(base64.b64decode(signature["sig"]))
        done = subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", place / "key.der",
             "-rawin", "-in", place / "message", "-sigfile", place / "signature"],
            capture_output=True, check=False)
        fits = fits or done.returncode == 0
sys.stdout.buffer.write(payload)
sys.exit(not fits)
