private import MurmurKernels

/// Rows of numbers in one aligned allocation, row after row; never changed once it is made, so that copies are references.
///
/// What the devices of a split network send each other, and what their units keep between forward and backward. Elements are
/// not touched one by one across modules: ``DenseWork`` and the functions here do whole matrices.
@safe
public struct Matrix: Sendable, Hashable {
  package let storage: FloatStorage
  // Half as wide as what is asked for: where many small ones are on their way, their descriptions take as long to fetch as their numbers.
  @usableFromInline let height: Int32
  @usableFromInline let width: Int32

  /// Rows: samples of a batch; fewer than 2³¹.
  @inlinable public var rows: Int { Int(height) }
  /// Numbers per row; fewer than 2³¹.
  @inlinable public var columns: Int { Int(width) }

  package init(storage: FloatStorage, rows: Int, columns: Int) {
    self.storage = storage
    height = Int32(rows)
    width = Int32(columns)
  }

  /// A matrix of the given numbers, row after row.
  public init(rows: Int, columns: Int, _ values: [Float]) {
    precondition(values.count == rows * columns, "\(values.count) numbers for \(rows) × \(columns)")
    self.init(storage: FloatStorage(values), rows: rows, columns: columns)
  }

  /// A matrix whose numbers `fill` writes, all of them.
  public init(rows: Int, columns: Int, fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
    precondition(rows >= 0 && columns >= 0, "\(rows) × \(columns)")
    let storage = FloatStorage(uninitialized: rows * columns)
    unsafe fill(UnsafeMutableBufferPointer(start: storage.pointer, count: rows * columns))
    self.init(storage: storage, rows: rows, columns: columns)
  }

  /// A matrix of one number.
  public init(rows: Int, columns: Int, repeating value: Float) {
    self.init(storage: FloatStorage(repeating: value, count: rows * columns), rows: rows, columns: columns)
  }

  /// How many numbers.
  public var count: Int { rows * columns }

  /// The numbers, row after row.
  public var array: [Float] { unsafe withUnsafeFloats { unsafe Array($0) } }

  /// One number, for tests and reports.
  public subscript(row: Int, column: Int) -> Float {
    precondition(row >= 0 && row < rows && column >= 0 && column < columns, "[\(row), \(column)] of \(rows) × \(columns)")
    return unsafe storage.pointer[row * columns + column]
  }

  /// Calls `body` with the numbers.
  public func withUnsafeFloats<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(storage) {} }
    return try unsafe body(UnsafeBufferPointer(start: storage.pointer, count: count))
  }

  /// Whether every number is finite.
  public var isFinite: Bool { unsafe Kernels.selected.table.pointee.is_finite(count, storage.pointer) != 0 }

  /// The same numbers in rows of another length.
  public func reshaped(columns: Int) -> Matrix {
    precondition(columns > 0 && count % columns == 0, "\(count) numbers in rows of \(columns)")
    return Matrix(storage: storage, rows: count / columns, columns: columns)
  }

  /// The given rows, in that order; a row may be taken more than once.
  public func taking(_ chosen: [Int32]) -> Matrix {
    precondition(chosen.allSatisfy { $0 >= 0 && $0 < rows }, "a row is not in 0 ..< \(rows)")
    let taken = FloatStorage(uninitialized: chosen.count * columns)
    if !chosen.isEmpty {
      unsafe Kernels.selected.table.pointee.gather(chosen.count, columns, storage.pointer, chosen, taken.pointer)
    }
    return Matrix(storage: taken, rows: chosen.count, columns: columns)
  }

  /// Some of the columns of every row, zero in the rows that `mask` leaves out.
  public func columns(_ range: Range<Int>, keeping mask: RowMask = .all) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    let part = FloatStorage(uninitialized: rows * range.count)
    unsafe mask.withBits(rows) { bits in
      unsafe Kernels.selected.table.pointee.mask_rows(
        rows, range.count, storage.pointer + range.lowerBound, columns, bits, part.pointer, range.count)
    }
    return Matrix(storage: part, rows: rows, columns: range.count)
  }

  /// The sum of matrices of one shape, added from first to last; `nil` of none.
  public static func sum(_ matrices: [Matrix]) -> Matrix? {
    guard let first = matrices.first else { return nil }
    if matrices.count == 1 { return first }
    precondition(matrices.allSatisfy { $0.rows == first.rows && $0.columns == first.columns }, "matrices of other shapes")
    let total = FloatStorage(uninitialized: first.count)
    // All at once, so that each is read once and the total is written once; one times a number, fused with a sum, is that sum.
    let ones = [Float](repeating: 1, count: matrices.count)
    let sources = unsafe matrices.map { unsafe UnsafePointer($0.storage.pointer) }
    unsafe Kernels.selected.table.pointee.mean(total.count, matrices.count, sources, ones, total.pointer)
    withExtendedLifetime(matrices) {}
    return Matrix(storage: total, rows: first.rows, columns: first.columns)
  }

  /// The sum of matrices of one shape, of each the rows that count; zero where none does, `nil` of none.
  public static func sum(_ matrices: [Matrix], _ masks: [RowMask]) -> Matrix? {
    precondition(masks.count == matrices.count, "\(masks.count) masks for \(matrices.count) matrices")
    if masks.allSatisfy({ $0.isAll }) { return sum(matrices) }
    guard let (rows, width) = matrices.first.map({ ($0.rows, $0.columns) }) else { return nil }
    precondition(matrices.allSatisfy { $0.rows == rows && $0.columns == width }, "matrices of other shapes")
    let total = FloatStorage(uninitialized: rows * width)
    let table = unsafe Kernels.selected.table
    let ones = [Float](repeating: 1, count: matrices.count)
    unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: matrices.count) { sources in
      for row in 0..<rows {
        var count = 0
        for index in matrices.indices where masks[index][row] {
          unsafe sources[count] = UnsafePointer(matrices[index].storage.pointer + row * width)
          count += 1
        }
        let target = unsafe total.pointer + row * width
        switch count {
        case 0: unsafe target.update(repeating: 0, count: width)
        case 1: unsafe target.update(from: sources[0], count: width)
        default: unsafe table.pointee.mean(width, count, sources.baseAddress!, ones, target)
        }
      }
    }
    withExtendedLifetime(matrices) {}
    return Matrix(storage: total, rows: rows, columns: width)
  }

  /// Whether both hold the same bits in the same shape.
  public static func == (left: Matrix, right: Matrix) -> Bool {
    if left.storage === right.storage { return left.rows == right.rows && left.columns == right.columns }
    guard left.rows == right.rows, left.columns == right.columns else { return false }
    return unsafe left.withUnsafeFloats { a in
      unsafe right.withUnsafeFloats { b in unsafe UnsafeRawBufferPointer(a).elementsEqual(UnsafeRawBufferPointer(b)) }
    }
  }

  /// Hashes the shape and the bits.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(rows)
    hasher.combine(columns)
    unsafe withUnsafeFloats { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
