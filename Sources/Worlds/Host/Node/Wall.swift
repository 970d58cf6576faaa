import Foundation

/// The time of the outside world, for what is kept between runs.
enum Wall {
  /// Whole seconds since 1970.
  static var seconds: Int64 { Int64(Date().timeIntervalSince1970) }
  /// Milliseconds since 1970.
  static var milliseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
}
