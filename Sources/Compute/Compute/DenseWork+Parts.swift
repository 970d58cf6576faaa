private import MurmurKernels

/// Some of what a layer reads: columns that lie in a matrix of their own, as those that one neighbour sent.
public struct InputPart: Sendable {
  /// Numbers per row.
  public var columns: Int
  /// The numbers; without them all are zero.
  public var matrix: Matrix?
  /// Rows that count; the others are zero.
  public var mask: RowMask

  /// A part.
  public init(columns: Int, _ matrix: Matrix?, mask: RowMask = .all) {
    self.columns = columns
    self.matrix = matrix
    self.mask = mask
  }

  func check(rows: Int) {
    guard let matrix else { return }
    precondition(matrix.rows == rows && matrix.columns == columns, "a part of another shape")
  }
}

/// Stacks whose first layer reads parts side by side. The bits are those of the stack over the parts joined into one matrix; what is not
/// there costs nothing.
extension DenseWork {
  /// The outputs of every layer of the stack, first to last; `residual` is added to the last weighted sums before their activation.
  public func forward(
    _ layers: [DenseShape], rows: Int, _ parts: [InputPart], _ parameters: ParameterVector, residual: Matrix? = nil
  ) -> [Matrix] {
    let inputs = parts.reduce(0) { $0 + $1.columns }
    precondition(parameters.count == DenseWork.parameterCount(inputs: inputs, layers), "other parameters for this stack")
    let width = layers[0].width
    let y = FloatStorage(uninitialized: rows * width)
    let first = Matrix(storage: y, rows: rows, columns: width)
    return unsafe parameters.withUnsafeFloats { floats in
      let bias = unsafe floats.baseAddress! + inputs * width
      for row in 0..<rows { unsafe (y.pointer + row * width).update(from: bias, count: width) }
      var weights = floats.baseAddress!
      for part in parts {
        Nearing.some(products: rows * part.columns * width)
        if let values = part.matrix {
          part.check(rows: rows)
          grow(&scratch, murmur_part_scratch(rows, part.columns, width))
          unsafe part.mask.withBits(rows) { bits in
            unsafe kernels.table.pointee.part_forward(
              rows, part.columns, width, values.storage.pointer, bits, weights, y.pointer, scratch.pointer)
          }
        }
        unsafe weights += part.columns * width
      }
      finish(y, layers[0], layers.count == 1 ? residual : nil, rows: rows)
      guard layers.count > 1 else { return [first] }
      return unsafe [first] + forward(layers[1...], first, bias + width, residual: residual)
    }
  }

  /// The way back. `dy` is the gradient of the loss by the last layer's outputs. Writes the gradient of the parameters to `gradient` and
  /// returns those by the parts, for the rows that are wanted of each, zero in the others; none of what is not wanted at all.
  public func backward(
    _ layers: [DenseShape], _ parts: [InputPart], _ outputs: [Matrix], _ parameters: ParameterVector, dy: Matrix,
    gradient: inout ParameterVector, wanted: [RowMask?]
  ) -> [Matrix?] {
    precondition(wanted.isEmpty || wanted.count == parts.count, "wishes for \(wanted.count) of \(parts.count) parts")
    let inputs = parts.reduce(0) { $0 + $1.columns }
    precondition(parameters.count == DenseWork.parameterCount(inputs: inputs, layers), "other parameters for this stack")
    let dz = backward(layers, inputs: inputs, outputs, parameters, dy: dy, gradient: &gradient).dz
    let (rows, width) = (dz.rows, layers[0].width)
    let table = unsafe kernels.table
    return unsafe parameters.withUnsafeFloats { floats in
      unsafe gradient.withUnsafeMutableFloats { gradients in
        unsafe table.pointee.part_biases(rows, width, dz.storage.pointer, gradients.baseAddress! + inputs * width)
        var start = 0
        return parts.indices.map { index in
          let part = parts[index]
          Nearing.some(products: rows * part.columns * width)
          defer { start += part.columns * width }
          grow(&scratch, murmur_part_scratch(rows, part.columns, width))
          let target = unsafe gradients.baseAddress! + start
          if let values = part.matrix {
            part.check(rows: rows)
            unsafe part.mask.withBits(rows) { bits in
              unsafe table.pointee.part_weights(
                rows, part.columns, width, values.storage.pointer, bits, dz.storage.pointer, target, scratch.pointer)
            }
          } else {
            unsafe target.update(repeating: 0, count: part.columns * width)
          }
          guard !wanted.isEmpty, let mask = wanted[index] else { return nil }
          Nearing.some(products: rows * part.columns * width)
          let dx = FloatStorage(uninitialized: rows * part.columns)
          unsafe mask.withBits(rows) { bits in
            unsafe table.pointee.part_input(
              rows, part.columns, width, dz.storage.pointer, bits, floats.baseAddress! + start, dx.pointer, scratch.pointer)
          }
          return Matrix(storage: dx, rows: rows, columns: part.columns)
        }
      }
    }
  }

  /// Puts parts side by side into one matrix of `rows` rows. A part that is missing is zero, and so are the rows of a part that its mask
  /// leaves out.
  public func join(rows: Int, _ parts: [InputPart]) -> Matrix {
    let columns = parts.reduce(0) { $0 + $1.columns }
    let joined = FloatStorage(uninitialized: rows * columns)
    var start = 0
    for part in parts {
      if let values = part.matrix {
        precondition(values.rows == rows && values.columns == part.columns, "a part of another shape")
        unsafe part.mask.withBits(rows) { bits in
          unsafe kernels.table.pointee.mask_rows(
            rows, part.columns, values.storage.pointer, part.columns, bits, joined.pointer + start, columns)
        }
      } else {
        for row in 0..<rows { unsafe (joined.pointer + row * columns + start).update(repeating: 0, count: part.columns) }
      }
      start += part.columns
    }
    return Matrix(storage: joined, rows: rows, columns: columns)
  }
}
