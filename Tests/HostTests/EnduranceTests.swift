import Foundation
import MurmurChannels
import MurmurCollective
import MurmurHost
import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import MurmurRouting
import MurmurWire
import NIOCore
import NIOPosix
import Testing

extension WholeNodes {
  /// Everything at once, again and again: what a node holds stays what it was. `MURMUR_ROUNDS` raises the rounds from 3, and has the
  /// resident memory of the process printed after each.
  @Suite(.serialized) struct EnduranceTests {
    private let rounds = ProcessInfo.processInfo.environment["MURMUR_ROUNDS"].flatMap { Int($0) } ?? 3

    /// Bytes of this process in memory; 0 where the system does not say.
    private var resident: Int {
      guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
      return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4_096
    }

    @Test func `rounds of every attack leave nothing behind`() async throws {
      try await Flock.run(configure: {
        $0.transport.channel.handshake = .patient(1)
        $0.transport.channel.negotiation = .patient(1)
        $0.silence = .patient(1.5)
        $0.stuck = .patient(2)
        $0.transport.stall = .patient(2)
      }) { flock in
        let quiet = try await flock.victim.node.load()
        for round in 0..<rounds {
          try await attack(flock.victim, round)
          #expect(try await flock.goesOn(), "round \(round)")
          let isQuiet = try await eventually {
            let load = try await flock.victim.node.load()
            return load.unproven == 0 && load.unfinished == 0 && load.links <= quiet.links && load.streams <= quiet.streams + 8
              && load.unsent <= quiet.unsent + 1 << 20 && load.timers <= quiet.timers + 4 && load.requests <= quiet.requests + 8
          }
          let load = try await flock.victim.node.load()
          #expect(isQuiet, "round \(round): \(quiet) before, \(load) after")
          #expect(load.remembered <= 1_024 && load.addresses <= 4_096)
          if rounds > 3 { print("round \(round): \(resident >> 10) KiB resident, \(load)") }
        }
      }
    }

    private func attack(_ victim: HonestNode, _ round: Int) async throws {
      var sockets: [RawSocket] = []
      for number in 0..<150 {
        let socket = try await RawSocket.connect(to: victim.port, from: "127.0.1.\(1 + number % 250)")
        socket.write(
          number % 3 == 0 ? [] : number % 3 == 1 ? Array(RawPeer.hello.prefix(number % 20)) : [0xff, 0xff, 0xff, 0xff])
        sockets.append(socket)
      }
      let protocols = HostileStreamTests.protocols
      let hostile = HostilePeer("endurance \(round)", claiming: ["/meshsub/1.1.0", "/murmur/collective/1", "/murmur/kad/1.0.0"])
      if let link = try await hostile.link(to: victim) {
        for name in protocols { hostile.say([0x80, 0x20, 1, 2, 3], on: name, over: link, streams: 30) }
        hostile.say([UInt8](repeating: 7, count: 1 << 20), on: Ping.protocolID, over: link, streams: 4)
        let find = KademliaMessage(.findNode, key: [1, 2, 3])
        hostile.say((0..<2_000).flatMap { _ in MessageFraming.frame(find.encode()) }, on: "/murmur/kad/1.0.0", over: link)
      }
      for number in 0..<6 {
        let liar = HostilePeer("endurance \(round) \(number)", claiming: protocols)
        if let link = try await liar.link(to: victim) {
          liar.say([UInt8](repeating: 0xff, count: 9), on: protocols[number], over: link, streams: 6, finishes: true)
          let spam = RPC(publish: [
            Message(from: liar.id, seqno: 1, topic: Topic("spam"), data: [UInt8](repeating: 1, count: 900))
          ])
          liar.say((0..<500).flatMap { _ in MessageFraming.frame(spam.encode()) }, on: "/meshsub/1.1.0", over: link)
        }
        _ = try await eventually(1) { liar.ended > 0 }
        try await liar.stop()
      }
      _ = try await eventually(1) { hostile.ended > 0 }
      try await hostile.stop()
      for socket in sockets { socket.close() }
    }
  }
}
