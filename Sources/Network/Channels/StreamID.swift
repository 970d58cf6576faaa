/// A stream's number within its connection (yamux, "StreamID"): odd ones were opened by the dialer, even ones by the listener.
///
/// When a stream is over, the other side may give its number to another one. The ``life`` tells them apart, so that what is done for the
/// stream that is over never touches the one that has its number now.
public struct StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The number on the wire, never zero.
  public let number: UInt32
  /// Which of the streams with that number; not on the wire. Zero unless the number may have been used before.
  public let life: UInt32

  /// The stream with that number, in that life of it.
  @inlinable public init(_ number: UInt32, life: UInt32 = 0) {
    self.number = number
    self.life = life
  }

  /// By number, then by life.
  @inlinable public static func < (left: StreamID, right: StreamID) -> Bool {
    left.number != right.number ? left.number < right.number : left.life < right.life
  }

  /// The number.
  public var description: String { "stream \(number)" }
}
