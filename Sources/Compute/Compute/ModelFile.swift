private import MurmurKernels

/// A model's safetensors file, checked but left as it is: its numbers are read where they lie.
///
/// An average of files needs no copy of any of them: the weighted sum is taken in the files' own order and turned into the order of
/// memory once, at the end. What is checked is what ``SafeTensors/decode(_:expected:)`` checks.
public struct ModelFile: Sendable {
  private let bytes: [UInt8]
  /// Where the tensors begin, if they lie in canonical order at an address that floats may have; else ``copy`` holds them.
  private let start: Int
  private let copy: ParameterVector?

  /// Opens a file that must hold a model of that architecture; throws what is wrong with it.
  public init(_ bytes: [UInt8], _ architecture: Architecture) throws(SafeTensorsError) {
    self.bytes = bytes
    if let start = SafeTensors.canonicalStart(bytes, architecture) {
      (self.start, copy) = (start, nil)
      return
    }
    let (told, parameters, _) = try SafeTensors.decode(bytes, expected: architecture)
    guard told == architecture else {
      throw SafeTensorsError(offset: 8, reason: "its architecture is \(told), the session's is \(architecture)")
    }
    (start, copy) = (0, parameters)
  }

  /// The numbers, in memory's order.
  public func parameters(_ architecture: Architecture) -> ParameterVector {
    if let copy { return copy }
    return unsafe ParameterVector(count: architecture.parameterCount) { target in
      unsafe withUnsafeFloats { source in
        unsafe SafeTensors.turn(architecture, from: source, to: target.baseAddress!, encoding: false)
      }
    }
  }

  /// Whether every number is finite.
  public func isFinite(_ architecture: Architecture) -> Bool {
    if let copy { return copy.isFinite }
    return unsafe withUnsafeFloats { source in
      unsafe Kernels.selected.table.pointee.is_finite(architecture.parameterCount, source) != 0
    }
  }

  private func withUnsafeFloats<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result {
    unsafe bytes.withUnsafeBytes { raw in
      unsafe body((raw.baseAddress! + start).assumingMemoryBound(to: Float.self))
    }
  }
}

extension ModelFile {
  /// The weighted sum of models of one architecture: those in `files`, in their order, then `own`; weights that add up to 1 give a mean.
  /// `scratch` is memory for two models, made where it is missing, that the next call can use again.
  public static func mean(
    of files: [ModelFile], weights: [Float], own: (parameters: ParameterVector, weight: Float)?, _ architecture: Architecture,
    scratch: inout [ParameterVector]
  ) -> ParameterVector {
    precondition(!files.isEmpty && files.count == weights.count, "\(files.count) files and \(weights.count) weights")
    let count = architecture.parameterCount
    if scratch.first?.count != count {
      scratch = [ParameterVector(repeating: 0, count: count), ParameterVector(repeating: 0, count: count)]
    }
    let table = unsafe Kernels.selected.table.pointee
    let plain = files.indices.filter { files[$0].copy == nil }
    let copied = files.indices.filter { files[$0].copy != nil }
    if !plain.isEmpty {
      let chosen = plain.map { weights[$0] }
      unsafe scratch[0].withUnsafeMutableFloats { sum in
        withExtendedLifetime(files) {
          let sources = unsafe plain.map { index in unsafe files[index].withUnsafeFloats { floats in unsafe floats } }
          unsafe sources.withUnsafeBufferPointer { xs in
            unsafe table.mean(count, sources.count, xs.baseAddress!, chosen, sum.baseAddress!)
          }
        }
      }
      let turned = scratch[0]
      unsafe scratch[1].withUnsafeMutableFloats { target in
        unsafe turned.withUnsafeFloats { source in
          unsafe SafeTensors.turn(architecture, from: source.baseAddress!, to: target.baseAddress!, encoding: false)
        }
      }
    }
    var parts: [ParameterVector] = plain.isEmpty ? [] : [scratch[1]]
    var shares: [Float] = plain.isEmpty ? [] : [1]
    for index in copied {
      if let copy = files[index].copy { parts.append(copy) }
      shares.append(weights[index])
    }
    if let own {
      parts.append(own.parameters)
      shares.append(own.weight)
    }
    return .mean(of: parts, weights: shares)
  }
}
