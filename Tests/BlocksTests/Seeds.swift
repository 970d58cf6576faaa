import Foundation

/// How much the randomised tests do: little in every run, much by hand.
enum Effort {
  /// How many seeds a property is tried with; `MURMUR_SEEDS` raises it.
  static let seeds: Range<UInt64> = 0..<number("MURMUR_SEEDS", otherwise: 40)
  /// How many inputs decoders are fuzzed with in all; `MURMUR_FUZZ` raises it.
  static let inputs = Int(number("MURMUR_FUZZ", otherwise: 20_000))

  private static func number(_ name: String, otherwise: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? otherwise
  }
}
