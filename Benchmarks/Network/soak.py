#!/usr/bin/env python3
"""Real peers for an hour: processes die by signal 9 and come back on their stores, links lose, delay, double and corrupt messages.

    Benchmarks/Network/soak.py [--murmur .build/release/murmur] [--minutes 60] [--peers 20] [--churning 15] [--seed 1] [--out soak.json]

Some peers live the whole time; the others are killed and started again, one every few seconds. Every peer says every five seconds how many
connections, streams and pending timers and requests it has, and its resident memory. What leaks grows: the peers that live the whole time
are compared with themselves, the second sixth of the time against the last.
"""
import argparse, json, os, random, signal, statistics, subprocess, tempfile, threading, time

SCENARIO = """
name: soak
seed: {seed}
peers: {{count: {peers}}}
session: {{cycle: {cycle} s, length: {minutes} min}}
faults:
  - link: {{loss: 5 %, delay: 10 ms, duplication: 2 %, reordering: 2 %, corruption: 0.2 %}}
  - sessions: {{on: 4 min, off: 30 s, peers: 30 %}}
"""


class Peer:
    def __init__(self, soak, number, lives):
        self.soak, self.number, self.lives = soak, number, lives
        self.census, self.cycles, self.starts, self.troubles, self.addresses = [], [], 0, [], []
        self.process = None

    def start(self, join):
        folder = self.soak.folder
        command = [self.soak.murmur, "peer", "--session", folder + "/soak.yaml", "--number", str(self.number), "--json", "--of-swarm",
                   "--listen", "/ip4/127.0.0.1/tcp/0", "--store", f"{folder}/store{self.number}", "--begins", str(self.soak.begins)]
        for address in join: command += ["--join", address]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.starts += 1
        threading.Thread(target=self.read, args=(self.process,), daemon=True).start()
        threading.Thread(target=self.complain, args=(self.process,), daemon=True).start()

    def read(self, process):
        for line in process.stdout:
            news = json.loads(line)
            if news["news"] == "listening": self.addresses = news["addresses"]
            if news["news"] == "cycle": self.cycles.append((time.time() - self.soak.begins, news["cycle"], news["accuracy"]))
            if news["news"] == "census": self.census.append((time.time() - self.soak.begins, news))

    def complain(self, process):
        for line in process.stderr: self.troubles.append(line.strip())


class Soak:
    def __init__(self, options):
        self.murmur = os.path.abspath(options.murmur)
        self.folder = tempfile.mkdtemp(prefix="murmur-soak-")
        self.begins = time.time() + 5
        self.options = options
        with open(self.folder + "/soak.yaml", "w") as file:
            file.write(SCENARIO.format(seed=options.seed, peers=options.peers, cycle=options.cycle, minutes=options.minutes + 5))

    def run(self):
        options, chance = self.options, random.Random(self.options.seed)
        peers = [Peer(self, n, n < options.peers - options.churning) for n in range(options.peers)]
        for peer in peers:
            peer.start([p.addresses[0] for p in peers[:3] if p.addresses])
            while not peer.addresses and peer.process.poll() is None: time.sleep(0.05)
        away = []
        end = self.begins + options.minutes * 60
        said = 0
        try:
            while time.time() < end:
                time.sleep(1)
                now = time.time()
                for entry in [e for e in away if e[0] <= now]:
                    away.remove(entry)
                    entry[1].start([p.addresses[0] for p in chance.sample(peers, 3) if p.addresses and p is not entry[1]])
                if chance.random() < 1 / options.every:
                    alive = [p for p in peers if not p.lives and p.process.poll() is None]
                    if alive:
                        victim = chance.choice(alive)
                        victim.process.send_signal(signal.SIGKILL)
                        away.append((now + chance.uniform(2, 30), victim))
                if now - said > 60:
                    said = now
                    print(json.dumps(self.line(peers)), flush=True)
        finally:
            result = self.result(peers)
            for peer in peers:
                if peer.process.poll() is None: peer.process.terminate()
            print(json.dumps(result, indent=1))
            if options.out: open(options.out, "w").write(json.dumps(result, indent=1))

    def line(self, peers):
        lasting = [p.census[-1][1] for p in peers if p.lives and p.census]
        mean = lambda key: round(statistics.mean(c[key] for c in lasting), 1) if lasting else None
        return {"minute": round((time.time() - self.begins) / 60, 1), "running": sum(p.process.poll() is None for p in peers),
                "starts": sum(p.starts for p in peers), "links": mean("links"), "streams": mean("streams"), "pending": mean("pending"),
                "memoryMB": round(mean("memory") / 1e6, 1) if lasting else None,
                "accuracy": round(statistics.mean(p.cycles[-1][2] for p in peers if p.cycles), 2) if any(p.cycles for p in peers) else None}

    def result(self, peers):
        whole = self.options.minutes * 60
        lasting = []
        for peer in peers:
            if not peer.lives: continue
            entry = {"number": peer.number, "alive": peer.process.poll() is None, "cycles": len(peer.cycles)}
            times = [t for t, _, _ in peer.cycles]
            entry["longestPauseSeconds"] = round(max((b - a for a, b in zip(times, times[1:])), default=0), 1)
            for key in ("links", "streams", "pending", "memory"):
                early = [c[key] for t, c in peer.census if whole / 6 <= t < whole / 3]
                late = [c[key] for t, c in peer.census if t >= whole * 5 / 6]
                entry[key] = [round(statistics.median(x), 1) if x else None for x in (early, late)]
            lasting.append(entry)
        return {"minutes": self.options.minutes, "peers": len(peers), "kills": sum(p.starts - 1 for p in peers), "lasting": lasting,
                "accuracy": round(statistics.mean(p.cycles[-1][2] for p in peers if p.cycles), 2),
                "troubles": sorted({t for p in peers for t in p.troubles})[:50]}


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--murmur", default=".build/release/murmur")
parser.add_argument("--minutes", type=float, default=60)
parser.add_argument("--cycle", type=float, default=5)
parser.add_argument("--peers", type=int, default=20)
parser.add_argument("--churning", type=int, default=15)
parser.add_argument("--every", type=float, default=8)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--out")
Soak(parser.parse_args()).run()
