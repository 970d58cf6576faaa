import Crypto

/// What the content of a file must hash to, in lower-case hexadecimal.
public enum Checksum: Hashable, Sendable, CustomStringConvertible {
  /// MD5 guards against damage, not against intent; it is what some sources publish.
  case md5(String)
  case sha256(String)

  /// The algorithm and the digits.
  public var description: String {
    switch self {
    case .md5(let digits): "md5 \(digits)"
    case .sha256(let digits): "sha256 \(digits)"
    }
  }

  /// The same algorithm's checksum of the file at `path`; `body` is told how many bytes it has come through and returns whether to
  /// go on.
  ///
  /// - Throws: ``LibraryError`` if the file cannot be read, or `body` said no.
  func recomputed(_ path: String, _ body: (Int) -> Bool = { _ in true }) throws(LibraryError) -> Checksum {
    switch self {
    case .md5: .md5(try Checksum.digest(Insecure.MD5(), path, body))
    case .sha256: .sha256(try Checksum.digest(SHA256(), path, body))
    }
  }

  /// The SHA-256 of bytes in memory.
  public static func sha256(of bytes: [UInt8]) -> Checksum { .sha256(hexadecimal(SHA256.hash(data: bytes))) }

  private static func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func digest<Function: HashFunction>(
    _ function: Function, _ path: String, _ body: (Int) -> Bool
  ) throws(LibraryError) -> String {
    var function = function
    var done = 0
    try unsafe DiskFile.read(path) { chunk throws(LibraryError) in
      unsafe function.update(bufferPointer: UnsafeRawBufferPointer(chunk))
      done += chunk.count
      guard body(done) else { throw .cancelled(kept: nil) }
      return true
    }
    return hexadecimal(function.finalize())
  }
}
