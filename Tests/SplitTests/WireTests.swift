import Foundation
import MurmurCompute
import MurmurMachines
import MurmurSplit
import MurmurWire
import Testing

@Suite struct WireTests {
  static func matrix(_ chance: inout Chance) -> Matrix {
    let (rows, columns) = (chance.below(5), chance.below(5))
    return Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in Float(chance.normal()) })
  }

  static func message(_ chance: inout Chance) -> SplitMessage {
    let query = Query(
      origin: chance.below(9), number: chance.below(1 << 30), rows: (0..<chance.below(5)).map { _ in Int32(chance.below(1_000)) },
      drill: Drill(
        devices: [.never, .fixed(0.25), .upTo(0.5), .exactly(3)][chance.below(4)], links: [.never, .upTo(1)][chance.below(2)]))
    let moment = chance.happens(0.5) ? Moment.step(chance.below(1 << 30)) : query.moment
    switch chance.below(6) {
    case 0: return .outputs(moment, stage: chance.below(9), matrix(&chance))
    case 1: return .gradients(moment, stage: chance.below(9), chance.happens(0.3) ? nil : matrix(&chance))
    case 2: return .poll(moment, stage: chance.below(9))
    case 3: return .question(query)
    case 4: return .answer(moment, origin: chance.below(9), hops: chance.below(9), matrix(&chance))
    default: return .average(moment, round: chance.below(9), matrix(&chance))
    }
  }

  static func frame(_ chance: inout Chance) -> SplitFrame {
    switch chance.below(8) {
    case 0: .hello(SplitHello(device: chance.below(99), plan: .sha256(of: [UInt8(chance.below(256))])))
    case 1: .welcome(SplitWelcome(device: chance.below(99), problem: chance.happens(0.5) ? nil : "another plan"))
    default: .message(message(&chance))
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>) func `what is encoded comes back, to the last bit`(seed: UInt64) throws {
    var chance = Chance(seed: seed)
    for _ in 0..<20 {
      let frame = Self.frame(&chance)
      #expect(try SplitFrame.decode(frame.encode()) == frame, "seed \(seed)")
    }
    let ask = SplitAsk(rows: [0, 7, 3])
    #expect(try SplitAsk.decode(ask.encode()) == ask)
    let reply = SplitReply(
      answers: Matrix(rows: 2, columns: 1, [1, 2]), devices: 3, step: 9, classes: [nil, 4], areProbabilities: true)
    #expect(try SplitReply.decode(SplitReply.encode(.success(reply))).get() == reply)
    #expect(throws: SplitRefusal("no")) { try SplitReply.decode(SplitReply.encode(.failure(SplitRefusal("no")))).get() }
  }

  @Test func `numbers that are not finite, and what is beyond the limits, are refused`() {
    for odd in [Float.nan, .infinity, -.infinity] {
      let message = SplitMessage.outputs(.step(1), stage: 0, Matrix(rows: 1, columns: 2, [1, odd]))
      #expect(throws: WireError.self) { try SplitFrame.decode(SplitFrame.message(message).encode()) }
    }
    let values = Matrix(rows: 1, columns: 1, [1])
    for message in [
      SplitMessage.outputs(.step(SplitLimits.steps), stage: 0, values), .outputs(.step(0), stage: SplitLimits.stages, values),
      .answer(.step(0), origin: 0, hops: SplitLimits.hops + 1, values), .average(.step(0), round: SplitLimits.rounds, values),
      .outputs(.step(0), stage: 0, Matrix(rows: SplitLimits.rows + 1, columns: 1, repeating: 0)),
      .question(Query(origin: 0, number: 1, rows: [Int32](repeating: 0, count: SplitLimits.questionRows + 1))),
      .question(Query(origin: 0, number: 1, rows: [-1])),
      .question(Query(origin: 0, number: 1, rows: [], drill: Drill(devices: .fixed(2)))),
    ] {
      #expect(throws: WireError.self, "\(message)") { try SplitFrame.decode(SplitFrame.message(message).encode()) }
    }
  }

  @Test func `mutated and random bytes are refused or read, never a crash`() throws {
    let seed: UInt64 = 20_261_121
    var chance = Chance(seed: seed)
    let rounds = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000
    var read = 0
    for round in 0..<rounds {
      var bytes = Self.frame(&chance).encode()
      if chance.happens(0.1) { bytes = SplitAsk(rows: [1, 2]).encode() }
      if chance.happens(0.1) { bytes = (0..<chance.below(99)).map { _ in UInt8(chance.below(256)) } }
      for _ in 0..<chance.below(4) where !bytes.isEmpty {
        let place = chance.below(bytes.count)
        switch chance.below(4) {
        case 0: bytes[place] = UInt8(chance.below(256))
        case 1: bytes[place] ^= 1 << UInt8(chance.below(8))
        case 2: bytes.removeLast(chance.below(bytes.count))
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + chance.below(20))], at: place)
        }
      }
      _ = try? SplitAsk.decode(bytes)
      _ = try? SplitReply.decode(bytes)
      guard let frame = try? SplitFrame.decode(bytes) else { continue }
      read += 1
      #expect(try SplitFrame.decode(frame.encode()) == frame, "seed \(seed), round \(round)")
    }
    #expect(read > rounds / 10 && read < rounds)
  }

  @Test func `a checkpoint brings back units and optimiser; a torn or strange one is refused`() throws {
    let seed: UInt64 = 5
    let rows = Scene.rows(devices: 2, width: 3, training: 64, tested: 8, seed: seed)
    let plan = Scene.plan(.complete(2), width: 3, steps: 10, seed: seed)
    var chance = Chance(seed: seed)
    var effects = Effects<SplitDevice.Effect>()
    var device = SplitDevice(plan: plan, id: 0, rows: rows[0], work: DenseWork())
    device.step(.began, at: .origin, chance: &chance, effects: &effects)
    let print = plan.fingerprint()
    let bytes = SplitCheckpoint.encode(device, plan: print)
    var other = SplitDevice(plan: plan, id: 0, rows: rows[0], work: DenseWork())
    try SplitCheckpoint.restore(bytes, into: &other, plan: print)
    #expect(other.units == device.units && other.step == device.step)
    #expect(throws: WireError.self) { try SplitCheckpoint.restore(bytes, into: &other, plan: plan.fingerprint("other rows")) }
    var neighbour = SplitDevice(plan: plan, id: 1, rows: rows[1], work: DenseWork())
    #expect(throws: WireError.self) { try SplitCheckpoint.restore(bytes, into: &neighbour, plan: print) }
    for _ in 0..<200 {
      var torn = bytes
      if chance.happens(0.5) { torn.removeLast(1 + chance.below(bytes.count)) } else { torn[chance.below(torn.count)] ^= 1 }
      #expect(throws: WireError.self) { try SplitCheckpoint.restore(torn, into: &other, plan: print) }
    }
  }
}
