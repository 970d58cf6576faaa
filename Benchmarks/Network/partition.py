#!/usr/bin/env python3
"""Two hosts (network namespaces) with ten peers each, kept apart for a minute without a word: how long until they are one network again.

    sudo Benchmarks/Network/partition.py [--runs 5] [--peers 20] [--apart 60]

Each half has more company than a peer wants (8), so none of it is short of anything. Reported for each run: when the halves had noticed,
and how long after the way was free the first peer and the last peer had met the other half.
"""
import argparse, json, os, statistics, subprocess, tempfile, threading, time

SCENARIO = "name: halves\nseed: {seed}\npeers: {{count: {peers}}}\nsession: {{cycle: 1 s, length: {length} s}}\n"


def ip(*arguments): subprocess.run(["ip", *arguments], check=True)


class Hosts:
    def __init__(self, name):
        self.name = name
        for host in "sab": ip("netns", "add", name + host)
        ip("-n", name + "s", "link", "add", "br0", "type", "bridge")
        ip("-n", name + "s", "link", "set", "br0", "up")
        for host, address in (("a", "10.72.0.1/24"), ("b", "10.72.0.2/24")):
            ip("link", "add", "eth0", "netns", name + host, "type", "veth", "peer", "name", "p" + host, "netns", name + "s")
            ip("-n", name + "s", "link", "set", "p" + host, "master", "br0")
            ip("-n", name + "s", "link", "set", "p" + host, "up")
            ip("-n", name + host, "link", "set", "lo", "up")
            ip("-n", name + host, "link", "set", "eth0", "up")
            ip("-n", name + host, "addr", "add", address, "dev", "eth0")

    def part(self, parted):
        for port in ("pa", "pb"):
            subprocess.run(["ip", "netns", "exec", self.name + "s", "bridge", "link", "set", "dev", port, "isolated", "on" if parted else "off"],
                           check=True)

    def close(self):
        for host in "sab": subprocess.run(["ip", "netns", "del", self.name + host])


def run(options, seed):
    hosts = Hosts(f"mup{os.getpid() % 10000}")
    folder = tempfile.mkdtemp(prefix="murmur-halves-")
    open(folder + "/s.yaml", "w").write(SCENARIO.format(seed=seed, peers=options.peers, length=options.apart + 600))
    begins, heard, first, processes = time.time() + 5, {}, [], []

    def read(number, process):
        for line in process.stdout:
            news = json.loads(line)
            if news["news"] == "listening": first.append(news["addresses"][0])
            if news["news"] == "cycle": heard[number] = (time.time(), news["neighbours"])

    def until(seconds, holds):
        begun = time.time()
        while time.time() - begun < seconds:
            if holds(): return time.time() - begun
            time.sleep(0.05)
        return None

    try:
        for number in range(options.peers):
            host = "ab"[number % 2]
            command = ["ip", "netns", "exec", hosts.name + host, options.murmur, "peer", "--session", folder + "/s.yaml", "--number", str(number),
                       "--json", "--begins", str(begins), "--listen", f"/ip4/10.72.0.{1 + number % 2}/tcp/0"]
            for address in first[:3]: command += ["--join", address]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            processes.append(process)
            threading.Thread(target=read, args=(number, process), daemon=True).start()
            if number < 3: until(10, lambda: len(first) > number)
        half = options.peers // 2
        together = until(90, lambda: len(heard) == options.peers and all(n > half - 1 for _, n in heard.values()))
        hosts.part(True)
        parted = time.time()
        noticed = until(options.apart, lambda: all(n <= half - 1 for _, n in heard.values()))
        time.sleep(max(0, parted + options.apart - time.time()))
        hosts.part(False)
        joined = time.time()
        fresh = lambda test: test(t > joined and n > half - 1 for t, n in heard.values())
        one, every = until(120, lambda: fresh(any)), None
        every = until(120, lambda: fresh(all))
        if every is not None: every = time.time() - joined
        return {"seed": seed, "together": together, "noticed": noticed, "first": one, "all": every}
    finally:
        for process in processes: process.kill()
        hosts.close()


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--murmur", default=os.path.abspath(".build/release/murmur"))
parser.add_argument("--runs", type=int, default=5)
parser.add_argument("--peers", type=int, default=20)
parser.add_argument("--apart", type=float, default=60)
options = parser.parse_args()
results = []
for seed in range(1, options.runs + 1):
    results.append(run(options, seed))
    print(json.dumps(results[-1]), flush=True)
for key in ("noticed", "first", "all"):
    values = [r[key] for r in results]
    print(key, "never" if None in values else f"median {statistics.median(values):.1f} s, {min(values):.1f}-{max(values):.1f} s")
