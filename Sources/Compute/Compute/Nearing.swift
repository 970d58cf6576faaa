private import MurmurKernels

/// Asking for memory before it is wanted.
///
/// Where thousands of devices are simulated, what one of them knows lies in no cache, and each look at it costs as much as hundreds of
/// multiplications. Looks at what was asked for in time cost next to nothing, and many can be asked for at once. Asking changes nothing and
/// reads nothing: what a device, a list or a matrix points to must have been asked for before, and be there, when what lies behind it is.
///
/// What says where other things lie is fetched at once. Numbers are many: they are put on a list, which is fetched between other work.
///
/// Methods that ask are mutating, though nothing changes: to call one that is not, Swift may copy the element of a list, and a copy looks
/// at all that the element points to.
@safe
@usableFromInline
package enum Nearing {
  /// Fetches some bytes, wherever the pointer points.
  @unsafe
  @usableFromInline
  package static func bytes(_ pointer: UnsafeRawPointer?, _ count: Int) { unsafe murmur_fetch(pointer, count) }

  /// Fetches a little of what was asked for, so many cache lines.
  package static func some(_ lines: Int) { murmur_fetch_asked(lines) }

  /// Fetches about as much of what was asked for as memory gives while so many products are summed.
  static func some(products: Int) { murmur_fetch_asked(products / 200) }

  /// Fetches what was asked for before this was called last.
  package static func age() { murmur_age_asked() }

  /// Asks for some rows of numbers.
  fileprivate static func rows(_ numbers: UnsafeRawPointer, _ mask: RowMask, rows: Int, bytes: Int) {
    // Several short rows share a cache line.
    if bytes < 64, mask.isAll { return unsafe lines(numbers, rows * bytes) }
    for first in stride(from: 0, to: rows, by: 64) {
      unsafe murmur_ask(numbers + first * bytes, bytes, mask.bits(from: first, of: rows))
    }
  }

  /// Asks for numbers that lie side by side.
  fileprivate static func numbers(_ numbers: UnsafeRawPointer, _ count: Int) {
    unsafe lines(numbers, count * MemoryLayout<Float>.stride)
  }

  private static func lines(_ numbers: UnsafeRawPointer, _ bytes: Int) {
    unsafe rows(numbers, .all, rows: (bytes + 63) / 64, bytes: 64)
  }

  /// Where the numbers of a matrix are: enough to ask for them without a look at what says so. To ask for what is gone does no harm.
  @safe
  package struct Address: @unchecked Sendable {
    fileprivate let numbers: UnsafeRawPointer?

    /// The address of a matrix's numbers, if there is a matrix.
    package init(_ matrix: Matrix?) { unsafe numbers = matrix.map { unsafe UnsafeRawPointer($0.storage.pointer) } }
  }

  /// The bytes of what says where numbers are.
  fileprivate static let head = 48
}

extension Array {
  /// Fetches some elements, and what stands before them all.
  @inlinable @inline(__always)
  package mutating func near(_ count: Int, from start: Int = 0) {
    let (stride, head) = (MemoryLayout<Element>.stride, 32)
    let object = unsafe unsafeBitCast(self, to: UnsafeRawPointer.self)
    if start == 0 { return unsafe Nearing.bytes(object, head + count * stride) }
    unsafe Nearing.bytes(object, head)
    unsafe Nearing.bytes(object + head + start * stride, count * stride)
  }

  /// Fetches one element alone.
  @inlinable @inline(__always)
  package mutating func near(at index: Int) { near(within: index..<index + 1) }

  /// Fetches some elements alone.
  @inlinable @inline(__always)
  package mutating func near(within range: Range<Int>) {
    let (stride, head) = (MemoryLayout<Element>.stride, 32)
    let object = unsafe unsafeBitCast(self, to: UnsafeRawPointer.self)
    unsafe Nearing.bytes(object + head + range.lowerBound * stride, range.count * stride)
  }
}

extension Matrix {
  /// Fetches what says where the numbers are.
  package mutating func nearHead() { unsafe murmur_fetch(Unmanaged.passUnretained(storage).toOpaque(), Nearing.head) }
  /// Fetches what says where the numbers are, and asks for the rows that count of those that lie there.
  package mutating func near(_ mask: RowMask, at address: Nearing.Address) {
    nearHead()
    guard let numbers = unsafe address.numbers else { return }
    unsafe Nearing.rows(numbers, mask, rows: rows, bytes: columns * MemoryLayout<Float>.stride)
  }

  /// Asks for the rows that count.
  package mutating func near(_ mask: RowMask) {
    unsafe Nearing.rows(storage.pointer, mask, rows: rows, bytes: columns * MemoryLayout<Float>.stride)
  }
}

extension ParameterVector {
  /// Fetches what says where the numbers are.
  package mutating func nearHead() { unsafe murmur_fetch(Unmanaged.passUnretained(storage).toOpaque(), Nearing.head) }
  /// Asks for the numbers.
  package mutating func nearNumbers() { unsafe Nearing.numbers(storage.pointer, storage.count) }
}

extension OptimizerState {
  /// Fetches what says where its numbers are.
  package mutating func nearHeads() {
    first.nearHead()
    second.nearHead()
  }

  /// Asks for its numbers.
  package mutating func nearNumbers() {
    first.nearNumbers()
    second.nearNumbers()
  }
}
