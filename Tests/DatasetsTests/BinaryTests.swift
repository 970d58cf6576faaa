import MurmurCompute
import MurmurDatasets
import MurmurMachines
import Testing

/// A gzip member whose blocks are stored as they are.
func gzipped(_ bytes: [UInt8]) -> [UInt8] {
  var member: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
  var start = 0
  repeat {
    let block = bytes[start..<min(start + 65_535, bytes.count)]
    start += block.count
    let low = UInt8(block.count & 255)
    let high = UInt8(block.count >> 8)
    member += [start == bytes.count ? 1 : 0, low, high, ~low, ~high] + block
  } while start < bytes.count
  var remainder: UInt32 = 0xffff_ffff
  for byte in bytes {
    remainder ^= UInt32(byte)
    for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xedb8_8320 : remainder >> 1 }
  }
  for number in [~remainder, UInt32(bytes.count)] { member += [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: number >> $0) } }
  return member
}

func idx(_ type: UInt8, _ shape: [Int], _ body: [UInt8]) -> [UInt8] {
  [0, 0, type, UInt8(shape.count)]
    + shape.flatMap { length in stride(from: 24, through: 0, by: -8).map { UInt8(length >> $0 & 255) } } + body
}

func npy(_ descr: String, fortran: Bool = false, _ shape: String, _ body: [UInt8], version: UInt8 = 1) -> [UInt8] {
  let header = Array("{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n".utf8)
  let length = [UInt8(header.count & 255), UInt8(header.count >> 8)] + (version == 1 ? [] : [0, 0])
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + header + body
}

@Suite("Gzip: what comes out is bounded, and damage is noticed")
struct GzipTests {
  let text = Array("die Stare ziehen im Herbst, ".utf8) + [UInt8](repeating: 7, count: 300_000)

  @Test("one member, several members, and padding behind them")
  func members() throws {
    #expect(try Gzip.inflate(gzipped(text), limit: 1 << 20) == text)
    #expect(try Gzip.inflate(gzipped(text) + gzipped([1, 2]) + [0, 0, 0], limit: 1 << 20) == text + [1, 2])
    #expect(try Gzip.inflate(gzipped([]), limit: 0).isEmpty)
  }

  @Test("cut, damaged, followed by rubbish, too large")
  func damage() throws {
    let packed = gzipped(text)
    var damaged = packed
    damaged[packed.count - 6] ^= 1
    for (bytes, words) in [
      (Array(packed.dropLast(3)), "ends too early"), (damaged, "damaged"), (packed + [1, 2, 3], "damaged"), ([], "empty"),
      (Array("no gzip at all, this".utf8), "not gzip"),
    ] {
      let error = #expect(throws: DataError.self) { try Gzip.inflate(bytes, limit: 1 << 20, file: "a.gz") }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "") should say \(words)")
    }
    #expect(throws: DataError.self) { try Gzip.inflate(packed, limit: text.count - 1) }
  }
}

@Suite("Arrays in binary files: idx and npy")
struct BinaryTests {
  @Test("every element type of idx, plain and gzipped")
  func idxTypes() throws {
    #expect(try IDX.parse(bytes: idx(8, [2, 2], [0, 1, 254, 255]), file: "a").values == [0, 1, 254, 255])
    #expect(try IDX.parse(bytes: gzipped(idx(9, [2], [255, 1])), file: "a").values == [-1, 1])
    #expect(try IDX.parse(bytes: idx(0x0b, [1], [0xff, 0xfe]), file: "a").values == [-2])
    #expect(try IDX.parse(bytes: idx(0x0c, [1], [0, 0, 1, 0]), file: "a").values == [256])
    #expect(try IDX.parse(bytes: idx(0x0d, [1], [0x3f, 0x80, 0, 0]), file: "a").values == [1])
    #expect(try IDX.parse(bytes: idx(0x0e, [1], [0xc0, 0, 0, 0, 0, 0, 0, 0]), file: "a").values == [-2])
  }

