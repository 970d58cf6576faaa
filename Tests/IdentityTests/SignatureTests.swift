import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// Signatures of other algorithms than ours: keys and signatures made by OpenSSL 3.0 over the text "a model".
@Suite struct SignatureTests {
  private let message = Array("a model".utf8)

  /// One key of another algorithm, and a signature of its own.
  struct Sample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let algorithm: PublicKey.Algorithm
    let key: String
    let signature: String
  }

  static let samples = [
    Sample(
      testDescription: "RSA, 2,048 bits", algorithm: .rsa, key: SignatureTests.rsaKey, signature: SignatureTests.rsaSignature),
    Sample(testDescription: "P-256", algorithm: .ecdsa, key: SignatureTests.p256Key, signature: SignatureTests.p256Signature),
    Sample(testDescription: "P-384", algorithm: .ecdsa, key: SignatureTests.p384Key, signature: SignatureTests.p384Signature),
  ]

  @Test(arguments: samples) func `a signature holds for its key and message alone`(sample: Sample) throws {
    let key = try PublicKey(sample.algorithm, hex(sample.key))
    let signature = hex(sample.signature)
    #expect(try key.isValid(signature, for: message))
    #expect(try !key.isValid(signature, for: message + [0]))
    #expect(try !key.isValid([], for: message))
    for place in stride(from: 0, to: signature.count, by: 7) {
      var changed = signature
      changed[place] ^= 0x10
      #expect(try !key.isValid(changed, for: message), "byte \(place)")
    }
    #expect(key.peerID.description.hasPrefix("Qm"))
    #expect(try PublicKey(encoded: key.encoded) == key)
  }

  @Test func `weak, foreign and unsupported keys are refused with a reason`() throws {
    let weak = try PublicKey(.rsa, hex(SignatureTests.weakKey))
    let error = #expect(throws: SignatureError.self) { try weak.isValid(hex(SignatureTests.weakSignature), for: message) }
    #expect("\(try #require(error))".contains("1024 bits"))
    let confused = try PublicKey(.rsa, hex(SignatureTests.p256Key))
    #expect(throws: SignatureError.self) { try confused.isValid([1], for: message) }
    let other = try PublicKey(.ecdsa, hex(SignatureTests.rsaKey))
    #expect(throws: SignatureError.self) { try other.isValid([1], for: message) }
    let bitcoin = try PublicKey(.secp256k1, hex("037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"))
    let refusal = #expect(throws: SignatureError.unsupported(.secp256k1)) { try bitcoin.isValid([1], for: message) }
    #expect("\(try #require(refusal))".contains("use a peer with an Ed25519 key"))
  }

  @Test func `hostile keys and signatures never trap`() {
    var chance = Chance(seed: 11)
    for _ in 0..<Effort.inputs / 10 {
      let sample = SignatureTests.samples[chance.below(3)]
      guard let key = try? PublicKey(sample.algorithm, mutated(hex(sample.key), &chance)) else { continue }
      _ = try? key.isValid(mutated(hex(sample.signature), &chance), for: message)
    }
  }

  private static let rsaKey =
    "30820122300d06092a864886f70d01010105000382010f003082010a02820101008d2964bb56131bdd24ffca4bac7c86168c"
    + "669befef202b928b5f724693448c12a65fd01111f53a7b8e6b62353cf2d433c6efc283f7460d81d423d0bd7b3f69adb8e84f"
    + "37fc3e108f4f31f31b2dc9cdd0e60e6a785a483eca1da2637ba4227bb61142d7e78ada5227d7f82f2103e082ddb43adc9873"
    + "64410892e5ef098d117f0b1722c7f6a62541e13ab3844d5d9f9f20a3cf6373b06630613d16150ce2d51071837809640e231b"
    + "7c35421e3918c47cd264c12a33586f7b01abc4d10b874b55e95fb45cd442b7d2981c1928b66e8b1f3ed7976e774d966b0a90"
    + "35ccd9f6e09fb797364615077231cc41444c65ab938c455d42706cb326986938639e554ba9375b0203010001"
  private static let rsaSignature =
    "56464ba456a852308f5a5a90c695d7f7f0093027dd21ffd3198a935e59885d65816f33afe1883f5692fabba0e1dc2e54ab51"
    + "075a6c6827cef7a68aab64e9f95c23fe3bc68aeb075c6d7d91d013a6bd2714db822d9c2dd5e6f6173a71e96b98fbe37f810c"
    + "de782aaab9959b2bf546d6a108efc4e7762f024c812c94ed3c9e2ac01d0816964c98319be2a27dca4f1d71e1f31380c62e51"
    + "e16d8341ece92256eb6a2d5edb3abbf82ab82e51ae8798e7e17c13b48bffdc3470468be9dc027d11e2d60480d05ef595a97c"
    + "07f9341caef6df944a5b8e5315200a6085b0368a7eb7c97228a7984cb7c2fd785f087cde074f066949e5ba457b3288f9591c"
    + "6f25a9c2221f"
  private static let p256Key =
    "3059301306072a8648ce3d020106082a8648ce3d030107034200045c58bbb7270fb94acfa2d5981f4d8c3c3e736dfb40fb39"
    + "9f0a4d84e5d742dab7f39ff3a06d035bce74ed31a938699e67c6a2782d5182170093aca24a908e9405"
  private static let p256Signature =
    "304402202fec5f53e934a24d32289c78ff1dee022913d8cd347ae51597ffe8fb9bd4f89f0220609c0a3b6494e6712718e56b"
    + "a4940283e149a5e3c0770836f603e6f60dd2e54d"
  private static let p384Key =
    "3076301006072a8648ce3d020106052b81040022036200047c4d5524669821c8a2015d4fbb68d33c76ef59079c88625c2314"
    + "8d2bd6d98f3bba157cca51fc15401321741e2ebdb42ccd56f5c96b9f99111c5370f8e0bafafdaca6138fec6e169c6f6cf28f"
    + "bf303fdb4a78f18e80a367750fe450f633404c11"
  private static let p384Signature =
    "3065023100b24edc3c6062963284c126dd0321bbb74ac6dd392360ffd2d6436c1de8dbc943d6aadca35104dd3d4637aa136f"
    + "fced8b02303965bf73e753fd770e79d2a05d5fccecbc94083e7d566ce8c64709571886ec4898f23e45433769ef0711d7ecb3"
    + "1476fe"
  private static let weakKey =
    "30819f300d06092a864886f70d010101050003818d0030818902818100e713140a80d105956c6725254806557ed1b937580a"
    + "b86add230ac4eb872de043a0310976cfde0222b79d8f639d661c4f3234063262bcfaead52a8ed24008c1e26d2139462fa24c"
    + "57231bbf4b0dfb9f000e23e0c070f43939bd03c9d98ca8a039bab9a90e6bf22a22d369cc91f0dff729f054b827620030cef4"
    + "f71d4433cb81690203010001"
  private static let weakSignature =
    "5863cbcb492fb1315ba9603842d5b0e2d01bd7dd99b85e196e4976b1115e00f58739d1f55443afe0f39700929dd6065ce055"
    + "299ae89e2d76ea2938c7d611bd8b7f9b1a69797c3fda006615124f4a4e8192323ca632f91df034ec4b7af8422c6f21ab5a6a"
    + "dd1ef5a2195949c9278a92b6e36cf6e048e105892bc01ab26c889890"
}
