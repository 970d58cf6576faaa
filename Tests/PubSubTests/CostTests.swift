import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What a message and an idle machine cost. Times are printed, not judged, except by orders of magnitude: the machine is shared.
@Suite struct CostTests {
  @Test(arguments: [false, true])
  func `a delivered message costs about a microsecond, duplicates and passing on included, scored or not`(isScored: Bool) {
    var configuration = PubSub.Configuration()
    if isScored { configuration.scoring = PubSub.Scoring() }
    var chance = Chance(seed: 1)
    var effects = Effects<PubSub.Effect>()
    var machine = PubSub(id: Network.id(0), settings: .init(configuration))
    let topic = Topic("session")
    for peer in 1...20 {
      machine.step(.connected(Network.id(peer)), at: .origin, chance: &chance, effects: &effects)
      machine.step(.received(from: Network.id(peer), Lone.joins(topic)), at: .origin, chance: &chance, effects: &effects)
    }
    machine.step(.subscribe(topic), at: .origin, chance: &chance, effects: &effects)
    effects.removeAll()
    let mesh = machine.mesh(of: topic)
    let count = 100_000
    let data = [UInt8](repeating: 1, count: 200)
    let frames = (0..<count).map { number in
      RPC(publish: [Message(from: Network.id(1_000 + number % 50), seqno: UInt64(number), topic: topic, data: data)])
    }
    var delivered = 0, sent = 0
    // Batches of about two milliseconds, so that the median is free of what else the processor does.
    var batches: [Duration] = []
    for batch in stride(from: 0, to: count, by: 2_000) {
      batches.append(
        ContinuousClock().measure {
          for number in batch..<batch + 2_000 {
            let now = Instant(nanoseconds: Int64(number) * 10_000_000)
            for peer in mesh {
              machine.step(.received(from: peer, frames[number]), at: now, chance: &chance, effects: &effects)
            }
            if number % 100 == 0 { machine.step(.timerFired(.heartbeat), at: now, chance: &chance, effects: &effects) }
            for effect in effects.list {
              switch effect {
              case .deliver: delivered += 1
              case .send: sent += 1
              case .arm, .disconnect, .connect: break
              }
            }
            effects.removeAll()
          }
        })
    }
    batches.sort()
    let each = batches[batches.count / 2] / 2_000
    print(
      isScored ? "scored," : "not scored,",
      "a message: \(each), at best \(batches[0] / 2_000), for \(mesh.count) arrivals and \(sent / count) frames,",
      "one heartbeat per 100 messages included")
    #expect(delivered == count && each < .microseconds(50))
  }

  @Test func `an idle machine is a few hundred bytes and no timer`() {
    let count = 10_000
    let before = residentKilobytes()
    var machines = (0..<count).map { PubSub(id: Network.id($0)) }
    let after = residentKilobytes()
    var chance = Chance(seed: 1)
    var effects = Effects<PubSub.Effect>()
    for index in machines.indices { machines[index].step(.started, at: .origin, chance: &chance, effects: &effects) }
    #expect(effects.isEmpty)
    let known = PubSub(id: Network.id(0))
    for index in machines.indices {
      for peer in 1...20 {
        machines[index].step(.connected(Network.id(count + peer)), at: .origin, chance: &chance, effects: &effects)
      }
    }
    let connected = residentKilobytes()
    #expect(effects.isEmpty && known.subscriptions.isEmpty)
    #expect(MemoryLayout<PubSub>.size <= 400, "\(MemoryLayout<PubSub>.size) bytes")
    print(
      "an idle machine: \(MemoryLayout<PubSub>.stride) bytes (\((after - before) * 1_024 / count) of resident memory);",
      "with 20 neighbours \((connected - before) * 1_024 / count); a frame \(MemoryLayout<RPC>.size), an effect",
      MemoryLayout<PubSub.Effect>.size)
  }

  private func residentKilobytes() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
  }
}
