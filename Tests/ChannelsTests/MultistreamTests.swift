import MurmurChannels
import MurmurMachines
import MurmurWire
import Testing

/// Agreeing on a protocol.
@Suite struct MultistreamTests {
  private let limits = ChannelLimits()

  /// Lets two sides talk, in pieces of at most `piece` bytes; their outcomes, and all bytes each way.
  private func talk(
    _ dialer: Negotiation, _ listener: Negotiation, piece: Int, _ chance: inout Chance
  ) throws -> (outcomes: [Negotiation.Outcome], bytes: [[UInt8]]) {
    var sides = [dialer, listener]
    var waiting = [dialer.start(), []]
    var bytes: [[UInt8]] = [dialer.start(), []]
    var outcomes: [Negotiation.Outcome] = [.pending, .pending]
    while let from = [0, 1].first(where: { !waiting[$0].isEmpty }) {
      let count = min(waiting[from].count, 1 + chance.below(piece))
      let part = Array(waiting[from].prefix(count))
      waiting[from].removeFirst(count)
      var position = 0
      var out: [UInt8] = []
      try unsafe part.withUnsafeBytes { buffer in
        while position < buffer.count, outcomes[1 - from] == .pending {
          outcomes[1 - from] = try unsafe sides[1 - from].receive(buffer, at: &position, answers: &out)
        }
      }
      waiting[1 - from] += out
      bytes[1 - from] += out
      if outcomes[1 - from] != .pending { waiting[from] = [] }
    }
    return (outcomes, bytes)
  }

  @Test func `the transcript of one round trip is the specification's`() throws {
    var chance = Chance(seed: 1)
    let (outcomes, bytes) = try talk(
      .dialer(["/noise"], limits: limits), .listener(["/noise"], limits: limits), piece: 1_000, &chance)
    #expect(outcomes == [.agreed("/noise"), .agreed("/noise")])
    #expect(bytes[0] == hex("132f6d756c746973747265616d2f312e302e300a072f6e6f6973650a"))
    #expect(bytes[1] == bytes[0])
  }

  @Test(arguments: Effort.seeds) func `the first common protocol is found, however the bytes are cut`(seed: UInt64) throws {
    var chance = Chance(seed: seed)
    let names = (0..<6).map { "/protocol/\($0)" }
    let proposals = chance.pick(1 + chance.below(6), from: names)
    let served = chance.pick(chance.below(6), from: names)
    let (outcomes, _) = try talk(
      .dialer(proposals, limits: limits), .listener(served, limits: limits), piece: 1 + chance.below(40), &chance)
    if let common = proposals.first(where: { served.contains($0) }) {
      #expect(outcomes == [.agreed(common), .agreed(common)], "seed \(seed)")
    } else {
      #expect(outcomes[0] == .failed(proposals), "seed \(seed)")
    }
  }

  @Test func `a list is given, proposals without end are not`() throws {
    var listener = Negotiation.listener(["/a", "/b"], limits: limits)
    var question: [UInt8] = []
    Multistream.append(Multistream.header, to: &question)
    Multistream.append("ls", to: &question)
    var answers: [UInt8] = []
    #expect(try feed(&listener, question, &answers) == .pending)
    #expect(Array(answers.suffix(10)) == hex("09032f610a032f620a0a"))
    var outcome = Negotiation.Outcome.pending
    var asked = 0
    while outcome == .pending {
      asked += 1
      var more: [UInt8] = []
      Multistream.append("/c", to: &more)
      outcome = try feed(&listener, more, &answers)
    }
    #expect(asked == limits.proposals)
  }

  private func feed(_ side: inout Negotiation, _ bytes: [UInt8], _ answers: inout [UInt8]) throws -> Negotiation.Outcome {
    var position = 0
    return try unsafe bytes.withUnsafeBytes { try unsafe side.receive($0, at: &position, answers: &answers) }
  }

  @Test func `hostile messages are refused and never trap`() {
    for bytes: [UInt8] in [[0], [0x80, 0x80, 0x80], [0xff, 0x7f], [1, 65], [2, 0xff, 10], [0x80, 0x00]] {
      var reader = MultistreamReader(most: 1_024)
      var position = 0
      #expect(throws: WireError.self, "\(bytes)") {
        try unsafe bytes.withUnsafeBytes { _ = try unsafe reader.next($0, at: &position) }
      }
    }
    var chance = Chance(seed: 9)
    let dialer = Negotiation.dialer(["/noise", "/tls/1.0.0"], limits: limits)
    for _ in 0..<Effort.inputs {
      var side = chance.happens(0.5) ? dialer : .listener(["/noise"], limits: limits)
      var answers: [UInt8] = []
      for _ in 0..<3 where (try? feed(&side, mutated(dialer.start(), &chance), &answers)) == nil { break }
      #expect(answers.count < 4_096)
    }
  }

  @Test(arguments: Effort.seeds) func `framed messages come out as they went in`(seed: UInt64) throws {
    var chance = Chance(seed: seed)
    let messages = (0..<20).map { _ in pattern([0, 1, 127, 128, 300, 20_000][chance.below(6)]) }
    let bytes = messages.flatMap { MessageFraming.frame($0) }
    var framing = MessageFraming(most: 20_000)
    var found: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = min(rest.count, 1 + chance.below(9_000))
      framing.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
      while let message = try framing.next() { found.append(message) }
    }
    #expect(found.count == messages.count && zip(found, messages).allSatisfy(same) && framing.isAtBoundary, "seed \(seed)")
    framing.append([0xa1, 0x9c, 0x01])
    #expect(throws: WireError.self) { try framing.next() }
    for _ in 0..<Effort.inputs / 40 {
      var hostile = MessageFraming(most: 400)
      hostile.append(mutated(MessageFraming.frame(pattern(200)), &chance))
      for _ in 0..<100 { guard (try? hostile.next()) != nil else { break } }
    }
  }
}
