import MurmurCompute
import MurmurDiscovery
import MurmurIdentify
import MurmurMachines
import MurmurSplit
import MurmurWire

/// Machines that talk with whoever is near: echoes, the local network, devices of one split network.
extension Target {
  static func pings(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    var configuration = Ping.Configuration()
    configuration.rounds = 3
    var machine = Ping(configuration)
    var chance = Chance(seed: 1)
    var now = Instant.origin
    var echo: [UInt8] = []
    var sent = 0
    while !draw.isEmpty {
      var effects = Effects<Ping.Effect>()
      let input: Ping.Input
      switch draw.byte() % 6 {
      case 0: input = .opened
      case 1:
        // What was sent, whole or in parts, as an honest peer would send it back.
        let count = min(Int(draw.byte()), echo.count)
        input = .received(Array(echo.prefix(count)))
        echo.removeFirst(count)
      case 2:
        now = now + .milliseconds(Double(draw.below(20_000)))
        input = .timerFired(.round)
      case 3: input = .received(draw.piece(most: 64))
      case 4: input = .timerFired(.round)
      default: input = .closed
      }
      machine.step(input, at: now, chance: &chance, effects: &effects)
      for case .send(let bytes) in effects.list {
        echo += bytes
        sent += 1
      }
      precondition(sent <= 3 && effects.list.count <= 2)
    }
  }

  static var linkSeeds: [[UInt8]] {
    var asked = DNSMessage()
    asked.questions = [DNSMessage.Question(MulticastDNS.service, .ptr), DNSMessage.Question(MulticastDNS.services, .ptr)]
    return [[0, 1, 2] + piece(Sample.dns.encode()) + [1, 2] + piece(asked.encode()) + [3, 3, 0, 4, 2, 5]]
  }

  /// A link on which anybody says anything.
  static func listens(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    var configuration = MulticastDNS.Configuration()
    configuration.peers = 4
    configuration.newPeersPerMinute = 8
    var machine = MulticastDNS(
      id: Sample.peer(0), name: "fuzz", addresses: [Sample.address], scope: draw.byte() & 1 == 0 ? .network : .loopback,
      configuration: configuration)
    var chance = Chance(seed: 1)
    var now = Instant.origin
    var effects = Effects<MulticastDNS.Effect>()
    machine.step(.started, at: now, chance: &chance, effects: &effects)
    while !draw.isEmpty {
      effects.removeAll()
      let input: MulticastDNS.Input
      switch draw.byte() % 6 {
      case 0: input = .started
      case 1: input = .received(draw.piece(), from: [[192, 168, 1, draw.byte()], [127, 0, 0, 1], [8, 8, 8, 8]][draw.below(3)])
      case 2: input = .changed(draw.byte() & 1 == 0 ? [] : [Sample.address])
      case 3:
        now = now + .milliseconds(Double(draw.below(60_000)))
        input = .timerFired(.question)
      case 4: input = .timerFired(.answer)
      default: input = .stopped
      }
      machine.step(input, at: now, chance: &chance, effects: &effects)
      precondition(machine.known <= 4)
      for effect in effects.list {
        switch effect {
        // What is said can be read, by others and by itself.
        case .send(let packet): precondition((try? DNSMessage.decode(packet)) != nil)
        case .found(let peer, let addresses): precondition(peer != Sample.peer(0) && addresses.count <= 8)
        case .arm: break
        }
      }
    }
  }

  static var deviceSeeds: [[UInt8]] {
    let values = Matrix(rows: 4, columns: 3, [Float](repeating: 0.5, count: 12))
    let messages: [SplitMessage] = [
      .outputs(.step(0), stage: 0, values), .gradients(.step(0), stage: 0, values), .poll(.step(0), stage: 0),
      .question(Query(origin: 0, number: 1, rows: [1, 2])),
    ]
    var told: [UInt8] = []
    for message in messages { told += [1, 0, 0] + piece(SplitFrame.message(message).encode()) }
    return [[0] + told + [3, 0, 0, 4, 1, 2, 0, 0, 3, 0, 1], [1] + told, [2, 5, 0, 0, 0, 2, 3, 0, 0]]
  }

  /// A device of a split network whose neighbours say anything.
  static func computes(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    let features = Matrix(rows: 8, columns: 2, (0..<16).map { Float($0 % 5) })
    let rows = SplitRows(features: features, labels: (0..<8).map { Int32($0 % 2) }, training: 6)
    var plan = SplitPlan(
      features: [2, 2, 2], neighbours: [[1, 2], [0, 2], [0, 1]], stages: SplitPlan.classifier(hidden: 3, depth: 2, classes: 2),
      objective: .classes(2))
    plan.steps = 20
    plan.batch = 4
    let kind = draw.byte()
    if kind & 1 == 1 { plan.rule = .greedy(replay: 2) }
    plan.inference.spreading = [.flood(hops: 1), .flood(hops: 3), .gossip(rounds: 2)][Int(kind) % 3]
    guard plan.complaint == nil else { return }
    var device = SplitDevice(plan: plan, id: 1, rows: rows, work: DenseWork())
    var chance = Chance(seed: 1)
    var now = Instant.origin
    var timers: [(at: Instant, timer: SplitDevice.Timer)] = []
    var input = SplitDevice.Input.began
    while true {
      var effects = Effects<SplitDevice.Effect>()
      device.step(input, at: now, chance: &chance, effects: &effects)
      for case .arm(let timer, let at) in effects.list { timers = Array((timers + [(at, timer)]).suffix(64)) }
      guard !draw.isEmpty else { break }
      switch draw.byte() % 6 {
      case 0: input = .received(message(&draw, around: device.step), from: draw.below(4))
      case 1:
        let sender = draw.below(4)
        guard case .message(let message)? = try? SplitFrame.decode(draw.piece()) else { continue }
        input = .received(message, from: sender)
      case 2: input = .departed(draw.below(4))
      case 3:
        guard !timers.isEmpty else { continue }
        let next = timers.remove(at: draw.below(timers.count))
        now = max(now, next.at)
        input = .fired(next.timer)
      case 4: input = .asked([Int32(draw.below(12)) - 2], Drill())
      default: input = .began
      }
      now = now + .milliseconds(Double(draw.byte()))
    }
  }

  /// A message that is almost right.
  private static func message(_ draw: inout Draw, around step: Int) -> SplitMessage {
    let moment: Moment =
      draw.byte() & 3 != 0
      ? .step(max(0, step + draw.below(9) - 3)) : .query(origin: draw.below(4), number: draw.below(100))
    let (rows, columns) = ([0, 1, 4, 4][draw.below(4)], [0, 2, 3, 3][draw.below(4)])
    let value = Float(bitPattern: UInt32(draw.below(1 << 16)) << 16)
    let values = Matrix(rows: rows, columns: columns, [Float](repeating: value, count: rows * columns))
    let stage = draw.below(4)
    switch draw.byte() % 7 {
    case 0: return .poll(moment, stage: stage)
    case 1: return .question(Query(origin: draw.below(4), number: draw.below(100), rows: [Int32(draw.below(12)) - 2]))
    case 2: return .answer(moment, origin: draw.below(4), hops: draw.below(3), values)
    case 3: return .average(moment, round: draw.below(3), values)
    case 4: return .gradients(moment, stage: stage, draw.byte() & 1 == 0 ? nil : values)
    default: return .outputs(moment, stage: stage, values)
    }
  }
}
