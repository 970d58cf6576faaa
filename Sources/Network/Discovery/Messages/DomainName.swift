public import MurmurWire

/// A name of the domain name system, e.g. `_p2p._udp.local`: labels, the most special one first.
///
/// Case means nothing in such names (RFC 1035 §2.3.3), so that all letters are lower case here.
public struct DomainName: Hashable, Sendable, CustomStringConvertible {
  /// The labels, in lower case; none is empty.
  public let labels: [[UInt8]]
  /// The most bytes a name may have on the wire, lengths and the root's included.
  public static let mostBytes = 255
  /// The most bytes a label may have.
  public static let mostLabelBytes = 63

  init(unchecked labels: [[UInt8]]) { self.labels = labels }

  /// The name made of these labels.
  public init(labels: [[UInt8]]) throws(WireError) {
    guard labels.allSatisfy({ (1...DomainName.mostLabelBytes).contains($0.count) }) else {
      throw WireError("domain name", "a label has 1 to \(DomainName.mostLabelBytes) bytes")
    }
    guard labels.reduce(1, { $0 + $1.count + 1 }) <= DomainName.mostBytes else {
      throw WireError("domain name", "is longer than \(DomainName.mostBytes) bytes")
    }
    self.labels = labels.map { $0.map(DomainName.lowered) }
  }

  /// The name that `text` stands for: labels between dots, without escapes.
  public init(parsing text: String) throws(WireError) {
    try self.init(labels: text.split(separator: ".", omittingEmptySubsequences: false).map { Array($0.utf8) })
  }

  /// Whether this name is one label in front of `parent`.
  public func isChild(of parent: DomainName) -> Bool {
    labels.count == parent.labels.count + 1 && Array(labels.dropFirst()) == parent.labels
  }

  /// This name with one label more in front.
  func child(_ label: String) -> DomainName { DomainName(unchecked: [Array(label.utf8)] + labels) }

  static func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }

  /// The labels between dots; what is no printable ASCII stands as `?`.
  public var description: String {
    labels.map { label in String(decoding: label.map { $0 > 0x20 && $0 < 0x7f ? $0 : 0x3f }, as: UTF8.self) }
      .joined(separator: ".")
  }
}
