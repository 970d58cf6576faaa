import MurmurChannels
import MurmurHost
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import Testing

/// Streams for callers that wait.
@Suite struct WaitingStreamTests {
  @Test func `what nobody reads stays at its sender, and comes when somebody does`() async throws {
    let accepted = NIOLockedValueBox<WaitingStream?>(nil)
    let listener = Host(
      "reads late", serving: ["/echo/1", "/late/1"],
      watcher: Watcher { stream in
        guard stream.protocolName == "/late/1" else { return Echo() }
        let waiting = WaitingStream(accepting: stream)
        accepted.withLockedValue { $0 = waiting }
        return waiting
      })
    let dialer = Host("writes at once")
    let link = try await dialer.transport.dial(listener.listen()).get()
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let sent = NIOLockedValueBox<PeerStream?>(nil)
    link.execute { link in
      link.open(
        ["/late/1"],
        handler: Speaker { stream in
          stream.write(bytes)
          sent.withLockedValue { $0 = stream }
        })
    }
    // As many bytes go to and fro on another stream of the connection: those of the first had their turns.
    let other = try await WaitingStream.open(link, ["/echo/1"])
    async let echo = other.read(bytes.count)
    try await other.write(bytes)
    #expect(try await echo == bytes)
    let stream = try #require(sent.withLockedValue { $0 })
    let unsent = try await link.loop.submit { stream.unsent }.get()
    #expect(unsent > 2_000_000, "\(unsent) bytes wait at the sender")
    let late = try #require(accepted.withLockedValue { $0 })
    #expect(try await late.read(1_000) == Array(bytes.prefix(1_000)))
    #expect(try await late.read(bytes.count - 1_000) == Array(bytes.dropFirst(1_000)))
    for host in [listener, dialer] { try await host.transport.close().get() }
  }
}
