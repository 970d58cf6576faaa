import Foundation
import MurmurFeeds
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurStorage
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

/// Thin feeders and gateways on real sockets.
@Suite struct FeedTests {
  /// What gateways took, by name, and who waits for it.
  final class Shelf: Sendable {
    private struct State {
      var names: [Digest: Int] = [:]
      var waiting: [(count: Int, promise: EventLoopPromise<Void>)] = []
    }

    private let state = NIOLockedValueBox(State())

    var names: Set<Digest> { state.withLockedValue { Set($0.names.keys) } }

    func take(_ tag: [UInt8], _ content: [UInt8]) {
      let due: [EventLoopPromise<Void>] = state.withLockedValue { state in
        state.names[FeedKey(tag: tag, content: content).name, default: 0] += 1
        let due = state.waiting.filter { $0.count <= state.names.count }.map(\.promise)
        state.waiting.removeAll { $0.count <= state.names.count }
        return due
      }
      for promise in due { promise.succeed(()) }
    }

    /// Returns when there are so many different messages; fails when that takes too long.
    func has(_ count: Int, on loop: any EventLoop) async throws {
      let promise = loop.makePromise(of: Void.self)
      let isThere = state.withLockedValue { state in
        if state.names.count >= count { return true }
        state.waiting.append((count, promise))
        return false
      }
      if isThere { promise.succeed(()) }
      try await FeedTests.within(promise, "\(count) messages at the gateways")
    }
  }

  struct Late: Error, CustomStringConvertible {
    var description: String
  }

