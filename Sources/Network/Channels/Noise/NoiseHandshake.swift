package import MurmurIdentity
import MurmurWire

/// The handshake of Noise between two libp2p peers: the pattern XX, and in its second and third message each side's identity.
package struct NoiseHandshake: Sendable {
  /// What came out.
  package struct Secured: Sendable {
    /// The peer at the other end, proven.
    package let peer: PeerID
    /// Its public key.
    package let key: PublicKey
    /// The first stream muxer of the dialer's that both speak; `nil` if one side named none.
    package let muxer: String?
    /// What this side encrypts with.
    package let sending: CipherState
    /// What the other side encrypts with.
    package let receiving: CipherState
  }

  private var pattern: NoiseXX
  private let identity: KeyPair
  private let expected: PeerID?
  private let muxers: [String]
  private var remote: NoisePayload?

  /// A handshake as `identity`, which must end with `expected` unless that is `nil`.
  package init(isInitiator: Bool, identity: KeyPair, secrets: NoiseSecrets, expected: PeerID?, muxers: [String]) {
    pattern = NoiseXX(isInitiator: isInitiator, secrets: secrets)
    self.identity = identity
    self.expected = expected
    self.muxers = muxers
  }

  /// The initiator's first record.
  package mutating func start() throws(ConnectionError) -> [UInt8] { try write([]) }

  /// Takes a record; gives the record to answer with, if any, and the outcome, once there is one.
  package mutating func receive(_ record: [UInt8]) throws(ConnectionError) -> (answer: [UInt8]?, secured: Secured?) {
    let payload: [UInt8]
    do { payload = try pattern.read(record) } catch { throw ConnectionError(.handshake, NoiseHandshake.reason(error)) }
    if pattern.messages > 1 { try prove(payload) }
    var answer: [UInt8]?
    if pattern.isWriting {
      answer = try write(NoisePayload(vouching: identity, for: pattern.localStatic, muxers: muxers).encoded)
    }
    return (answer, pattern.isComplete ? secured() : nil)
  }

  private mutating func write(_ payload: [UInt8]) throws(ConnectionError) -> [UInt8] {
    let message: [UInt8]
    do { message = try pattern.write(payload) } catch { throw ConnectionError(.handshake, NoiseHandshake.reason(error)) }
    var out: [UInt8] = []
    NoiseRecords.append(length: message.count, to: &out)
    return out + message
  }

  private mutating func prove(_ bytes: [UInt8]) throws(ConnectionError) {
    let payload: NoisePayload
    do { payload = try NoisePayload(encoded: bytes) } catch { throw ConnectionError(.handshake, .malformed(error)) }
    let peer = payload.key.peerID
    do { try payload.verify(for: pattern.remoteStatic ?? []) } catch {
      throw ConnectionError(.handshake, .signature(error), peer: peer)
    }
    if let expected, expected != peer { throw ConnectionError(.handshake, .wrongPeer(peer), peer: expected) }
    if peer == identity.peerID { throw ConnectionError(.handshake, .oneself) }
    remote = payload
  }

  private func secured() -> Secured? {
    guard let remote else { return nil }
    let (sending, receiving) = pattern.split()
    let (first, second) = pattern.isInitiator ? (muxers, remote.muxers) : (remote.muxers, muxers)
    return Secured(
      peer: remote.key.peerID, key: remote.key, muxer: first.first { second.contains($0) }, sending: sending,
      receiving: receiving)
  }

  private static func reason(_ failure: NoiseXX.Failure) -> ConnectionError.Reason {
    switch failure {
    case .short: .violation("a handshake message is too short for the keys it must carry")
    case .forged: .forged
    case .weakKey: .violation("its handshake key leads to no secret")
    }
  }
}
