package import MurmurIdentity
package import MurmurWire

/// What libp2p says inside the handshake of Noise (libp2p/specs `noise`, "The libp2p Handshake Payload"): whose static key this is, and
/// which stream muxers are spoken.
package struct NoisePayload: Hashable, Sendable {
  /// The identity's public key.
  package var key: PublicKey
  /// The identity's signature over a fixed text and the static key.
  package var signature: [UInt8]
  /// Stream muxers, best first (libp2p/specs `connections`, "inlined muxer negotiation").
  package var muxers: [String]

  /// What is signed.
  static func signedBytes(_ fixed: [UInt8]) -> [UInt8] { Array("noise-libp2p-static-key:".utf8) + fixed }

  /// The payload by which `identity` vouches for the static key `fixed`.
  package init(vouching identity: KeyPair, for fixed: [UInt8], muxers: [String]) {
    key = identity.publicKey
    signature = identity.sign(NoisePayload.signedBytes(fixed))
    self.muxers = muxers
  }

  /// The encoded payload.
  package var encoded: [UInt8] {
    var message = Murmur_Noise_Payload()
    message.identityKey = .init(wire: key.encoded)
    message.identitySig = .init(wire: signature)
    if !muxers.isEmpty { message.extensions.streamMuxers = muxers }
    return message.wire
  }

  /// Reads a payload; says nothing yet about whether it is true.
  package init(encoded bytes: [UInt8]) throws(WireError) {
    let what = "Noise handshake payload"
    try ProtobufScan.bound(bytes[...], what: what, fields: 16)
    let message = try Murmur_Noise_Payload(wire: bytes, what: what, depth: 2)
    guard message.extensions.streamMuxers.count <= 32 else { throw WireError(what, "names more than 32 stream muxers") }
    key = try PublicKey(encoded: message.identityKey.array)
    signature = message.identitySig.array
    muxers = message.extensions.streamMuxers
  }

  /// Throws unless the payload's identity signed `fixed`.
  package func verify(for fixed: [UInt8]) throws(SignatureError) {
    guard try key.isValid(signature, for: NoisePayload.signedBytes(fixed)) else { throw .invalid }
  }
}
