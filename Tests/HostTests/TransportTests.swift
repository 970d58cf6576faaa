import MurmurChannels
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

/// Two transports over the loopback interface.
@Suite struct TransportTests {
  @Test(arguments: ["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"]) func `a dialled peer answers`(address: String) async throws {
    let alice = Host("alice")
    let bob = Host("bob")
    let bound = try await bob.listen(address)
    let link = try await alice.transport.dial(bound, expecting: bob.keys.peerID).get()
    #expect(link.peer == bob.keys.peerID && link.role == .dialer)
    let stream = try await WaitingStream.open(link, ["/echo/1"])
    try await stream.write(Array("hello".utf8))
    stream.finish()
    #expect(try await stream.readAll() == Array("hello".utf8))
    try await alice.transport.close().get()
    try await bob.watcher.ends(1, on: loops.next())
    #expect(bob.watcher.heard.withLockedValue { $0.connected.map(\.peer) } == [alice.keys.peerID])
    try await bob.transport.close().get()
    #expect(alice.transport.links.isEmpty && bob.transport.links.isEmpty)
  }

  @Test func `sixteen megabytes come back as they went`() async throws {
    let alice = Host("alice")
    let bob = Host("bob")
    let link = try await alice.transport.dial(bob.listen()).get()
    let stream = try await WaitingStream.open(link, ["/nobody/1", "/echo/1"])
    #expect(try await stream.protocolName == "/echo/1")
    let sent = (0..<16 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) }
    async let all = stream.read(sent.count)
    for start in stride(from: 0, to: sent.count, by: 1 << 20) { try await stream.write(Array(sent[start..<start + 1 << 20])) }
    stream.finish()
    let came = try await all
    let isSame = came == sent
    #expect(isSame)
    try await alice.transport.close().get()
    try await bob.transport.close().get()
  }

  @Test func `a dial that cannot succeed says where, with whom and why`() async throws {
    let alice = Host("alice")
    let bob = Host("bob")
    let bound = try await bob.listen()
    let stranger = KeyPair(seed: .sha256(of: [7])).peerID
    let wrong = await #expect(throws: TransportError.self) { try await alice.transport.dial(bound, expecting: stranger).get() }
    let text = wrong?.description ?? ""
    #expect(text.contains("\(bound)") && text.contains("\(stranger)") && text.contains("\(bob.keys.peerID) answered instead"))
    #expect(wrong?.cause?.reason == .wrongPeer(bob.keys.peerID))
    let oneself = await #expect(throws: TransportError.self) { try await bob.transport.dial(bound).get() }
    #expect(oneself?.cause?.reason == .oneself)
    try await bob.transport.close().get()
    let closed = await #expect(throws: TransportError.self) { try await alice.transport.dial(bound).get() }
    #expect(closed?.description.contains("is it running") == true)
    let other = try Multiaddr(parsing: "/ip4/127.0.0.1/udp/1/quic-v1")
    await #expect(throws: TransportError.self) { try await alice.transport.dial(other).get() }
    await #expect(throws: TransportError.self) { try await alice.transport.listen(other).get() }
    try await alice.transport.close().get()
  }

  @Test func `two peers that dial each other at once have two links, and both work`() async throws {
    let alice = Host("alice")
    let bob = Host("bob")
    let (first, second) = try await (alice.listen(), bob.listen())
    async let there = alice.transport.dial(second).get()
    async let back = bob.transport.dial(first).get()
    for link in try await [there, back] {
      let stream = try await WaitingStream.open(link, ["/echo/1"])
      try await stream.write([1, 2, 3])
      #expect(try await stream.read(3) == [1, 2, 3])
      stream.finish()
    }
    #expect(Set(try await [there.role, back.role]) == [.dialer])
    try await alice.transport.close().get()
    try await bob.transport.close().get()
  }

  @Test func `a stream on a link that is gone is refused at once`() async throws {
    let alice = Host("alice")
    let bob = Host("bob")
    let link = try await alice.transport.dial(bob.listen()).get()
    let stream = try await WaitingStream.open(link, ["/echo/1"])
    // With an answer from Bob he knows who it is.
    try await stream.write([1])
    #expect(try await stream.read(1) == [1])
    link.execute { $0.close("the test says so") }
    await #expect(throws: ConnectionError.self) { try await stream.read(1) }
    try await alice.watcher.ends(1, on: loops.next())
    await #expect(throws: ConnectionError.self) { try await WaitingStream.open(link, ["/echo/1"]) }
    try await bob.watcher.ends(1, on: loops.next())
    let why = bob.watcher.heard.withLockedValue { $0.disconnected.first }
    #expect(why?.peer == alice.keys.peerID)
    // Where Bob's answer was still unread when Alice closed, TCP resets the connection, and her good-bye may be lost with it.
    let isGone =
      switch why?.reason {
      case .closedByPeer, .network: true;
      default: false
      }
    #expect(isGone, "\(String(describing: why))")
    try await alice.transport.close().get()
    try await bob.transport.close().get()
  }

  @Test func `a link that is gone leaves nothing behind`() async throws {
    let alice = Host("alice")
    let bob = Host("bob")
    let bound = try await bob.listen()
    func visit() async throws {
      let link = try await alice.transport.dial(bound).get()
      let stream = try await WaitingStream.open(link, ["/echo/1"])
      try await stream.write([1])
      #expect(try await stream.read(1) == [1])
      link.execute { $0.close("the visit is over") }
    }
    for _ in 0..<4 { try await visit() }
    var gone: [Gone] = []
    for host in [alice, bob] {
      try await host.watcher.ends(4, on: loops.next())
      gone += host.watcher.forget().map(Gone.init)
    }
    #expect(gone.count == 8)
    #expect(try await eventually { gone.allSatisfy { $0.link == nil } }, "\(gone.count { $0.link != nil }) of 8 are still there")
    try await alice.transport.close().get()
    try await bob.transport.close().get()
  }

  /// A link that nobody here holds.
  private struct Gone {
    weak var link: Link?

    init(_ link: Link) { self.link = link }
  }

  @Test func `a peer gets no more links than it may have`() async throws {
    let alice = Host("alice")
    let bob = Host("bob") { $0.perPeer = 2 }
    let bound = try await bob.listen()
    for _ in 0..<3 { _ = try await alice.transport.dial(bound).get() }
    try await bob.watcher.ends(1, on: loops.next())
    #expect(bob.transport.links(to: alice.keys.peerID).count == 2)
    try await alice.transport.close().get()
    try await bob.transport.close().get()
  }

  @Test func `sockets that never prove who they are do not keep others out`() async throws {
    let alice = Host("alice")
    let bob = Host("bob") {
      $0.unproven = 4
      $0.channel.handshake = .milliseconds(150)
    }
    let bound = try await bob.listen()
    guard case .tcp(let port)? = bound.parts.last else { return #expect(Bool(false), "\(bound)") }
    var silent: [any Channel] = []
    for _ in 0..<12 { silent.append(try await ClientBootstrap(group: loops).connect(host: "127.0.0.1", port: Int(port)).get()) }
    for channel in silent { try await channel.closeFuture.get() }
    let link = try await alice.transport.dial(bound).get()
    #expect(link.peer == bob.keys.peerID)
    try await alice.transport.close().get()
    try await bob.transport.close().get()
  }

  @Test func `a reader that stops stops the writer, and memory with it`() async throws {
    let alice = Host("alice")
    let holding = NIOLockedValueBox<Holder?>(nil)
    let bob = Host(
      "bob",
      watcher: Watcher { _ in
        let holder = Holder()
        holding.withLockedValue { $0 = holder }
        return holder
      })
    let link = try await alice.transport.dial(bob.listen()).get()
    let stream = try await WaitingStream.open(link, ["/echo/1"])
    let all = 3 << 20
    async let written: Void = {
      for _ in 0..<all >> 16 { try await stream.write([UInt8](repeating: 1, count: 1 << 16)) }
    }()
    let held = try await Holder.wait(holding, for: 200 << 10)
    #expect(held <= 256 << 10, "not more than the window")
    holding.withLockedValue { $0 }?.release()
    try await written
    stream.finish()
    #expect(try await Holder.wait(holding, for: all) == all)
    try await alice.transport.close().get()
    try await bob.transport.close().get()
  }

  @Test func `many streams at once are all answered`() async throws {
    let alice = Host("alice")
    let bob = Host("bob")
    let link = try await alice.transport.dial(bob.listen()).get()
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<200 {
        group.addTask {
          let stream = try await WaitingStream.open(link, ["/echo/1"])
          let sent = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1_000 + number)
          try await stream.write(sent)
          stream.finish()
          return try await stream.readAll() == sent
        }
      }
      for try await isSame in group { #expect(isSame) }
    }
    let left = try await link.loop.submit { link.streamCount }.get()
    #expect(left == 0)
    try await alice.transport.close().get()
    try await bob.transport.close().get()
  }
}

