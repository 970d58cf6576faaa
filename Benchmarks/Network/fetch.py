"""An object fetched over Bitswap from 1, 4 and 8 peers on loopback: ours beside Kubo, in turns in one run.

usage: fetch.py [ROUNDS=3] [MEGABYTES=100] [PEERS=1,4,8] [path of node-bench]
Needs Kubo of Tests/InteropTests/Peers/setup.sh and `swift build -c release --package-path Benchmarks/Network`.
Each peer is a process with a store on the disk that holds the whole object; the fetching one is new in every round and has all
blocks safe in its own store when it is done (`pin` of Kubo, a fetch to the disk of ours). The folders are made below $TMPDIR."""
import json, os, random, shutil, socket, statistics, subprocess, sys, tempfile, time

here = os.path.dirname(os.path.abspath(__file__))
peers = os.path.join(here, "../../Tests/InteropTests/Peers")
home = os.environ.get("INTEROP_HOME", os.path.expanduser("~/.cache/murmur-interop"))
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
size = int(float(sys.argv[2]) * 1e6) // 32768 * 32768 if len(sys.argv) > 2 else 100_007_936
counts = [int(n) for n in sys.argv[3].split(",")] if len(sys.argv) > 3 else [1, 4, 8]
bench = sys.argv[4] if len(sys.argv) > 4 else os.path.join(here, ".build/release/node-bench")
folder = tempfile.mkdtemp(prefix="murmur-fetch-")
ticks = os.sysconf("SC_CLK_TCK")


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / ticks


def memory(pid, name):
    return next(int(line.split()[1]) / 1024 for line in open(f"/proc/{pid}/status") if line.startswith(name))


class Process:
    def __init__(self, command):
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.first = self.line()

    def line(self):
        text = self.p.stdout.readline()
        if not text: raise RuntimeError(f"{self.p.args[:3]} ended")
        return json.loads(text)

    def say(self, text):
        self.p.stdin.write(text + "\n")
        self.p.stdin.flush()

    def stop(self):
        try:
            self.say('{"op":"quit"}')
            self.p.stdin.close()
            self.p.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired): self.p.kill()


class Kubo(Process):
    def __init__(self, name):
        with socket.create_server(("127.0.0.1", 0)) as probe: port = probe.getsockname()[1]
        self.folder = f"{folder}/kubo-{name}"
        super().__init__([f"{home}/ik/bin/python", f"{peers}/node_kubo.py", self.folder, str(port)])
        self.address = f"/ip4/127.0.0.1/tcp/{port}/p2p/{self.first['id']}"

    def __call__(self, op, **arguments):
        self.say(json.dumps(dict(arguments, op=op)))
        answer = self.line()
        if "err" in answer or op in ("connect", "pin") and answer["v"] != 0: raise RuntimeError(f"{op}: {answer}")
        return answer["v"]


results = {}


def note(who, count, seconds, spent, served, peak, base):
    megabytes = size / 1e6
    results.setdefault((who, count), []).append((megabytes / seconds, megabytes / spent, megabytes / (spent + served), peak, base))
    print(json.dumps(dict(who=who, peers=count, MBps=round(megabytes / seconds), MB_per_cpu_s=round(megabytes / spent),
                          MB_per_cpu_s_of_all=round(megabytes / (spent + served)), peak_MB=round(peak), before_MB=round(base),
                          load=os.getloadavg()[0])), flush=True)


def measure(who, count, fetcher, servers, work):
    os.sync()   # What an earlier turn left to be written is not this one's to wait for.
    base, pids = memory(fetcher.p.pid, "VmRSS"), [server.p.pid for server in servers]
    spent, served, start = cpu(fetcher.p.pid), sum(map(cpu, pids)), time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    note(who, count, seconds, cpu(fetcher.p.pid) - spent, sum(map(cpu, pids)) - served, memory(fetcher.p.pid, "VmHWM"), base)


def turn(number, count, kubos, name, ours):
    """One fetch of each, from all that serve: nobody else is there to be found."""
    fetcher = Kubo(f"fetcher-{number}")
    for kubo in kubos: fetcher("connect", addr=kubo.address)
    measure("Kubo", count, fetcher, kubos, lambda: fetcher("pin", cid=name))
    fetcher.stop()
    shutil.rmtree(fetcher.folder)

    where = f"{folder}/ours-fetcher-{number}"
    addresses = [one.first["address"] for one in ours]
    fetcher = Process([bench, "fetch", where, str(100 + number), ours[0].first["root"]] + addresses)

    def fetch():
        fetcher.say("go")
        fetcher.line()
    measure("ours", count, fetcher, ours, fetch)
    fetcher.p.stdin.close()
    if fetcher.p.wait(30) != 0: raise RuntimeError("the object is not whole")
    shutil.rmtree(where)


file = f"{folder}/object"
with open(file, "wb") as out: out.write(random.Random(1).randbytes(size))
try:
    for count in counts:
        ours = [Process([bench, "serve", f"{folder}/ours-{count}-{n}", str(n + 1), str(size)]) for n in range(count)]
        kubos = [Kubo(f"{count}-{n}") for n in range(count)]
        name, = {kubo("add", path=file) for kubo in kubos}
        for number in range(rounds): turn(number, count, kubos, name, ours)
        for process in ours + kubos: process.stop()
        for path in os.listdir(folder):
            if path != "object": shutil.rmtree(f"{folder}/{path}")
finally: shutil.rmtree(folder, ignore_errors=True)

print("\n| peers | who | MB/s, median (least … most) | MB per CPU-second, fetching | with the serving | peak memory, MB |\n|---|---|---|---|---|---|")
for (who, count), rows in sorted(results.items(), key=lambda item: item[0][1]):
    speeds = [row[0] for row in rows]
    middle = [statistics.median(column) for column in zip(*rows)]
    print(f"| {count} | {who} | {middle[0]:.0f} ({min(speeds):.0f} … {max(speeds):.0f}) | {middle[1]:.0f} | {middle[2]:.0f} | {middle[3]:.0f} |")
for count in counts:
    ours, kubo = ([statistics.median(column) for column in zip(*results[who, count])] for who in ("ours", "Kubo"))
    print(f"{count} peers: ours beside Kubo {ours[0] / kubo[0]:.2f} x MB/s, {ours[1] / kubo[1]:.2f} x MB per CPU-second")
