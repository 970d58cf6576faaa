import Foundation
import MurmurBlocks
import MurmurMachines
import MurmurStorage
import MurmurWire

/// How much the randomised tests do: little in every run, much by hand.
enum Effort {
  /// How many inputs decoders are fuzzed with in all; `MURMUR_FUZZ` raises it.
  static let inputs = Int(number("MURMUR_FUZZ", otherwise: 20_000))
  /// How often a process is killed; `MURMUR_KILLS` raises it.
  static let kills = Int(number("MURMUR_KILLS", otherwise: 300))
  /// What randomised stories draw from; `MURMUR_SEED` sets it.
  static let seed = number("MURMUR_SEED", otherwise: 1)

  private static func number(_ name: String, otherwise: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? otherwise
  }
}

/// A folder of its own for one test, gone when the test is over.
final class Folder {
  let path: String

  init(_ name: String) throws {
    path = FileManager.default.temporaryDirectory.path + "/murmur-\(name)-\(ProcessInfo.processInfo.processIdentifier)"
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Bytes drawn from a seed.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
  var chance = Chance(seed: seed)
  var out: [UInt8] = []
  out.reserveCapacity(count + 8)
  while out.count < count {
    var word = chance.next()
    for _ in 0..<8 {
      out.append(UInt8(truncatingIfNeeded: word))
      word >>= 8
    }
  }
  out.removeLast(out.count - count)
  return out
}
