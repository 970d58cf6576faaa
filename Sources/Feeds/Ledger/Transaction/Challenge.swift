public import MurmurWire

/// A hash-cash puzzle (Back, 2002): find a number such that the digest of the body's digest and it begins with so many zero bits.
///
/// It takes 2^difficulty tries on average, and one to check. Pure, so that a simulator solves it in no virtual time of its own making and a
/// host on a thread of its own.
public struct Challenge: Hashable, Sendable {
  /// The digest of what the work is done for.
  public let body: Digest
  /// How many bits must be zero.
  public let difficulty: Int

  /// A puzzle.
  public init(body: Digest, difficulty: Int) {
    self.body = body
    self.difficulty = difficulty
  }

  /// Whether `nonce` solves it.
  public func isDone(by nonce: UInt64) -> Bool {
    guard difficulty > 0 else { return true }
    var message = body.bytes
    message += Challenge.bytes(of: nonce)
    return zeroBits(.sha256(of: message)) >= difficulty
  }

  /// The first nonce from `start` on that solves it, among `tries`; `nil` if none of them does.
  public func solve(from start: UInt64 = 0, tries: Int = .max) -> UInt64? {
    guard difficulty > 0 else { return start }
    var message = body.bytes
    message += Challenge.bytes(of: start)
    var nonce = start
    for _ in 0..<tries {
      if zeroBits(.sha256(of: message)) >= difficulty { return nonce }
      nonce &+= 1
      var index = 39
      repeat {
        message[index] &+= 1
        index -= 1
      } while message[index + 1] == 0 && index >= 32
    }
    return nil
  }

  private func zeroBits(_ digest: Digest) -> Int {
    digest.a == 0 ? 64 + digest.b.leadingZeroBitCount : digest.a.leadingZeroBitCount
  }

  static func bytes(of nonce: UInt64) -> [UInt8] {
    stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: nonce >> UInt64($0)) }
  }
}
