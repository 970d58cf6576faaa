import MurmurChannels
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurWire
import NIOCore
import NIOPosix
import Testing

extension WholeNodes {
  /// Sockets that never become connections, while a session of honest nodes goes on.
  @Suite(.serialized) struct HostileSocketTests {
    private func short(_ configuration: inout NodeConfiguration) {
      configuration.transport.channel.handshake = .patient(1)
      configuration.transport.unproven = 32
    }

    @Test func `hundreds of sockets that say nothing keep nobody out`() async throws {
      try await Flock.run(configure: short) { flock in
        var silent: [RawSocket] = []
        for number in 0..<300 {
          silent.append(try await RawSocket.connect(to: flock.victim.port, from: "127.0.0.\(1 + number % 200)"))
        }
        let load = try await flock.victim.node.load()
        #expect(load.unproven <= 32, "\(load)")
        let newcomer = try await HonestNode(9, joining: [flock.victim.address])
        #expect(try await eventually { newcomer.averages > 0 }, "a newcomer gets in")
        #expect(try await flock.goesOn(), "the session goes on")
        try await newcomer.stop()
        #expect(try await eventually { try await flock.victim.node.load().unproven == 0 }, "all of them were given up")
        #expect(silent.allSatisfy { !$0.isOpen })
      }
    }

    @Test func `handshakes byte by byte, cut off, garbled or endless are ended`() async throws {
      try await Flock.run(configure: short) { flock in
        let noise: [UInt8] = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ 7) }
        var sockets: [RawSocket] = []
        let openings: [[UInt8]] = [
          Array(RawPeer.hello.prefix(5)), RawPeer.hello, noise, RawPeer.hello + [0xff, 0xff] + noise, [0xff, 0xff, 0xff, 0x7f],
          RawPeer.hello + [0, 0], RawPeer.hello + [0, 32] + Array(noise.prefix(32)), Array("GET / HTTP/1.1\r\n\r\n".utf8),
        ]
        for opening in openings {
          let socket = try await RawSocket.connect(to: flock.victim.port)
          socket.write(opening)
          sockets.append(socket)
        }
        let slow = try await RawSocket.connect(to: flock.victim.port)
        for byte in RawPeer.hello where slow.isOpen {
          slow.write([byte])
          try await loops.next().scheduleTask(in: .milliseconds(Int64(100 * slowness))) {}.futureResult.get()
        }
        let ended = try await eventually { sockets.allSatisfy { !$0.isOpen } && !slow.isOpen }
        #expect(ended, "\(sockets.map(\.isOpen)) \(slow.isOpen)")
        #expect(try await flock.goesOn())
        #expect(try await flock.victim.node.load().unproven == 0)
      }
    }

    @Test func `who signs another key than it uses is not believed`() async throws {
      try await Flock.run(configure: short) { flock in
        let keys = KeyPair(seed: .sha256(of: Array("liar".utf8)))
        let before = try await flock.victim.node.load().links
        let liar = try #require(try await RawPeer(keys, to: flock.victim, lying: true))
        #expect(try await eventually { !liar.socket.isOpen })
        #expect(try await flock.victim.node.load().links <= before)
        #expect(try await flock.goesOn())
      }
    }

    @Test func `one address gets so many sockets and no more, and is shut out when it misbehaves`() async throws {
      try await Flock.run(configure: {
        $0.transport.sparesLoopback = false
        $0.transport.perAddress = 40
        $0.transport.unprovenPerAddress = 6
        $0.transport.channel.handshake = .patient(1)
        $0.conduct.sparesLoopback = false
        $0.conduct.addressTolerance = 10
        $0.conduct.ban = .patient(3)
      }) { flock in
        var silent: [RawSocket] = []
        for _ in 0..<20 { silent.append(try await RawSocket.connect(to: flock.victim.port, from: "127.0.0.77")) }
        #expect(try await eventually(5) { silent.count { $0.isOpen } <= 6 }, "the others were closed at once")
        for _ in 0..<4 {
          for _ in 0..<6 {
            let socket = try await RawSocket.connect(to: flock.victim.port, from: "127.0.0.77")
            socket.write([0xff, 0xff, 0xff, 0x7f])
          }
          _ = try await eventually(2) { try await flock.victim.node.load().unproven == 0 }
        }
        #expect(try await eventually { try await flock.victim.node.load().shutOutAddresses == 1 })
        let late = try await RawSocket.connect(to: flock.victim.port, from: "127.0.0.77")
        #expect(try await eventually(5) { !late.isOpen }, "closed before anything is said")
        #expect(try await flock.goesOn(), "peers at another address are not concerned")
        #expect(try await eventually(10) { try await flock.victim.node.load().shutOutAddresses == 0 }, "it ends")
        let again = try #require(
          try await RawPeer(KeyPair(seed: .sha256(of: [1])), to: flock.victim, from: "127.0.0.77"), "and it is let in again")
        again.socket.close()
      }
    }
  }
}
