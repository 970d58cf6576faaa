/// Cuts bytes into the messages of Noise's wire format (libp2p/specs `noise`, "Wire Format"): two bytes of length, big-endian, then as
/// many bytes. Every byte is copied once, straight to where it is decrypted from.
package struct NoiseRecords: Sendable {
  /// The most bytes of a record.
  package static let mostBytes = 65_535
  /// The most bytes of plaintext in a record.
  package static let mostPlaintext = mostBytes - CipherState.tag

  /// The record so far, after room for a nonce.
  package private(set) var box: [UInt8] = []
  private var length = 0
  private var lengthBytes = 0

  /// At the beginning of a record.
  package init() {}

  /// Reads on at `position`; true if a record is complete. Read it from ``box``, then say ``clear()``.
  package mutating func read(_ bytes: UnsafeRawBufferPointer, at position: inout Int) -> Bool {
    while lengthBytes < 2 {
      guard position < bytes.count else { return false }
      length = length << 8 | Int(unsafe bytes[position])
      position += 1
      lengthBytes += 1
      if lengthBytes == 2 {
        box.reserveCapacity(CipherState.nonceBytes + length)
        for _ in 0..<CipherState.nonceBytes { box.append(0) }
      }
    }
    let count = min(CipherState.nonceBytes + length - box.count, bytes.count - position)
    unsafe box.append(contentsOf: bytes[position..<position + count])
    position += count
    return box.count == CipherState.nonceBytes + length
  }

  /// The complete record without the room before it.
  package var record: [UInt8] { Array(box[CipherState.nonceBytes...]) }

  /// How many bytes the record announces; `nil` before it does.
  package var announced: Int? { lengthBytes == 2 ? length : nil }

  /// Lets `body` decrypt the record in its place.
  package mutating func withBox<Result>(_ body: (inout [UInt8]) -> Result) -> Result { body(&box) }

  /// Goes on to the next record.
  package mutating func clear() {
    box.removeAll(keepingCapacity: true)
    length = 0
    lengthBytes = 0
  }

  /// Appends the length of a record to `out`.
  package static func append(length: Int, to out: inout [UInt8]) {
    precondition(length <= mostBytes, "a record of Noise has at most \(mostBytes) bytes, not \(length)")
    out.append(UInt8(truncatingIfNeeded: length >> 8))
    out.append(UInt8(truncatingIfNeeded: length))
  }
}
