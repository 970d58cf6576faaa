import MurmurCommands
import MurmurControl
import Testing

@Suite("What a doctor makes of the facts")
struct DiagnosisTests {
  /// A peer at home in a well-kept data centre.
  static var sound: ControlAnswer.Health {
    var health = ControlAnswer.Health()
    health.peer = "12D3KooWself"
    health.listening = [.init(address: "/ip4/203.0.112.9/tcp/4101", reach: "global")]
    health.sightings = [.init(peer: "p", address: "/ip4/203.0.112.9/tcp/4101", reach: "global")]
    health.dialbacks = [
      .init(peer: "p", from: "global", verdict: "reached", detail: "/ip4/203.0.112.9/tcp/4101", clockAhead: 0.02)
    ]
    (health.inbound, health.outbound, health.mostConnections, health.known) = (3, 5, 512, [4, 8])
    (health.openLimit, health.open) = (4_096, 40)
    (health.store, health.free, health.clock) = ("s", 100 << 30, 1_790_000_000)
    return health
  }

  private func findings(_ change: (inout ControlAnswer.Health) -> Void) -> [Finding] {
    var health = DiagnosisTests.sound
    change(&health)
    return Diagnosis.findings(health)
  }

  private func worst(_ change: (inout ControlAnswer.Health) -> Void) -> Finding? {
    let all = findings(change)
    return all.first { $0.level == .problem } ?? all.first { $0.level == .warning }
  }

  @Test("Nothing is wrong with a sound peer, and it is said from where it was reached")
  func sound() {
    let all = findings { _ in }
    #expect(all.allSatisfy { $0.level == .ok }, "\(all)")
    #expect(all.contains { $0.what.contains("reached from the internet") })
  }

  @Test("Every ill has a name, a weight and a remedy")
  func ills() {
    typealias Ill = (Finding.Level, String, String, (inout ControlAnswer.Health) -> Void)
    let ills: [Ill] = [
      (.problem, "listens nowhere", "--listen", { $0.listening = [] }),
      (.warning, "only for programs of this machine", "0.0.0.0", { $0.listening = [.init(address: "a", reach: "loopback")] }),
      (.problem, "connected to nobody", "--join", { ($0.inbound, $0.outbound, $0.dialbacks) = (0, 0, []) }),
      (.problem, "nobody answers there", "router", { $0.dialbacks[0].verdict = "unreached" }),
      (
        .problem, "from the local network", "firewall",
        { $0.dialbacks[0] = .init(peer: "p", from: "site", verdict: "unreached", detail: "", clockAhead: nil) }
      ),
      (.warning, "beyond this machine is not known", "elsewhere", { $0.dialbacks[0].from = "loopback" }),
      (.warning, "no connected peer offers", "another machine", { ($0.inbound, $0.dialbacks) = (0, []) }),
      (.warning, "asked too often", "another machine", { ($0.inbound, $0.dialbacks[0].verdict) = (0, "refused") }),
      (.warning, "clock is 20 s behind", "NTP", { $0.dialbacks[0].clockAhead = 20 }),
      (.problem, "clock is 10 min ahead", "NTP", { $0.dialbacks[0].clockAhead = -600 }),
      (.problem, "years behind", "NTP", { $0.clock = 1_000_000 }),
      (.warning, "may open 256 files", "ulimit", { $0.openLimit = 256 }),
      (.problem, "4090 of at most 4096", "ulimit", { $0.open = 4_090 }),
      (.problem, "10.0 MB left", "room", { $0.free = 10_000_000 }),
      (.warning, "1.0 GB left", "room", { $0.free = 1_000_000_000 }),
      (.warning, "no store", "--store", { $0.store = nil }),
      (.warning, "tables are empty", "/murmur/kad", { $0.known = [0, 0] }),
      (.warning, "500 of at most 512", "newcomers", { $0.inbound = 495 }),
    ]
    for (level, what, fix, change) in ills {
      let finding = worst(change)
      #expect(finding?.level == level && finding?.what.contains(what) == true, "\(what): \(String(describing: finding))")
      #expect(finding?.fix.contains(fix) == true, "\(what): \(String(describing: finding))")
    }
  }

  @Test("A swarm's table has as many rows as the terminal, and never a line too long")
  func table() {
    let rows = (0..<50).map { number in
      SwarmTable.Row(
        number: number, state: number < 40 ? .killed : .running, cycle: number < 3 ? nil : number,
        accuracy: number < 40 ? 10 : 90,
        neighbours: 8, averages: 100)
    }
    let table = SwarmTable(rows: rows, elapsed: 31, length: 60)
    #expect(table.summary == "10 running, 40 killed, 90.0 % accurate")
    for (columns, room) in [(80, 24), (40, 10), (200, 60), (20, 8)] {
      let lines = table.lines(columns: columns, rows: room)
      #expect(lines.count < room && lines.allSatisfy { $0.count <= columns }, "\(columns) × \(room): \(lines)")
      #expect(lines.contains { $0.contains("more peers") } == (room < 54) || columns < 30)
    }
  }
}
