import Foundation
import MurmurMachines

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

/// `bytes` with a few bytes changed, cut, doubled or inserted; sometimes noise altogether.
func mutated(_ bytes: [UInt8], _ chance: inout Chance) -> [UInt8] {
  if chance.happens(0.1) || bytes.isEmpty { return (0..<chance.below(64)).map { _ in UInt8(truncatingIfNeeded: chance.next()) } }
  var out = bytes
  for _ in 0...chance.below(4) where !out.isEmpty {
    let place = chance.below(out.count)
    switch chance.below(5) {
    case 0: out[place] = UInt8(truncatingIfNeeded: chance.next())
    case 1: out[place] ^= 1 << UInt8(chance.below(8))
    case 2: out.removeLast(chance.below(out.count))
    case 3: out.insert(contentsOf: out[place..<min(out.count, place + chance.below(40))], at: chance.below(out.count))
    default: out[place] = [0, 0x7f, 0x80, 0xff][chance.below(4)]
    }
  }
  return out
}
