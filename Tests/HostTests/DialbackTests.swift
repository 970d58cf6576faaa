import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

@Suite("Dialling back")
struct DialbackTests {
  private func address(_ text: String) throws -> Multiaddr { try Multiaddr(parsing: text) }

  @Test("Only the address that the asker is seen at is dialled, with the ports that it names")
  func targets() throws {
    let rule = Dialback.Rule()
    let seen = try address("/ip4/203.0.112.9/tcp/51000")
    let asked = try [
      "/ip4/10.0.0.7/tcp/4101", "/ip4/198.41.0.4/tcp/80", "/ip6/2606::1/tcp/4102", "/ip4/0.0.0.0/tcp/4101",
      "/ip4/1.2.3.4/udp/4103",
      "/dns4/example.org/tcp/443", "/ip4/10.0.0.7/tcp/0",
    ].map(address)
    #expect(rule.targets(asked, seen: seen).map { "\($0)" } == ["/ip4/203.0.112.9/tcp/4101", "/ip4/203.0.112.9/tcp/80"])
    let many = try (1...20).map { try address("/ip4/10.0.0.7/tcp/\($0)") }
    #expect(rule.targets(many, seen: seen).count == rule.ports)
    for nowhere in ["/dns4/example.org/tcp/443", "/unix/a", "/ip4/1.2.3.4/tcp/1/p2p-circuit"] {
      #expect(rule.targets(asked, seen: try address(nowhere)).isEmpty, "\(nowhere)")
    }
  }

  @Test("A peer is served three times in a minute, all peers thirty times, four at a time")
  func limits() {
    let rule = Dialback.Rule()
    var state = Dialback.Rule.State()
    func ask(_ peer: Int, _ second: Double) -> Bool {
      rule.admits(PeerID(simulated: peer), at: .origin + .seconds(second), &state)
    }
    #expect((0..<4).map { ask($0, 0) } == [true, true, true, true])
    #expect(!ask(9, 0), "a fifth at the same time")
    state.finished(4)
    #expect(ask(0, 1) && ask(0, 2))
    state.finished(2)
    #expect(!ask(0, 3), "a fourth of one peer")
    var served = 6
    for peer in 10..<60 where ask(peer, 4) {
      served += 1
      state.finished(1)
    }
    #expect(served == 30)
    #expect(ask(0, 61), "a minute later")
  }

  @Test("What is sent is read again, and no bytes crash the readers")
  func messages() throws {
    let place = try address("/ip4/192.0.2.1/tcp/4101")
    let answers: [Dialback.Answer] = [
      .init(.reached(place), observed: place, clock: 1_790_000_000_000), .init(.unreached, observed: nil, clock: 0),
      .init(.refused, observed: place, clock: 7),
    ]
    for answer in answers { #expect(try Dialback.Answer.decode(answer.encode()) == answer) }
    #expect(try Dialback.addresses(decoding: Dialback.request([place, place])) == [place, place])
    #expect(throws: WireError.self) { try Dialback.Answer.decode([]) }
    #expect(throws: WireError.self) { try Dialback.addresses(decoding: [UInt8](repeating: 10, count: 3_000)) }
    var chance = Chance(seed: 8)
    let seeds = answers.map { $0.encode() } + [Dialback.request([place, place])]
    for round in 0..<4_000 {
      var bytes = seeds[round % seeds.count]
      for _ in 0...chance.below(3) where !bytes.isEmpty {
        bytes[chance.below(bytes.count)] = UInt8(truncatingIfNeeded: chance.next())
      }
      if chance.happens(0.3) { bytes.removeLast(chance.below(bytes.count + 1)) }
      do { _ = try Dialback.Answer.decode(bytes) } catch { do { _ = try Dialback.addresses(decoding: bytes) } catch { continue } }
    }
  }
}
