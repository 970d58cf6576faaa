/// Writing what a ``CBORReader`` reads: DAG-CBOR in its one canonical form.
extension [UInt8] {
  /// Appends the head of an item: its kind and number, in the shortest form.
  mutating func append(cbor kind: CBORReader.Kind, _ value: UInt64) {
    let major = kind.rawValue << 5
    switch value {
    case 0..<24: append(major | UInt8(value))
    case 24..<0x100: append(contentsOf: [major | 24, UInt8(value)])
    case 0x100..<0x1_0000: append(major | 25, value, bytes: 2)
    case 0x1_0000..<0x1_0000_0000: append(major | 26, value, bytes: 4)
    default: append(major | 27, value, bytes: 8)
    }
  }

  private mutating func append(_ head: UInt8, _ value: UInt64, bytes count: Int) {
    append(head)
    for shift in stride(from: 8 * (count - 1), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
  }

  /// Appends an unsigned number.
  public mutating func append(cborNumber value: UInt64) { append(cbor: .unsigned, value) }

  /// Appends the head of an array of that many items.
  public mutating func append(cborArray count: Int) { append(cbor: .array, UInt64(count)) }

  /// Appends a byte string.
  public mutating func append(cborBytes bytes: [UInt8]) {
    reserveCapacity(count + bytes.count + 9)
    append(cbor: .bytes, UInt64(bytes.count))
    self += bytes
  }

  /// Appends a link.
  public mutating func append(cborLink cid: CID) {
    append(cbor: .tag, 42)
    append(cbor: .bytes, UInt64(cid.byteCount + 1))
    append(0)
    cid.append(to: &self)
  }

  /// Appends a null.
  public mutating func appendCBORNull() { append(0xf6) }
}
