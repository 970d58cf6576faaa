/// All parameters of a model, or a change of them: one flat vector of Float32, aligned, copied on write.
///
/// Update, averaging, compression, hashing and checkpoint are each a single loop over it; layers are ranges of it
/// (``Architecture/ranges``). Elements are never touched one by one across modules: use the whole-vector operations.
@safe
public struct ParameterVector: Sendable, Hashable {
  private(set) var storage: FloatStorage

  /// The number of elements.
  public var count: Int { storage.count }

  /// `count` elements of the same value.
  public init(repeating value: Float, count: Int) { storage = FloatStorage(repeating: value, count: count) }

  /// The elements of an array.
  public init(_ values: [Float]) { storage = FloatStorage(values) }

  /// A vector whose elements `fill` writes, all of them.
  public init(count: Int, fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
    storage = FloatStorage(uninitialized: count)
    unsafe fill(UnsafeMutableBufferPointer(start: storage.pointer, count: count))
  }

  /// The element at `index`; for tests and reports, not for loops.
  public subscript(index: Int) -> Float {
    precondition(index >= 0 && index < count, "element \(index) of \(count)")
    return unsafe storage.pointer[index]
  }

  /// The elements as an array.
  public var array: [Float] { unsafe withUnsafeFloats { unsafe Array($0) } }

  /// Calls `body` with the elements.
  public func withUnsafeFloats<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(storage) {} }
    return try unsafe body(UnsafeBufferPointer(start: storage.pointer, count: count))
  }

  /// Calls `body` with the elements, to be changed; copies them first if they are shared.
  public mutating func withUnsafeMutableFloats<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if !isKnownUniquelyReferenced(&storage) { storage = FloatStorage(copying: storage) }
    defer { withExtendedLifetime(storage) {} }
    return try unsafe body(UnsafeMutableBufferPointer(start: storage.pointer, count: count))
  }

  /// Calls `body` with the elements' bytes, in the machine's byte order (little-endian everywhere we run).
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe withUnsafeFloats { (floats) throws(Failure) in try unsafe body(UnsafeRawBufferPointer(floats)) }
  }

  /// Calls `body` with the elements' bytes, to be changed.
  public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe withUnsafeMutableFloats { (floats) throws(Failure) in try unsafe body(UnsafeMutableRawBufferPointer(floats)) }
  }

  /// Whether both hold the same bits (so a NaN equals itself, and 0 differs from −0).
  public static func == (left: ParameterVector, right: ParameterVector) -> Bool {
    if left.storage === right.storage { return true }
    guard left.count == right.count else { return false }
    return unsafe left.withUnsafeBytes { a in unsafe right.withUnsafeBytes { b in unsafe a.elementsEqual(b) } }
  }

  /// Hashes the bits.
  public func hash(into hasher: inout Hasher) {
    unsafe withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }
}
