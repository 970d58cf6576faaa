/// What a message is about: the name under which peers subscribe.
public struct Topic: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The name, as it stands on the wire.
  public let name: String

  /// The topic called `name`.
  public init(_ name: String) { self.name = name }

  /// The name.
  public var description: String { name }

  /// How many bytes the name has on the wire.
  @inlinable var byteCount: Int { name.utf8.count }

  /// By name, as strings are ordered.
  public static func < (left: Topic, right: Topic) -> Bool { left.name < right.name }
}
