import Foundation
import MurmurBlocks
import MurmurMachines
import MurmurWire
import Testing

/// The names that Kubo's own tests expect of large files, just at and just above 174 links. Kubo draws their content from ChaCha20
/// (RFC 8439) under the SHA-256 digest of a phrase. Run by hand with `MURMUR_LARGE=1`: it takes half a gigabyte.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["MURMUR_LARGE"] != nil), .serialized) struct KuboTests {
  @Test(arguments: [
    (174, "bafybeigwduxcf2aawppv3isnfeshnimkyplvw3hthxjhr2bdeje4tdaicu"),
    (175, "bafybeidhd7lo2n2v7lta5yamob3xwhbxcczmmtmhquwhjesi35jntf7mpu"),
  ]) func `a file of that many mebibytes, in chunks of one, has Kubo's name`(mebibytes: Int, name: String) throws {
    let bytes = chaCha(phrase: "v1-seed", count: mebibytes << 20)
    let built = Object.build(bytes, chunk: 1 << 20)
    #expect(built.root.description == name)
    var store = BlockStore()
    store.put(built)
    #expect(try Object.read(built.root, from: store) == bytes)
  }

  @Test func `the key stream is RFC 8439's`() {
    // Appendix A.1, test vector 1: the key is zero.
    #expect(Array(chaCha(key: [UInt32](repeating: 0, count: 8), count: 8)) == hexBytes("76b8e0ada0f13d90"))
  }

  private func chaCha(phrase: String, count: Int) -> [UInt8] {
    let key = Digest.sha256(of: Array(phrase.utf8)).bytes
    var words = [UInt32](repeating: 0, count: 8)
    for (index, byte) in key.enumerated() { words[index / 4] |= UInt32(byte) << UInt32(8 * (index % 4)) }
    return chaCha(key: words, count: count)
  }

  private func chaCha(key: [UInt32], count: Int) -> [UInt8] {
    var start = [UInt32](repeating: 0, count: 16)
    start.replaceSubrange(0..<4, with: [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574])
    start.replaceSubrange(4..<12, with: key)
    var out: [UInt8] = []
    out.reserveCapacity(count + 64)
    var state = start
    while out.count < count {
      for index in 0..<16 { state[index] = start[index] }
      for _ in 0..<10 {
        for column in 0..<4 { quarter(&state, column, column + 4, column + 8, column + 12) }
        for column in 0..<4 { quarter(&state, column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12) }
      }
      for index in 0..<16 {
        let word = state[index] &+ start[index]
        for shift in stride(from: UInt32(0), to: 32, by: 8) { out.append(UInt8(truncatingIfNeeded: word >> shift)) }
      }
      start[12] &+= 1
    }
    out.removeLast(out.count - count)
    return out
  }

  private func quarter(_ state: inout [UInt32], _ a: Int, _ b: Int, _ c: Int, _ d: Int) {
    func mix(_ sum: Int, _ other: Int, _ target: Int, _ turn: UInt32) {
      state[sum] &+= state[other]
      let word = state[target] ^ state[sum]
      state[target] = word << turn | word >> (32 - turn)
    }
    mix(a, b, d, 16)
    mix(c, d, b, 12)
    mix(a, b, d, 8)
    mix(c, d, b, 7)
  }

  private func hexBytes(_ text: String) -> [UInt8] {
    let digits = Array(text.utf8)
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16) ?? 0
    }
  }
}
