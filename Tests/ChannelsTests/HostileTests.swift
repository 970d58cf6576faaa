import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// A peer that has proven who it is and then breaks rules, asks for too much, or plays dead.
@Suite struct HostileTests {
  /// Frames that end the connection, and a word of the reason.
  static let offences: [(name: String, bytes: [UInt8], word: String)] = [
    ("an unknown version", [1] + frame(.data, .syn, stream: 1).dropFirst(), "version"),
    ("an unknown type", [0, 9] + frame(.data, .syn, stream: 1).dropFirst(2), "type"),
    ("data on stream 0", frame(.data, .syn, stream: 0), "stream 0"),
    ("a stream of the other side's numbers", frame(.data, .syn, stream: 2), "number of this side's"),
    ("a stream opened twice", frame(.data, .syn, stream: 1) + frame(.data, .syn, stream: 1), "twice"),
    ("a stream that nobody opened", frame(.data, stream: 7, [1]), "nobody opened"),
    ("a stream that this side never opened", frame(.windowUpdate, stream: 8, length: 1), "never opened"),
    ("more than the window", frame(.data, .syn, stream: 1, length: 256 << 10 + 1), "allowed"),
    ("data after the end", frame(.data, [.syn, .fin], stream: 1) + frame(.data, stream: 1, [1]), "after its end"),
    (
      "a window beyond all bounds",
      frame(.windowUpdate, .syn, stream: 1, length: .max) + frame(.windowUpdate, stream: 1, length: .max), "window"
    ),
  ]

  @Test(arguments: offences.indices) func `a broken rule closes the connection and says which`(index: Int) throws {
    let offence = HostileTests.offences[index]
    var puppet = try Puppet()
    puppet.say(offence.bytes)
    let error = try #require(puppet.closed, "\(offence.name)")
    #expect(error.isOffence && error.phase == .frames && error.peer == Pair.keys("puppet").peerID)
    #expect("\(error)".contains(offence.word), "\(error)")
    #expect(try puppet.frames().last == YamuxHeader(.goAway, [], stream: 0, length: 1), "\(offence.name)")
  }

  @Test func `what was on its way to a reset stream is dropped`() throws {
    var puppet = try Puppet()
    puppet.open(1)
    puppet.step(.reset(StreamID(1)))
    puppet.say(.data, stream: 1, pattern(1_000))
    puppet.say(.windowUpdate, stream: 1, length: 10)
    #expect(puppet.closed == nil && puppet.victim.streamCount == 0)
    #expect(try puppet.frames().contains(YamuxHeader(.windowUpdate, .rst, stream: 1, length: 0)))
  }

  /// What is done for the stream that is over must not touch the one that has its number now.
  private func leavesAlone(_ puppet: inout Puppet, _ old: StreamID, _ new: StreamID) throws {
    let count = puppet.received(new)
    #expect(old.number == new.number && old != new && count > 0)
    for _ in 0..<2 { puppet.step(.consumed(old, count)) }
    puppet.step(.write(old, [1, 2, 3]))
    puppet.step(.finish(old))
    puppet.step(.reset(old))
    #expect(puppet.victim.streamCount == 1 && puppet.victim.unsentInAll == 0 && puppet.closed == nil)
    _ = try puppet.frames()
    puppet.step(.consumed(new, count))
    puppet.step(.write(new, [4, 5]))
    puppet.listen()
    #expect(try puppet.frames().contains { $0.kind == .data && $0.stream == new.number && $0.length == 2 && $0.flags == [] })
    puppet.say(.windowUpdate, .rst, stream: new.number)
    let ends = puppet.effects.compactMap { if case .wasReset(let stream, _) = $0 { stream } else { nil } }
    #expect(ends.last == new && puppet.victim.streamCount == 0 && puppet.closed == nil)
  }

  @Test func `a number that is used again after a reset is another stream, also within one record`() throws {
    var puppet = try Puppet()
    let over = frame(.data, .syn, stream: 1, Puppet.hello) + frame(.windowUpdate, .rst, stream: 1)
    puppet.say(over + frame(.windowUpdate, .syn, stream: 1))
    #expect(puppet.closed == nil && puppet.victim.streamCount == 1 && puppet.opened.count == 1)
    // What the first stream agreed on does not count for the second.
    puppet.say(.data, stream: 1, Puppet.hello + pattern(100))
    #expect(puppet.closed == nil && puppet.opened.count == 2)
    let streams = puppet.opened
    #expect(puppet.received(streams[0]) == 0 && puppet.received(streams[1]) == 100)
    try leavesAlone(&puppet, streams[0], streams[1])
  }

