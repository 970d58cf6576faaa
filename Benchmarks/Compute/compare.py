#!/usr/bin/env python3
"""Measures compute-bench beside PyTorch, interleaved, one thread each, and prints a table of median ratios and a line of JSON.

usage: compare.py [--rounds 9] [--seconds 0.25] [--bench PATH] [--only TEXT]

Run it with a Python that has torch and numpy. Each round measures PyTorch in each of its settings (plain and fused Adam; denormals kept and
flushed), then ours, each for --seconds; rates are per CPU second of the measuring thread, so that other work on the machine disturbs
little. PyTorch's setting with the best median is what ours is divided by. --bench is built by `swift build -c release` in this folder.
"""
import argparse, json, os, statistics, subprocess, sys, time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"): os.environ[name] = "1"
import torch
from torch import nn
torch.set_num_threads(1)

here = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=9)
parser.add_argument("--seconds", type=float, default=0.25)
parser.add_argument("--bench", default=os.path.join(here, ".build/release/compute-bench"))
parser.add_argument("--only", default="")
options = parser.parse_args()

ours = subprocess.Popen([options.bench], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def ask(line):
    ours.stdin.write(line + "\n"); ours.stdin.flush()
    answer = ours.stdout.readline()
    if not answer: sys.exit(f"compute-bench ended at '{line}'")
    return json.loads(answer)

def rate(step, amount):
    step()
    calls, turns, begin, cpu = 0, 1, time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < options.seconds:
        for _ in range(turns): step()
        calls += turns; turns = min(turns * 2, 64)
    return calls * amount / (time.process_time() - cpu)

def dense(*widths):
    layers = []
    for i in range(len(widths) - 1):
        layers.append(nn.Linear(widths[i], widths[i + 1]))
        if i < len(widths) - 2: layers.append(nn.ReLU())
    return nn.Sequential(*layers)

def lenet():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))

def training(make, shape, classes, batch):
    settings = {}
    for fused in (False, True):
        for flush in (False, True):
            torch.manual_seed(0)
            model = make(); optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused); loss = nn.CrossEntropyLoss()
            x = torch.randn(16, batch, *shape); y = torch.randint(0, classes, (16, batch)); turn = [0]
            def step(model=model, optimiser=optimiser, loss=loss, x=x, y=y, turn=turn):
                i = turn[0]; turn[0] = (i + 1) & 15
                optimiser.zero_grad(); loss(model(x[i]), y[i]).backward(); optimiser.step()
            def measure(step=step, flush=flush):
                torch.set_flush_denormal(flush)
                result = rate(step, batch)
                torch.set_flush_denormal(False)
                return result
            settings[("fused" if fused else "plain") + (", flushed" if flush else "")] = measure
    return settings

def product(size):
    a, b, c = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    return {"mm": lambda: rate(lambda: torch.mm(a, b, out=c), 2e-9 * size ** 3)}

cases = [
    ("28-64-64-2, batch 32", lambda: training(lambda: dense(28, 64, 64, 2), (28,), 2, 32), "train 28-64-64-2 32", 15, 25),
    ("28-64-64-2, batch 128", lambda: training(lambda: dense(28, 64, 64, 2), (28,), 2, 128), "train 28-64-64-2 128", 7, 10),
    ("28-64-64-2, batch 1024", lambda: training(lambda: dense(28, 64, 64, 2), (28,), 2, 1024), "train 28-64-64-2 1024", 2.8, 4),
    ("64-64-10, batch 32", lambda: training(lambda: dense(64, 64, 10), (64,), 10, 32), "train 64-64-10 32", None, None),
    ("784-256-128-10, batch 64", lambda: training(lambda: dense(784, 256, 128, 10), (784,), 10, 64), "train 784-256-128-10 64", 1.5, 2.2),
    ("lenet5, batch 64", lambda: training(lenet, (1, 28, 28), 10, 64), "train lenet5 64", 3, 8),
    ("square product 256", lambda: product(256), "product 256", 1.7, 2.2),
    ("square product 1024", lambda: product(1024), "product 1024", 1.7, 2.2),
]

peak = ask("peak")
results = []
print(f"kernels {peak['kernels']}, this core's limit {peak['percpu']:.0f} GFLOP/s, PyTorch {torch.__version__}, {options.rounds} rounds\n")
print(f"{'what':<26}{'PyTorch':>12}  {'its setting':<16}{'ours':>12}{'ratio':>8}   at least / aim")
for name, make, line, least, aim in cases:
    if options.only not in name: continue
    settings = make()
    theirs, mine = {key: [] for key in settings}, []
    for _ in range(options.rounds):
        for key, measure in settings.items(): theirs[key].append(measure())
        mine.append(ask(f"{line} {options.seconds}")["percpu"])
    best = max(theirs, key=lambda key: statistics.median(theirs[key]))
    ratios = [b / a for a, b in zip(theirs[best], mine)]
    ratio = statistics.median(ratios)
    results.append(dict(what=name, torch=statistics.median(theirs[best]), setting=best, ours=statistics.median(mine), ratio=ratio,
                        lowest=min(ratios), highest=max(ratios), least=least, aim=aim,
                        settings={key: statistics.median(values) for key, values in theirs.items()}))
    goal = f"{least} / {aim}" if least else ""
    print(f"{name:<26}{results[-1]['torch']:>12,.4g}  {best:<16}{results[-1]['ours']:>12,.4g}{ratio:>8.2f}   {goal}", flush=True)
ours.stdin.close()
print("\n" + json.dumps(dict(peak=peak["percpu"], kernels=peak["kernels"], torch=torch.__version__, seconds=options.seconds, results=results)))
