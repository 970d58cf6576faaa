import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// Keys and the identities they give: the vectors of libp2p/specs `peer-ids`.
@Suite struct KeyTests {
  private let privateKey =
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
  private let publicKey = "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
  private let ecdsa =
    "0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83abab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c409e62"
  private let secp256k1 = "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"

  @Test func `the specification's Ed25519 pair`() throws {
    let pair = try KeyPair(encoded: hex(privateKey))
    #expect(pair.publicKey.encoded == hex(publicKey))
    #expect(pair.encoded == hex(privateKey))
    let twice = hex(privateKey.replacing("08011240", with: "08011260")) + hex(publicKey).dropFirst(4)
    #expect(try KeyPair(encoded: twice).peerID == pair.peerID)
    #expect(pair.peerID.bytes == [0, 0x24] + hex(publicKey))
    #expect(pair.peerID.description.hasPrefix("12D3KooW"))
    #expect(PublicKey(of: pair.peerID) == pair.publicKey)
  }

  /// RFC 8032, section 7.1, tests 1 and 3.
  @Test func `the public half and signatures are those of RFC 8032`() throws {
    let seed = try #require(Digest(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")))
    let pair = KeyPair(seed: seed)
    #expect(pair.publicKey.data == hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    let known = hex(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    #expect(try pair.publicKey.isValid(known, for: []))
    #expect(try !pair.publicKey.isValid(known, for: [1]))
    let message = Array("a model".utf8)
    let signature = pair.sign(message)
    #expect(signature.count == 64)
    #expect(try pair.publicKey.isValid(signature, for: message))
    var wrong = signature
    wrong[40] ^= 1
    #expect(try !pair.publicKey.isValid(wrong, for: message))
    #expect(try !pair.publicKey.isValid([], for: message))
  }

  @Test func `other algorithms give identities`() throws {
    let curve = try PublicKey(encoded: hex(ecdsa))
    #expect(curve.algorithm == .ecdsa && curve.encoded == hex(ecdsa))
    #expect(curve.peerID == PeerID(kind: .sha256, word: .sha256(of: hex(ecdsa))))
    #expect(curve.peerID.description.hasPrefix("Qm"))
    let bitcoin = try PublicKey(encoded: hex(secp256k1))
    #expect(bitcoin.peerID.bytes == [0, 0x25] + hex(secp256k1))
    #expect(try PeerID(bytes: bitcoin.peerID.bytes) == bitcoin.peerID)
    #expect(PublicKey(of: bitcoin.peerID) == bitcoin && PublicKey(of: curve.peerID) == nil)
    #expect(bitcoin.peerID.description.hasPrefix("16Uiu2H"))
  }

  @Test func `wrong keys are refused`() {
    for digits in ["", "0801", "08011201ff", "08051220" + String(repeating: "00", count: 32), "0800120400000000", "ff"] {
      #expect(throws: WireError.self, "\(digits)") { try PublicKey(encoded: hex(digits)) }
    }
    #expect(throws: WireError.self) { try KeyPair(encoded: hex(privateKey.replacing("fce27e", with: "fce27f"))) }
    #expect(throws: WireError.self) {
      try KeyPair(encoded: hex("0802122053DADF1D5A164D6B4ACDB15E24AA4C5B1D3461BDBD42ABEDB0A4404D56CED8FB"))
    }
  }

  @Test func `hostile keys never trap`() {
    var chance = Chance(seed: 2)
    for _ in 0..<Effort.inputs {
      if let key = try? PublicKey(encoded: mutated(hex([publicKey, ecdsa, secp256k1][chance.below(3)]), &chance)) {
        #expect((try? PublicKey(encoded: key.encoded)) == key)
        _ = key.peerID.description
      }
      _ = try? KeyPair(encoded: mutated(hex(privateKey), &chance))
    }
  }
}
