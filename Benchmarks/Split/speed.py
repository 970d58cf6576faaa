"""Steps a second of a split classifier in one process: ours beside PyTorch's masked version of the same network, in turns, one thread each.

usage: speed.py [ROUNDS=3] [MURMUR=.build/release/murmur] [PYTHON=python3 with torch]
Then a step's cost per device of 1,000 devices (degree 6) beside 16, ours alone, with 16 neurons and batches of 32, and with 32 and 64; the
first also where computing takes no virtual time; on one thread and on two each. Needs MURMUR_DATA with MNIST."""
import json, os, statistics, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
murmur = sys.argv[2] if len(sys.argv) > 2 else os.path.join(here, "../../.build/release/murmur")
python = sys.argv[3] if len(sys.argv) > 3 else "python3"
folder = tempfile.mkdtemp(prefix="murmur-split-")


def ours(text):
    file = os.path.join(folder, "wanted.yaml")
    with open(file, "w") as f: f.write(text)
    subprocess.run([murmur, "split", "simulate", file, "--out", folder], check=True, capture_output=True)
    result = json.load(open(os.path.join(folder, "result.json")))
    return result["steps"] / result["trainingSeconds"]


def torch():
    out = subprocess.run([python, os.path.join(here, "masked_torch.py"), "200", "16", "32", "3", "64", "1"], check=True, capture_output=True, text=True)
    return float(out.stdout.split()[0])


SAME = """
name: speed
threads: 1
data: {set: mnist, test: 100}
devices: {count: 16}
network: {hidden: 32, depth: 3}
training: {epochs: 1, batch: 64, drop: 90 %, links: 60 %}
test: {dead: [0], links: [], central: false}
"""
a, b = [], []
for _ in range(rounds):
    a.append(ours(SAME))
    b.append(torch())
    print(f"ours {a[-1]:.0f}, PyTorch {b[-1]:.0f} steps a second, load {os.getloadavg()[0]:.1f}", flush=True)
print(f"ours {statistics.median(a):.0f}, PyTorch {statistics.median(b):.0f}: {statistics.median(x / y for x, y in zip(a, b)):.2f} x")

table = os.path.join(folder, "sensors.csv")
with open(table, "w") as f:
    import random
    chance = random.Random(1)
    f.write(",".join(f"s{i}" for i in range(1000)) + ",label\n")
    for _ in range(400):
        row = [chance.gauss(0, 1) for _ in range(1000)]
        f.write(",".join(f"{x:.3f}" for x in row) + f",{int(sum(row) > 0)}\n")


def cost(devices, steps, hidden, batch, speed, threads):
    columns = ", ".join(f'"{i}"' for i in range(devices))
    text = f"""
name: crowd
threads: {threads}
data: {{set: {table}, label: label, deal: {{columns: [{columns}]}}, test: 50}}
devices: {{count: {devices}, graph: {{geometric: 6}}, speed: {speed}}}
network: {{hidden: {hidden}, depth: 3}}
training: {{epochs: {steps / (320 // batch)}, batch: {batch}, drop: 50 %, links: 50 %}}
test: {{dead: [0], links: [], central: false}}
"""
    return 1 / ours(text) / devices


for hidden, batch, steps, speed in [(16, 32, 2000, 2), (32, 64, 500, 2), (16, 32, 2000, 0)]:
    costs = {1: ([], []), 2: ([], [])}
    for _ in range(rounds):
        for threads, (few, many) in costs.items():
            few.append(cost(16, steps, hidden, batch, speed, threads))
            many.append(cost(1000, steps // 10, hidden, batch, speed, threads))
            print(f"{hidden} neurons, batch {batch}, speed {speed}, {threads} threads: a step costs a device of 16 {few[-1] * 1e6:.1f} µs, of 1,000 {many[-1] * 1e6:.1f} µs", flush=True)
    for threads, (few, many) in costs.items():
        print(f"{threads} threads: 1,000 devices beside 16: {statistics.median(y / x for x, y in zip(few, many)):.2f} x a device and step", flush=True)
