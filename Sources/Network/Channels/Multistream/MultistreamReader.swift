package import MurmurWire

/// The messages of multistream-select 1.0 (multiformats/multistream-select): a length as varint, text, and a newline that counts.
package enum Multistream {
  /// What each side says first.
  package static let header = "/multistream/1.0.0"
  /// The answer to a protocol that is not spoken.
  package static let notAvailable = "na"
  /// The question for all protocols.
  package static let list = "ls"

  /// Appends the message with that text to `out`.
  package static func append(_ text: String, to out: inout [UInt8]) {
    Varint.append(UInt64(text.utf8.count + 1), to: &out)
    out.append(contentsOf: text.utf8)
    out.append(UInt8(ascii: "\n"))
  }
}

/// Cuts bytes into the messages of multistream-select, and takes not a byte more than belongs to them: what follows is the protocol's.
package struct MultistreamReader: Sendable {
  private let most: Int
  private var lengthBytes: [UInt8] = []
  private var length: Int?
  private var body: [UInt8] = []

  /// A reader that refuses messages of more than `most` bytes.
  package init(most: Int) { self.most = most }

  /// Reads on at `position`; the text of a message, if one is complete.
  package mutating func next(_ bytes: UnsafeRawBufferPointer, at position: inout Int) throws(WireError) -> String? {
    let what = "multistream-select message"
    while length == nil {
      guard position < bytes.count else { return nil }
      let byte = unsafe bytes[position]
      position += 1
      lengthBytes.append(byte)
      guard byte < 0x80 else {
        guard lengthBytes.count < 3 else { throw WireError(what, "its length is longer than any message of \(most) bytes") }
        continue
      }
      var start = 0
      let number = try Varint.read(lengthBytes, at: &start, what: what)
      guard number > 0, number <= UInt64(most) else { throw WireError(what, "has \(number) bytes, 1 to \(most) are allowed") }
      length = Int(number)
    }
    guard let length else { return nil }
    let count = min(length - body.count, bytes.count - position)
    unsafe body.append(contentsOf: bytes[position..<position + count])
    position += count
    guard body.count == length else { return nil }
    defer {
      lengthBytes = []
      self.length = nil
      body = []
    }
    guard body.last == UInt8(ascii: "\n") else { throw WireError(what, "does not end in a newline") }
    guard let text = String(validating: body.dropLast(), as: UTF8.self) else { throw WireError(what, "is not UTF-8 text") }
    return text
  }
}
