import MurmurReports
import Testing

@Suite("Numerals: numbers as people read them")
struct NumeralsTests {
  @Test(
    "decimals keep their places, group their thousands and round away from zero",
    arguments: [
      (0, 1, "0.0"), (95.25, 1, "95.3"), (-0.04, 1, "0.0"), (1_234_567.891, 2, "1,234,567.89"), (-12.375, 2, "−12.38"),
      (.nan, 1, "–"), (.infinity, 1, "–"), (0.999, 1, "1.0"), (1e15, 0, "1,000,000,000,000,000"), (1e300, 2, "1e+300"),
      (7.05, 3, "7.050"), (12.5, -3, "13"),
    ])
  func decimal(value: Double, places: Int, text: String) { #expect(Numerals.decimal(value, places: places) == text) }

  @Test("zeros at the end may go", arguments: [(4.0, "4"), (4.10, "4.1"), (-0.001, "0"), (1200.5, "1,200.5"), (100.0, "100")])
  func trimmed(value: Double, text: String) { #expect(Numerals.trimmed(value) == text) }

  @Test(
    "sizes in decimal units with three digits",
    arguments: [
      (0, "0 B"), (999, "999 B"), (999.6, "1.00 kB"), (1234, "1.23 kB"), (3_141_592, "3.14 MB"), (99_940_000, "99.9 MB"),
      (999_600_000, "1.00 GB"), (5e18, "5,000 PB"), (-2500, "−2.50 kB"),
    ])
  func bytes(value: Double, text: String) { #expect(Numerals.bytes(value) == text) }

  @Test(
    "durations in the two units that matter",
    arguments: [
      (0, "0 s"), (0.84, "840 ms"), (0.9999, "1 s"), (8.34, "8.3 s"), (59.99, "1 min"), (200, "3 min 20 s"),
      (12000, "3 h 20 min"),
      (3599.7, "1 h"), (187_200, "2 d 4 h"), (-90, "−1 min 30 s"), (.nan, "–"), (1e300, "104,166,666,666 d 16 h"),
    ])
  func duration(seconds: Double, text: String) { #expect(Numerals.duration(seconds) == text) }

  @Test("counts, shares and percentages")
  func others() {
    #expect(Numerals.count(1, "peer") == "1 peer")
    #expect(Numerals.count(20, "peer") == "20 peers")
    #expect(Numerals.count(1797, "row") == "1,797 rows")
    #expect(Numerals.count(2, "class", "classes") == "2 classes")
    #expect(Numerals.count(.min) == "−9,223,372,036,854,775,808")
    #expect(Numerals.percent(95.24) == "95.2 %")
    #expect(Numerals.percent(nil) == "–")
    #expect(Numerals.share(0.8) == "80 %")
  }

  @Test("exact numbers read back as the same bits", arguments: [UInt64(1), 2, 3])
  func exact(seed: UInt64) throws {
    var chance = Samples(seed: seed)
    for _ in 0..<10_000 {
      let value = Double(bitPattern: chance.next())
      guard value.isFinite else { continue }
      let back = try #require(Double(Numerals.exact(value)), "seed \(seed), \(value)")
      #expect(back == value, "seed \(seed)")
    }
    #expect(Numerals.exact(70) == "70")
    #expect(Numerals.exact(0.1) == "0.1")
  }
}