  @Test("images and labels become one data set, the test part behind the training part")
  func images() throws {
    let images = try IDX.open(bytes: idx(8, [2, 1, 2], [1, 2, 3, 4]), file: "train")
    let labels = try IDX.open(bytes: idx(8, [2], [1, 0]), file: "labels")
    let test = try IDX.open(bytes: idx(8, [1, 1, 2], [5, 6]), file: "test")
    let testLabel = try IDX.open(bytes: idx(8, [1], [2]), file: "test labels")
    let set = try IDX.dataset(name: "tiny", images: images, labels: labels, testImages: test, testLabels: testLabel)
    #expect(set.testFrom == 2)
    #expect(set.samples.labels == [1, 0, 2])
    #expect(set.samples.row(2) == [5, 6])
    #expect(set.imageShape == Dataset.ImageShape(height: 1, width: 2))
    #expect(throws: DataError.self) { try IDX.dataset(name: "x", images: images, labels: testLabel) }
    #expect(throws: DataError.self) { try IDX.dataset(name: "x", images: labels, labels: labels) }
  }

  @Test(
    "malformed idx files are refused with the byte offset",
    arguments: [
      ([], "i, byte 0: the file ends before its magic number"), ([1, 2, 3, 4], "i, byte 0: this is not an idx file"),
      ([0, 0, 7, 1], "i, byte 2: idx knows no element type 7"), ([0, 0, 8, 9], "i, byte 3: an idx file with 9 axes"),
      (idx(8, [3], [1, 2]), "i, byte 10: 2 bytes of numbers, but its header promises 3"),
      (idx(8, [1], [1, 2]), "i, byte 9: 2 bytes of numbers"),
      (idx(8, [0xffff_ffff, 0xffff_ffff, 0xffff_ffff], []), "i, byte 4: the lengths"),
    ] as [([UInt8], String)])
  func idxMalformed(bytes: [UInt8], message: String) {
    let error = #expect(throws: DataError.self) { try IDX.parse(bytes: bytes, file: "i") }
    #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
  }

  @Test("npy: types, byte orders, versions, Fortran order")
  func npyTypes() throws {
    #expect(try NPY.parse(bytes: npy("<f4", "(1,)", [0, 0, 0x80, 0x3f]), file: "a").values == [1])
    #expect(try NPY.parse(bytes: npy(">f8", "()", [0xc0, 0, 0, 0, 0, 0, 0, 0], version: 2), file: "a").values == [-2])
    #expect(
      try NPY.parse(bytes: npy("<f2", "(3,)", [0, 0x3c, 1, 0, 0, 0xc0], version: 3), file: "a").values == [1, 0x1p-24, -2])
    #expect(try NPY.parse(bytes: npy("|u1", "(2, 2)", [1, 2, 3, 4]), file: "a").values == [1, 2, 3, 4])
    #expect(try NPY.parse(bytes: npy("<i8", "(1,)", [254] + [UInt8](repeating: 255, count: 7)), file: "a").values == [-2])
    #expect(try NPY.parse(bytes: npy("|b1", "(2,)", [1, 0]), file: "a").values == [1, 0])
    let fortran = try NPY.parse(bytes: npy("|u1", fortran: true, "(2, 3)", [1, 4, 2, 5, 3, 6]), file: "a")
    #expect(fortran.shape == [2, 3])
    #expect(fortran.values == [1, 2, 3, 4, 5, 6])
    let set = try fortran.dataset(name: "a", label: .named("0"))
    #expect(set.classNames == ["1", "4"])
    #expect(set.samples.row(1) == [5, 6])
  }

  @Test("what is no array of numbers is refused")
  func npyMalformed() {
    for bytes in [
      npy("<f4", "(2,)", [0, 0, 0, 0]), npy("|O", "(1,)", [0]), npy("<f4", "(-1,)", []), npy("<f4", "2", []),
      npy("<U3", "(1,)", [0]),
      Array(npy("<f4", "(1,)", [0, 0, 0, 0]).prefix(20)), [1, 2, 3], npy("<f8", "(4611686018427387904, 4)", []),
      npy("<f4", "(1,)", [0, 0, 0, 0], version: 9),
    ] {
      #expect(throws: DataError.self) { try NPY.parse(bytes: bytes, file: "a.npy") }
    }
  }
}
