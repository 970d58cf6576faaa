"""A split classifier in one process by PyTorch: the network of `murmur split simulate`, its devices' units as one batched product, faults as masks.

usage: masked_torch.py [STEPS=200] [DEVICES=16] [HIDDEN=32] [DEPTH=3] [BATCH=64] [THREADS=1]
Prints steps a second. Made-up rows: the time does not depend on them."""
import sys, time
import torch

steps, devices, hidden, depth, batch, threads = [int(a) for a in sys.argv[1:]] + [200, 16, 32, 3, 64, 1][len(sys.argv) - 1:]
torch.set_num_threads(threads)
torch.manual_seed(1)
features, classes = 784 // devices, 10


def unit(inputs, outputs):
    return torch.nn.Parameter(torch.randn(devices, inputs, outputs) * (2 / inputs) ** 0.5), torch.nn.Parameter(torch.zeros(devices, 1, outputs))


stages = [unit(features, hidden)] + [unit(devices * hidden + devices - 1, hidden) for _ in range(depth - 1)] + [unit(hidden, classes)]
parameters = [p for stage in stages for p in stage]
optimizer = torch.optim.Adam(parameters, lr=0.003, fused=True)
x = torch.randn(4096, devices, features)
y = torch.randint(0, classes, (4096,))
others = torch.ones(devices, devices, dtype=torch.bool).fill_diagonal_(False)


def links(rate, alive):
    """Which samples a receiver hears a sender in: [receiver, batch, sender]; a link is undirected, and a device hears itself."""
    up = torch.rand(batch, devices, devices) >= rate[:, None, None]
    up = torch.triu(up, 1)
    up = (up | up.transpose(1, 2)) & alive[:, :, None] & alive[:, None, :]
    up = up | ~others
    return up.permute(1, 0, 2)


def step():
    rows = torch.randint(0, 4096, (batch,))
    alive = torch.rand(batch, devices) >= 0.9 * torch.rand(batch, 1)
    rate = 0.6 * torch.rand(batch)
    h = torch.relu(torch.baddbmm(stages[0][1], x[rows].transpose(0, 1), stages[0][0]))
    for w, b in stages[1:-1]:
        up = links(rate, alive)
        # The way back loses messages of its own: values flow through `forward`, gradients through those links that are up again.
        back = up & (links(rate, alive) | ~others[:, None, :])
        sent = h.transpose(0, 1)[None].expand(devices, batch, devices, hidden)
        masked = (sent * back[..., None]) + (sent * (up & ~back)[..., None]).detach()
        flags = up[others[:, None, :].expand(devices, batch, devices)].view(devices, batch, devices - 1).float()
        h = torch.relu(torch.baddbmm(b, torch.cat([masked.reshape(devices, batch, devices * hidden), flags], 2), w))
    z = torch.baddbmm(stages[-1][1], h, stages[-1][0])
    losses = torch.nn.functional.cross_entropy(z.reshape(-1, classes), y[rows].repeat(devices), reduction="none").view(devices, batch)
    loss = (losses * alive.t()).sum() / batch
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


for _ in range(10): step()
begun = time.perf_counter()
for _ in range(steps): step()
print(f"{steps / (time.perf_counter() - begun):.1f} steps a second, PyTorch {torch.__version__}, {threads} thread(s)")
