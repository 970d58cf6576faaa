import Foundation
import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// A large object from several peers over links with a rate and a delay: how much of what the links could carry is used.
@Suite struct SwarmTests {
  private struct Outcome {
    /// Seconds of virtual time.
    var time: Double
    /// The time that the links alone would take, as a share of the time it took.
    var use: Double
    var unwanted: Int
    var memory: Int
  }

  /// Fetches an object from providers with these rates (bytes a second).
  private func fetch(_ object: Object.Built, _ rates: [Double], delay: Instant.Span, seed: UInt64) -> Outcome {
    var limits = Limits.host
    limits.unsettledBytes = 16 << 20
    var full = BlockStore()
    for block in object.blocks { full.put(block) }
    var net = Network([BlockStore(memory: 8 << 20)] + rates.map { _ in full }, seed: seed, limits: limits)
    net.keepsTraffic = false
    net.links = .init(delay: delay, jitter: delay * 0.1, rates: [1e9] + rates)
    net.connectAll()
    let providers = (1...rates.count).map(Network.id)
    net.give(.want(root: object.root, providers: providers, deadline: nil, keeping: .disk), to: 0)
    while net.completed.isEmpty, net.failed.isEmpty, net.run(until: net.now + .milliseconds(1)), net.now < .origin + .minutes(60)
    {
      net.pass(.milliseconds(1))
    }
    let bytes = object.blocks.reduce(0) { $0 + $1.bytes.count }
    let time = net.completed.isEmpty ? .infinity : net.now.seconds
    let least = Double(bytes) / rates.reduce(0, +)
    return Outcome(
      time: time, use: least / time, unwanted: net.peers[0].statistics.unwanted, memory: net.mostMemory[0])
  }

  @Test(arguments: [1, 4, 8]) func `equal peers are used to the full, near and far, without asking twice`(count: Int) {
    let object = Object.build(randomBytes(40_000_000, seed: 1))
    for (delay, most) in [(Instant.Span.milliseconds(0.1), 0.8), (.milliseconds(20), 0.6)] {
      let outcome = fetch(object, Array(repeating: 20e6, count: count), delay: delay, seed: UInt64(count))
      #expect(outcome.use > most, "\(count) peers, \(delay.seconds) s: \(outcome)")
      #expect(outcome.unwanted * 20 <= object.blocks.count, "\(outcome)")
      #expect(outcome.memory <= 48 << 20, "\(outcome)")
    }
  }

  @Test func `a slow peer among fast ones does not hold the object up`() {
    let object = Object.build(randomBytes(40_000_000, seed: 2))
    let outcome = fetch(object, [20e6, 20e6, 20e6, 0.2e6], delay: .milliseconds(5), seed: 1)
    #expect(outcome.use > 0.6, "\(outcome)")
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["MURMUR_BENCH"] != nil)) func `a hundred megabytes over links`() {
    let object = Object.build(randomBytes(100_000_000, seed: 1))
    for (name, delay) in [("0.1 ms", 0.1), ("5 ms", 5), ("50 ms", 50.0)] {
      for count in [1, 4, 8] {
        for rate in [10e6, 100e6] {
          let clock = ContinuousClock()
          var outcome = Outcome(time: 0, use: 0, unwanted: 0, memory: 0)
          let real = clock.measure {
            outcome = fetch(object, Array(repeating: rate, count: count), delay: .milliseconds(delay), seed: 1)
          }
          print(
            "\(count) peers of \(rate / 1e6) MB/s, \(name): \(outcome.time) s, \(Int(100 * outcome.use)) % of the links,",
            "\(outcome.unwanted) twice, \(outcome.memory >> 20) MiB, computed in \(real)")
        }
      }
    }
  }
}
