private import MurmurKernels

/// Models as safetensors files (Hugging Face's format): eight bytes of header length, a JSON header, little-endian tensors.
///
/// What is written is canonical: one model and one set of metadata have one sequence of bytes, so that its hash names it. Tensors have
/// PyTorch's names and shapes (`layers.0.weight` is `[outputs, inputs]`); `__metadata__` holds the architecture's short form.
public enum SafeTensors {
  /// The metadata key of the architecture's short form.
  public static let architectureKey = "architecture"
  /// The longest header that is read.
  public static let headerLimit = 1 << 20

  /// The bytes of the file. The metadata may not contain ``architectureKey``, which is added.
  public static func encode(_ parameters: ParameterVector, _ architecture: Architecture, metadata: [String: String] = [:])
    -> [UInt8]
  {
    precondition(parameters.count == architecture.parameterCount, "\(parameters.count) parameters for \(architecture)")
    precondition(metadata[architectureKey] == nil, "the metadata key '\(architectureKey)' is taken")
    let header = architecture.plan.header
    var meta: [UInt8] = Array("{\"__metadata__\":{".utf8)
    if metadata.isEmpty {
      JSONText.append(architectureKey, architecture.description, to: &meta)
    } else {
      var pairs = metadata.map { ($0.key, $0.value) }
      pairs.append((architectureKey, architecture.description))
      pairs.sort { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
      for (index, pair) in pairs.enumerated() {
        if index > 0 { meta.append(UInt8(ascii: ",")) }
        JSONText.append(pair.0, pair.1, to: &meta)
      }
    }
    let used = meta.count + header.tensors.count
    let length = (used + 7) & ~7
    precondition(length <= headerLimit, "metadata of more than \(headerLimit) bytes")
    let total = 8 + length + 4 * parameters.count
    return unsafe Array(unsafeUninitializedCapacity: total) { buffer, initialized in
      let base = UnsafeMutableRawPointer(buffer.baseAddress!)
      unsafe base.storeBytes(of: UInt64(length).littleEndian, as: UInt64.self)
      unsafe meta.withUnsafeBytes { unsafe (base + 8).copyMemory(from: $0.baseAddress!, byteCount: meta.count) }
      unsafe header.tensors.withUnsafeBytes {
        unsafe (base + 8 + meta.count).copyMemory(from: $0.baseAddress!, byteCount: header.tensors.count)
      }
      for index in used..<length { unsafe base.storeBytes(of: 0x20, toByteOffset: 8 + index, as: UInt8.self) }
      unsafe parameters.withUnsafeFloats { floats in
        unsafe turn(
          architecture, from: floats.baseAddress!,
          to: (base + 8 + length).bindMemory(to: Float.self, capacity: parameters.count), encoding: true)
      }
      initialized = total
    }
  }

  /// Reads a file that holds exactly the tensors of the architecture its metadata names, in any order.
  ///
  /// If the caller knows which architecture to expect, `expected` saves working it out again; another one is still read. Throws
  /// ``SafeTensorsError`` with the byte offset and what is wrong there.
  public static func decode(
    _ bytes: [UInt8], expected: Architecture? = nil
  ) throws(SafeTensorsError) -> (architecture: Architecture, parameters: ParameterVector, metadata: [String: String]) {
    guard bytes.count >= 8 else {
      throw SafeTensorsError(offset: bytes.count, reason: "ends before the eight bytes of header length")
    }
    var length: UInt64 = 0
    for index in (0..<8).reversed() { length = length << 8 | UInt64(bytes[index]) }
    guard length <= UInt64(headerLimit) else {
      throw SafeTensorsError(offset: 0, reason: "a header of \(length) bytes; at most \(headerLimit) are read")
    }
    let start = 8 + Int(length)
    guard start <= bytes.count else {
      throw SafeTensorsError(offset: bytes.count, reason: "ends within the header of \(length) bytes; is the file cut short?")
    }
    var parser = HeaderParser(bytes: bytes, position: 8, end: start)
    let header = try parser.parse(expected: expected)
    let architecture = header.architecture
    guard bytes.count - start == 4 * architecture.parameterCount else {
      throw SafeTensorsError(
        offset: start, reason: "\(bytes.count - start) bytes of tensors; \(architecture) has \(4 * architecture.parameterCount)")
    }
    let parameters = unsafe ParameterVector(count: architecture.parameterCount) { floats in
      unsafe bytes.withUnsafeBytes { raw in
        let target = floats.baseAddress!
        if let offsets = header.offsets {
          for (range, offset) in zip(architecture.ranges, offsets) {
            unsafe copy(range, from: raw.baseAddress! + start + offset, to: target + range.range.lowerBound)
          }
        } else {
          for range in architecture.ranges {
            unsafe copy(range, from: raw.baseAddress! + start + 4 * range.range.lowerBound, to: target + range.range.lowerBound)
          }
        }
      }
    }
    return (architecture, parameters, header.metadata)
  }

  /// Tensors between their order in memory and their order in a file: into a file's where `encoding`, else into memory's.
  static func turn(
    _ architecture: Architecture, from source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, encoding: Bool
  ) {
    for range in architecture.ranges {
      let (from, to) = unsafe (source + range.range.lowerBound, target + range.range.lowerBound)
      if range.transposed {
        let (outputs, inputs) = (range.shape[0], range.shape[1])
        if encoding {
          unsafe Kernels.selected.table.pointee.transpose(inputs, outputs, from, outputs, to, inputs)
        } else {
          unsafe Kernels.selected.table.pointee.transpose(outputs, inputs, from, inputs, to, outputs)
        }
      } else {
        unsafe to.update(from: from, count: range.range.count)
      }
    }
  }

  /// Where the tensors begin in a file that is written as ``encode(_:_:metadata:)`` writes a model of that architecture, so that
  /// floats can be read in place; `nil` for any other file, which may still be a good one.
  static func canonicalStart(_ bytes: [UInt8], _ architecture: Architecture) -> Int? {
    let header = architecture.plan.header
    return unsafe bytes.withUnsafeBytes { raw -> Int? in
      guard raw.count >= 8 else { return nil }
      let length = unsafe raw.loadUnaligned(as: UInt64.self).littleEndian
      guard length <= UInt64(headerLimit), length & 7 == 0, 8 + Int(length) + 4 * architecture.parameterCount == raw.count else {
        return nil
      }
      let start = 8 + Int(length)
      var end = start
      while end > 8, end > start - 8, unsafe raw[end - 1] == 0x20 { end -= 1 }
      let tail = end - header.tensors.count
      guard tail > 8, Int(bitPattern: raw.baseAddress!) & 3 == 0 else { return nil }
      let same = unsafe header.tensors.withUnsafeBytes { unsafe $0.elementsEqual(raw[tail..<end]) }
      guard same else { return nil }
      return unsafe CanonicalPairs.name(
        architecture.plan.header.architecture, in: UnsafeRawBufferPointer(rebasing: raw[8..<tail])) ? start : nil
    }
  }

  /// One tensor of a file into memory; `source` may be at any address.
  private static func copy(_ range: NamedRange, from source: UnsafeRawPointer, to target: UnsafeMutablePointer<Float>) {
    guard range.transposed else {
      unsafe UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: 4 * range.range.count)
      return
    }
    let (outputs, inputs) = (range.shape[0], range.shape[1])
    if Int(bitPattern: source) & 3 == 0 {
      let floats = unsafe source.assumingMemoryBound(to: Float.self)
      unsafe Kernels.selected.table.pointee.transpose(outputs, inputs, floats, inputs, target, outputs)
    } else {
      let aligned = FloatStorage(uninitialized: range.range.count)
      unsafe UnsafeMutableRawPointer(aligned.pointer).copyMemory(from: source, byteCount: 4 * range.range.count)
      unsafe Kernels.selected.table.pointee.transpose(outputs, inputs, aligned.pointer, inputs, target, outputs)
    }
  }

  /// The part of the header that depends on the architecture alone: everything after the metadata's last pair.
  package struct Header: Sendable {
    let tensors: [UInt8]
    /// The pair of metadata that names the architecture.
    let architecture: [UInt8]

    init(ranges: [NamedRange], text name: String) {
      var pair: [UInt8] = []
      JSONText.append(SafeTensors.architectureKey, name, to: &pair)
      architecture = pair
      var text = "}"
      for range in ranges {
        let shape = range.shape.map(String.init).joined(separator: ",")
        text += ",\"\(range.name)\":{\"dtype\":\"F32\",\"shape\":[\(shape)],"
        text += "\"data_offsets\":[\(4 * range.range.lowerBound),\(4 * range.range.upperBound)]}"
      }
      tensors = Array((text + "}").utf8)
    }
  }
}

/// Why bytes are not a model's safetensors file.
public struct SafeTensorsError: Error, Hashable, CustomStringConvertible {
  /// Where in the file, in bytes.
  public let offset: Int
  /// What is wrong there.
  public let reason: String

  /// Where and what, in a sentence.
  public var description: String { "safetensors, byte \(offset): \(reason)" }
}
