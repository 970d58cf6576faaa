import Foundation
import MurmurChannels
import MurmurFeeds
import MurmurHost
import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurPeer
import MurmurWire
import NIOCore
import Testing

extension WholeNodes {
  /// Peers of the ledger that do not behave.
  @Suite(.serialized) struct LedgerStreamTests {
    private static let session = "ledger stream test"

    /// A station whose ledger has three transactions, 300 KB in all.
    private static func station() throws -> Station {
      let keys = KeyPair(seed: .sha256(of: Array("station".utf8)))
      let configuration = Ledger.Configuration(session: session)
      var (writer, chance) = (Ledger(id: keys.peerID, keys: keys, configuration: configuration), Chance(seed: 3))
      let now = Instant.origin + .seconds(Date().timeIntervalSince1970)
      var kept: [Transaction] = []
      var inputs: [Ledger.Input] = (UInt8(0)..<3).map { .issue(tag: [$0], payload: [UInt8](repeating: $0, count: 100_000)) }
      var effects = Effects<Ledger.Effect>()
      while !inputs.isEmpty {
        writer.step(inputs.removeFirst(), at: now, chance: &chance, effects: &effects)
        for effect in effects.take() {
          switch effect {
          case .work(let challenge): inputs.append(.worked(challenge, nonce: try #require(challenge.solve())))
          case .keep(_, let bytes): kept.append(try Transaction(reading: bytes))
          default: break
          }
        }
      }
      try #require(kept.count == 3)
      var station = Station(
        ledger: Ledger(id: keys.peerID, keys: keys, configuration: configuration),
        gateway: Gateway(Gateway.Configuration(session: session)), harvest: Harvest(Harvest.Configuration(session: session)),
        chance: chance)
      var wanted = Effects<Station.Effect>()
      station.step(.restored(kept, nil), at: .origin, chance: &chance, effects: &wanted)
      return station
    }

    @Test func `who asks for the ledger and never reads it is disconnected`() async throws {
      let node = try await HonestNode(0, station: Self.station()) {
        $0.stuck = .patient(1)
        $0.silence = .minutes(10)
        $0.transport.stall = .minutes(10)
      }
      let hostile = HostilePeer("unread ledger", claiming: [LedgerMessage.protocolID], answer: { _ in Blocked() })
      let link = try #require(try await hostile.link(to: node))
      #expect(try await eventually { try await node.node.snapshot().neighbours.contains { !$0.protocols.isEmpty } })
      let ask = MessageFraming.frame(LedgerMessage.frontier([]).encode())
      hostile.say((0..<8).flatMap { _ in ask }, on: LedgerMessage.protocolID, over: link)
      #expect(try await eventually { try await node.node.load().unsent > 1 << 20 }, "the answers wait")
      #expect(try await eventually(20) { hostile.ended > 0 }, "they wait for ever")
      #expect(try await node.node.load().unsent == 0)
      try await hostile.stop()
      try await node.stop()
    }
  }
}
