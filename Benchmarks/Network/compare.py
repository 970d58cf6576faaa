"""One stream over Noise and yamux, loopback: ours beside go-libp2p's daemon, in turns in one run.

usage: compare.py [ROUNDS=5] [MEGABYTES=500] [path of stream-bench]
Needs the peers of Tests/InteropTests/Peers/setup.sh and `swift build -c release --package-path Benchmarks/Network`.
CPU seconds are those of both processes of a pair; for the daemon without the Python programs that feed it, and with them in brackets."""
import json, os, socket, statistics, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
peers = os.path.join(here, "../../Tests/InteropTests/Peers")
home = os.environ.get("INTEROP_HOME", os.path.expanduser("~/.cache/murmur-interop"))
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
size = int(float(sys.argv[2]) * 1e6) if len(sys.argv) > 2 else 500_000_000
bench = sys.argv[3] if len(sys.argv) > 3 else os.path.join(here, ".build/release/stream-bench")


def cpu(pids):
    total = 0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


class Daemon:
    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as probe: port = probe.getsockname()[1]
        command = [f"{home}/hm/bin/python", f"{peers}/node_p2pd.py", str(port), "noise"]
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        info = json.loads(self.p.stdout.readline())
        self.id, self.own, self.all = info["id"], [info["pid"]], [info["pid"], self.p.pid]
        self.address = f"/ip4/127.0.0.1/tcp/{port}/p2p/{self.id}"

    def __call__(self, op, **arguments):
        self.p.stdin.write(json.dumps(dict(arguments, op=op)) + "\n")
        self.p.stdin.flush()
        answer = json.loads(self.p.stdout.readline())
        if "err" in answer: raise RuntimeError(answer["err"])
        return answer["v"]

    def stop(self):
        self.p.stdin.write('{"op":"quit"}\n')
        self.p.stdin.flush()
        self.p.wait(10)


class Ours:
    def __init__(self):
        self.p = subprocess.Popen([bench, "listen"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.p.stdout.readline().strip()
        self.id, self.own, self.all = self.address.rsplit("/", 1)[1], [self.p.pid], [self.p.pid]

    def stop(self):
        self.p.stdin.close()
        self.p.wait(10)


def send(to):
    """Our sender: seconds, CPU seconds."""
    before = os.times()
    out = subprocess.run([bench, "send", to.address, str(size)], capture_output=True, text=True, check=True).stdout
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return float(out.split()[-1]), used


results = {}


def note(pair, seconds, own, everything):
    megabytes = size / 1e6
    results.setdefault(pair, []).append((megabytes / seconds, megabytes / own, megabytes / everything))
    print(json.dumps(dict(pair=pair, MBps=round(megabytes / seconds), MB_per_cpu_s=round(megabytes / own),
                          with_feeders=round(megabytes / everything), load=os.getloadavg()[0])), flush=True)


a, b, ours = Daemon(), Daemon(), Ours()
a("connect", addr=b.address)
a("connect", addr=ours.address)
for _ in range(rounds):
    before = cpu(ours.own)
    seconds, used = send(ours)
    total = used + cpu(ours.own) - before
    note("ours -> ours", seconds, total, total)

    before, everything = cpu(a.own + b.own), cpu(a.all + b.all)
    seconds = a("throughput", id=b.id, bytes=size, block=1 << 20, timeout=120)["s"]
    note("p2pd -> p2pd", seconds, cpu(a.own + b.own) - before, cpu(a.all + b.all) - everything)

    before, everything = cpu(b.own), cpu(b.all)
    seconds, used = send(b)
    note("ours -> p2pd", seconds, used + cpu(b.own) - before, used + cpu(b.all) - everything)

    before, everything = cpu(a.own + ours.own), cpu(a.all + ours.own)
    seconds = a("throughput", id=ours.id, bytes=size, block=1 << 20, timeout=120)["s"]
    note("p2pd -> ours", seconds, cpu(a.own + ours.own) - before, cpu(a.all + ours.own) - everything)
for peer in (a, b, ours): peer.stop()

median = {pair: [statistics.median(column) for column in zip(*rows)] for pair, rows in results.items()}
print("\n| pair | MB/s, median (least … most) | MB per CPU-second | with the daemon's feeders |\n|---|---|---|---|")
for pair, rows in results.items():
    speeds = [row[0] for row in rows]
    print(f"| {pair} | {median[pair][0]:.0f} ({min(speeds):.0f} … {max(speeds):.0f}) | {median[pair][1]:.0f} | {median[pair][2]:.0f} |")
base = median["p2pd -> p2pd"]
print(f"\nours beside p2pd: {median['ours -> ours'][0] / base[0]:.2f} x MB/s, {median['ours -> ours'][1] / base[1]:.2f} x MB per CPU-second")
