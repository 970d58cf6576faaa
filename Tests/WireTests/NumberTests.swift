import MurmurMachines
import MurmurWire
import Testing

/// Numbers, digests and alphabets on the wire.
@Suite struct NumberTests {
  /// The examples of multiformats/unsigned-varint.
  @Test func `varints look as specified`() throws {
    let examples: [(UInt64, [UInt8])] = [
      (0, [0]), (1, [1]), (127, [0x7f]), (128, [0x80, 1]), (255, [0xff, 1]), (300, [0xac, 2]), (16_384, [0x80, 0x80, 1]),
      (UInt64.max >> 1, [255, 255, 255, 255, 255, 255, 255, 255, 127]),
    ]
    for (value, bytes) in examples {
      var out: [UInt8] = []
      Varint.append(value, to: &out)
      #expect(out == bytes && Varint.size(value) == bytes.count)
      var position = 0
      #expect(try Varint.read(bytes, at: &position) == value)
      #expect(position == bytes.count)
    }
  }

  @Test func `varints that are cut off, too long or not minimal are refused`() {
    for bytes: [UInt8] in [[], [0x80], [0x80, 0], [0x81, 0x80, 0], [UInt8](repeating: 0x80, count: 9) + [1]] {
      var position = 0
      #expect(throws: WireError.self, "\(bytes)") { try Varint.read(bytes, at: &position) }
    }
  }

  @Test func `a digest is its bytes`() {
    let abc = Digest.sha256(of: Array("abc".utf8))
    #expect(abc.bytes == hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
    #expect(Digest(abc.bytes) == abc)
    #expect(Digest([1, 2, 3]) == nil)
    #expect(MemoryLayout<Digest>.size == 32 && MemoryLayout<CID>.stride == 40)
    var chance = Chance(seed: 1)
    for _ in 0..<1_000 {
      let pair = (0..<2).map { _ in (0..<32).map { _ in UInt8(chance.below(3)) } }
      guard let left = Digest(pair[0]), let right = Digest(pair[1]) else { continue }
      #expect((left < right) == pair[0].lexicographicallyPrecedes(pair[1]))
    }
  }

  /// The examples of multiformats/multibase.
  @Test func `text in three alphabets`() throws {
    let text = Array("yes mani !".utf8)
    #expect(Multibase.base16.encode(text) == "f796573206d616e692021")
    #expect(Multibase.base32.encode(text) == "bpfsxgidnmfxgsibb")
    #expect(Multibase.base58btc.encode(text) == "z7paNL19xttacUY")
    let padded: [UInt8] = [0, 0] + text
    #expect(Multibase.base58btc.encode(padded) == "z117paNL19xttacUY")
    for base in Multibase.allCases {
      for bytes in [[], [0], [0, 0, 1], text, padded] { #expect(try Multibase.decode(base.encode(bytes)) == bytes) }
    }
    for wrong in ["", "m", "b1", "ba", "z0", "f0", "fzz", "b" + String(repeating: "a", count: 2_000), "z💥"] {
      #expect(throws: WireError.self, "\(wrong)") { try Multibase.decode(wrong) }
    }
  }

  @Test func `multihashes of other functions are refused by name`() throws {
    var position = 0
    #expect(throws: WireError("multihash", at: 0, "hash function sha2-512 is not supported; use sha2-256")) {
      try Multihash.read([0x13, 1, 0], at: &position)
    }
    position = 0
    #expect(throws: WireError.self) { try Multihash.read([0x12, 31] + [UInt8](repeating: 0, count: 31), at: &position) }
    position = 0
    #expect(try Multihash.read([0, 2, 7, 8], at: &position) == .identity([7, 8]))
    position = 0
    #expect(throws: WireError.self) { try Multihash.read([0, 0x81, 1] + [UInt8](repeating: 0, count: 129), at: &position) }
  }
}
