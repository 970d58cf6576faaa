import MurmurKernels

/// A convolution as its definition says it, one output after the other, in the order of additions the kernels promise.
struct ConvolutionReference {
  let shape: murmur_convolution
  let rows: Int

  var planes: Int { shape.channels }
  var side: Int { shape.kernel }
  var high: Int { shape.height + 2 * shape.padding - side + 1 }
  var wide: Int { shape.width + 2 * shape.padding - side + 1 }
  var outHigh: Int { shape.pooled == 0 ? high : high / 2 }
  var outWide: Int { shape.pooled == 0 ? wide : wide / 2 }
  var inputs: Int { planes * shape.height * shape.width }
  var outputs: Int { shape.outputs * outHigh * outWide }
  var weights: Int { shape.outputs * planes * side * side }

  /// Calls `body` with (weight, input) of every weight of output plane `o` that meets an input at pixel (i, j).
  func visit(_ o: Int, _ i: Int, _ j: Int, _ body: (Int, Int) -> Void) {
    for plane in 0..<planes {
      for u in 0..<side {
        for v in 0..<side {
          let (row, column) = (i + u - shape.padding, j + v - shape.padding)
          guard row >= 0, row < shape.height, column >= 0, column < shape.width else { continue }
          body(((o * planes + plane) * side + u) * side + v, (plane * shape.height + row) * shape.width + column)
        }
      }
    }
  }

  /// The weighted sum at a pixel: one chain from the bias.
  func sum(_ o: Int, _ i: Int, _ j: Int, _ x: ArraySlice<Float>, _ w: [Float], _ bias: [Float]) -> Float {
    var sum = bias[o]
    visit(o, i, j) { weight, input in sum = sum.addingProduct(w[weight], x[x.startIndex + input]) }
    return sum
  }

  /// Weighted sums after the pooling, before the activation, and the pixel each comes from.
  func forward(_ x: [Float], _ w: [Float], _ bias: [Float]) -> (sums: [Float], pixels: [(Int, Int)]) {
    var sums: [Float] = []
    var pixels: [(Int, Int)] = []
    for row in 0..<rows {
      let x = x[row * inputs..<(row + 1) * inputs]
      for o in 0..<shape.outputs {
        for i in 0..<outHigh {
          for j in 0..<outWide {
            let square = shape.pooled == 0 ? [(i, j)] : [(0, 0), (0, 1), (1, 0), (1, 1)].map { (2 * i + $0.0, 2 * j + $0.1) }
            var best = (sum(o, square[0].0, square[0].1, x, w, bias), square[0])
            for pixel in square.dropFirst() {
              let other = sum(o, pixel.0, pixel.1, x, w, bias)
              if other > best.0 { best = (other, pixel) }
            }
            sums.append(best.0)
            pixels.append(best.1)
          }
        }
      }
    }
    return (sums, pixels)
  }

  /// Gradients of weights, biases and inputs from that by the weighted sums: chains over rows and pixels; the inputs' in double.
  func backward(_ x: [Float], _ w: [Float], _ dz: [Float], _ pixels: [(Int, Int)]) -> (dw: [Float], db: [Float], dx: [Double]) {
    var (dw, db) = ([Float](repeating: 0, count: weights), [Float](repeating: 0, count: shape.outputs))
    var dx = [Double](repeating: 0, count: rows * inputs)
    let sites = outHigh * outWide
    for row in 0..<rows {
      for o in 0..<shape.outputs {
        for site in 0..<sites {
          let index = row * outputs + o * sites + site
          let d = dz[index]
          guard d != 0 else { continue }
          db[o] += d
          visit(o, pixels[index].0, pixels[index].1) { weight, input in
            dw[weight] = dw[weight].addingProduct(d, x[row * inputs + input])
            dx[row * inputs + input] += Double(d) * Double(w[weight])
          }
        }
      }
    }
    return (dw, db, dx)
  }
}

/// The results of the kernels of one variant.
struct ConvolutionOutcome {
  var y: [Float]
  var dw: [Float]
  var db: [Float]
  var dx: [Float]

  /// Forward, then backward from `dy`.
  @unsafe init(
    _ table: murmur_kernels, _ reference: ConvolutionReference, _ x: [Float], _ w: [Float], _ bias: [Float], _ dy: [Float],
    pieces: Int = 1
  ) {
    var shape = reference.shape
    let rows = reference.rows
    func room(_ count: Int) -> [Float] { [Float](repeating: .nan, count: count) }
    y = room(rows * reference.outputs)
    (dw, db, dx) = (room(reference.weights), room(shape.outputs), room(rows * reference.inputs))
    var scratch = unsafe room(murmur_convolution_scratch(&shape))
    var turned = unsafe room(murmur_convolution_turned(&shape))
    unsafe table.convolution_turn(&shape, w, &turned)
    for start in stride(from: 0, to: rows, by: (rows + pieces - 1) / pieces) {
      let count = min((rows + pieces - 1) / pieces, rows - start)
      var kept = unsafe room(murmur_convolution_kept(&shape, count))
      let part = Array(x[start * reference.inputs..<(start + count) * reference.inputs])
      let slope = Array(dy[start * reference.outputs..<(start + count) * reference.outputs])
      var (out, back) = (room(count * reference.outputs), room(count * reference.inputs))
      unsafe table.convolution_forward(&shape, count, part, w, bias, &out, &kept, &scratch)
      unsafe table.convolution_backward(
        &shape, count, out, slope, kept, turned, &dw, &db, start > 0 ? 1 : 0, &back, &scratch)
      y.replaceSubrange(start * reference.outputs..<(start + count) * reference.outputs, with: out)
      dx.replaceSubrange(start * reference.inputs..<(start + count) * reference.inputs, with: back)
    }
  }
}
