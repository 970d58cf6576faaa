import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What peers say about themselves, and what is made of it.
@Suite struct IdentifyTests {
  private let keys = KeyPair(seed: .sha256(of: Array("identify test".utf8)))

  private func address(_ text: String) -> Multiaddr {
    do { return try Multiaddr(parsing: text) } catch { preconditionFailure("\(error)") }
  }

  private func own(_ protocols: [String] = [Identify.protocolID, Identify.pushProtocolID]) -> Identify.Own {
    Identify.Own(
      protocols: protocols, addresses: [address("/ip4/8.8.1.1/tcp/4001")], signedRecord: nil, publicKey: keys.publicKey.encoded,
      agentVersion: "murmuration/1")
  }

  private func record(_ sequence: UInt64, _ addresses: [String], by keys: KeyPair? = nil) -> [UInt8] {
    let keys = keys ?? self.keys
    return PeerRecord(peer: keys.peerID, sequence: sequence, addresses: addresses.map(address)).sealed(with: keys).encoded
  }

  @Test func `the message is the bytes that go-libp2p writes`() throws {
    let message = IdentifyMessage(
      publicKey: [1], listenAddresses: [address("/ip4/8.8.1.1/tcp/4001")], protocols: ["/a", "/b"],
      observedAddress: address("/ip4/9.9.9.9/tcp/1"), protocolVersion: "v", agentVersion: "a", signedRecord: [7, 8])
    let expected: [UInt8] =
      [0x0a, 1, 1, 0x12, 8, 4, 8, 8, 1, 1, 6, 0x0f, 0xa1, 0x1a, 2, 0x2f, 0x61, 0x1a, 2, 0x2f, 0x62]
      + [0x22, 8, 4, 9, 9, 9, 9, 6, 0, 1, 0x2a, 1, 0x76, 0x32, 1, 0x61, 0x42, 2, 7, 8]
    #expect(message.encode() == expected)
    #expect(try IdentifyMessage.decode(expected) == message)
    #expect(message.frames() == [expected] && message.frames(of: 10).count == 2)
  }

