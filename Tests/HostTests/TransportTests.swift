import MurmurChannels
import MurmurHost
import MurmurIdentity
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
}
