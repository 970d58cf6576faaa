import MurmurStreams

/// Cuts the bytes of a feed into rows: lines of CSV (RFC 4180) or of JSON, each with the place where it ends.
public struct FeedLines: Sendable {
  /// How rows are written.
  public enum Format: String, Sendable, CaseIterable {
    /// Values separated by commas.
    case csv
    /// A JSON value on each line.
    case json
  }

  /// One row.
  public struct Row: Equatable {
    /// The row as JSON: a string with the line as it was read, or the value as it was.
    public var text: [UInt8]
    /// The place behind it, in bytes from the beginning of the input.
    public var end: UInt64
  }

  /// What comes next.
  public enum Piece: Equatable {
    /// A row.
    case row(Row)
    /// Nothing of use up to that place: a header, an empty line.
    case nothing(end: UInt64)
    /// A line that is left out, and why.
    case problem(String, end: UInt64)
  }

  /// The most bytes of a row as it is read.
  public static let rowBytes = 128 << 10
  /// How deep a row's values may be nested: within a packet they are two deeper, and readers refuse a packet for one row that is too deep.
  public static let depth = JSONValue.depth - 2
  /// The most bytes of a row as JSON.
  public static let textBytes = 192 << 10

  /// How rows are written; `nil` until the first byte of the first says so.
  public private(set) var format: Format?
  /// The names of the columns; `nil` until they are known.
  public private(set) var columns: [String]?
  private let hasHeader: Bool
  /// A line with more bytes is no header.
  private var headerBytes: Int
  private var bytes: [UInt8] = []
  /// Where ``bytes`` begins in the input.
  private var begin: UInt64
  private var start = 0
  private var position = 0
  private var line = 1
  /// Line ends within the row at hand.
  private var inner = 0
  private var state = CSVState.begin
  private var commas = 0

  private enum CSVState: Sendable { case begin, plain, quoted, closed }

  /// Rows of an input that is read from `offset` on. Without `columns` the first line that names no number is taken for a header, unless
  /// there is none.
  public init(format: Format?, columns: [String]?, hasHeader: Bool = true, at offset: UInt64 = 0) {
    self.format = format
    self.columns = columns
    self.hasHeader = hasHeader
    headerBytes = (columns ?? []).reduce(64) { $0 + 2 * $1.utf8.count + 4 }
    begin = offset
  }

  /// Takes bytes of the input. Take all pieces out before more is appended.
  public mutating func append(_ more: [UInt8]) {
    if start > 0 {
      begin += UInt64(start)
      position -= start
      bytes.removeFirst(start)
      start = 0
    }
    bytes += more
  }

  /// Bytes of a row whose end did not come yet.
  public var unfinished: Int { bytes.count - start }

  /// The place up to which everything was taken out.
  public var place: UInt64 { begin + UInt64(start) }

  /// The input goes on elsewhere: what is unfinished is dropped.
  public mutating func restart(at offset: UInt64) {
    bytes = []
    (begin, start, position, line, inner, state, commas) = (offset, 0, 0, 1, 0, .begin, 0)
  }

  /// What comes next; `nil` if more bytes are needed. With `isOver` the input ends here, and so does its last row.
  public mutating func next(isOver: Bool = false) -> Piece? {
    guard let end = lineEnd() ?? (isOver && start < bytes.count ? bytes.count : nil) else {
      guard bytes.count - start > FeedLines.rowBytes else { return nil }
      return tooLong()
    }
    guard end - start <= FeedLines.rowBytes else { return tooLong() }
    var content = bytes[start..<end]
    if content.last == UInt8(ascii: "\r") { content.removeLast() }
    let (number, fields) = (line, commas + 1)
    line += 1 + inner
    start = min(end + 1, bytes.count)
    (position, state, commas, inner) = (start, .begin, 0, 0)
    return read(Array(content), fields: fields, line: number)
  }

  /// Where the row at hand ends.
  private mutating func lineEnd() -> Int? {
    if format == nil {
      guard let first = bytes[start...].first(where: { $0 > 0x20 }) else { return bytes[start...].firstIndex(of: 0x0a) }
      format = first == UInt8(ascii: "{") ? .json : .csv
    }
    if format == .json {
      let end = bytes[position...].firstIndex(of: 0x0a)
      position = end ?? bytes.count
      return end
    }
    return unsafe bytes.withUnsafeBufferPointer { buffer in
      while position < buffer.count {
        switch (unsafe buffer[position], state) {
        case (0x22, .begin), (0x22, .closed): state = .quoted
        case (0x22, .quoted): state = .closed
        case (0x0a, .quoted): inner += 1
        case (_, .quoted): break
        case (0x0a, _): return position
        case (0x2c, _):
          commas += 1
          state = .begin
        default: state = .plain
        }
        position += 1
      }
      return nil
    }
  }

