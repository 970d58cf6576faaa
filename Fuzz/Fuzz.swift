import MurmurMachines

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Everything that reads a network or a file, under libFuzzer: `make fuzz`, or with one target `make fuzz TARGET=rpc`.
///
/// A target takes the fuzzer's bytes and must return. A trap is a finding; so is a broken promise of the target itself (what was decoded
/// decodes the same when it is encoded again, a machine holds no more than its limits say), which it checks with `precondition`.
struct Target: Sendable {
  /// What `MURMUR_FUZZ_TARGET` names.
  let name: String
  /// Inputs to begin with: right ones.
  let seeds: @Sendable () -> [[UInt8]]
  let run: @Sendable ([UInt8]) -> Void

  init(_ name: String, seeds: @escaping @Sendable () -> [[UInt8]] = { [] }, run: @escaping @Sendable ([UInt8]) -> Void) {
    self.name = name
    self.seeds = seeds
    self.run = run
  }

  static let all = Target.decoders + Target.files + Target.channels + Target.machines + Target.ledger + Target.feeds
}

/// The value of an environment variable.
private func setting(_ name: String) -> String? { unsafe getenv(name).flatMap { unsafe String(validatingCString: $0) } }

private let chosen: Target = {
  let name = setting("MURMUR_FUZZ_TARGET") ?? ""
  guard let target = Target.all.first(where: { $0.name == name }) else {
    print("MURMUR_FUZZ_TARGET is \"\(name)\"; name one of: \(Target.all.map(\.name).joined(separator: " "))")
    exit(2)
  }
  if let folder = setting("MURMUR_FUZZ_CORPUS") {
    for (number, seed) in target.seeds().enumerated() {
      guard let file = unsafe fopen("\(folder)/seed-\(name)-\(number)", "wb") else { continue }
      _ = unsafe seed.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
      unsafe fclose(file)
    }
  }
  return target
}()

/// libFuzzer's own beginning; its library is linked by `-sanitize=fuzzer`.
@_silgen_name("LLVMFuzzerRunDriver") private func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The program's beginning, under the name that the package manager links as `main`.
@c(fuzz_main) public func begin(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  _ = chosen
  var count = count
  var arguments = unsafe arguments
  return unsafe runDriver(&count, &arguments) { bytes, count in
    chosen.run(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
  }
}

/// The fuzzer's bytes as a source of decisions; zeros when they are used up.
struct Draw {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether anything is left.
  var isEmpty: Bool { position >= bytes.count }

  mutating func byte() -> UInt8 {
    guard position < bytes.count else { return 0 }
    position += 1
    return bytes[position - 1]
  }

  /// A number below `bound`.
  mutating func below(_ bound: Int) -> Int { (Int(byte()) << 8 | Int(byte())) % max(bound, 1) }

  /// The next few bytes: as many as the next one says, or twice 8 bits' worth.
  mutating func piece(most: Int = 4_096) -> [UInt8] {
    let count = min(below(most), bytes.count - position)
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func rest() -> [UInt8] {
    defer { position = bytes.count }
    return Array(bytes[min(position, bytes.count)...])
  }
}

/// Bytes behind their length, as ``Draw/piece(most:)`` reads them.
func piece(_ bytes: [UInt8]) -> [UInt8] {
  [UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)] + bytes
}