/// Keeps what comes without giving it back, until it is told to.
private final class Holder: StreamHandler, Sendable {
  private struct State {
    var count = 0
    var held = 0
    var isReleased = false
    var stream: PeerStream?
    var waiting: (count: Int, promise: EventLoopPromise<Int>)?
  }

  private let state = NIOLockedValueBox(State())

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    let (giveBack, due): (Int, (EventLoopPromise<Int>, Int)?) = state.withLockedValue { state in
      state.stream = stream
      state.count += bytes.count
      if !state.isReleased { state.held += bytes.count }
      guard let waiting = state.waiting, state.count >= waiting.count else { return (state.isReleased ? bytes.count : 0, nil) }
      state.waiting = nil
      return (state.isReleased ? bytes.count : 0, (waiting.promise, state.count))
    }
    if giveBack > 0 { stream.consumed(giveBack) }
    if let (promise, count) = due { promise.succeed(count) }
  }

  /// Gives everything back, now and from now on.
  func release() {
    let (stream, held) = state.withLockedValue { state in
      state.isReleased = true
      defer { state.held = 0 }
      return (state.stream, state.held)
    }
    stream?.link.execute { _ in stream?.consumed(held) }
  }

  /// What has come, once that is `count` bytes at least.
  static func wait(_ holder: NIOLockedValueBox<Holder?>, for count: Int) async throws -> Int {
    while true {
      if let holder = holder.withLockedValue({ $0 }) { return try await holder.wait(for: count) }
      try await loops.next().scheduleTask(in: .milliseconds(1)) {}.futureResult.get()
    }
  }

  private func wait(for count: Int) async throws -> Int {
    let promise = loops.next().makePromise(of: Int.self)
    let now: Int? = state.withLockedValue { state in
      if state.count >= count { return state.count }
      state.waiting = (count, promise)
      return nil
    }
    if let now { promise.succeed(now) }
    return try await promise.futureResult.get()
  }
}
