private import MurmurKernels

/// Products of row-major matrices, with the working memory they need.
///
/// Every element of a product is one chain of fused multiply-adds over the ascending inner index, whatever the blocking and the
/// kernel variant. Not sendable: one per thread.
public final class MatrixProduct {
  private let kernels: Kernels
  private let scratch: FloatStorage

  /// Working memory for products of any size.
  public init(kernels: Kernels = .selected) {
    self.kernels = kernels
    scratch = FloatStorage(repeating: 0, count: murmur_gemm_scratch())
  }

  /// c = op(a) op(b), or c + op(a) op(b) if `accumulating`, with c of `rows` × `columns` and `depth` products per element.
  ///
  /// `a` is rows × depth, or depth × rows if `transposingA`; `b` is depth × columns, or columns × depth if `transposingB`.
  public func multiply(
    _ a: [Float], _ b: [Float], into c: inout [Float], rows: Int, columns: Int, depth: Int, transposingA: Bool = false,
    transposingB: Bool = false, accumulating: Bool = false
  ) {
    precondition(rows > 0 && columns > 0 && depth > 0, "an empty product: \(rows) × \(columns) over \(depth)")
    precondition(a.count == rows * depth && b.count == depth * columns && c.count == rows * columns, "matrices of other sizes")
    unsafe kernels.table.pointee.gemm(
      transposingA ? 1 : 0, transposingB ? 1 : 0, rows, columns, depth, a, transposingA ? rows : depth, b,
      transposingB ? depth : columns, &c, columns, accumulating ? 1 : 0, scratch.pointer)
  }
}
