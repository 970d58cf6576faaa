import MurmurCompute

/// The arithmetic of rules that need no gradient from elsewhere, over whole batches.
enum LocalObjectives {
  /// Every row divided by its length, as the Forward-Forward algorithm hands activities on: what remains tells nothing of their goodness.
  static func normalised(_ y: Matrix) -> Matrix {
    let (rows, columns) = (y.rows, y.columns)
    return unsafe Matrix(rows: rows, columns: columns) { floats in
      unsafe y.withUnsafeFloats { source in
        for row in 0..<rows {
          var sum: Float = 1e-8
          for index in row * columns..<(row + 1) * columns { unsafe sum += source[index] * source[index] }
          // The mean square becomes one, so that layers after it start from numbers of a usual size.
          let scale = (Float(columns) / sum).squareRoot()
          for index in row * columns..<(row + 1) * columns { unsafe floats[index] = source[index] * scale }
        }
      }
    }
  }

  /// The sum of squares of every row.
  static func goodness(_ y: Matrix) -> [Float] {
    let columns = y.columns
    return unsafe y.withUnsafeFloats { source in
      (0..<y.rows).map { row in
        var sum: Float = 0
        for index in row * columns..<(row + 1) * columns { unsafe sum += source[index] * source[index] }
        return sum
      }
    }
  }

  /// The Forward-Forward loss: of each sample that its true label is told from a wrong one by the difference of their
  /// goodness, and its gradient by the activities. The first half of the rows are samples with their true label, the second the same samples
  /// with a wrong one.
  ///
  /// Hinton (2022, section 2) holds each goodness against a threshold; the difference needs none and learns faster (Lee and Song, 2023,
  /// equation 3).
  static func forwardForward(_ y: Matrix, sharpness: Float, mask: RowMask, work: DenseWork) -> (loss: Double, gradient: Matrix) {
    let (rows, columns) = (y.rows, y.columns)
    let half = rows / 2
    let goodness = goodness(y)
    // The logistic function of a difference as a softmax of two, by the kernels, whose bits are the same everywhere.
    var pairs: [Float] = []
    for row in 0..<half { pairs += [goodness[half + row] * sharpness, goodness[row] * sharpness] }
    let first = RowMask((0..<half).map { mask[$0] })
    let (loss, dz) = work.crossEntropy(
      Matrix(rows: half, columns: 2, pairs), [Int32](repeating: 1, count: half), mask: first, scale: sharpness / Float(half))
    let gradient = unsafe Matrix(rows: rows, columns: columns) { floats in
      unsafe y.withUnsafeFloats { source in
        unsafe dz.withUnsafeFloats { slopes in
          for row in 0..<rows {
            let slope = unsafe 2 * slopes[row % half * 2 + (row < half ? 1 : 0)]
            for index in row * columns..<(row + 1) * columns { unsafe floats[index] = slope * source[index] }
          }
        }
      }
    }
    return (loss, gradient)
  }

  /// What SoftHebb's neurons see: every row at length one, and the lengths.
  static func directions(_ x: Matrix) -> (rows: Matrix, lengths: [Float]) {
    let columns = x.columns
    let lengths = goodness(x).map { $0.squareRoot() }
    let rows = unsafe Matrix(rows: x.rows, columns: columns) { floats in
      unsafe x.withUnsafeFloats { source in
        for row in 0..<x.rows {
          let scale = lengths[row] > 1e-6 ? 1 / lengths[row] : 0
          for index in row * columns..<(row + 1) * columns { unsafe floats[index] = source[index] * scale }
        }
      }
    }
    return (rows, lengths)
  }

  /// SoftHebb's outputs: by how much each neuron's sum is above the mean of the unit's (the triangle of Coates et al., 2011), times the row's
  /// length, so that where there is nothing to see nothing is said.
  static func triangle(_ u: Matrix, _ lengths: [Float]) -> Matrix {
    let (rows, columns) = (u.rows, u.columns)
    return unsafe Matrix(rows: rows, columns: columns) { floats in
      unsafe u.withUnsafeFloats { source in
        for row in 0..<rows {
          var mean: Float = 0
          for index in row * columns..<(row + 1) * columns { unsafe mean += source[index] }
          mean /= Float(columns)
          for index in row * columns..<(row + 1) * columns { unsafe floats[index] = max(0, source[index] - mean) * lengths[row] }
        }
      }
    }
  }

