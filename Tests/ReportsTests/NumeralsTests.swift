import MurmurReports
import Testing

@Suite("Numerals: numbers as people read them")
struct NumeralsTests {
  @Test(
    "decimals",
    arguments: [
      (0, 1, "0.0"), (95.25, 1, "95.3"), (-0.04, 1, "0.0"), (1_234_567.891, 2, "1,234,567.89"), (-12.345, 2, "−12.35"),
      (.nan, 1, "–"), (.infinity, 1, "–"), (0.999, 1, "1.0"), (1e15, 0, "1,000,000,000,000,000"), (1e300, 2, "1e+300"),
    ])
  func decimal(value: Double, places: Int, text: String) { #expect(Numerals.decimal(value, places: places) == text) }
}
