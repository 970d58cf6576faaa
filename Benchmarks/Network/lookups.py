"""Lookups in a Kademlia table over loopback: ours beside py-libp2p and hivemind, in turns in one run.

usage: lookups.py [ROUNDS=3] [PEERS=16,100] [path of node-bench]
Needs the peers of Tests/InteropTests/Peers/setup.sh and `swift build -c release --package-path Benchmarks/Network`.
Ours and py-libp2p have all peers in one process (ours on two loops), each with sockets of its own; a peer of hivemind is two processes, so
that it takes part up to 16 peers. py-libp2p takes minutes for each round of a hundred peers: there it has one round."""
import json, os, statistics, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
home = os.environ.get("INTEROP_HOME", os.path.expanduser("~/.cache/murmur-interop"))
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
counts = [int(n) for n in sys.argv[2].split(",")] if len(sys.argv) > 2 else [16, 100]
bench = sys.argv[3] if len(sys.argv) > 3 else os.path.join(here, ".build/release/node-bench")
results = {}


def run(who, count, command):
    try: out = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900).stdout
    except subprocess.TimeoutExpired: return print(json.dumps(dict(who=who, peers=count, failed="not done after 15 minutes")), flush=True)
    if not out.strip(): return print(json.dumps(dict(who=who, peers=count, failed="it ended without a word")), flush=True)
    # Ours says a line for each kind of lookup, the others one line with all.
    for line in map(json.loads, out.splitlines()):
        if "what" in line: line = {line["what"]: line}
        for what, seen in line.items():
            if not isinstance(seen, dict): continue
            results.setdefault((count, what, who), []).append((seen["per_s"], seen["found"], seen["asked"]))
            print(json.dumps(dict(who=who, peers=count, what=what, per_s=round(seen["per_s"], 1), found=seen["found"],
                                  asked=seen["asked"], load=os.getloadavg()[0])), flush=True)


for count in counts:
    for turn in range(rounds):
        run("ours", count, [bench, "lookups", str(count), "2", "500"])
        if count <= 16: run("hivemind", count, [f"{home}/hm/bin/python", f"{here}/dht_hivemind.py", str(count), "100"])
        if count <= 16 or turn == 0:
            run("py-libp2p", count, [f"{home}/p2p/bin/python", f"{here}/dht_pylp.py", str(count), "30" if count <= 16 else "20"])

print("\n| peers | lookup | who | a second, median (least … most) | found | ours beside it |\n|---|---|---|---|---|---|")
names = dict(closest="the nearest peers", put="put a value", get="get a value", find="find a peer")
for (count, what, who), rows in sorted(results.items(), key=lambda item: (item[0][0], item[0][1], item[0][2] != "ours")):
    speeds, middle = [row[0] for row in rows], statistics.median(row[0] for row in rows)
    kind, _, order = what.partition("_")
    own = results.get((count, what, "ours"))
    ratio = "" if who == "ours" or not own else f"{statistics.median(row[0] for row in own) / middle:.1f} ×"
    print(f"| {count} | {names.get(kind, kind)}, {'one after the other' if order == 'seq' else '32 at a time'} | {who} | "
          f"{middle:.1f} ({min(speeds):.1f} … {max(speeds):.1f}) | {sum(row[1] for row in rows)} of {sum(row[2] for row in rows)} | {ratio} |")
