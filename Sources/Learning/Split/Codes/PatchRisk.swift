public import MurmurCompute

/// How far reconstructions are from the truth, summed in doubles.
public enum PatchRisk {
  /// The mean squared difference of all numbers; `truth` may be one row for all.
  public static func meanSquared(_ values: Matrix, _ truth: Matrix) -> Double {
    precondition(values.columns == truth.columns && (values.rows == truth.rows || truth.rows == 1), "other shapes")
    let (count, wrap) = (values.count, truth.count)
    guard count > 0 else { return 0 }
    let sum = unsafe values.withUnsafeFloats { a in
      unsafe truth.withUnsafeFloats { b in
        var (sum, place) = (0.0, 0)
        for index in 0..<count {
          let difference = unsafe Double(a[index] - b[place])
          sum += difference * difference
          place += 1
          if place == wrap { place = 0 }
        }
        return sum
      }
    }
    return sum / Double(count)
  }

  /// The mean of all rows: the best constant.
  public static func meanRow(_ matrix: Matrix) -> Matrix {
    let width = matrix.columns
    var sums = [Double](repeating: 0, count: width)
    unsafe matrix.withUnsafeFloats { floats in
      for row in 0..<matrix.rows { for column in 0..<width { sums[column] += unsafe Double(floats[row * width + column]) } }
    }
    return Matrix(rows: 1, columns: width, sums.map { Float($0 / Double(max(1, matrix.rows))) })
  }

  /// Whole images, patch after patch, of what came: a device's `own` patches where they can be had; else the mean of what those that live
  /// make of them in their `views` of the whole images; else the row of `absent`, which stands for a patch of which nothing is known.
  public static func merge(own: [Matrix?], views: [Matrix?], absent: [Matrix], rows: Int) -> Matrix {
    let width = absent[0].columns
    let seen = views.compactMap { $0 }
    let mean = Answers.mean(seen.map { ($0, RowMask.all) })
    let parts = own.indices.map { device in
      let patch =
        own[device] ?? mean?.columns(device * width..<(device + 1) * width)
        ?? absent[device].taking([Int32](repeating: 0, count: rows))
      return InputPart(columns: width, patch)
    }
    return DenseWork().join(rows: rows, parts)
  }
}
