#!/usr/bin/env bash
# skopeo 1.9.3
#
# `skopeo copy oci:A:TAG oci:B:TAG` keeps every digest and yet loses text: annotations of the manifest travel (they
# are its bytes), those of its entry in index.json do not, and neither do the index's own; --preserve-digests does
# not speak of them. In a folder that is there already, other entries keep theirs, the entry of the copied tag is
# replaced without its own, and members of the index that this skopeo does not know (artifactType) go with the
# first copy into it. What must survive a copy belongs into the manifest or beside it.
#
# Seen, after copying v1 into a new folder:
#   digest of the manifest                                     same
#   annotations of its entry                                   ref.name
#   annotations of the index                                   none
# after copying it as v1 over itself and as v2, in a folder of one's own:
#   annotations of entry v0, which was not copied              ref.name mine
#   annotations of entry v1                                    ref.name
#   annotations of the index                                   mine
#   artifactType of the index                                  none
. "${0%/*}/pinned.sh"
pinned skopeo=1.9.3+ds1-1+b10

cat >"$work/make.py" <<'X'
import hashlib, json, os, sys
os.makedirs("a/blobs/sha256")

def put(data):
    digest = hashlib.sha256(data).hexdigest()
    open("a/blobs/sha256/" + digest, "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}

kind = "application/vnd.oci.image."
empty = hashlib.sha256(bytes(1024)).hexdigest()
config = put(json.dumps({"architecture": "amd64", "os": "linux",
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + empty]}}).encode())
layer = put(bytes(1024))
manifest = put(json.dumps({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                           "config": {"mediaType": kind + "config.v1+json", **config},
                           "layers": [{"mediaType": kind + "layer.v1.tar", **layer}],
                           "annotations": {"org.example.mine": "kept"}}).encode())

def entry(tag):
    return {"mediaType": kind + "manifest.v1+json", **manifest,
            "annotations": {"org.opencontainers.image.ref.name": tag, "org.example.mine": "kept"}}

json.dump({"imageLayoutVersion": "1.0.0"}, open("a/oci-layout", "w"))
json.dump({"schemaVersion": 2, "artifactType": "application/x.example", "manifests": [entry("v0"), entry("v1")],
           "annotations": {"org.example.mine": "kept"}}, open("a/index.json", "w"))
X
cat >"$work/ask.py" <<'X'
import json, sys
index = json.load(open(sys.argv[1] + "/index.json"))
what = sys.argv[2]
short = lambda notes: " ".join(name.rsplit("image.", 1)[-1].rsplit("example.", 1)[-1] for name in notes or {}) or "none"
if what in ("annotations", "artifactType"):
    value = index.get(what)
    print(short(value) if what == "annotations" else value or "none")
else:
    for one in index["manifests"]:
        notes = one.get("annotations", {})
        if notes.get("org.opencontainers.image.ref.name") == what:
            print(one["digest"] if len(sys.argv) > 3 else short(dict(sorted(notes.items(), reverse=True))))
X
cd "$work"
python3 make.py
cp -r a mine
copy() { "$root/usr/bin/skopeo" --insecure-policy copy -q --preserve-digests "$1" "$2"; }
copy oci:a:v1 oci:new:v1
copy oci:a:v1 oci:mine:v1
copy oci:a:v1 oci:mine:v2
ask() { python3 ask.py "$@"; }
seen 'digest of the manifest' same "$([ "$(ask a v1 digest)" = "$(ask new v1 digest)" ] && echo same || echo other)"
seen 'annotations of its entry' ref.name "$(ask new v1)"
seen 'annotations of the index' none "$(ask new annotations)"
seen 'annotations of entry v0, which was not copied' 'ref.name mine' "$(ask mine v0)"
seen 'annotations of entry v1' ref.name "$(ask mine v1)"
seen 'annotations of the index' mine "$(ask mine annotations)"
seen 'artifactType of the index' none "$(ask mine artifactType)"
verdict
