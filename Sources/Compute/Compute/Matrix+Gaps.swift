extension Matrix {
  /// The same numbers, with those of `other`, which has the same shape, where one is not a number.
  public func fillingGaps(from other: Matrix) -> Matrix {
    precondition(rows == other.rows && columns == other.columns, "\(rows) × \(columns) and \(other.rows) × \(other.columns)")
    return unsafe Matrix(rows: rows, columns: columns) { floats in
      unsafe withUnsafeFloats { own in
        unsafe other.withUnsafeFloats { others in
          for index in own.indices { unsafe floats[index] = own[index].isNaN ? others[index] : own[index] }
        }
      }
    }
  }
}