  @Test func `a message in parts is one, and too much of anything is refused or left out`() throws {
    let whole = IdentifyMessage(
      listenAddresses: [address("/ip4/8.8.1.1/tcp/4001")], protocols: ["/a"], agentVersion: "a", signedRecord: record(1, []))
    let parts = try whole.frames(of: 10).map { try IdentifyMessage.decode($0) }
    #expect(IdentifyMessage.merged(parts) == whole)
    let crowd = IdentifyMessage(protocols: (0..<200).map { "/p\($0)" })
    let merged = IdentifyMessage.merged([crowd, IdentifyMessage(protocols: (0..<200).map { "/q\($0)" })])
    #expect(merged?.protocols.count == 256)
    let far = (0..<10).map { _ in IdentifyMessage() } + [IdentifyMessage(agentVersion: "late")]
    #expect(IdentifyMessage.merged(far)?.agentVersion == nil)
    #expect(throws: WireError.self) { try IdentifyMessage.decode([UInt8](repeating: 0, count: 9_000)) }
    #expect(throws: WireError.self) {
      try IdentifyMessage.decode(IdentifyMessage(protocols: (0..<300).map { "\($0)" }).encode())
    }
    #expect(throws: WireError.self) {
      try IdentifyMessage.decode(IdentifyMessage(agentVersion: String(repeating: "a", count: 300)).encode())
    }
  }

  @Test func `hostile messages never trap`() throws {
    let count = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000
    let bytes = IdentifyMessage(
      publicKey: [1, 2], listenAddresses: [address("/ip4/8.8.1.1/tcp/4001")], protocols: ["/a", "/b"],
      observedAddress: address("/ip4/9.9.9.9/tcp/1"), agentVersion: "a", signedRecord: record(1, ["/ip4/8.8.1.1/tcp/4001"])
    ).encode()
    var chance = Chance(seed: 5)
    var lone = Lone(own())
    let id = lone.connect(keys.peerID, "/ip4/8.8.1.1/tcp/4001")
    for _ in 0..<count {
      var hostile = bytes
      for _ in 0...chance.below(4) where !hostile.isEmpty {
        let place = chance.below(hostile.count)
        switch chance.below(3) {
        case 0: hostile[place] = UInt8(truncatingIfNeeded: chance.next())
        case 1: hostile.removeLast(chance.below(hostile.count))
        default: hostile.insert(contentsOf: hostile[place...].prefix(chance.below(30)), at: chance.below(hostile.count))
        }
      }
      guard let message = try? IdentifyMessage.decode(hostile) else { continue }
      if chance.happens(0.05) { lone.give(.pushed(id, [message])) }
    }
  }

  @Test func `a new connection is asked, and what it says is learnt`() {
    var lone = Lone(own())
    let id = lone.connect(keys.peerID, "/ip4/8.8.1.1/tcp/4001")
    let message = IdentifyMessage(
      publicKey: keys.publicKey.encoded, listenAddresses: [address("/ip4/8.8.1.1/tcp/4001"), address("/ip4/10.0.0.1/tcp/4001")],
      protocols: ["/ipfs/kad/1.0.0"], agentVersion: "kubo/\u{1b}[31m0.22")
    let learned = lone.give(.answered(id, [message])).learned
    #expect(learned?.addresses == [address("/ip4/8.8.1.1/tcp/4001")], "a peer on the internet has no address in our house")
    #expect(learned?.speaks("/ipfs/kad/1.0.0") == true && learned?.agentVersion == "kubo/[31m0.22" && learned?.isSigned == false)
    #expect(lone.machine.description(of: keys.peerID) == learned)
    lone.give(.disconnected(id))
    #expect(lone.machine.description(of: keys.peerID) == nil)
  }

  @Test func `a signed record outweighs what is not signed, an older or forged one nothing`() {
    var lone = Lone(own())
    let id = lone.connect(keys.peerID, "/ip4/8.8.1.1/tcp/4001")
    let first = IdentifyMessage(
      listenAddresses: [address("/ip4/66.6.6.6/tcp/1")], signedRecord: record(5, ["/ip4/8.8.1.1/tcp/4001"]))
    #expect(lone.give(.answered(id, [first])).learned?.addresses == [address("/ip4/8.8.1.1/tcp/4001")])
    let thief = KeyPair(seed: .sha256(of: Array("thief".utf8)))
    let foreign = IdentifyMessage(signedRecord: record(9, ["/ip4/66.6.6.6/tcp/1"], by: thief))
    #expect(lone.give(.pushed(id, [foreign])).complaints == [.foreignRecord])
    var bent = record(9, ["/ip4/66.6.6.6/tcp/1"])
    bent[bent.count - 1] ^= 1
    #expect(lone.give(.pushed(id, [IdentifyMessage(signedRecord: bent)])).complaints.count == 1)
    #expect(lone.give(.pushed(id, [IdentifyMessage(signedRecord: record(4, ["/ip4/66.6.6.6/tcp/1"]))])).learned == nil)
    #expect(lone.give(.pushed(id, [IdentifyMessage(listenAddresses: [address("/ip4/66.6.6.6/tcp/1")])])).learned == nil)
    let moved = lone.give(.pushed(id, [IdentifyMessage(signedRecord: record(6, ["/ip4/8.8.2.2/tcp/4001"]))])).learned
    #expect(moved?.addresses == [address("/ip4/8.8.2.2/tcp/4001")] && moved?.sequence == 6)
  }

  @Test func `a flood of pushes is not read`() {
    var lone = Lone(own())
    let id = lone.connect(keys.peerID, "/ip4/8.8.1.1/tcp/4001")
    lone.give(.answered(id, [IdentifyMessage(protocols: ["/a"])]))
    var read = 0
    for number in 0..<100 {
      if lone.give(.pushed(id, [IdentifyMessage(protocols: ["/\(number)"])])).learned != nil { read += 1 }
    }
    #expect(read == 8)
    lone.now = .origin + .minutes(2)
    #expect(lone.give(.pushed(id, [IdentifyMessage(protocols: ["/x"])])).learned != nil)
  }

  @Test func `no answer is asked for once more, then given up`() {
    var lone = Lone(own())
    let id = lone.connect(keys.peerID, "/ip4/8.8.1.1/tcp/4001")
    lone.now = .origin + .seconds(10)
    #expect(lone.give(.timerFired(.deadline)).contains { if case .ask(id) = $0 { true } else { false } })
    lone.now = .origin + .seconds(20)
    let effects = lone.give(.timerFired(.deadline))
    #expect(effects.contains { if case .gaveUp(id, keys.peerID, _) = $0 { true } else { false } })
    #expect(lone.give(.answered(id, [IdentifyMessage(protocols: ["/late"])])).isEmpty)
  }

  @Test func `others are answered with what we are and where we see them, and told when it changes`() throws {
    var lone = Lone(own())
    let id = lone.connect(keys.peerID, "/ip4/9.9.9.9/tcp/777")
    lone.give(.answered(id, [IdentifyMessage(protocols: [Identify.pushProtocolID])]))
    let silent = lone.connect(PeerID(simulated: 3), "/ip4/9.9.9.8/tcp/1")
    lone.give(.answered(silent, [IdentifyMessage(protocols: ["/other"])]))
    guard case .answer(_, let frames)? = lone.give(.asked(id, .init(1))).first else { return #expect(Bool(false), "no answer") }
    let said = try IdentifyMessage.decode(frames[0])
    #expect(said.observedAddress == address("/ip4/9.9.9.9/tcp/777") && said.agentVersion == "murmuration/1")
    #expect(said.publicKey == keys.publicKey.encoded && said.protocols.count == 2)
    let pushes = lone.give(.changed(own(["/new"]))).compactMap { effect -> Identify.ConnectionID? in
      if case .push(let to, _) = effect { to } else { nil }
    }
    #expect(pushes == [id])
    #expect(lone.give(.changed(own(["/new"]))).isEmpty, "nothing new")
  }

  @Test func `an observed address is believed when observers of four neighbourhoods agree, and not when one neighbourhood lies`()
  {
    var lone = Lone(own())
    let victim = address("/ip4/77.7.7.7/tcp/4001"), right = address("/ip4/55.5.5.5/tcp/4001")
    for number in 0..<200 {
      let id = lone.connect(PeerID(simulated: number), "/ip4/66.6.\(number).1/tcp/1")
      #expect(lone.give(.answered(id, [IdentifyMessage(observedAddress: victim)])).observed == nil)
    }
    for number in 0..<3 {
      let id = lone.connect(PeerID(simulated: 300 + number), "/ip4/8\(number).1.1.1/tcp/1")
      #expect(lone.give(.answered(id, [IdentifyMessage(observedAddress: right)])).observed == nil)
    }
    let id = lone.connect(PeerID(simulated: 400), "/ip4/90.1.1.1/tcp/1")
    #expect(lone.give(.answered(id, [IdentifyMessage(observedAddress: right)])).observed == [right])
    lone.now = .origin + .minutes(41)
    #expect(lone.give(.timerFired(.deadline)).observed == [], "votes grow old")
  }

  @Test func `dialled connections tell the host, not the port`() {
    var lone = Lone(own())
    for number in 0..<4 {
      let id = lone.connect(PeerID(simulated: number), "/ip4/8\(number).1.1.1/tcp/1", isOutbound: true)
      lone.give(.answered(id, [IdentifyMessage(observedAddress: address("/ip4/55.5.5.5/tcp/5000\(number)"))]))
    }
    #expect(lone.machine.observedAddresses == [address("/ip4/55.5.5.5/tcp/4001")])
  }

  @Test func `votes and candidates are bounded`() {
    var observed = ObservedAddresses()
    for number in 0..<5_000 {
      let claim = Multiaddr([.ip4([55, 5, UInt8(number / 256), UInt8(number & 255)]), .tcp(1)])
      observed.vote(for: claim, by: Multiaddr([.ip4([UInt8(20 + number % 80), 1, 1, 1]), .tcp(1)]), at: .origin)
    }
    #expect(observed.candidateCount == 32)
    observed.vote(for: address("/ip4/192.168.1.1/tcp/1"), by: address("/ip4/8.8.8.8/tcp/1"), at: .origin)
    #expect(observed.believed(at: .origin).isEmpty)
  }
}

