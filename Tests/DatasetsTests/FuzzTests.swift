import MurmurDatasets
import MurmurMachines
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// How many inputs each decoder gets: 20,000, or what `MURMUR_FUZZ` says.
private let inputs = unsafe getenv("MURMUR_FUZZ").flatMap { unsafe Int(String(cString: $0)) } ?? 20_000

@Suite("Hostile bytes: an error or a data set, never a crash")
struct FuzzTests {
  /// Feeds `decode` with seeds damaged in every way the seed draws: bits, bytes, cuts, repeats, joins, pure noise.
  private func fuzz(_ seeds: [[UInt8]], seed: UInt64, _ decode: ([UInt8]) throws(DataError) -> Void) {
    var good = 0
    for round in 0..<inputs {
      var chance = Chance(seed: seed).fork("round", round)
      var bytes = seeds[chance.below(seeds.count)]
      for _ in 0..<(1 + chance.below(6)) { damage(&bytes, seeds, &chance) }
      do throws(DataError) {
        try decode(bytes)
        good += 1
      } catch {
        if error.problem.isEmpty { Issue.record("seed \(seed), round \(round): an error without words") }
      }
    }
    #expect(good < inputs, "seed \(seed): nothing was refused")
  }

  private func damage(_ bytes: inout [UInt8], _ seeds: [[UInt8]], _ chance: inout Chance) {
    guard !bytes.isEmpty else { return bytes = (0..<chance.below(40)).map { _ in UInt8(chance.below(256)) } }
    let place = chance.below(bytes.count)
    switch chance.below(8) {
    case 0: bytes[place] ^= UInt8(1 << chance.below(8))
    case 1: bytes[place] = UInt8(chance.below(256))
    case 2: bytes.removeLast(bytes.count - place)
    case 3: bytes.remove(at: place)
    case 4: bytes.insert(Array("\",;\t\n\r#e-.0".utf8)[chance.below(11)], at: place)
    case 5: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + chance.below(20))], at: place)
    case 6: bytes += seeds[chance.below(seeds.count)]
    default: bytes[place] = [0, 1, 127, 128, 254, 255][chance.below(6)]
    }
  }

  @Test("CSV")
  func csv() {
    let seeds = [
      "a,b,label\n1,2,x\n3,4,y\n", "\u{feff}a;b;\"c \"\"d\"\"\"\r\n1;2;3\r\n;NA;4\r\n", "1\t2\t3\n4\t5\t6\n",
      "# label,f0\n1.0e+00,-2.5e-3\n", "\"x\ny\",1\n2,3",
    ].map { Array($0.utf8) }
    var options = Chance(seed: 3)
    fuzz(seeds, seed: 11) { bytes throws(DataError) in
      var chosen = CSV.Options()
      chosen.label = [.guessed, .none, .named("0"), .named("-1"), .named("label")][options.below(5)]
      chosen.missing = [.mean, .dropRow, .refuse][options.below(3)]
      if options.happens(0.2) { chosen.group = "0" }
      var table = CSV.Table(file: "fuzz.csv", options: chosen)
      let cut = options.below(bytes.count + 1)
      try table.feed(Array(bytes[..<cut]))
      try table.feed(Array(bytes[cut...]))
      _ = try table.finish()
    }
  }

  @Test("idx")
  func idxFiles() {
    let seeds = [
      idx(8, [2, 2], [1, 2, 3, 4]), idx(0x0d, [1], [0x3f, 0x80, 0, 0]), idx(8, [3], [1, 2, 3]),
      gzipped(idx(8, [4, 4, 4], Array(0..<64))),
    ]
    fuzz(seeds, seed: 12) { bytes throws(DataError) in
      _ = try IDX.parse(bytes: bytes, file: "fuzz.idx").dataset(name: "fuzz")
    }
  }

  @Test("npy")
  func npyFiles() {
    let seeds = [
      npy("<f4", "(1, 2)", [0, 0, 0, 0, 0, 0, 0x80, 0x3f]), npy("|u1", fortran: true, "(2, 3)", [1, 4, 2, 5, 3, 6]),
      npy("<i8", "()", Array(0..<8), version: 2),
    ]
    fuzz(seeds, seed: 13) { bytes throws(DataError) in
      _ = try NPY.parse(bytes: bytes, file: "fuzz.npy").dataset(name: "fuzz", label: .named("0"))
    }
  }

  @Test("gzip")
  func gzip() {
    let seeds = [
      gzipped(Array("a murmuration of starlings".utf8)), gzipped([UInt8](repeating: 1, count: 50_000)),
      gzipped([]) + gzipped([1]),
    ]
    fuzz(seeds, seed: 14) { bytes throws(DataError) in _ = try Gzip.inflate(bytes, limit: 40_000, file: "fuzz.gz") }
  }
}
