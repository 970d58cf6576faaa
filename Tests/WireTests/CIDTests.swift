import MurmurMachines
import MurmurWire
import Testing

/// Identifiers in all their forms.
@Suite struct CIDTests {
  private let hello = Array("hello world\n".utf8)

  @Test func `a raw block has the name every IPFS node gives it`() throws {
    let cid = CID(codec: .raw, hashing: hello)
    let text = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
    #expect(cid.description == text)
    #expect(try CID(parsing: text) == cid)
    #expect(CID(text) == cid)
    #expect(try CID(bytes: cid.bytes) == cid)
    #expect(cid.bytes.count == cid.byteCount && cid.prefix == [1, 0x55, 0x12, 0x20])
    #expect(cid.matches(hello) && !cid.matches([]))
    #expect(try CID(parsing: Multibase.base58btc.encode(cid.bytes)) == cid)
    #expect(try CID(parsing: Multibase.base16.encode(cid.bytes)) == cid)
  }

  @Test func `version 0 names are read as dag-pb of version 1`() throws {
    let old = try CID(parsing: "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn")
    #expect(old.codec == .dagPB)
    #expect(old.description == "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354")
    #expect(try CID(bytes: Array(old.bytes.dropFirst(2))) == old)
    #expect(try CID.codec(ofPrefix: [0x12, 0x20]) == .dagPB)
  }

  @Test func `every codec has its own code and size`() throws {
    for codec in CID.Codec.allCases {
      let cid = CID(codec: codec, hashing: hello)
      #expect(try CID(bytes: cid.bytes) == cid)
      #expect(cid.bytes.count == cid.byteCount && cid.prefix.count == cid.prefixByteCount)
      #expect(try CID.codec(ofPrefix: cid.prefix) == codec)
    }
  }

  @Test func `what is not spoken is refused with a reason`() {
    let refused = [
      "": "is empty",
      "bafkqaaa": "identity",  // identity hash
      "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe": "codec 0x72",  // a peer
      "Qmx": "alphabet", "uAVUS": "alphabet", "hello": "alphabet",
      "zQmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn": "version 1",  // version 0 has no multibase form
      "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2deveij": "bits that belong",
    ]
    for (text, reason) in refused.sorted(by: { $0.key < $1.key }) {
      do {
        let cid = try CID(parsing: text)
        Issue.record("\(text) was read as \(cid)")
      } catch {
        #expect(reason.isEmpty || error.description.contains(reason), "\(text): \(error)")
      }
    }
    let sha512: [UInt8] = [1, 0x55, 0x13, 0x40] + [UInt8](repeating: 1, count: 64)
    #expect(throws: WireError.self) { try CID(bytes: sha512) }
    #expect(throws: WireError.self) { try CID(bytes: CID(codec: .raw, hashing: []).bytes + [0]) }
    #expect(throws: WireError.self) { try CID(bytes: [2] + CID(codec: .raw, hashing: []).bytes.dropFirst()) }
  }

  @Test func `order and equality do not depend on the machine`() {
    var chance = Chance(seed: 3)
    let cids = (0..<200).map { _ in
      CID(codec: CID.Codec.allCases[chance.below(3)], digest: Digest(chance.next() % 3, chance.next() % 3, 1, chance.next() % 2))
    }
    for left in cids {
      for right in cids {
        #expect((left == right) == (left.bytes == right.bytes))
        #expect([left < right, left == right, right < left].count { $0 } == 1)
        if left == right { #expect(left.hashValue == right.hashValue) }
      }
    }
  }

  @Test func `hostile identifiers never trap`() {
    var chance = Chance(seed: 9)
    let good = CID(codec: .raw, hashing: hello)
    for _ in 0..<Effort.inputs {
      let bytes = mutated(good.bytes, &chance)
      if let cid = try? CID(bytes: bytes), bytes.count == cid.byteCount { #expect(cid.bytes == bytes) }
      let text = String(decoding: mutated(Array(good.description.utf8), &chance), as: UTF8.self)
      if let cid = try? CID(parsing: text), text.utf8.count == 59, text.first == "b" { #expect(cid.description == text) }
      var position = 0
      _ = try? Multihash.read(mutated(good.bytes, &chance), at: &position)
      _ = try? CID.codec(ofPrefix: mutated(good.prefix, &chance))
    }
  }
}
