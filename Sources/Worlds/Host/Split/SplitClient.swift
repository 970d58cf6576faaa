import MurmurChannels
public import MurmurIdentity
public import MurmurMachines
public import MurmurSplit
public import MurmurWire
public import NIOCore

/// Whoever asks devices of a split network without being one.
public final class SplitClient: Sendable {
  private let transport: Transport

  /// A client with an identity of its own, on a loop of `group`.
  public init(keys: KeyPair, group: any EventLoopGroup) {
    transport = Transport(identity: keys, group: group.next(), delegate: Nobody())
  }

  /// What all that live say of some rows, as the device at `address` hears it.
  ///
  /// - Throws: an error that names the address, and what to do; ``MurmurSplit/SplitRefusal`` if the device does not answer.
  public func ask(_ address: Multiaddr, _ rows: [Int32], within: Instant.Span = .seconds(15)) async throws -> SplitReply {
    let known = transport.links.last { $0.remoteAddress == address }
    let link = if let known { known } else { try await transport.dial(address).get() }
    let alarm = link.loop.scheduleTask(in: .nanoseconds(within.nanoseconds)) {
      // Who waits on the stream hears of the connection's end.
      link.execute { $0.close("no answer came within \(Int(within.seconds)) s") }
    }
    defer { alarm.cancel() }
    let stream = try await WaitingStream.open(link, [SplitFrame.askProtocolID])
    try await stream.write(MessageFraming.frame(SplitAsk(rows: rows).encode()))
    stream.finish()
    let bytes: [UInt8]
    do {
      bytes = try await stream.readAll(most: SplitLimits.frameBytes + 64 * SplitLimits.rows)
    } catch {
      throw SplitRefusal("\(address): \(error)")
    }
    var framing = MessageFraming(most: SplitLimits.frameBytes + 8 * SplitLimits.rows)
    framing.append(bytes)
    guard let message = try framing.next() else {
      throw SplitRefusal("\(address) ended the stream without an answer; is it a device of a split network, and alive?")
    }
    do { return try SplitReply.decode(message).get() } catch let refusal as SplitRefusal {
      throw SplitRefusal("\(address): \(refusal.problem)")
    }
  }

  /// Closes the connections.
  public func close() async throws { try await transport.close().get() }
}

/// A client serves nothing and needs not hear of links.
private final class Nobody: TransportDelegate {
  func connected(_ link: Link) {}
  func disconnected(_ link: Link, _ why: ConnectionError) {}
  func accept(_ stream: PeerStream) -> (any StreamHandler)? { nil }
}
