import ArgumentParser
import Foundation
import MurmurControl
import MurmurReports

/// Which running peer a command asks.
struct ControlOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The store of the running peer.", valueName: "DIR"))
  var store: String?
  @Option(help: ArgumentHelp("The control socket of the running peer (default: $MURMUR_CONTROL).", valueName: "PATH"))
  var control: String?

  /// The peer's socket; `nil` if nothing names one.
  func place() throws -> ControlPlace? {
    try ControlPlace.chosen(store: store, control: control, environment: ProcessInfo.processInfo.environment)
  }

  /// The peer to ask.
  func client() throws -> ControlClient {
    guard let place = try place() else {
      throw Failure(
        "which running peer is meant? Give --store DIR, the same as its `murmur peer --store DIR`, or --control PATH, or set "
          + "\(ControlPlace.variable) to the path of its control socket")
    }
    return ControlClient(place)
  }
}

/// How long a fetch may take.
struct Patience: ParsableArguments {
  @Option(help: ArgumentHelp("Seconds to look for what is not here.", valueName: "S"))
  var timeout = 60.0

  func check() throws {
    guard timeout >= 0.1, timeout <= 1e6 else { throw Failure("--timeout \(timeout): give seconds, such as 60") }
  }
}

/// Numbers for people.
enum Amount {
  /// Bytes in the unit that suits them.
  static func bytes(_ count: UInt64) -> String {
    let units = ["KB", "MB", "GB", "TB"]
    guard count >= 1_000 else { return "\(count) bytes" }
    var value = Double(count) / 1_000
    var unit = 0
    while value >= 999.95, unit < units.count - 1 {
      value /= 1_000
      unit += 1
    }
    return String(format: "%.1f ", value) + units[unit]
  }

  /// A time in the unit that suits it.
  static func time(_ seconds: Double) -> String {
    let whole = Int(max(seconds, 0))
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3_600: return "\(whole / 60) min"
    case ..<86_400: return "\(whole / 3_600) h \(whole % 3_600 / 60) min"
    default: return "\(whole / 86_400) d \(whole % 86_400 / 3_600) h"
    }
  }
}

/// An answer on standard output, for programs.
extension Console {
  func show(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    show(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}
