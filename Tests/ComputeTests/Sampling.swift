import MurmurCompute
import MurmurKernels
import MurmurMachines
import Testing

/// Random numbers and exact references for the tests, all from a seed.
struct Sampling {
  var chance: Chance

  init(_ seed: UInt64) { chance = Chance(seed: seed) }

  /// Standard normal numbers.
  mutating func normals(_ count: Int, scale: Float = 1) -> [Float] { (0..<count).map { _ in scale * Float(chance.normal()) } }

  /// Numbers of every magnitude, with zeros of both signs and denormals among them.
  mutating func wild(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      switch chance.below(12) {
      case 0: 0
      case 1: -0.0
      case 2: Float(bitPattern: UInt32(chance.below(1 << 23)))
      case 3: Float(chance.normal()) * Float(sign: .plus, exponent: chance.below(120) - 60, significand: 1)
      default: Float(chance.normal())
      }
    }
  }

  /// Labelled rows that can be learnt: the class is the largest of some products of features.
  mutating func rows(_ count: Int, width: Int, classes: Int) -> Samples {
    var features: [Float] = []
    var labels: [Int32] = []
    for _ in 0..<count {
      let row = normals(width)
      let scores = (0..<classes).map { row[$0 % width] + row[($0 * 3 + 1) % width] * row[($0 + 2) % width] }
      labels.append(Int32(scores.indices.max { scores[$0] < scores[$1] }!))
      features += row
    }
    return Samples(features: features, width: width, labels: labels, classes: classes)
  }
}

/// FNV-1a over the bits, to compare whole runs in one number.
func fingerprint(_ values: [Float]) -> String {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for value in values {
    for shift in [0, 8, 16, 24] { hash = (hash ^ UInt64(value.bitPattern >> UInt32(shift) & 255)) &* 0x100_0000_01b3 }
  }
  return String(hash, radix: 16)
}

/// Whether two arrays hold the same bits.
func sameBits(_ a: [Float], _ b: [Float]) -> Bool { a.map(\.bitPattern) == b.map(\.bitPattern) }
