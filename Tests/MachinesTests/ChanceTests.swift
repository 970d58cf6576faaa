import MurmurMachines
import Testing

@Suite("Chance: one seed, many streams")
struct ChanceTests {
  @Test("a fork depends on the seed and its name, not on what was drawn before")
  func forksAreIndependentOfPosition() {
    let fresh = Chance(seed: 7)
    var used = Chance(seed: 7)
    for _ in 0..<100 { _ = used.next() }
    var left = fresh.fork("links", 3)
    var right = used.fork("links", 3)
    var other = fresh.fork("links", 4)
    #expect((0..<8).map { _ in left.next() } == (0..<8).map { _ in right.next() })
    #expect(left.next() != other.next())
  }

  @Test("known values, so that no release changes what a seed means")
  func golden() {
    var chance = Chance(seed: 42)
    #expect(
      [chance.next(), chance.next(), chance.next()] == [
        15_021_278_609_987_233_951, 5_881_210_131_331_364_753, 18_149_643_915_985_481_100,
      ])
  }

  @Test("below() stays below and reaches every value", arguments: [1, 2, 7, 100])
  func below(bound: Int) {
    var chance = Chance(seed: 1)
    var seen = Set<Int>()
    for _ in 0..<(bound * 60) { seen.insert(chance.below(bound)) }
    #expect(seen == Set(0..<bound))
  }

  @Test("moments of the distributions")
  func moments() {
    var chance = Chance(seed: 9)
    let n = 40_000
    let normal = (0..<n).map { _ in chance.normal() }
    #expect(abs(normal.reduce(0, +) / Double(n)) < 0.02)
    #expect(abs(normal.map { $0 * $0 }.reduce(0, +) / Double(n) - 1) < 0.03)
    let gamma = (0..<n).map { _ in chance.gamma(shape: 0.3) }
    #expect(abs(gamma.reduce(0, +) / Double(n) - 0.3) < 0.02)
    let wait = (0..<n).map { _ in chance.exponential(mean: 2) }
    #expect(abs(wait.reduce(0, +) / Double(n) - 2) < 0.05)
    #expect(abs(chance.dirichlet(5, concentration: 0.5).reduce(0, +) - 1) < 1e-12)
  }

  @Test("portable elementary functions")
  func portable() {
    for x in [1e-300, 0.1, 0.9999, 1, 1.5, 2, 1e10] {
      #expect(abs(Portable.exp(Portable.log(x)) / x - 1) < 2e-13, "x = \(x)")
    }
    #expect(abs(Portable.exp(1) - 2.718281828459045) < 1e-15)
    #expect(Portable.exp(-800) == 0 && Portable.exp(800) == .infinity && Portable.log(0) == -.infinity)
  }

  @Test("time saturates instead of overflowing")
  func saturation() {
    #expect(Instant.never + .seconds(1) == .never)
    #expect(Instant.Span(seconds: 1e30).nanoseconds == .max)
    #expect((Instant.origin + .milliseconds(1500)).seconds == 1.5)
  }
}
