import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// Identities in all their forms.
@Suite struct PeerIDTests {
  @Test(arguments: [
    "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
  ]) func `the specification's examples are read and written`(text: String) throws {
    let peer = try PeerID(parsing: text)
    #expect(peer.description == text && PeerID(text) == peer)
    #expect(try PeerID(bytes: peer.bytes) == peer)
    #expect(try PeerID(parsing: peer.cidText) == peer)
    #expect(peer.bytes.count == peer.byteCount)
    #expect(text.hasSuffix(peer.short))
  }

  @Test func `the CID form is the specification's`() throws {
    let text = "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe"
    let peer = try PeerID(parsing: text)
    #expect(peer.cidText == text && peer.description == "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
  }

  @Test func `other text is refused`() {
    for text in ["", "Qm", "1", "x", "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4", "12D3KooW", "1111"] {
      #expect(throws: WireError.self, "\(text)") { try PeerID(parsing: text) }
    }
    let rsaInline: [UInt8] = [0, 0x33, 8, 0, 0x12, 0x2f, 0x30] + [UInt8](repeating: 1, count: 46)
    #expect(throws: WireError.self) { try PeerID(bytes: rsaInline) }
  }

  @Test func `simulated peers are cheap, distinct and the same everywhere`() {
    let peers = (0..<10_000).map { PeerID(simulated: $0) }
    #expect(Set(peers).count == peers.count)
    #expect(peers[0].description == PeerID(simulated: 0).description)
    #expect(peers[7].word == .sha256(of: Array("murmur simulated peer ".utf8) + [7, 0, 0, 0, 0, 0, 0, 0]))
    #expect(MemoryLayout<PeerID>.stride == 40)
    let sorted = peers.sorted()
    #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0 < $1 && !($1 < $0) })
  }

  @Test func `hostile identities never trap`() throws {
    var chance = Chance(seed: 8)
    let good = [PeerID(simulated: 1), KeyPair(seed: .sha256(of: [1])).peerID]
    for _ in 0..<Effort.inputs {
      let peer = good[chance.below(2)]
      if let read = try? PeerID(bytes: mutated(peer.bytes, &chance)) { #expect(try PeerID(bytes: read.bytes) == read) }
      let text = String(
        decoding: mutated(Array((chance.happens(0.5) ? peer.description : peer.cidText).utf8), &chance), as: UTF8.self)
      if let read = try? PeerID(parsing: text) { #expect(try PeerID(parsing: read.description) == read) }
    }
  }
}
