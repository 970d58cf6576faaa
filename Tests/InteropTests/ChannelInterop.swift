import MurmurChannels
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurWire
import NIOCore
import Testing

/// Connections with peers of other implementations, over Noise and yamux, both ways.
@Suite(.serialized, .enabled(if: !RealPeer.installed.isEmpty, Comment(rawValue: RealPeer.missing ?? "")))
struct ChannelInterop {
  @Test(arguments: RealPeer.installed) func `we dial it and it answers pings`(kind: RealPeer.Kind) async throws {
    let real = try await RealPeer(kind)
    defer { real.stop() }
    let ours = OurPeer("dialer of \(kind)")
    let link = try await ours.dial(real.address)
    #expect(link.peer.description == real.id)
    #expect(link.key.algorithm == (kind == .kubo ? .rsa : .ed25519))
    let stream = try await WaitingStream.open(link, [OurPeer.ping])
    for round in 0..<20 {
      let payload = [UInt8](repeating: UInt8(round), count: 32)
      try await stream.write(payload)
      #expect(try await stream.read(32) == payload)
    }
    stream.finish()
    let roundTrip = try await link.loop.submit { link.roundTrip }.get()
    #expect(roundTrip != nil, "it answers the pings of yamux")
    let second = try await WaitingStream.open(link, ["/nobody/speaks/this", OurPeer.ping])
    #expect(try await second.protocolName == OurPeer.ping)
    second.reset()
    await #expect(throws: ConnectionError.self) { try await WaitingStream.open(link, ["/nobody/1", "/nobody/2"]) }
    try await ours.stop()
  }

  @Test(arguments: RealPeer.installed) func `it dials us and we answer pings`(kind: RealPeer.Kind) async throws {
    let real = try await RealPeer(kind)
    defer { real.stop() }
    let ours = OurPeer("listener of \(kind)")
    let address = try await ours.listen()
    let answer = try await real("connect", ["addr": address, "timeout": 20])
    #expect(answer.isGood, "\(answer.text)")
    #expect(try await ours.firstLink().peer.description == real.id)
    // Kubo's kit has no ping: there it is a tunnel to our echo.
    let pings = try await real("ping", ["id": "\(ours.keys.peerID)", "n": 10, "timeout": 10])
    #expect(pings.isGood, "\(pings.text)")
    #expect(ours.served > 0)
    try await ours.stop()
  }

  @Test(arguments: RealPeer.installed) func `another peer at the address is noticed`(kind: RealPeer.Kind) async throws {
    let real = try await RealPeer(kind)
    defer { real.stop() }
    let ours = OurPeer("misled")
    let somebody = KeyPair(seed: .sha256(of: [1])).peerID
    let wrong = real.address.replacing(real.id, with: "\(somebody)")
    await #expect(throws: TransportError.self) { try await ours.dial(wrong) }
    try await ours.stop()
  }
}