/// One machine and its connections.
private struct Lone {
  var machine: Identify
  var now = Instant.origin
  private var chance = Chance(seed: 1)
  private var number: UInt64 = 0

  init(_ own: Identify.Own) { machine = Identify(own) }

  @discardableResult mutating func give(_ input: Identify.Input) -> [Identify.Effect] {
    var effects = Effects<Identify.Effect>()
    machine.step(input, at: now, chance: &chance, effects: &effects)
    return effects.list
  }

  mutating func connect(_ peer: PeerID, _ remote: String, isOutbound: Bool = false) -> Identify.ConnectionID {
    number += 1
    let id = Identify.ConnectionID(number)
    let asks = give(.connected(id, peer, remote: Multiaddr(remote), isOutbound: isOutbound)).contains {
      if case .ask(id) = $0 { true } else { false }
    }
    #expect(asks)
    return id
  }
}

extension [Identify.Effect] {
  fileprivate var learned: PeerDescription? {
    compactMap { if case .learned(let description) = $0 { description } else { nil } }.last
  }
  fileprivate var complaints: [PeerDescription.Complaint] {
    compactMap { if case .complain(_, let complaint) = $0 { complaint } else { nil } }
  }
  fileprivate var observed: [Multiaddr]? {
    compactMap { if case .observed(let addresses) = $0 { addresses } else { nil } }.last
  }
}
