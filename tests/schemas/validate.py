"""Judges documents by the schemas of docs/schemas with python3-jsonschema, which shares nothing with
Weir's parsers.

usage: validate.py SCHEMAS < CASES

CASES is a JSON list of {"schema": "fleet", "text": "...", "yaml": true, "definition": "..."}; the last
two may be missing. Prints a JSON list: null where the document is valid, else what is wrong with it.
"""

import json
import pathlib
import sys

import jsonschema
import yaml


def judge(folder, case):
    schema = json.loads((folder / f"{case['schema']}.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    if "definition" in case:
        schema = {"$ref": f"#/definitions/{case['definition']}", "definitions": schema["definitions"]}
    load = yaml.safe_load if case.get("yaml") else json.loads
    try:
        document = load(case["text"])
    except (ValueError, yaml.YAMLError) as error:
        return str(error)
    error = next(jsonschema.Draft7Validator(schema).iter_errors(document), None)
    return error and f"{'/'.join(map(str, error.absolute_path))}: {error.message}"


schemas = pathlib.Path(sys.argv[1])
print(json.dumps([judge(schemas, case) for case in json.load(sys.stdin)]))
