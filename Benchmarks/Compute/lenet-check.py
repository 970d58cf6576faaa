#!/usr/bin/env python3
"""Checks LeNet-5 against PyTorch: the same parameters, read from our safetensors files, must give the same outputs, loss and gradients.

usage: lenet-check.py [--rows 70] [--bench PATH]

Run it with a Python that has torch and safetensors. --bench is built by `swift build -c release` in this folder.
"""
import argparse, json, os, subprocess, sys, tempfile
import torch
from torch import nn
from safetensors.torch import load_file

here = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int, default=70)
parser.add_argument("--bench", default=os.path.join(here, ".build/release/compute-bench"))
options = parser.parse_args()

model = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
                      nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
layers = [layer for layer in model if hasattr(layer, "weight")]
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([options.bench], input=f"export lenet5 {options.rows} {folder}\n", text=True, check=True, stdout=subprocess.DEVNULL)
    parameters = load_file(os.path.join(folder, "parameters.safetensors"))
    gradient = load_file(os.path.join(folder, "gradient.safetensors"))
    rows = json.load(open(os.path.join(folder, "rows.json")))
model.load_state_dict({f"{list(model).index(layer)}.{name}": parameters[f"layers.{i}.{name}"]
                       for i, layer in enumerate(layers) for name in ("weight", "bias")})
x = torch.tensor(rows["features"]).reshape(-1, 1, 28, 28)
z = model(x)
loss = nn.functional.cross_entropy(z, torch.tensor(rows["labels"]).long())
loss.backward()
worst = 0.0
def compare(name, ours, theirs):
    global worst
    error = ((ours - theirs).abs().max() / max(1e-6, theirs.abs().max())).item()
    worst = max(worst, error)
    print(f"{name:<18} largest difference {error:.2e} of the largest value")
compare("outputs", torch.tensor(rows["outputs"]).reshape(z.shape), z.detach())
compare("loss", torch.tensor(rows["loss"][0]), loss.detach())
for i, layer in enumerate(layers):
    for name in ("weight", "bias"): compare(f"layers.{i}.{name}", gradient[f"layers.{i}.{name}"], getattr(layer, name).grad)
sys.exit(worst > 1e-4)
