import MurmurChannels
import MurmurHost
import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import NIOCore
import Testing

extension WholeNodes {
  /// Peers that prove who they are and then abuse connections and streams, while a session of honest nodes goes on.
  @Suite(.serialized) struct HostileStreamTests {
    private func short(_ configuration: inout NodeConfiguration) {
      configuration.transport.channel.negotiation = .patient(1)
      configuration.transport.channel.resets = 300
      configuration.transport.stall = .patient(2)
      configuration.silence = .patient(1.5)
      configuration.stuck = .patient(2)
      configuration.conduct.ban = .patient(30)
    }

    /// Protocols whose messages have a length before them.
    static let protocols = [
      "/murmur/collective/1", "/meshsub/1.1.0", "/meshsub/1.0.0", "/floodsub/1.0.0", "/ipfs/bitswap/1.2.0", "/ipfs/bitswap",
      "/murmur/kad/1.0.0", "/ipfs/id/push/1.0.0",
    ]

    @Test func `messages announced too long, or that are none, shut a peer out on every protocol`() async throws {
      try await Flock.run(configure: short) { flock in
        for (number, name) in HostileStreamTests.protocols.enumerated() {
          for (kind, bytes) in [
            ("long", [UInt8](repeating: 0xff, count: 4) + [0x0f]), ("garbled", [6] + [UInt8](repeating: 0xfe, count: 6)),
          ] {
            let hostile = HostilePeer("\(kind) \(number)")
            let times = try await hostile.insist(flock.victim) {
              hostile.say(bytes, on: name, over: $0, streams: 4, finishes: true)
            }
            #expect(times < 4, "\(kind) on \(name): let in \(times) times")
            #expect(try await hostile.link(to: flock.victim).map { _ in hostile.ended > 0 } ?? true)
            try await hostile.stop()
          }
        }
        #expect(try await flock.goesOn())
        #expect(try await eventually { try await flock.victim.node.load().unfinished == 0 })
      }
    }