  @Test func `bytes of a stream that is over can be given back when its number is in use again`() throws {
    var puppet = try Puppet()
    let over = frame(.data, .syn, stream: 1, Puppet.hello + pattern(5_000)) + frame(.windowUpdate, .rst, stream: 1)
    puppet.say(over + frame(.data, .syn, stream: 1, Puppet.hello + pattern(10)))
    let streams = puppet.opened
    try #require(streams.count == 2)
    #expect(puppet.received(streams[0]) == 5_000 && puppet.received(streams[1]) == 10)
    puppet.step(.consumed(streams[0], 5_000))
    try leavesAlone(&puppet, streams[0], streams[1])
  }

  @Test func `a number that is used again after both sides finished is another stream`() throws {
    var puppet = try Puppet()
    puppet.open(1)
    let first = try #require(puppet.opened.first)
    puppet.step(.finish(first))
    puppet.listen()
    puppet.say(frame(.data, .fin, stream: 1, pattern(50)) + frame(.data, .syn, stream: 1, Puppet.hello + pattern(70)))
    let streams = puppet.opened
    try #require(streams.count == 2)
    #expect(puppet.received(first) == 50 && puppet.received(streams[1]) == 70)
    puppet.step(.consumed(first, 50))
    try leavesAlone(&puppet, first, streams[1])
  }

  @Test func `streams that are announced out of order are all taken`() throws {
    var puppet = try Puppet()
    for number: UInt32 in [5, 1, 3] { puppet.open(number) }
    #expect(puppet.opened.map(\.number) == [5, 1, 3] && puppet.closed == nil)
    for stream in puppet.opened { puppet.step(.write(stream, [1])) }
    puppet.listen()
    #expect(try puppet.frames().filter { $0.kind == .data && $0.length == 1 }.map(\.stream).sorted() == [1, 3, 5])
  }

  @Test func `streams beyond the limit are reset, the others go on`() throws {
    var limits = ChannelLimits()
    limits.inboundStreams = 10
    var puppet = try Puppet(limits: limits)
    _ = try puppet.frames()
    for number in stride(from: UInt32(1), to: 41, by: 2) { puppet.open(number) }
    let resets = try puppet.frames().filter { $0.flags.contains(.rst) }
    #expect(resets.map(\.stream) == Array(stride(from: 21, to: 41, by: 2)))
    #expect(puppet.victim.streamCount == 10 && puppet.closed == nil)
  }

  @Test func `a storm of resets ends the connection`() throws {
    var puppet = try Puppet()
    var number: UInt32 = 1
    while puppet.closed == nil, number < 20_000 {
      puppet.open(number)
      puppet.say(.windowUpdate, .rst, stream: number)
      number += 2
    }
    let error = try #require(puppet.closed)
    #expect("\(error)".contains("reset within ten seconds") && number > 8_000)
    #expect(puppet.victim.streamCount == 0)
  }

  @Test func `a storm of resets over a long time is borne`() throws {
    var puppet = try Puppet()
    for number in stride(from: UInt32(1), to: 12_000, by: 2) {
      puppet.now = puppet.now + .milliseconds(4)
      puppet.open(number)
      puppet.say(.windowUpdate, .rst, stream: number)
      puppet.effects.removeAll()
    }
    #expect(!puppet.victim.isClosed && puppet.victim.streamCount == 0)
  }

  @Test func `pings that are never read close the connection before they fill the memory`() throws {
    var puppet = try Puppet()
    var count: UInt32 = 0
    while puppet.closed == nil, count < 1_000_000 {
      count += 1
      puppet.say(.ping, .syn, stream: 0, length: count, listening: false)
    }
    let error = try #require(puppet.closed)
    #expect("\(error)".contains("reads nothing"))
    let bytes = puppet.effects.reduce(0) { if case .send(let piece) = $1 { $0 + piece.count } else { $0 } }
    #expect(bytes < ChannelLimits().inFlight + ChannelLimits().answers + 100_000)
  }

