public import MurmurWire

/// The private keys of one handshake: 64 bytes nobody else can know.
///
/// A host draws them from the system's generator for each connection, a test derives them from its seed. They do not come from a
/// machine's `Chance`, which is made for replay and can be guessed.
public struct NoiseSecrets: Sendable {
  /// The private key used in this handshake alone.
  public let ephemeral: Digest
  /// The private key that this side's identity vouches for.
  public let fixed: Digest

  /// The secrets with these two X25519 private keys.
  public init(ephemeral: Digest, fixed: Digest) {
    self.ephemeral = ephemeral
    self.fixed = fixed
  }

  /// Secrets drawn from `generator`; on a host that is the system's.
  public init(using generator: inout some RandomNumberGenerator) {
    func key() -> Digest { Digest(generator.next(), generator.next(), generator.next(), generator.next()) }
    ephemeral = key()
    fixed = key()
  }
}
