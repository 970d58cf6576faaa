#!/usr/bin/env python3
"""The table of Documentation/Results.md: runs `murmur simulate` for every row and seed, and prints mean and spread over seeds.

usage: Benchmarks/results.py [SEEDS=5] [ROW…]      seeds are 101, 102, …: none of them was looked at while choosing defaults
            rows: digits digits80 offline mnist mnist80 higgs higgs80 writers late; all by default
"late" prints how far a peer that joins at half-time is below the others' mean when its third cycle ends.
Needs .build/release/murmur (make demo builds it) and, but for digits, the data sets (MURMUR_DATA)."""
import csv, json, os, statistics as st, subprocess, sys, tempfile, time

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
murmur = os.path.join(root, ".build", "release", "murmur")
digits = ["--data", "digits", "--peers", "20", "--rows", "70", "--hidden", "64"]
mnist = ["--data", "mnist", "--peers", "20", "--rows", "500", "--hidden", "64"]
higgs = ["--data", "higgs", "--peers", "20", "--rows", "700", "--hidden", "64,64"]
rows = {
    "digits": [("digits, nobody offline", digits)],
    "digits80": [("digits, 80 % offline", digits + ["--offline", "0.8"])],
    "offline": [(f"digits, {p} % offline", digits + ["--offline", str(p / 100)]) for p in (20, 40, 60)],
    "higgs": [("HIGGS, nobody offline", higgs)],
    "higgs80": [("HIGGS, 80 % offline", higgs + ["--offline", "0.8"])],
    "mnist": [("MNIST, nobody offline", mnist)],
    "mnist80": [("MNIST, 80 % offline", mnist + ["--offline", "0.8"])],
    "writers": [("MNIST by writer, nobody offline", [os.path.join(root, "Examples", "writers.yaml")])],
}
seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
print("| run | seeds | alone | central | together | gap closed | spread together / alone | MB sent a peer |\n|---|---|---|---|---|---|---|---|")
def late():
    short = []
    for seed in range(101, 101 + seeds):
        with tempfile.TemporaryDirectory() as out:
            subprocess.run([murmur, "simulate", os.path.join(root, "Examples", "late.yaml"), "--seed", str(seed), "--out", out], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            joined = json.load(open(os.path.join(out, "result.json")))["virtualSeconds"] / 2
            with open(os.path.join(out, "series.csv"), encoding="utf-8-sig") as file: table = list(csv.DictReader(file))
        # Its first cycle begins within a pace of its joining, and three cycles take three paces and a tenth each.
        row = next(r for r in table if float(r["time"]) >= joined + 4.3 * 60)
        mean, own = float(row["accuracyMean"]), float(row["accuracyLate"])
        short.append((20 * mean - own) / 19 - own)
    print(f"\nlate joiner, {seeds} seeds: {st.mean(short):.2f} ± {st.pstdev(short):.2f} points below the others' mean after three of its cycles "
          f"(each seed: {', '.join(f'{s:.2f}' for s in short)})")

for name in sys.argv[2:] or [*rows, "late"]:
    if name == "late":
        late()
        continue
    for title, options in rows[name]:
        found = []
        for seed in range(101, 101 + seeds):
            with tempfile.TemporaryDirectory() as out:
                subprocess.run([murmur, "simulate", *options, "--seed", str(seed), "--out", out], check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                found.append(json.load(open(os.path.join(out, "result.json"))))
        mean = lambda f: st.mean(f(r) for r in found)
        sd = lambda f: st.pstdev(f(r) for r in found)
        print(f"| {title} | {seeds} | {mean(lambda r: r['alone']['mean']):.1f} | {mean(lambda r: r['central']):.1f} | "
              f"{mean(lambda r: r['together']['mean']):.1f} | {mean(lambda r: r['gapClosed']):.3f} ± {sd(lambda r: r['gapClosed']):.3f} | "
              f"{mean(lambda r: r['together']['spread']):.2f} / {mean(lambda r: r['alone']['spread']):.1f} | "
              f"{mean(lambda r: r['bytesSent']['perPeer']) / 1e6:.1f} |", flush=True)
