internal import Crypto

/// A SHA-256 digest: 32 bytes kept as four words, so that it is a plain value without heap storage.
///
/// The words are big-endian readings of the bytes, so that comparing words compares bytes. Hashing feeds only the first word to
/// the hasher: the digest is already uniform, and the simulator hashes millions a second.
public struct Digest: Comparable, Sendable {
  /// Bytes 0 ..< 8, read big-endian.
  public let a: UInt64
  /// Bytes 8 ..< 16, read big-endian.
  public let b: UInt64
  /// Bytes 16 ..< 24, read big-endian.
  public let c: UInt64
  /// Bytes 24 ..< 32, read big-endian.
  public let d: UInt64

  /// How many bytes a digest has.
  public static let count = 32

  /// The digest with these words.
  @inlinable public init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
    self.a = a
    self.b = b
    self.c = c
    self.d = d
  }

  /// The digest with these 32 bytes; `nil` if there are not exactly 32.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Digest.count else { return nil }
    // Bytes in one place, as those of arrays and their slices, need not be asked for one after the other.
    if let whole = bytes.withContiguousStorageIfAvailable({ unsafe Digest(storage: $0) }) {
      self = whole
      return
    }
    var (a, b, c, d): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    for byte in bytes {
      // A 256-bit shift left by one byte.
      a = a << 8 | b >> 56
      b = b << 8 | c >> 56
      c = c << 8 | d >> 56
      d = d << 8 | UInt64(byte)
    }
    self.init(a, b, c, d)
  }

  private init(storage bytes: UnsafeBufferPointer<UInt8>) {
    let raw = UnsafeRawBufferPointer(bytes)
    func word(_ index: Int) -> UInt64 { unsafe UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)) }
    self.init(word(0), word(1), word(2), word(3))
  }

  /// The 32 bytes.
  public var bytes: [UInt8] {
    var out: [UInt8] = []
    append(to: &out)
    return out
  }

  /// Appends the 32 bytes to `out`.
  public func append(to out: inout [UInt8]) {
    out.reserveCapacity(out.count + Digest.count)
    Digest.append(a, to: &out)
    Digest.append(b, to: &out)
    Digest.append(c, to: &out)
    Digest.append(d, to: &out)
  }

  private static func append(_ word: UInt64, to out: inout [UInt8]) {
    for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
  }

  /// The SHA-256 digest of `bytes`.
  public static func sha256(of bytes: [UInt8]) -> Digest {
    unsafe bytes.withUnsafeBytes { unsafe sha256(of: $0) }
  }

  /// The SHA-256 digest of the bytes in `buffer`.
  public static func sha256(of buffer: UnsafeRawBufferPointer) -> Digest {
    var hash = SHA256()
    unsafe hash.update(bufferPointer: buffer)
    return unsafe hash.finalize().withUnsafeBytes { sum in
      unsafe Digest(
        sum.loadUnaligned(fromByteOffset: 0, as: UInt64.self).bigEndian,
        sum.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian,
        sum.loadUnaligned(fromByteOffset: 16, as: UInt64.self).bigEndian,
        sum.loadUnaligned(fromByteOffset: 24, as: UInt64.self).bigEndian)
    }
  }

  /// By bytes, the first first.
  @inlinable public static func < (left: Digest, right: Digest) -> Bool {
    if left.a != right.a { return left.a < right.a }
    if left.b != right.b { return left.b < right.b }
    if left.c != right.c { return left.c < right.c }
    return left.d < right.d
  }
}

extension Digest: Hashable {
  /// Whether all bytes agree.
  @inlinable public static func == (left: Digest, right: Digest) -> Bool {
    left.a == right.a && left.b == right.b && left.c == right.c && left.d == right.d
  }

  /// Feeds all bytes to the hasher. Peers name what nobody has hashed, so of digests that agree in some bytes they can make any number.
  @inlinable public func hash(into hasher: inout Hasher) {
    hasher.combine(a)
    hasher.combine(b)
    hasher.combine(c)
    hasher.combine(d)
  }
}
