/// Why bytes or text from elsewhere could not be read: what was being read, where it went wrong and how.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was being read, e.g. "CID" or "Bitswap message".
  public let what: String
  /// The offset in bytes (or characters, in text) at which reading failed; `nil` if it concerns the whole.
  public let offset: Int?
  /// What is wrong, and what would be right.
  public let problem: String

  /// An error about `what`, at `offset`.
  public init(_ what: String, at offset: Int? = nil, _ problem: String) {
    self.what = what
    self.offset = offset
    self.problem = problem
  }

  /// One sentence: what, where, how.
  public var description: String {
    if let offset { "\(what), byte \(offset): \(problem)" } else { "\(what): \(problem)" }
  }
}
