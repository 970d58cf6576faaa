import MurmurMachines
import MurmurWire
import Testing

/// DAG-CBOR: values have one encoding, and no other is read.
@Suite struct CBORTests {
  /// From RFC 8949, appendix A, as far as DAG-CBOR has them.
  @Test(
    arguments: [
      ("00", .unsigned(0)), ("17", .unsigned(23)), ("1818", .unsigned(24)), ("1903e8", .unsigned(1_000)),
      ("1a000f4240", .unsigned(1_000_000)), ("1b000000e8d4a51000", .unsigned(1_000_000_000_000)),
      ("1bffffffffffffffff", .unsigned(.max)), ("20", .negative(0)), ("3863", .negative(99)),
      ("3bffffffffffffffff", .negative(.max)),
      ("fb3ff199999999999a", .fraction(1.1)), ("fbc010666666666666", .fraction(-4.1)), ("f4", .bool(false)), ("f5", .bool(true)),
      ("f6", .null), ("40", .bytes([])), ("4401020304", .bytes([1, 2, 3, 4])), ("60", .text("")), ("6449455446", .text("IETF")),
      ("62c3bc", .text("ü")), ("80", .array([])), ("83010203", .array([.unsigned(1), .unsigned(2), .unsigned(3)])),
      ("a0", .map([:])),
      ("a26161016162820203", .map(["a": .unsigned(1), "b": .array([.unsigned(2), .unsigned(3)])])),
      ("a2617a01626161", nil), ("a2617a0162616102", .map(["z": .unsigned(1), "aa": .unsigned(2)])),
    ] as [(String, CBORValue?)])
  func vectors(_ digits: String, _ value: CBORValue?) throws {
    guard let value else {
      #expect(throws: WireError.self) { try CBORValue(decoding: hex(digits)) }
      return
    }
    #expect(try CBORValue(decoding: hex(digits)) == value)
    #expect(value.encoded == hex(digits))
  }

  @Test(
    "What is not canonical, or not DAG-CBOR, is refused",
    arguments: [
      "1817", "190018", "1a00000018", "1b0000000000000018", "5801ff", "9f01ff", "5f41ff", "7f6161ff", "bf616101ff",
      "a2616201616101",
      "a2616101616101", "a10101", "f7", "f0", "f814", "f93c00", "fa3f800000", "fb7ff0000000000000", "fb7ff8000000000000", "c001",
      "d82a40",
      "d82a4100", "d82a00", "61ff", "82", "8201", "", "0000", "9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff",
      "1c",
    ])
  func refused(_ digits: String) {
    #expect(throws: WireError.self) { try CBORValue(decoding: hex(digits)) }
  }

  @Test func `links and names are those of IPFS`() throws {
    let empty = CID(codec: .dagCBOR, hashing: CBORValue.map([:]).encoded)
    #expect(empty.description == "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua")
    let hello = CBORValue.map(["hello": .text("world")])
    #expect(
      CID(codec: .dagCBOR, hashing: hello.encoded).description == "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae")
    let link = CBORValue.array([.link(empty), .link(CID(codec: .raw, hashing: [1]))])
    #expect(try CBORValue(decoding: link.encoded) == link)
    #expect(Array(link.encoded.prefix(9)) == hex("82d82a582500017112"))
  }

  @Test func `depth and number are bounded`() {
    let deep = [UInt8](repeating: 0x81, count: 100_000) + [0]
    #expect(throws: WireError.self) { try CBORValue(decoding: deep) }
    let wide = CBORValue.array(Array(repeating: .unsigned(1), count: 70_000)).encoded
    #expect(throws: WireError.self) { try CBORValue(decoding: wide) }
    #expect(throws: WireError.self) { try CBORValue(decoding: [UInt8](repeating: 0, count: 2 << 20)) }
  }

  @Test func `whatever is read is written back to the bit`() throws {
    var chance = Chance(seed: 61)
    var read = 0
    for round in 0..<Effort.inputs {
      let bytes = mutated(CBORTests.value(&chance, depth: 4).encoded, &chance)
      do throws(WireError) {
        #expect(try CBORValue(decoding: bytes).encoded == bytes, "seed 61, round \(round)")
        read += 1
      } catch { continue }
    }
    #expect(read > Effort.inputs / 100)
  }

  private static func value(_ chance: inout Chance, depth: Int) -> CBORValue {
    switch chance.below(depth > 0 ? 10 : 8) {
    case 0: return .null
    case 1: return .bool(chance.happens(0.5))
    case 2: return .unsigned(chance.next() >> UInt64(chance.below(64)))
    case 3: return .negative(chance.next() >> UInt64(chance.below(64)))
    case 4: return .fraction(chance.uniform())
    case 5: return .bytes((0..<chance.below(30)).map { UInt8($0) })
    case 6: return .text(String(repeating: "ä", count: chance.below(20)))
    case 7: return .link(CID(codec: .dagCBOR, digest: Digest(chance.next(), 1, 2, 3)))
    case 8:
      var values: [CBORValue] = []
      for _ in 0..<chance.below(5) { values.append(value(&chance, depth: depth - 1)) }
      return .array(values)
    default:
      var values: [String: CBORValue] = [:]
      for _ in 0..<chance.below(5) { values["\(chance.below(2_000))"] = value(&chance, depth: depth - 1) }
      return .map(values)
    }
  }
}
