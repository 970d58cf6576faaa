import Foundation
import MurmurChannels
import MurmurHost
import MurmurIdentity
import MurmurWire
import NIOCore
import NIOPosix

/// One end of a measurement, as a process of its own:
///
///     stream-bench listen               says its address, takes streams until its input ends
///     stream-bench send ADDRESS BYTES   sends one stream of so many bytes, says how long it took
///     stream-bench open ADDRESS COUNT   opens streams one after the other, each for one echo of 32 bytes
///
/// The protocols are those of the interoperation tests' peers, `/bench/sink/1.0.0` and `/bench/echo/1.0.0`, so that either end may be
/// another implementation.
@main enum Bench {
  static let sink = "/bench/sink/1.0.0"
  static let echo = "/bench/echo/1.0.0"
  static let block = [UInt8](repeating: 0x5a, count: 1 << 20)

  static func main() async throws {
    Memory.keepFreed()
    let words = Array(CommandLine.arguments.dropFirst())
    var generator = SystemRandomNumberGenerator()
    let keys = KeyPair(seed: Digest(generator.next(), generator.next(), generator.next(), generator.next()))
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let transport = Transport(identity: keys, group: group, serving: [sink, echo], delegate: Listener())
    switch (words.first, words.count) {
    case ("listen", 1):
      let address = try await transport.listen(Multiaddr(parsing: "/ip4/127.0.0.1/tcp/0")).get()
      print("\(address)/p2p/\(keys.peerID)")
      fflush(nil)
      while readLine() != nil {}
    case ("send", 3):
      let link = try await transport.dial(Multiaddr(parsing: words[1])).get()
      let seconds = try await send(link, Int(words[2]) ?? 0)
      print(seconds)
    case ("open", 3):
      let link = try await transport.dial(Multiaddr(parsing: words[1])).get()
      print(try await open(link, Int(words[2]) ?? 0))
    default: print("usage: stream-bench listen | send ADDRESS BYTES | open ADDRESS COUNT")
    }
    try await transport.close().get()
  }

  static func send(_ link: Link, _ bytes: Int) async throws -> Double {
    let promise = link.loop.makePromise(of: Double.self)
    link.execute { $0.open([sink], handler: Source(bytes, promise)) }
    return try await promise.futureResult.get()
  }

  /// Seconds a stream, opened, used once and closed.
  static func open(_ link: Link, _ count: Int) async throws -> Double {
    let start = NIODeadline.now()
    for _ in 0..<count {
      let stream = try await WaitingStream.open(link, [echo])
      try await stream.write([0, 0, 0, 32] + block[..<32])
      _ = try await stream.read(36)
      stream.finish()
    }
    return Double((NIODeadline.now() - start).nanoseconds) / 1e9 / Double(count)
  }
}

/// Writes as fast as it is told to, and waits for the other side to say that all came.
final class Source: StreamHandler {
  private let bytes: Int
  private var left: Int
  private let promise: EventLoopPromise<Double>
  private var start = NIODeadline.now()
  private var answer: [UInt8] = []

  init(_ bytes: Int, _ promise: EventLoopPromise<Double>) {
    self.bytes = bytes
    left = bytes
    self.promise = promise
  }

  func opened(_ stream: PeerStream) {
    start = .now()
    stream.write((0..<8).map { UInt8(truncatingIfNeeded: bytes >> (56 - 8 * $0)) })
    drained(stream)
  }

  func drained(_ stream: PeerStream) {
    while left > 0, stream.unsent <= stream.lowWater {
      let count = min(left, Bench.block.count)
      stream.write(count == Bench.block.count ? Bench.block : Array(Bench.block[..<count]))
      left -= count
    }
  }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    answer += bytes
    stream.consumed(bytes.count)
    guard answer.count >= 8 else { return }
    let all = answer.prefix(8).reduce(0) { $0 << 8 | Int($1) }
    precondition(all == self.bytes, "\(all) of \(self.bytes) bytes came")
    promise.succeed(Double((NIODeadline.now() - start).nanoseconds) / 1e9)
    stream.finish()
  }

  func refused(_ error: ConnectionError) { promise.fail(error) }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) { if let error { promise.fail(error) } }
}

/// Counts what comes and says so at the end.
final class Sink: StreamHandler {
  private var header: [UInt8] = []
  private var expected = 0
  private var count = 0

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    stream.consumed(bytes.count)
    var new = bytes.count
    if header.count < 8 {
      let taken = min(8 - header.count, bytes.count)
      header += bytes[..<taken]
      new -= taken
      guard header.count == 8 else { return }
      expected = header.reduce(0) { $0 << 8 | Int($1) }
    }
    count += new
    guard count == expected else { return }
    stream.write((0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) })
    stream.finish()
  }
}

/// Sends everything back.
final class Echo: StreamHandler {
  func received(_ bytes: [UInt8], on stream: PeerStream) {
    stream.write(bytes)
    stream.consumed(bytes.count)
  }

  func ended(_ stream: PeerStream) { stream.finish() }
}

final class Listener: TransportDelegate {
  func connected(_ link: Link) {}
  func disconnected(_ link: Link, _ why: ConnectionError) {}
  func accept(_ stream: PeerStream) -> (any StreamHandler)? { stream.protocolName == Bench.sink ? Sink() : Echo() }
}
