import Foundation
import MurmurMachines

/// How much the randomised tests do: little in every run, much by hand.
enum Effort {
  /// How many inputs decoders are fuzzed with in all; `MURMUR_FUZZ` raises it.
  static let inputs = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000
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

/// A folder that goes away with whoever holds it; its name is short, for sockets have short paths.
final class Folder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("murmur-\(UUID().uuidString.prefix(8))").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