  /// What stands in for SoftHebb's gradient by the weighted sums u, and the sums of y · u per neuron.
  ///
  /// The rule is Δw = η y (x − u w), y the softmax of u over the unit's neurons (Moraitis et al., 2022, equation 7): descent along
  /// −y x + (y u) w.
  static func softHebb(_ u: Matrix, temperature: Float, mask: RowMask, work: DenseWork) -> (dz: Matrix, decay: [Float]) {
    let (rows, columns) = (u.rows, u.columns)
    let scaled = unsafe Matrix(rows: rows, columns: columns) { floats in
      unsafe u.withUnsafeFloats { source in
        for index in source.indices { unsafe floats[index] = source[index] / temperature }
      }
    }
    // The softmax by the kernel of the cross-entropy: its gradient is the softmax minus one at the label, which is put back.
    let labels = [Int32](repeating: 0, count: rows)
    let soft = work.crossEntropy(scaled, labels, mask: mask, scale: 1).gradient
    var decay = [Float](repeating: 0, count: columns)
    let share = 1 / Float(max(1, mask.count(of: rows)))
    let dz = unsafe Matrix(rows: rows, columns: columns) { floats in
      unsafe soft.withUnsafeFloats { source in
        unsafe u.withUnsafeFloats { sums in
          for row in 0..<rows {
            let isIn = mask[row]
            for column in 0..<columns {
              let index = row * columns + column
              let y: Float = unsafe isIn ? source[index] + (column == 0 ? 1 : 0) : 0
              unsafe floats[index] = -y * share
              unsafe decay[column] += y * sums[index] * share
            }
          }
        }
      }
    }
    return (dz, decay)
  }

  /// Barlow Twins (Zbontar et al., 2021, equation 1): two views of the same samples are to agree in every neuron, and neurons to say different
  /// things. Returns the loss and its gradients by both views.
  static func barlowTwins(
    _ first: Matrix, _ second: Matrix, redundancy: Float, product: MatrixProduct
  ) -> (loss: Double, first: Matrix, second: Matrix) {
    let (rows, columns) = (first.rows, first.columns)
    let (a, b) = (Standardised(first), Standardised(second))
    var correlations = [Float](repeating: 0, count: columns * columns)
    product.multiply(a.numbers, b.numbers, into: &correlations, rows: columns, columns: columns, depth: rows, transposingA: true)
    var loss = 0.0
    let share = 1 / Float(rows)
    for row in 0..<columns {
      for column in 0..<columns {
        let c = correlations[row * columns + column] * share
        let isOwn = row == column
        loss += Double(isOwn ? (1 - c) * (1 - c) : redundancy * c * c)
        correlations[row * columns + column] = (isOwn ? -2 * (1 - c) : 2 * redundancy * c) * share
      }
    }
    var (da, db) = ([Float](repeating: 0, count: rows * columns), [Float](repeating: 0, count: rows * columns))
    product.multiply(b.numbers, correlations, into: &da, rows: rows, columns: columns, depth: columns, transposingB: true)
    product.multiply(a.numbers, correlations, into: &db, rows: rows, columns: columns, depth: columns)
    return (loss, a.backward(da, rows, columns), b.backward(db, rows, columns))
  }

  /// Columns with mean 0 and variance 1 over the batch.
  private struct Standardised {
    var numbers: [Float]
    var scales: [Float]

    init(_ matrix: Matrix) {
      let (rows, columns) = (matrix.rows, matrix.columns)
      numbers = matrix.array
      scales = []
      for column in 0..<columns {
        var (mean, variance): (Float, Float) = (0, 0)
        for row in 0..<rows { mean += numbers[row * columns + column] }
        mean /= Float(rows)
        for row in 0..<rows {
          numbers[row * columns + column] -= mean
          variance += numbers[row * columns + column] * numbers[row * columns + column]
        }
        let scale = 1 / (variance / Float(rows) + 1e-5).squareRoot()
        for row in 0..<rows { numbers[row * columns + column] *= scale }
        scales.append(scale)
      }
    }

    func backward(_ gradient: [Float], _ rows: Int, _ columns: Int) -> Matrix {
      var result = gradient
      for column in 0..<columns {
        var (mean, projection): (Float, Float) = (0, 0)
        for row in 0..<rows {
          let index = row * columns + column
          mean += gradient[index]
          projection += gradient[index] * numbers[index]
        }
        mean /= Float(rows)
        projection /= Float(rows)
        for row in 0..<rows {
          let index = row * columns + column
          result[index] = scales[column] * (gradient[index] - mean - numbers[index] * projection)
        }
      }
      return Matrix(rows: rows, columns: columns, result)
    }
  }
}