  /// A row that does not end; reading goes on behind its first line.
  private mutating func tooLong() -> Piece {
    let number = line
    let cause = state == .quoted || inner > 0 ? "; does a quotation mark stay open there?" : ""
    let end = bytes[start...].firstIndex(of: 0x0a)
    start = end.map { $0 + 1 } ?? bytes.count
    // What follows in the same line is taken for a line of its own, which is most likely none.
    if end != nil { line += 1 }
    (position, state, commas, inner) = (start, .begin, 0, 0)
    return .problem("line \(number) has more than \(FeedLines.rowBytes) bytes\(cause)", end: place)
  }

  private mutating func read(_ content: [UInt8], fields: Int, line: Int) -> Piece {
    if content.allSatisfy({ $0 <= 0x20 }) { return .nothing(end: place) }
    guard let text = String(validating: content, as: UTF8.self) else {
      return .problem("line \(line) is no UTF-8 text", end: place)
    }
    return format == .json ? readJSON(content, line) : readCSV(text, fields, line)
  }

  private mutating func readJSON(_ content: [UInt8], _ line: Int) -> Piece {
    let value: JSONValue
    do throws(StreamError) { value = try JSONValue.parse(content, depth: FeedLines.depth) } catch {
      return .problem("line \(line) \(error)", end: place)
    }
    if case .object(let members) = value, Set(members.map(\.key)).count < members.count {
      let twice = members.first { member in members.count { $0.key == member.key } > 1 }?.key.printable ?? ""
      return .problem("line \(line) has the member '\(twice)' twice; readers would take the last", end: place)
    }
    if columns == nil { if case .object(let members) = value { columns = members.map(\.key) } else { columns = [] } }
    return .row(Row(text: content, end: place))
  }

  private mutating func readCSV(_ text: String, _ fields: Int, _ line: Int) -> Piece {
    let isFirst = columns == nil
    if isFirst ? hasHeader : fields == columns?.count && text.utf8.count <= headerBytes {
      let values = FeedLines.fields(of: text)
      if isFirst, values.allSatisfy({ !$0.isEmpty && Double($0) == nil }) {
        guard Set(values).count == values.count else {
          let twice = values.first { name in values.count { $0 == name } > 1 } ?? ""
          return .problem("line \(line) names the column '\(twice)' twice; name the columns with --columns", end: place)
        }
        columns = values
        headerBytes = text.utf8.count + 8
        return .nothing(end: place)
      }
      // Files that follow each other each have the header.
      if values == columns { return .nothing(end: place) }
    }
    if columns == nil { columns = (1...fields).map { "c\($0)" } }
    guard let columns, columns.count == fields else {
      let (first, last) = (self.columns?.first ?? "", self.columns?.last ?? "")
      let words = "line \(line) has \(fields) fields, not \(self.columns?.count ?? 0) ('\(first)' to '\(last)')"
      return .problem(words, end: place)
    }
    let quoted = Array(JSONValue.quote(text).utf8)
    guard quoted.count <= FeedLines.textBytes else { return .problem("line \(line) is too long as JSON", end: place) }
    return .row(Row(text: quoted, end: place))
  }

  /// The fields of a line of CSV, without spaces around and quotation marks.
  static func fields(of text: String) -> [String] {
    var fields: [String] = []
    var field: [UInt8] = []
    var (isQuoted, wasQuoted) = (false, false)
    func trimmed(_ bytes: [UInt8]) -> String {
      var slice = bytes[...]
      while let first = slice.first, first <= 0x20 { slice.removeFirst() }
      while let last = slice.last, last <= 0x20 { slice.removeLast() }
      return String(decoding: slice, as: UTF8.self)
    }
    for byte in text.utf8 {
      switch byte {
      case 0x22 where isQuoted: (isQuoted, wasQuoted) = (false, true)
      case 0x22 where wasQuoted || field.isEmpty:
        if wasQuoted { field.append(byte) }
        (isQuoted, wasQuoted) = (true, false)
      case 0x2c where !isQuoted:
        fields.append(trimmed(field))
        (field, wasQuoted) = ([], false)
      default: field.append(byte)
      }
    }
    fields.append(trimmed(field))
    return fields
  }
}