    @Test func `broken rules of yamux shut a peer out at once`() async throws {
      try await Flock.run(configure: short) { flock in
        for (number, frames) in [
          RawPeer.frame(.data, .syn, stream: 2), RawPeer.frame(.data, .syn, stream: 1, length: 256 << 10 + 1),
          RawPeer.frame(.data, .syn, stream: 1) + RawPeer.frame(.data, .syn, stream: 1), [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
        ].enumerated() {
          let keys = KeyPair(seed: .sha256(of: [UInt8(number)]))
          var peer = try #require(try await RawPeer(keys, to: flock.victim))
          peer.say(frames)
          #expect(try await eventually { !peer.socket.isOpen }, "\(number)")
          #expect(try await eventually { try await flock.victim.node.ban(of: keys.peerID) != nil }, "\(number)")
        }
        #expect(try await flock.goesOn())
      }
    }

    @Test func `numbers of streams that are over, used again within one record, harm nobody`() async throws {
      try await Flock.run(configure: short) { flock in
        func hello(_ name: String) -> [UInt8] {
          var hello: [UInt8] = []
          Multistream.append(Multistream.header, to: &hello)
          Multistream.append(name, to: &hello)
          return hello
        }
        let over = RawPeer.frame(.windowUpdate, .rst, stream: 1)
        let names = HostileStreamTests.protocols + [Ping.protocolID, "/murmur/kad/1.0.0", Identify.protocolID]
        for (number, name) in names.enumerated() {
          var peer = try #require(try await RawPeer(KeyPair(seed: .sha256(of: [UInt8(number), 77])), to: flock.victim))
          // The node reads all of it before it deals with the first frame.
          let ping = [UInt8](repeating: 9, count: 32)
          let whole = RawPeer.frame(.data, .syn, stream: 1, hello(name) + ping)
          let opened = RawPeer.frame(.data, .syn, stream: 1, hello(name))
          let bare = RawPeer.frame(.windowUpdate, .syn, stream: 1)
          for again in [bare, opened, whole] {
            peer.say(opened + over + again)
            peer.say(over + whole + over + again)
            peer.say(over)
          }
          // What came in one record is given back when the next stream has its number.
          for _ in 0..<20 {
            peer.say(whole + over + bare)
            peer.say(RawPeer.frame(.data, stream: 1, hello(name) + ping) + over)
          }
          peer.say(RawPeer.frame(.data, [.syn, .fin], stream: 1, hello(name) + ping))
          for _ in 0..<20 {
            peer.say(RawPeer.frame(.data, [.syn, .fin], stream: 3, hello(name)) + RawPeer.frame(.windowUpdate, .rst, stream: 3))
          }
          #expect(try await flock.goesOn(1), "\(name)")
          peer.socket.close()
        }
        #expect(try await flock.goesOn())
      }
    }

    @Test func `a storm of streams and resets ends, and its maker is shut out`() async throws {
      try await Flock.run(configure: short) { flock in
        let keys = KeyPair(seed: .sha256(of: Array("storm".utf8)))
        var attempts = 0
        while try await flock.victim.node.ban(of: keys.peerID) == nil, attempts < 10 {
          attempts += 1
          guard var peer = try await RawPeer(keys, to: flock.victim) else { continue }
          var storm: [UInt8] = []
          for number in 0..<400 {
            storm += RawPeer.frame(.windowUpdate, .syn, stream: UInt32(2 * number + 1), length: 0)
            storm += RawPeer.frame(.windowUpdate, .rst, stream: UInt32(2 * number + 1), length: 0)
          }
          peer.say(storm)
          _ = try await eventually(5) { !peer.socket.isOpen }
        }
        #expect(attempts <= 4, "shut out after \(attempts) storms")
        #expect(try await flock.goesOn())
      }
    }

    @Test func `streams that are opened and never spoken on are ended`() async throws {
      try await Flock.run(configure: short) { flock in
        let quiet = try await flock.victim.node.load().streams
        let hostile = HostilePeer("idle")
        let link = try #require(try await hostile.link(to: flock.victim))
        // Without an agreement on a protocol, with one and nothing more, and with the beginning of a message.
        var raw = try #require(try await RawPeer(KeyPair(seed: .sha256(of: Array("half".utf8))), to: flock.victim))
        for number in 0..<900 { raw.say(RawPeer.frame(.windowUpdate, .syn, stream: UInt32(2 * number + 1), length: 0)) }
        for name in ["/murmur/kad/1.0.0", Ping.protocolID, "/ipfs/id/push/1.0.0"] {
          hostile.say([], on: name, over: link, streams: 40)
        }
        for name in HostileStreamTests.protocols { hostile.say([0x80, 0x08, 1], on: name, over: link, streams: 20) }
        #expect(try await eventually { try await flock.victim.node.load().streams > quiet })
        #expect(try await flock.goesOn())
        let ended = try await eventually { try await flock.victim.node.load().streams <= quiet + 6 }
        let load = try await flock.victim.node.load()
        #expect(ended && load.unfinished == 0, "\(quiet) before, now \(load)")
        #expect(try await eventually { try await flock.victim.node.ban(of: hostile.id) != nil }, "messages were never finished")
        raw.socket.close()
        try await hostile.stop()
      }
    }

    @Test func `halves of large messages take no more memory than a peer may have`() async throws {
      try await Flock.run(configure: {
        short(&$0)
        $0.unfinishedBytesPerPeer = 1 << 20
      }) { flock in
        let hostile = HostilePeer("halves")
        let link = try #require(try await hostile.link(to: flock.victim))
        var half: [UInt8] = []
        Varint.append(900_000, to: &half)
        half += [UInt8](repeating: 0, count: 800_000)
        var most = 0
        hostile.say(half, on: "/ipfs/bitswap/1.2.0", over: link, streams: 12)
        _ = try await eventually(3) {
          most = max(most, try await flock.victim.node.load().unfinished)
          return try await flock.victim.node.ban(of: hostile.id) != nil
        }
        #expect(most <= 1 << 20, "\(most) bytes")
        #expect(try await flock.victim.node.ban(of: hostile.id) != nil)
        #expect(try await eventually { try await flock.victim.node.load().unfinished == 0 })
        #expect(try await flock.goesOn())
        try await hostile.stop()
      }
    }

    @Test func `who asks and never reads the answers is held back`() async throws {
      try await Flock.run(configure: short) { flock in
        let before = try await flock.victim.node.load()
        // One whose streams are closed, and one whose socket is.
        let hostile = HostilePeer("unread")
        let link = try #require(try await hostile.link(to: flock.victim))
        let pings = [UInt8](repeating: 7, count: 4 << 20)
        let asks = (0..<20_000).flatMap { MessageFraming.frame(KademliaMessage(.findNode, key: Array("\($0)".utf8)).encode()) }
        link.execute { link in
          for (name, bytes) in [(Ping.protocolID, pings), ("/murmur/kad/1.0.0", asks), ("/murmur/kad/1.0.0", asks)] {
            link.open([name], handler: Speaker(listens: false) { $0.write(bytes) })
          }
        }
        var raw = try #require(try await RawPeer(KeyPair(seed: .sha256(of: Array("deaf".utf8))), to: flock.victim))
        try await raw.socket.channel.setOption(.autoRead, value: false).get()
        for number in 0..<20_000 { raw.say(RawPeer.frame(.ping, .syn, stream: 0, length: UInt32(number))) }
        #expect(try await flock.goesOn())
        let load = try await flock.victim.node.load()
        #expect(load.unsent <= before.unsent + 3 << 20, "\(load)")
        #expect(try await eventually { try await flock.victim.node.load().streams <= before.streams + 6 })
        link.execute { $0.close("enough") }
        raw.socket.close()
        try await hostile.stop()
      }
    }
  }
}
