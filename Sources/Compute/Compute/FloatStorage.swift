private import MurmurKernels

/// Float32 numbers in one 64-byte aligned allocation, shared by reference.
///
/// Written only while one owner holds it (``ParameterVector`` copies on write, ``Samples`` never writes after its initialiser), which
/// is what makes it sendable.
@safe
package final class FloatStorage: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Float>
  package let count: Int

  package init(uninitialized count: Int) {
    self.count = count
    let raw = unsafe murmur_allocate(FloatStorage.bytes(count))
    unsafe pointer = raw.bindMemory(to: Float.self, capacity: max(count, 16))
  }

  package convenience init(repeating value: Float, count: Int) {
    self.init(uninitialized: count)
    unsafe pointer.update(repeating: value, count: count)
  }

  package convenience init(_ values: [Float]) {
    self.init(uninitialized: values.count)
    unsafe values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { unsafe pointer.update(from: base, count: source.count) }
    }
  }

  package convenience init(copying other: FloatStorage) {
    self.init(uninitialized: other.count)
    unsafe pointer.update(from: other.pointer, count: other.count)
  }

  deinit { unsafe murmur_release(pointer, FloatStorage.bytes(count)) }

  private static func bytes(_ count: Int) -> Int { max(count, 16) * MemoryLayout<Float>.stride }
}
