package import MurmurKernels

/// One variant of the numeric kernels: the instruction set the inner loops run on.
///
/// All variants give the same bits (`Sources/Compute/Kernels/include/kernels.h` says how), so the choice is one of speed alone.
/// It is made once, at first use: the best variant this processor supports, or the one the environment variable `MURMUR_KERNELS`
/// names.
@safe
public struct Kernels: @unchecked Sendable, Hashable, CustomStringConvertible {
  package let table: UnsafePointer<murmur_kernels>

  private init(table: UnsafePointer<murmur_kernels>) { unsafe self.table = table }

  /// The variant with that name, e.g. `avx2`.
  ///
  /// Throws ``KernelsError`` if this build does not know the name or this processor lacks the instructions.
  public init(named name: String) throws(KernelsError) {
    guard Kernels.known.contains(name) else { throw .unknown(name: name, known: Kernels.known) }
    guard let table = unsafe murmur_variant(name) else {
      throw .unsupported(name: name, supported: Kernels.available.map(\.name))
    }
    unsafe self.init(table: table)
  }

  /// The variant's name: `baseline`, `avx2`, `avx512` or `neon`.
  public var name: String { unsafe String(cString: table.pointee.name) }
  /// The variant's name.
  public var description: String { name }

  /// The names this build knows, fastest first.
  public static let known: [String] = (0..<murmur_variant_count()).map { unsafe String(cString: murmur_variant_name($0)) }

  /// The variants this processor supports, fastest first.
  public static let available: [Kernels] = known.compactMap { name in
    unsafe murmur_variant(name).map { unsafe Kernels(table: $0) }
  }

  /// The variant in use; ends the program with a clear message if `MURMUR_KERNELS` names one that cannot be used.
  ///
  /// A program that wants to report that error itself calls ``choose()`` first.
  public static let selected: Kernels = {
    do throws(KernelsError) { return try choose() } catch { fatalError(error.description) }
  }()

  /// The variant to use: the one `MURMUR_KERNELS` names, or else the fastest.
  public static func choose() throws(KernelsError) -> Kernels {
    guard let forced = unsafe murmur_forced_name() else { return available[0] }
    return try unsafe Kernels(named: String(cString: forced))
  }

  /// Tells the C library to keep freed memory for the next use, where that can be told; for programs that simulate many peers.
  public static func keepFreedMemory() { murmur_keep_freed_memory() }

  /// Gives back the freed vectors that this thread keeps for its next ones; a thread that ends calls it.
  public static func forgetFreedMemory() { murmur_forget_freed_memory() }

  /// Whether both are the same variant.
  public static func == (left: Kernels, right: Kernels) -> Bool { unsafe left.table == right.table }
  /// Hashes which variant it is.
  public func hash(into hasher: inout Hasher) { unsafe hasher.combine(table) }
}

/// Why a kernel variant cannot be used.
public enum KernelsError: Error, Hashable, CustomStringConvertible {
  /// No variant has that name.
  case unknown(name: String, known: [String])
  /// The processor lacks the instructions.
  case unsupported(name: String, supported: [String])

  /// What is wrong and what would be right.
  public var description: String {
    switch self {
    case .unknown(let name, let known):
      "MURMUR_KERNELS: there are no '\(name)' kernels; known here: \(known.joined(separator: ", "))"
    case .unsupported(let name, let supported):
      "MURMUR_KERNELS: this processor cannot run the '\(name)' kernels; it can run: \(supported.joined(separator: ", "))"
    }
  }
}
