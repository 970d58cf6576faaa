import Foundation
import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// What the usual case costs; run by hand with `MURMUR_BENCH=1`, since a shared machine proves nothing about time.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["MURMUR_BENCH"] != nil)) struct SpeedTests {
  @Test func `one model from one provider, both peers together`() {
    let rounds = 200_000
    let pair = [PeerID(simulated: 0), PeerID(simulated: 1)]
    let models = (0..<64).map { Object.build(randomBytes(20_000, seed: UInt64($0))) }
    var asker = Exchange(store: BlockStore(budget: 10 * 20_000))
    var giver = Exchange()
    for model in models { giver.store.put(model) }
    var chance = Chance(seed: 1)
    var effects = Effects<Exchange.Effect>()
    var completed = 0
    var timers = 0
    let clock = ContinuousClock()
    let time = clock.measure {
      for round in 0..<rounds {
        let now = Instant(nanoseconds: Int64(round) * 1_000_000_000)
        asker.step(
          .want(root: models[round & 63].root, providers: [pair[1]], deadline: nil), at: now, chance: &chance, effects: &effects)
        for effect in effects.take() {
          guard case .send(_, let want) = effect else {
            timers += 1
            continue
          }
          giver.step(.received(from: pair[0], want), at: now + .milliseconds(1), chance: &chance, effects: &effects)
        }
        for effect in effects.take() {
          guard case .send(_, let answer) = effect else { continue }
          asker.step(.received(from: pair[1], answer), at: now + .milliseconds(2), chance: &chance, effects: &effects)
        }
        for effect in effects.list { if case .completed = effect { completed += 1 } }
        effects.removeAll()
        if asker.nextPatience <= now { asker.step(.timerFired(.patience), at: now, chance: &chance, effects: &effects) }
      }
    }
    #expect(completed == rounds)
    print("fetch: \(time / rounds) for both peers; \(timers) timers armed in \(rounds) fetches")
  }

  @Test func `a want-list of a peer, encoded and decoded`() throws {
    let message = BitswapMessage(wants: [.init(CID(codec: .raw, hashing: [1]))])
    let clock = ContinuousClock()
    var total = 0
    let size = clock.measure { for _ in 0..<1_000_000 { total += message.wireSize } }
    let coding = try clock.measure { for _ in 0..<100_000 { total += try BitswapMessage.decode(message.encode()).wants.count } }
    let peers = clock.measure { for number in 0..<100_000 { total += PeerID(simulated: number).word.a & 1 == 0 ? 0 : 1 } }
    print("wireSize: \(size / 1_000_000), coding: \(coding / 100_000), simulated peer: \(peers / 100_000) (\(total))")
    print(
      "bytes: Exchange \(MemoryLayout<Exchange>.stride), Ledger \(MemoryLayout<Ledger>.stride), message \(MemoryLayout<BitswapMessage>.stride)",
      "effect \(MemoryLayout<Exchange.Effect>.stride), input \(MemoryLayout<Exchange.Input>.stride)")
  }

  @Test func `ten thousand exchanges that met everybody they remember`() throws {
    func resident() throws -> Int {
      let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
      return (Int(text.split(separator: " ")[1]) ?? 0) * 4_096
    }
    let peers = (0..<400).map { PeerID(simulated: $0) }
    let model = Object.build(randomBytes(20_000, seed: 1))
    var chance = Chance(seed: 1)
    var effects = Effects<Exchange.Effect>()
    let before = try resident()
    var exchanges: [Exchange] = []
    exchanges.reserveCapacity(10_000)
    for number in 0..<10_000 {
      var exchange = Exchange(store: BlockStore(budget: 100_000))
      exchange.store.put(model)
      for offset in 0..<200 {
        let from = peers[(number + offset) % 400]
        exchange.step(
          .received(from: from, BitswapMessage(wants: [.init(model.root)])), at: .origin, chance: &chance, effects: &effects)
        effects.removeAll()
      }
      exchanges.append(exchange)
    }
    let bytes = try resident() - before
    print(
      "10,000 exchanges: \(bytes >> 20) MiB, \(bytes / 10_000) bytes each, \(exchanges[9_999].ledgerCount) ledgers in the last")
  }

  @Test func `a hundred megabytes in chunks`() throws {
    let bytes = randomBytes(100_000_000, seed: 1)
    let clock = ContinuousClock()
    var object = Object.build([])
    let building = clock.measure { object = Object.build(bytes) }
    var full = BlockStore()
    full.put(object)
    var net = Network([BlockStore(), full, full], seed: 1)
    let fetching = clock.measure {
      net.give(.want(root: object.root, providers: [Network.id(1), Network.id(2)], deadline: nil), to: 0)
      net.run()
    }
    var read: [UInt8] = []
    let reading = try clock.measure { read = try Object.read(object.root, from: net.peers[0].store) }
    #expect(read == bytes)
    #expect(net.completed.count == 1)
    print("100 MB: built in \(building), fetched from two in \(fetching), read in \(reading)")
  }
}