  @Test func `a handshake that is too long, or too slow, ends`() throws {
    var pair = Pair(seed: 1)
    pair.step(1, .began)
    var hello: [UInt8] = []
    Multistream.append(Multistream.header, to: &hello)
    Multistream.append("/noise", to: &hello)
    pair.step(1, .received(hello + [0xff, 0xff, 1]))
    #expect(pair.ends[1].closed?.phase == .handshake)
    var slow = Pair(seed: 2)
    slow.step(1, .began)
    for byte in hello {
      slow.step(1, .received([byte]))
      slow.pass(.seconds(1))
    }
    #expect(slow.ends[1].closed?.reason == .late("the upgrade of the connection"))
    #expect(slow.now < .origin + .seconds(60) && slow.ends[1].connection.isClosed)
  }

  @Test func `streams that never agree on a protocol are reset`() throws {
    var puppet = try Puppet()
    for number in stride(from: UInt32(1), to: 200, by: 2) { puppet.say(.windowUpdate, .syn, stream: number, length: 0) }
    #expect(puppet.victim.streamCount == 100)
    puppet.now = puppet.now + .seconds(11)
    puppet.step(.fired(.negotiation))
    #expect(puppet.victim.streamCount == 0 && puppet.closed == nil)
  }

  @Test func `an unknown protocol is refused and the stream ends`() throws {
    var pair = Pair(seed: 6)
    pair.begin()
    #expect(throws: ConnectionError.self) { try pair.open(0, ["/no/1", "/no/2"]) }
    pair.step(0, .open(request: 9, protocols: ["/no/3"]))
    let stream = try #require(pair.ends[0].requests[9])
    pair.step(0, .write(stream, pattern(100)))
    pair.run()
    pair.step(0, .reset(stream))
    pair.run()
    #expect(pair.ends.allSatisfy { $0.connection.streamCount == 0 && $0.closed == nil })
    #expect(pair.ends[1].opened.isEmpty)
  }

  @Test func `a reader that stops holds its own stream back and no other`() throws {
    var pair = Pair(seed: 7)
    pair.ends[1].consumes = false
    pair.begin()
    let slow = try pair.open(0, request: 1)
    let fast = try pair.open(0, request: 2)
    pair.step(0, .write(slow, pattern(1 << 20)))
    pair.run()
    // The window is that of yamux, less what the agreement on the protocol took.
    let held = Yamux.initialWindow - 29
    #expect(pair.ends[1].received[slow] == held && pair.ends[0].connection.unsent(slow) == (1 << 20) - held)
    pair.ends[1].consumes = true
    pair.step(0, .write(fast, pattern(1 << 20)))
    pair.run()
    #expect(pair.ends[1].received[fast] == 1 << 20 && pair.ends[1].received[slow] == held)
    pair.step(1, .consumed(slow, held))
    pair.run()
    #expect(same(pair.ends[1].data[slow] ?? [], pattern(1 << 20)))
    #expect(pair.ends[0].drained[slow] == 1 && pair.ends[0].drained[fast] == 1)
  }

  @Test func `a writer that does not heed the mark loses its stream`() throws {
    var limits = ChannelLimits()
    limits.unsent = 1 << 20
    var pair = Pair(seed: 8, limits: limits)
    pair.ends[1].consumes = false
    pair.begin()
    let stream = try pair.open()
    for _ in 0..<6 { pair.step(0, .write(stream, pattern(256 << 10))) }
    let error = try #require(pair.ends[0].resets[stream])
    #expect("\(error)".contains("write only when told"))
    pair.run()
    #expect(pair.ends[1].resets[stream]?.reason == .resetByPeer && pair.ends[0].closed == nil)
  }

  @Test func `a peer that says nothing any more is given up`() {
    var pair = Pair(seed: 9)
    pair.begin()
    pair.pass(.seconds(200))
    #expect(pair.ends.allSatisfy { $0.closed == nil }, "both answer pings")
    pair.faults.stall = 1
    pair.pass(.seconds(55))
    #expect(pair.ends.allSatisfy { $0.closed?.reason == .late("a sign of life") })
  }

  @Test func `a peer without early negotiation agrees on yamux afterwards`() throws {
    var puppet = try Puppet(muxers: [])
    #expect(!puppet.victim.isOpen)
    var hello: [UInt8] = []
    Multistream.append(Multistream.header, to: &hello)
    Multistream.append("/mplex/6.7.0", to: &hello)
    puppet.say(hello)
    var second: [UInt8] = []
    Multistream.append("/yamux/1.0.0", to: &second)
    puppet.say(second + frame(.ping, .syn, stream: 0, length: 5))
    #expect(puppet.victim.isOpen && puppet.closed == nil)
    let text = String(decoding: puppet.heard, as: UTF8.self)
    #expect(text.contains("na\n") && text.contains("/yamux/1.0.0\n"))
  }
}
