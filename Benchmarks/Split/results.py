"""The classifier rows of the table of split networks in Documentation/Results.md, by `murmur split simulate`.

usage: results.py [--murmur .build/release/murmur] [--runs 3] [--out runs/split] [--only NAME,…]
Each experiment leaves a folder with report.html, result.json and scenario.yaml; a table of all is printed at the end."""
import argparse, json, os, subprocess, sys

MNIST = {"set": "mnist"}
TRAINED = "{epochs: 8, rate: 0.004, drop: 95 %, links: 60 %}"
LEVELS = "{dead: [0, 2, 4, 8, 12], links: [30 %, 60 %]}"
EXPERIMENTS = {
    "sixteen": f"""
devices: {{count: 16}}
network: {{hidden: 40}}
training: {TRAINED}
test: {LEVELS}""",
    "four": """
devices: {count: 4}
network: {hidden: 64}
training: {epochs: 10, rate: 0.003, drop: 80 %, links: 60 %}
test: {dead: [0, 1, 2, 3], links: [30 %, 60 %]}""",
    "greedy": f"""
devices: {{count: 16}}
network: {{hidden: 40, scheme: greedy}}
training: {TRAINED}
test: {LEVELS}""",
    "plain": """
devices: {count: 16}
network: {hidden: 40, scheme: summed}
training: {epochs: 8, rate: 0.002, drop: 0 %, links: 0 %}
test: {dead: [0, 2, 4, 8, 12], links: [30 %, 60 %]}""",
    "forward-forward": """
devices: {count: 16}
network: {hidden: 32, scheme: {forward-forward: 0.3}}
training: {epochs: 10, rate: 0.003, drop: 80 %, links: 60 %}
test: {dead: [0, 2, 4, 8, 12], links: [60 %], central: false}""",
    "softhebb": """
devices: {count: 16}
network: {hidden: 64, depth: 1, scheme: {softhebb: 0.015}}
training: {epochs: 8, rate: 0.003, drop: 80 %, links: 60 %}
test: {dead: [0, 2, 4, 8, 12], links: [60 %], central: false}""",
    "barlow-twins": """
devices: {count: 16}
network: {hidden: 64, depth: 1, scheme: {barlow-twins: 0.01}}
training: {epochs: 8, rate: 0.003, drop: 80 %, links: 60 %}
test: {dead: [0, 2, 4, 8, 12], links: [60 %], central: false}""",
    "geometric": """
devices: {count: 16, graph: {geometric: 4}}
network: {hidden: 48, depth: 6}
training: {epochs: 8, rate: 0.003, drop: 50 %, links: 60 %}
test: {dead: [0, 2, 4, 8], links: [60 %], answers: {flood: 8}, central: false}""",
    "flapping": f"""
devices: {{count: 16}}
network: {{hidden: 40}}
training: {TRAINED}
faults: [{{flapping: {{share: 50 %, on: 1 s, off: 1 s}}}}]
test: {LEVELS}""",
    "joining": """
devices: {count: 16}
network: {hidden: 40}
training: {epochs: 3, rate: 0.004, drop: 90 %, links: 60 %}
faults: [{joins: {device: 5, step: 1400}}, {joins: {device: 6, step: 1400}}, {joins: {device: 9, step: 1400}}, {joins: {device: 10, step: 1400}}]
test: {dead: [0], links: [], central: false, steps: [1300, 1350, 1399, 1401, 1405, 1410, 1415, 1420, 1425, 1430, 1440, 1460, 1500, 1600, 1800]}""",
    "fashion": f"""
data: {{set: fashion-mnist}}
devices: {{count: 16}}
network: {{hidden: 40}}
training: {TRAINED}
test: {LEVELS}""",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--murmur", default=".build/release/murmur")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", default="runs/split")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else list(EXPERIMENTS)
    table = []
    for name in chosen:
        folder = os.path.join(options.out, name)
        os.makedirs(folder, exist_ok=True)
        text = EXPERIMENTS[name]
        if "data:" not in text: text = "\ndata: {set: mnist}" + text
        file = os.path.join(folder, "wanted.yaml")
        with open(file, "w") as f: f.write(f"name: {name}\nruns: {options.runs}\nseed: 1{text}\n")
        done = subprocess.run([options.murmur, "split", "simulate", file, "--out", folder])
        if done.returncode: sys.exit(f"{name} ended with {done.returncode}")
        table.append((name, json.load(open(os.path.join(folder, "result.json")))))
    print("\n| experiment | fault | accuracy, % | a device's own, % | at who asks, % |\n|---|---|---|---|---|")
    for name, result in table:
        for level in result["levels"]:
            spread = f" ± {level['deviation'] * 100:.2f}" if level["deviation"] is not None else ""
            print(f"| {name} | {level['name']} | {level['accuracy'] * 100:.2f}{spread} | {level['own'] * 100:.2f} | {level['asked'] * 100:.2f} |")
        for run in result["curve"]:
            if run: print(f"| {name} | while it learns | " + ", ".join(f"{p['step']}: {p['accuracy'] * 100:.2f}" for p in run) + " | | |")


main()
