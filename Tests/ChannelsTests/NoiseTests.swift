import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// The handshake, against another implementation's transcript and against liars.
@Suite struct NoiseTests {
  /// Keys and payloads of the public cacophony vectors; the transcript was checked with Python's noiseprotocol 0.3.1.
  @Test func `the transcript is that of other implementations`() throws {
    let initiator = try NoiseSecrets(
      ephemeral: #require(Digest(hex("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"))),
      fixed: #require(Digest(hex("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1"))))
    let responder = try NoiseSecrets(
      ephemeral: #require(Digest(hex("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"))),
      fixed: #require(Digest(hex("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"))))
    let prologue = Array("John Galt".utf8)
    var ends = [
      NoiseXX(isInitiator: true, secrets: initiator, prologue: prologue),
      NoiseXX(isInitiator: false, secrets: responder, prologue: prologue),
    ]
    let handshake = [
      ("Ludwig von Mises", "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e204d69736573"),
      (
        "Murray Rothbard",
        "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276e038c48378ffce2b65285e08d6b68aaa3629a5a86"
          + "39392490e5b9bd5269c2f1e4f488ed8831161f19b7815528f8982ffe09be9b5c412f8a0db50f8814c7194e83f23dbd8d162c9326ad"
      ),
      (
        "F. A. Hayek",
        "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9df0f169ae80a89be0865b57f58c9fea0d4ec82a28642"
          + "7402f113e4b6ae769a1d95941d49b25030"
      ),
    ]
    for (index, (payload, message)) in handshake.enumerated() {
      let written = try ends[index % 2].write(Array(payload.utf8))
      #expect(written == hex(message))
      #expect(try ends[1 - index % 2].read(written) == Array(payload.utf8))
    }
    #expect(
      ends.allSatisfy { $0.isComplete && $0.hash == hex("c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e") })
    var ciphers = ends.map { $0.split() }
    let transport = [
      (1, "Carl Menger", "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df"),
      (0, "Jean-Baptiste Say", "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5"),
      (1, "Eugen Bohm von Bawerk", "eb3f35151107027947a6c9da4478b6ead94873c11c4955353a53b07b905884d9cf29789651"),
    ]
    for (from, text, expected) in transport {
      var out: [UInt8] = []
      ciphers[from].sending.seal(Array(text.utf8), into: &out)
      #expect(out == hex(expected))
      var box = [UInt8](repeating: 0, count: 12) + out
      #expect(ciphers[1 - from].receiving.open(&box).map { [UInt8]($0) } == Array(text.utf8))
    }
  }

  @Test func `an identity that did not sign the key is refused`() throws {
    let alice = Pair.keys("alice")
    let good = NoisePayload(vouching: alice, for: [1, 2, 3], muxers: ["/yamux/1.0.0"])
    try NoisePayload(encoded: good.encoded).verify(for: [1, 2, 3])
    #expect(try NoisePayload(encoded: good.encoded) == good)
    #expect(throws: SignatureError.invalid) { try good.verify(for: [1, 2, 4]) }
    var stolen = good
    stolen.key = Pair.keys("mallory").publicKey
    #expect(throws: SignatureError.invalid) { try NoisePayload(encoded: stolen.encoded).verify(for: [1, 2, 3]) }
  }

  @Test func `another peer than expected, and oneself, are noticed`() {
    var pair = Pair(seed: 2, expected: Pair.keys("somebody").peerID)
    pair.begin()
    #expect(pair.ends[0].closed?.reason == .wrongPeer(Pair.keys("listener").peerID))
    #expect(pair.ends[0].closed?.peer == Pair.keys("somebody").peerID && pair.ends[0].secured == nil)
    #expect(pair.ends[0].closed.map { "\($0)" }?.contains("the address is out of date") == true)
    var mirror = Pair(seed: 3, expected: nil, listener: "dialer")
    mirror.begin()
    #expect(mirror.ends[0].closed?.reason == .oneself)
  }

  @Test func `a changed byte anywhere in the handshake never secures a connection`() {
    /// How many bytes went both ways, and whether both ends took it, if byte `place` was changed.
    func run(changing place: Int, _ bit: UInt8) -> (count: Int, isSecured: Bool) {
      var pair = Pair(seed: 4)
      var count = 0
      pair.change = { piece in
        for index in piece.indices {
          if count == place { piece[index] ^= bit }
          count += 1
        }
      }
      pair.begin()
      return (count, pair.ends.allSatisfy { $0.secured != nil })
    }
    let clean = run(changing: -1, 0)
    #expect(clean.isSecured)
    var chance = Chance(seed: 4)
    // The last bytes are no longer those of the handshake: pings and their answers, 30 bytes each.
    for place in 0..<clean.count - 120 {
      #expect(!run(changing: place, 1 << UInt8(chance.below(8))).isSecured, "byte \(place)")
    }
  }

  @Test func `hostile payloads never trap`() {
    var chance = Chance(seed: 5)
    let good = NoisePayload(vouching: Pair.keys("alice"), for: [1], muxers: ["/yamux/1.0.0", "/mplex/6.7.0"]).encoded
    for _ in 0..<Effort.inputs { _ = try? NoisePayload(encoded: mutated(good, &chance)) }
  }
}
