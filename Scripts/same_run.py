"""Compares two result.json files of one seed: python3 Scripts/same_run.py FIRST SECOND LABEL"""

import glob
import hashlib
import json
import os
import sys


def load(path):
    with open(path, encoding="utf-8") as file:
        run = json.load(file)
    # A split network's models are the units of its devices, as files.
    units = sorted(glob.glob(os.path.join(os.path.dirname(path), "network", "*.safetensors")))
    if units and "peers" not in run:
        run["seed"] = (run.get("seeds") or [None])[0]
        run["peers"] = [{"model": hashlib.sha256(open(unit, "rb").read()).hexdigest()} for unit in units]
    return run


def differences(first, second):
    """What differs between two runs that should be one, in words."""
    found = []
    for key in ("seed", "trace"):
        if first.get(key) in (None, ""):
            found.append(f"the first run has no {key}")
        elif first[key] != second.get(key):
            found.append(f"{key} {first[key]} against {second.get(key)}")
    models = [[peer.get("model") for peer in run.get("peers", [])] for run in (first, second)]
    if not models[0] or not all(models[0]):
        found.append("the first run does not name every peer's model")
    elif len(models[0]) != len(models[1]):
        found.append(f"{len(models[0])} peers against {len(models[1])}")
    else:
        for number, (one, other) in enumerate(zip(*models)):
            if one != other:
                found.append(f"peer {number}: model {one} against {other}")
    # Everything else that does not depend on the machine's clock, threads and processor has to be equal too.
    ignored = {"wallSeconds", "peerCyclesPerSecond", "sessionSeconds", "threads", "versions", "command", "trace", "seed", "peers", "trainingSeconds"}
    for key in sorted(first.keys() | second.keys()):
        if key not in ignored and first.get(key) != second.get(key):
            found.append(f"{key}: {first.get(key)} against {second.get(key)}")
    return found


def main():
    first, second, label = load(sys.argv[1]), load(sys.argv[2]), sys.argv[3]
    found = differences(first, second)
    if found:
        print(f"DIFFERS {label}: " + "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else ""))
        sys.exit(1)
    print(f"ok      {label}: trace {first['trace'][:16]}, {len(first['peers'])} models")


if __name__ == "__main__":
    main()
