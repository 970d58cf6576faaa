private import MurmurKernels

/// Asking for memory before it is wanted.
///
/// Where thousands of devices are simulated, what one of them knows lies in no cache, and each look at it costs as much as hundreds of
/// multiplications. Looks at what was asked for in time cost next to nothing, and many can be asked for at once. Asking changes nothing and
/// reads nothing: what a device, a list or a matrix points to must have been asked for before, and be there, when what lies behind it is.
///
/// Methods that ask are mutating, though nothing changes: to call one that is not, Swift may copy the element of a list, and a copy looks
/// at all that the element points to.
@safe
public enum Nearing {
  /// Asks for some bytes, wherever the pointer points.
  @unsafe
  public static func bytes(_ pointer: UnsafeRawPointer?, _ count: Int) { unsafe murmur_fetch(pointer, count) }

  /// Where the numbers of a matrix are, and what says so: enough to ask for them without a look at the matrix. To ask for what is gone does
  /// no harm.
  @safe
  public struct Address {
    private let head: UnsafeRawPointer
    private let numbers: UnsafeRawPointer
    private let count: Int

    /// The address of a matrix.
    public init(_ matrix: Matrix) {
      unsafe head = UnsafeRawPointer(Unmanaged.passUnretained(matrix.storage).toOpaque())
      unsafe numbers = UnsafeRawPointer(matrix.storage.pointer)
      count = matrix.count * MemoryLayout<Float>.stride
    }

    /// Asks for all of it, if it is still there.
    public func near() {
      unsafe murmur_fetch(head, Nearing.head)
      unsafe murmur_fetch(numbers, count)
    }
  }

  /// The bytes of what says where numbers are.
  fileprivate static let head = 48
}

extension Array {
  /// Asks for some elements, and what stands before them all.
  @inlinable @inline(__always)
  public mutating func near(_ count: Int, from start: Int = 0) {
    let (stride, head) = (MemoryLayout<Element>.stride, 32)
    let object = unsafe unsafeBitCast(self, to: UnsafeRawPointer.self)
    if start == 0 { return unsafe Nearing.bytes(object, head + count * stride) }
    unsafe Nearing.bytes(object, head)
    unsafe Nearing.bytes(object + head + start * stride, count * stride)
  }

  /// Asks for one element.
  @inlinable @inline(__always)
  public mutating func near(at index: Int) {
    let (stride, head) = (MemoryLayout<Element>.stride, 32)
    let object = unsafe unsafeBitCast(self, to: UnsafeRawPointer.self)
    unsafe Nearing.bytes(object + head + index * stride, stride)
  }
}

extension Matrix {
  /// Asks for what says where the numbers are.
  public mutating func nearHead() { unsafe murmur_fetch(Unmanaged.passUnretained(storage).toOpaque(), Nearing.head) }
  /// Asks for the numbers.
  public mutating func nearNumbers() { unsafe murmur_fetch(storage.pointer, count * MemoryLayout<Float>.stride) }
}

extension ParameterVector {
  /// Asks for what says where the numbers are.
  public mutating func nearHead() { unsafe murmur_fetch(Unmanaged.passUnretained(storage).toOpaque(), Nearing.head) }
  /// Asks for the numbers.
  public mutating func nearNumbers() { unsafe murmur_fetch(storage.pointer, storage.count * MemoryLayout<Float>.stride) }
}

extension OptimizerState {
  /// Asks for what says where its numbers are.
  public mutating func nearHeads() {
    first.nearHead()
    second.nearHead()
  }

  /// Asks for its numbers.
  public mutating func nearNumbers() {
    first.nearNumbers()
    second.nearNumbers()
  }
}
