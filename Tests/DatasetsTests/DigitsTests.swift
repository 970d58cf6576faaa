import MurmurCompute
import MurmurDatasets
import Testing

@Suite("Digits: the data set that is always there")
struct DigitsTests {
  @Test("1,797 images, ten classes, pixels from 0 to 16")
  func shape() {
    let digits = Digits.load()
    #expect(digits.count == 1797)
    #expect(digits.samples.width == 64)
    #expect(digits.samples.classes == 10)
    #expect(digits.samples.row(0).prefix(8) == [0, 0, 5, 13, 9, 1, 0, 0])
    #expect(digits.samples.labels.prefix(12) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
  }
}
