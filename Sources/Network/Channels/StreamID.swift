/// A stream's number within its connection (yamux, "StreamID"): odd ones were opened by the dialer, even ones by the listener.
public struct StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The number on the wire, never zero.
  public let number: UInt32

  /// The stream with that number.
  @inlinable public init(_ number: UInt32) { self.number = number }

  /// By number.
  @inlinable public static func < (left: StreamID, right: StreamID) -> Bool { left.number < right.number }

  /// The number.
  public var description: String { "stream \(number)" }
}
