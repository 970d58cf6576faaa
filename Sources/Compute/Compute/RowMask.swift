/// Which rows of a batch count: a bit for each row.
///
/// A split network has several masks for every message. Those of batches of up to 64 rows lie in the value itself, so that making, joining
/// and dropping them touches no other memory.
@safe
public struct RowMask: Sendable, Hashable {
  @usableFromInline enum Rows: Sendable, Hashable {
    case all
    case few(UInt64, Int32)
    case many([UInt64], Int32)
  }

  @usableFromInline let rows: Rows

  @inlinable init(_ rows: Rows) { self.rows = rows }

  /// Every row counts.
  @inlinable public static var all: RowMask { RowMask(.all) }

  /// None of `rows` rows counts.
  @inlinable public static func none(of rows: Int) -> RowMask { RowMask(rows: rows) { _ in false } }

  /// The rows of `rows` for which `counts` is true; asks for each once, in order.
  @inlinable public init(rows: Int, where counts: (Int) -> Bool) {
    precondition(rows >= 0 && rows < 1 << 31, "a mask of \(rows) rows")
    if rows <= 64 {
      var bits: UInt64 = 0
      for row in 0..<rows where counts(row) { bits |= 1 << UInt64(row) }
      self.rows = .few(bits, Int32(rows))
    } else {
      var bits = [UInt64](repeating: 0, count: (rows + 63) / 64)
      for row in 0..<rows where counts(row) { bits[row >> 6] |= 1 << UInt64(row & 63) }
      self.rows = .many(bits, Int32(rows))
    }
  }

  /// The rows for which `counts` is true.
  @inlinable public init(_ counts: [Bool]) { self.init(rows: counts.count) { counts[$0] } }

  /// The rows of `rows` rows whose bits are set, from the lowest of the first word on; there are no bits beyond.
  @inlinable public init(rows: Int, bits: ArraySlice<UInt64>) {
    precondition(rows >= 0 && bits.count == RowMask.words(rows), "\(bits.count) words for \(rows) rows")
    self.rows = bits.count == 1 ? .few(bits[bits.startIndex], Int32(rows)) : .many(Array(bits), Int32(rows))
  }

  /// The rows of up to 64 whose bits are set; there are no bits beyond.
  @inlinable public init(rows: Int, word: UInt64) {
    precondition(rows >= 0 && rows <= 64 && (rows == 64 || word >> UInt64(rows) == 0), "bits beyond \(rows) rows")
    self.rows = .few(word, Int32(rows))
  }

  /// Words that hold a bit for each of `rows` rows.
  @inlinable public static func words(_ rows: Int) -> Int { max(1, (rows + 63) / 64) }

  /// Writes the bits to a list, from `place` on, unless all rows count.
  @inlinable public func write(to list: inout [UInt64], at place: Int) {
    switch rows {
    case .all: return
    case .few(let bits, _): list[place] = bits
    case .many(let bits, _): for index in bits.indices { list[place + index] = bits[index] }
    }
  }

  /// The same for every one of `copies` blocks of the `rows` rows of this one.
  public func repeated(_ copies: Int, rows: Int) -> RowMask {
    copies == 1 || isAll ? self : RowMask(rows: rows * copies) { self[$0 % rows] }
  }

  /// Whether a row counts.
  @inlinable public subscript(row: Int) -> Bool {
    switch rows {
    case .all: true
    case .few(let bits, let rows):
      check(row, rows) && bits >> UInt64(row) & 1 == 1
    case .many(let bits, let rows):
      check(row, rows) && bits[row >> 6] >> UInt64(row & 63) & 1 == 1
    }
  }

  @inlinable func check(_ row: Int, _ rows: Int32) -> Bool {
    precondition(row >= 0 && row < rows, "row \(row) of a mask of \(rows)")
    return true
  }

  /// Whether all count, and none is named.
  @inlinable public var isAll: Bool { if case .all = rows { true } else { false } }

  /// The bits of up to 64 rows from `first` on.
  package func bits(from first: Int, of rows: Int) -> UInt64 {
    switch self.rows {
    case .all: rows - first >= 64 ? .max : (1 << UInt64(rows - first)) - 1
    case .few(let bits, _): first == 0 ? bits : 0
    case .many(let bits, _): first / 64 < bits.count ? bits[first / 64] : 0
    }
  }

  /// How many of `rows` count.
  public func count(of rows: Int) -> Int {
    switch self.rows {
    case .all: rows
    case .few(let bits, _): bits.nonzeroBitCount
    case .many(let bits, _): bits.reduce(0) { $0 + $1.nonzeroBitCount }
    }
  }

  /// The rows that count in both.
  @inlinable public static func & (left: RowMask, right: RowMask) -> RowMask {
    switch (left.rows, right.rows) {
    case (.all, _): return right
    case (_, .all): return left
    case (.few(let a, let rows), .few(let b, let others)) where rows == others: return RowMask(.few(a & b, rows))
    case (.many(var bits, let rows), .many(let others, let count)) where rows == count:
      for index in bits.indices { bits[index] &= others[index] }
      return RowMask(.many(bits, rows))
    default: preconditionFailure("masks of different numbers of rows")
    }
  }

  /// Writes 1 for every row that counts and 0 for others, `stride` numbers apart.
  @unsafe
  public func write(to floats: UnsafeMutablePointer<Float>, rows: Int, stride: Int) {
    for row in 0..<rows { unsafe floats[row * stride] = self[row] ? 1 : 0 }
  }

  /// Calls `body` with the bits, none if all rows count.
  @unsafe
  package func withBits<Result>(_ rows: Int, _ body: (UnsafePointer<UInt64>?) -> Result) -> Result {
    switch self.rows {
    case .all: return body(nil)
    case .few(let bits, let own):
      precondition(own == rows, "a mask of \(own) rows for \(rows)")
      return unsafe withUnsafePointer(to: bits) { unsafe body($0) }
    case .many(let bits, let own):
      precondition(own == rows, "a mask of \(own) rows for \(rows)")
      return unsafe bits.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }
  }
}