  static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 2)

  static func within(_ promise: EventLoopPromise<Void>, _ what: String) async throws {
    let alarm = promise.futureResult.eventLoop.scheduleTask(in: .seconds(120)) {
      promise.fail(Late(description: "\(what) were waited for in vain"))
    }
    defer { alarm.cancel() }
    try await promise.futureResult.get()
  }

  static func keys(_ name: String) -> KeyPair { KeyPair(seed: .sha256(of: Array(name.utf8))) }

  static func folder() throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/murmur-feed-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  static func fill(_ spool: Spool, _ numbers: Range<Int>, isSynced: Bool = true) throws {
    for number in numbers {
      let content = Array("message \(number)".utf8) + [UInt8](repeating: 1, count: 5_000)
      let tag = Digest.sha256(of: content).bytes
      let message = Spool.Message(tag: tag, name: FeedKey(tag: tag, content: content).name, content: content)
      try spool.append(message, position: UInt64(number), rows: 0, place: .init())
    }
    if isSynced { try spool.sync() }
  }

  static func gateway(
    _ name: String, _ shelf: Shelf, port: Int = 0, confirmation: Instant.Span = .milliseconds(20)
  ) async throws -> (gateway: LoneGateway, address: Multiaddr) {
    try await LoneGateway.start(
      session: "s", keys: keys(name), listen: Multiaddr(parsing: "/ip4/127.0.0.1/tcp/\(port)"), confirmation: confirmation,
      group: loops.next()
    ) { shelf.take($0, $1) }
  }

  /// A feeder that tells when its spool is empty.
  static func feeder(
    _ spool: Spool, to addresses: [Multiaddr], empty: EventLoopPromise<Void>
  ) async throws -> FeedNode {
    var configuration = FeedNodeConfiguration(session: "s", gateways: addresses)
    configuration.feeder.backoff = .milliseconds(20)
    return try await FeedNode.make(
      configuration, keys: keys("feeder"), spool: spool, chance: Chance(seed: 1), group: loops.next()
    ) { event in if case .forgotten = event, spool.numbers.isEmpty { empty.succeed(()) } }
  }

  @Test func `a gateway is closed half-way, and the other one gets everything`() async throws {
    let path = try Self.folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (shelf, spool) = (Shelf(), try Spool(at: path))
    try Self.fill(spool, 0..<300)
    // The first one confirms nothing before it goes, so that what it took is published again.
    let first = try await Self.gateway("first", shelf, confirmation: .seconds(1_000))
    let second = try await Self.gateway("second", shelf)
    let empty = Self.loops.next().makePromise(of: Void.self)
    let node = try await Self.feeder(spool, to: [first.address, second.address], empty: empty)
    node.start()
    try await shelf.has(100, on: Self.loops.next())
    try await first.gateway.close()
    try Self.fill(spool, 300..<400)
    node.spooled()
    try await Self.within(empty, "all messages' confirmations")
    let seen = try await node.snapshot()
    #expect(shelf.names.count == 400 && seen.gateway == 1 && seen.statistics.again >= 100)
    #expect(spool.numbers == 400..<400)
    try await node.close()
    try await second.gateway.close()
    try spool.close()
  }

  @Test func `what the disk does not have yet is not sent, even when there is room for more`() async throws {
    let path = try Self.folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (shelf, spool) = (Shelf(), try Spool(at: path))
    try Self.fill(spool, 0..<10)
    let gateway = try await Self.gateway("gateway", shelf)
    let empty = Self.loops.next().makePromise(of: Void.self)
    // Appended and not synced: a loss of power may take these along.
    try Self.fill(spool, 10..<15, isSynced: false)
    let configuration = FeedNodeConfiguration(session: "s", gateways: [gateway.address])
    let half = Self.loops.next().makePromise(of: Void.self)
    let node = try await FeedNode.make(
      configuration, keys: Self.keys("feeder"), spool: spool, chance: Chance(seed: 1), group: Self.loops.next()
    ) { event in
      if case .forgotten(let number) = event, number >= 10 { half.succeed(()) }
      if case .forgotten = event, spool.numbers.isEmpty { empty.succeed(()) }
    }
    node.start()
    try await Self.within(half, "the first ten")
    // A refill follows every time something is forgotten; what comes after it on the loop is asked of the node.
    for _ in 0..<5 { _ = try await node.snapshot() }
    #expect(shelf.names.count == 10 && spool.numbers == 10..<15 && spool.safe == 10..<10)
    try spool.sync()
    node.spooled()
    try await Self.within(empty, "the others")
    #expect(shelf.names.count == 15)
    try await node.close()
    try await gateway.gateway.close()
    try spool.close()
  }

  @Test func `a feeder that begins anew asks first, and publishes what is not known`() async throws {
    let path = try Self.folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let shelf = Shelf()
    let gateway = try await Self.gateway("slow", shelf, confirmation: .seconds(1))
    for life in 0..<3 {
      let spool = try Spool(at: path)
      try Self.fill(spool, life * 20..<(life + 1) * 20)
      let empty = Self.loops.next().makePromise(of: Void.self)
      let node = try await Self.feeder(spool, to: [gateway.address], empty: empty)
      node.start()
      try await shelf.has((life + 1) * 20, on: Self.loops.next())
      if life == 2 { try await Self.within(empty, "all messages' confirmations") } else { empty.succeed(()) }
      #expect(try await node.snapshot().statistics.published <= 20, "life \(life)")
      try await node.close()
      try spool.close()
    }
    #expect(shelf.names.count == 60)
    try await gateway.gateway.close()
  }

  @Test func `at a gateway of another session, or that is none, nothing is lost`() async throws {
    let path = try Self.folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (shelf, spool) = (Shelf(), try Spool(at: path))
    try Self.fill(spool, 0..<10)
    let other = try await LoneGateway.start(
      session: "another", keys: Self.keys("other"), listen: Multiaddr(parsing: "/ip4/127.0.0.1/tcp/0"), group: Self.loops.next()
    ) { _, _ in Issue.record("a message reached another session") }
    let right = try await Self.gateway("right", shelf)
    let nobody = try Multiaddr(parsing: "/ip4/127.0.0.1/tcp/1/p2p/\(Self.keys("nobody").peerID)")
    let empty = Self.loops.next().makePromise(of: Void.self)
    let node = try await Self.feeder(spool, to: [nobody, other.address, right.address], empty: empty)
    node.start()
    try await Self.within(empty, "all messages' confirmations")
    #expect(shelf.names.count == 10)
    try await node.close()
    for gateway in [other.gateway, right.gateway] { try await gateway.close() }
    try spool.close()
  }
}
