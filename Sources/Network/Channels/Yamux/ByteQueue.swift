/// Bytes that wait, in the pieces in which they were written; none is copied before it leaves.
struct ByteQueue: Sendable {
  private var pieces: [[UInt8]] = []
  private var first = 0
  private var offset = 0
  /// How many bytes wait.
  private(set) var count = 0

  /// Adds `bytes` at the end.
  mutating func append(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    pieces.append(bytes)
    count += bytes.count
  }

  /// Moves the first `wanted` bytes to the end of `out`; so many must wait.
  mutating func move(_ wanted: Int, to out: inout [UInt8]) {
    precondition(wanted <= count, "\(wanted) bytes are wanted of \(count)")
    var rest = wanted
    while rest > 0 {
      let piece = pieces[first]
      let taken = min(rest, piece.count - offset)
      out.append(contentsOf: piece[offset..<offset + taken])
      rest -= taken
      offset += taken
      guard offset == piece.count else { break }
      pieces[first] = []
      first += 1
      offset = 0
      if first == pieces.count || (first >= 64 && first * 2 >= pieces.count) {
        pieces.removeFirst(first)
        first = 0
      }
    }
    count -= wanted
  }
}
