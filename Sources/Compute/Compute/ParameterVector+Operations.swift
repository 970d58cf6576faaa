private import MurmurKernels

/// Whole-vector operations; vectors that meet in one have the same count.
extension ParameterVector {
  /// Adds `factor` · `other`.
  public mutating func add(_ other: ParameterVector, scaledBy factor: Float = 1) {
    unsafe combine(with: other) { kernels, n, x, y in unsafe kernels.axpy(n, factor, x, y) }
  }

  /// Subtracts `other`.
  public mutating func subtract(_ other: ParameterVector) {
    unsafe combine(with: other) { kernels, n, x, y in unsafe kernels.subtract(n, x, y) }
  }

  /// Multiplies element by element with `other`.
  public mutating func multiply(by other: ParameterVector) {
    unsafe combine(with: other) { kernels, n, x, y in unsafe kernels.multiply(n, x, y) }
  }

  /// Multiplies every element by `factor`.
  public mutating func scale(by factor: Float) {
    unsafe withUnsafeMutableFloats { floats in
      guard let base = floats.baseAddress else { return }
      unsafe Kernels.selected.table.pointee.scale(floats.count, factor, base)
    }
  }

  /// Moves towards `other`: self + share · (other − self).
  public mutating func interpolate(towards other: ParameterVector, by share: Float) {
    unsafe combine(with: other) { kernels, n, x, y in unsafe kernels.lerp(n, share, x, y) }
  }

  /// The inner product.
  public func dot(_ other: ParameterVector) -> Float {
    unsafe reduce(with: other) { kernels, n, x, y in unsafe kernels.dot(n, x, y) }
  }

  /// The sum of squares.
  public var squaredNorm: Float { unsafe reduce(with: self) { kernels, n, x, _ in unsafe kernels.squared_norm(n, x) } }

  /// The sum of the squared differences.
  public func squaredDistance(to other: ParameterVector) -> Float {
    unsafe reduce(with: other) { kernels, n, x, y in unsafe kernels.squared_distance(n, x, y) }
  }

  /// The largest absolute value.
  public var maxAbs: Float { unsafe reduce(with: self) { kernels, n, x, _ in unsafe kernels.max_abs(n, x) } }

  /// The largest absolute difference.
  public func maxAbsDifference(to other: ParameterVector) -> Float {
    unsafe reduce(with: other) { kernels, n, x, y in unsafe kernels.max_abs_difference(n, x, y) }
  }

  /// Whether no element is infinite or NaN.
  public var isFinite: Bool {
    unsafe withUnsafeFloats { floats in unsafe Kernels.selected.table.pointee.is_finite(floats.count, floats.baseAddress!) != 0 }
  }

  /// The weighted sum Σ weights[i] · vectors[i], one chain per element in the order given; weights that add up to 1 give a mean.
  public static func mean(of vectors: [ParameterVector], weights: [Float]) -> ParameterVector {
    precondition(!vectors.isEmpty && vectors.count == weights.count, "\(vectors.count) vectors and \(weights.count) weights")
    return unsafe merge(vectors) { kernels, n, xs, y in unsafe kernels.mean(n, vectors.count, xs, weights, y) }
  }

  /// The plain mean.
  public static func mean(of vectors: [ParameterVector]) -> ParameterVector {
    mean(of: vectors, weights: Array(repeating: 1 / Float(vectors.count), count: vectors.count))
  }

  /// The most vectors ``median(of:)`` and ``trimmedMean(of:trim:)`` take.
  public static let robustLimit = 64

  /// The coordinate-wise median (the mean of the middle two, if their number is even) of at most ``robustLimit`` vectors.
  public static func median(of vectors: [ParameterVector]) -> ParameterVector {
    precondition((1...robustLimit).contains(vectors.count), "a median of \(vectors.count) vectors")
    return unsafe merge(vectors) { kernels, n, xs, y in unsafe kernels.median(n, vectors.count, xs, y) }
  }

  /// The coordinate-wise mean without the `trim` smallest and largest values, of at most ``robustLimit`` vectors.
  public static func trimmedMean(of vectors: [ParameterVector], trim: Int) -> ParameterVector {
    precondition(
      (1...robustLimit).contains(vectors.count) && trim >= 0 && 2 * trim < vectors.count,
      "a mean of \(vectors.count) vectors without \(trim) at either end")
    return unsafe merge(vectors) { kernels, n, xs, y in unsafe kernels.trimmed_mean(n, vectors.count, trim, xs, y) }
  }

  /// The mean and the (population) variance of a range of elements.
  public func moments(of range: Range<Int>) -> (mean: Float, variance: Float) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count && !range.isEmpty, "\(range) of \(count) elements")
    return unsafe withUnsafeFloats { floats in
      let kernels = unsafe Kernels.selected.table.pointee
      let base = unsafe floats.baseAddress! + range.lowerBound
      let mean = unsafe kernels.sum(range.count, base) / Float(range.count)
      return unsafe (mean, kernels.squared_deviation(range.count, mean, base) / Float(range.count))
    }
  }

  /// Replaces every element x of a range by factor · x + offset.
  public mutating func transform(_ range: Range<Int>, factor: Float, offset: Float) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) elements")
    unsafe withUnsafeMutableFloats { floats in
      unsafe Kernels.selected.table.pointee.affine(range.count, factor, offset, floats.baseAddress! + range.lowerBound)
    }
  }

  private mutating func combine(
    with other: ParameterVector, _ kernel: (murmur_kernels, Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
    precondition(count == other.count, "vectors of \(count) and \(other.count) elements do not combine")
    unsafe withUnsafeMutableFloats { y in
      unsafe other.withUnsafeFloats { x in
        unsafe kernel(Kernels.selected.table.pointee, x.count, x.baseAddress!, y.baseAddress!)
      }
    }
  }

  private func reduce<Result>(
    with other: ParameterVector, _ kernel: (murmur_kernels, Int, UnsafePointer<Float>, UnsafePointer<Float>) -> Result
  ) -> Result {
    precondition(count == other.count, "vectors of \(count) and \(other.count) elements do not combine")
    return unsafe withUnsafeFloats { x in
      unsafe other.withUnsafeFloats { y in
        unsafe kernel(Kernels.selected.table.pointee, x.count, x.baseAddress!, y.baseAddress!)
      }
    }
  }

  private static func merge(
    _ vectors: [ParameterVector],
    _ kernel: (murmur_kernels, Int, UnsafePointer<UnsafePointer<Float>>, UnsafeMutablePointer<Float>) -> Void
  ) -> ParameterVector {
    let count = vectors[0].count
    precondition(vectors.allSatisfy { $0.count == count }, "vectors of different counts do not combine")
    return withExtendedLifetime(vectors) {
      let sources = unsafe vectors.map { vector in unsafe vector.withUnsafeFloats { floats in floats.baseAddress! } }
      return unsafe ParameterVector(count: count) { y in
        unsafe sources.withUnsafeBufferPointer { xs in
          unsafe kernel(Kernels.selected.table.pointee, count, xs.baseAddress!, y.baseAddress!)
        }
      }
    }
  }
}
