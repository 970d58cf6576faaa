import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// Random frames against a connection, and random callers of two.
@Suite struct ConnectionFuzz {
  /// Frames that are almost right, from a peer that has proven who it is.
  @Test func `hostile frames never trap and never leak`() throws {
    var chance = Chance(seed: 21)
    var left = Effort.inputs
    var seed: UInt64 = 0
    while left > 0 {
      seed += 1
      var puppet = try Puppet(seed: seed)
      var owed: [StreamID: Int] = [:]
      while left > 0, puppet.closed == nil {
        // Several frames in one record: the victim reads them all before it deals with the first.
        let count = chance.happens(0.5) ? 1 : 1 + chance.below(8)
        left -= count
        puppet.say((0..<count).flatMap { _ in hostile(&chance) })
        if chance.happens(0.1) { act(&puppet, &chance) }
        giveBack(&puppet, &owed, &chance)
      }
      #expect(!puppet.victim.isClosed || puppet.victim.streamCount == 0, "seed 21, connection \(seed)")
      #expect(puppet.victim.streamCount <= 1_024 + 256)
    }
  }

  /// Gives back some of what came, also on streams that are over.
  private func giveBack(_ puppet: inout Puppet, _ owed: inout [StreamID: Int], _ chance: inout Chance) {
    for effect in puppet.effects {
      if case .received(let stream, let bytes) = effect { owed[stream, default: 0] += bytes.count }
    }
    puppet.effects.removeAll { if case .closed = $0 { false } else { true } }
    guard chance.happens(0.3), !owed.isEmpty else { return }
    let streams = owed.keys.sorted()
    let stream = streams[chance.below(streams.count)]
    let count = chance.happens(0.7) ? owed[stream, default: 0] : chance.below(owed[stream, default: 0] + 1)
    owed[stream, default: 0] -= count
    if owed[stream] == 0 { owed[stream] = nil }
    puppet.step(.consumed(stream, count))
    puppet.listen()
  }

  private func hostile(_ chance: inout Chance) -> [UInt8] {
    let stream = UInt32([1, 3, 5, 7, 2, 4, 0, chance.below(50)][chance.below(8)])
    let flags = YamuxHeader.Flags(rawValue: UInt16([0, 0, 0, 1, 1, 2, 4, 8, 5, 3][chance.below(10)]))
    let good: [UInt8]
    switch chance.below(6) {
    case 0: good = frame(.ping, chance.happens(0.5) ? .syn : .ack, stream: 0, length: UInt32(chance.below(4)))
    case 1: good = frame(.windowUpdate, flags, stream: stream, length: UInt32(truncatingIfNeeded: chance.next()))
    case 2: good = frame(.windowUpdate, flags, stream: stream, length: UInt32(chance.below(1_000)))
    case 3:
      var hello: [UInt8] = []
      Multistream.append(Multistream.header, to: &hello)
      Multistream.append(chance.happens(0.7) ? "/echo/1" : "/other/1", to: &hello)
      // Few numbers are used again and again, many once.
      good = frame(.data, .syn, stream: UInt32(1 + 2 * chance.below(chance.happens(0.5) ? 4 : 200)), hello)
    default: good = frame(.data, flags, stream: stream, pattern(chance.below(300)))
    }
    return chance.happens(0.1) ? mutated(good, &chance) : good
  }

  private func act(_ puppet: inout Puppet, _ chance: inout Chance) {
    let stream = StreamID(UInt32(1 + chance.below(12)))
    switch chance.below(5) {
    case 0: puppet.step(.open(request: chance.next(), protocols: chance.happens(0.5) ? ["/a"] : ["/a", "/b"]))
    case 1: puppet.step(.reset(stream))
    case 2: puppet.step(.finish(stream))
    case 3: puppet.step(.fired([.handshake, .negotiation, .keepAlive][chance.below(3)]))
    default: puppet.now = puppet.now + .seconds(Double(chance.below(5)))
    }
    puppet.listen()
  }

  /// Bytes of a handshake, changed.
  @Test func `hostile handshakes never trap`() {
    for seed in 0..<UInt64(Effort.inputs / 40) {
      var chance = Chance(seed: seed).fork("handshake")
      var pair = Pair(seed: seed)
      pair.faults = PipeFaults(piece: 1 + chance.below(200), stall: 0.2)
      var draws = chance
      pair.change = { piece in if draws.happens(0.2) { piece = mutated(piece, &draws) } }
      pair.begin()
      let isChanged = pair.ends.contains { $0.secured == nil }
      #expect(isChanged || pair.ends.allSatisfy { $0.secured != nil }, "seed \(seed)")
    }
  }

  /// Two honest callers do anything at any time; in the end all that was written and not reset has arrived.
  @Test(arguments: Effort.seeds) func `any use of two ends ends well`(seed: UInt64) throws {
    var story = Story(seed: seed)
    for _ in 0..<300 { story.act() }
    try story.finish()
  }
}

/// Two ends, what was written on their streams, and what was done to them.
private struct Story {
  private var pair: Pair
  private var chance: Chance
  private let seed: UInt64
  private var written: [[StreamID: [UInt8]]] = [[:], [:]]
  private var finished: [Set<StreamID>] = [[], []]
  private var dropped: Set<StreamID> = []
  private var request: UInt64 = 0

  init(seed: UInt64) {
    self.seed = seed
    chance = Chance(seed: seed).fork("story")
    pair = Pair(seed: seed, faults: PipeFaults(piece: 1 + chance.below(5_000), stall: 0.3, rate: 20_000))
    pair.begin()
    pair.step(0, .serve(["/echo/1"]))
  }

  private mutating func some(_ end: Int) -> StreamID? {
    let all = pair.ends[end].opened.filter { !dropped.contains($0) && pair.ends[end].resets[$0] == nil }
    return all.isEmpty ? nil : all[chance.below(all.count)]
  }

  mutating func act() {
    let end = chance.below(2)
    switch chance.below(8) {
    case 0:
      request += 1
      pair.step(end, .open(request: request, protocols: chance.happens(0.5) ? ["/echo/1"] : ["/no/1", "/echo/1"]))
    case 1...3:
      guard let stream = some(end), !finished[end].contains(stream) else { return }
      let piece = pattern(chance.below(chance.happens(0.1) ? 300_000 : 3_000), written[end][stream]?.count ?? 0)
      written[end][stream, default: []] += piece
      pair.step(end, .write(stream, piece))
    case 4:
      guard let stream = some(end) else { return }
      finished[end].insert(stream)
      pair.step(end, .finish(stream))
    case 5:
      guard chance.happens(0.2), let stream = some(end) else { return }
      dropped.insert(stream)
      pair.step(end, .reset(stream))
    default: pair.run(rounds: chance.below(50))
    }
  }

  mutating func finish() throws {
    pair.run()
    for end in pair.ends { #expect(end.closed == nil, "seed \(seed)") }
    for end in 0...1 {
      for stream in pair.ends[end].opened where !dropped.contains(stream) {
        #expect(same(pair.ends[1 - end].data[stream] ?? [], written[end][stream] ?? []), "\(stream), seed \(seed)")
        #expect(pair.ends[1 - end].ended.contains(stream) == finished[end].contains(stream), "\(stream), seed \(seed)")
      }
      let open = pair.ends[end].opened.filter { stream in
        !dropped.contains(stream) && !(finished[0].contains(stream) && finished[1].contains(stream))
      }
      #expect(pair.ends[end].connection.streamCount == open.count, "no stream is left over, seed \(seed)")
    }
  }
}
