import MurmurCompute

extension CSV {
  /// A table that is read piece by piece, so that a file larger than memory can be cut to its first rows.
  public struct Table: Sendable {
    let file: String
    let options: Options
    /// What was fed and not yet read: the beginning of a record.
    var rest: [UInt8] = []
    var line = 1
    var delimiter: UInt8 = 0x2c
    var columns: Columns?
    var features: [Float] = []
    var labels = Names()
    var groups = Names()
    var missing = 0
    var dropped = 0
    var rows = 0

    /// The longest record in bytes; a quote that never closes would otherwise swallow the file.
    static let longestRecord = 1 << 24

    /// An empty table; `file` names it in errors.
    public init(file: String, options: Options = Options()) {
      self.file = file
      self.options = options
    }

    /// Whether the row limit is reached and further bytes would be ignored.
    public var isFull: Bool { options.rowLimit.map { rows >= $0 } ?? false }

    /// Reads the next bytes of the file.
    public mutating func feed(_ bytes: [UInt8]) throws(DataError) {
      var failure: DataError?
      unsafe bytes.withUnsafeBufferPointer { source in
        do throws(DataError) { try unsafe feed(source) } catch { failure = error }
      }
      if let failure { throw failure }
    }

    /// Reads the next bytes of the file.
    public mutating func feed(_ bytes: UnsafeBufferPointer<UInt8>) throws(DataError) {
      guard !isFull, bytes.count > 0 else { return }
      if rest.isEmpty {
        let used = try unsafe records(bytes, atEnd: false)
        rest = unsafe Array(bytes[used...])
      } else {
        unsafe rest.append(contentsOf: bytes)
        try drainRest(atEnd: false)
      }
      guard rest.count <= Table.longestRecord else {
        throw DataError(
          file, .text(line: line, column: 1), "this record is longer than \(grouped(Table.longestRecord)) bytes",
          advice: "check for a quote that is never closed")
      }
    }

    mutating func drainRest(atEnd: Bool) throws(DataError) {
      let held = rest
      rest = []
      var failure: DataError?
      var used = 0
      unsafe held.withUnsafeBufferPointer { source in
        do throws(DataError) { used = try unsafe records(source, atEnd: atEnd) } catch { failure = error }
      }
      if let failure { throw failure }
      rest = used == 0 ? held : Array(held[used...])
    }

    /// Reads whole records of `bytes` and returns how far it came.
    private mutating func records(_ bytes: UnsafeBufferPointer<UInt8>, atEnd: Bool) throws(DataError) -> Int {
      var start = 0
      if line == 1, columns == nil {
        if bytes.count < 3 && !atEnd { return 0 }
        if unsafe bytes.count >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb && bytes[2] == 0xbf { start = 3 }
      }
      var cursor = Record()
      while start < bytes.count, !isFull {
        if columns == nil {
          guard let first = try unsafe opening(bytes, start, atEnd: atEnd) else { return start }
          start = first
          continue
        }
        guard let next = unsafe cursor.scan(bytes, from: start, delimiter: delimiter, atEnd: atEnd) else { break }
        if let column = cursor.brokenQuote {
          throw DataError(
            file, .text(line: line, column: column + 1), "the quotes in this field do not match",
            advice: "write a quote inside quotes as two quotes")
        }
        if !cursor.isBlank { try unsafe row(bytes, start, cursor) }
        line += cursor.lines
        start = next
      }
      return isFull ? bytes.count : start
    }

    /// Reads the first record that is not blank: it decides on delimiter, header and columns. `nil` if it is not whole yet.
    private mutating func opening(
      _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, atEnd: Bool
    ) throws(DataError) -> Int? {
      delimiter = unsafe options.delimiter ?? Record.likelyDelimiter(bytes, from: start)
      var cursor = Record()
      guard let next = unsafe cursor.scan(bytes, from: start, delimiter: delimiter, atEnd: atEnd) else { return nil }
      if let column = cursor.brokenQuote {
        throw DataError(file, .text(line: line, column: column + 1), "the quotes in this field do not match")
      }
      if cursor.isBlank {
        line += cursor.lines
        return next
      }
      let header = unsafe options.header ?? cursor.looksLikeHeader(bytes)
      let names = unsafe header ? cursor.texts(bytes) : cursor.fields.indices.map { "f\($0)" }
      columns = try Columns(names: names, hasHeader: header, options: options, file: file, line: line)
      guard header else { return start }
      line += cursor.lines
      return next
    }

    /// Ends the table.
    ///
    /// - Throws: ``DataError`` if the last record is malformed or there are no rows.
    public mutating func finish() throws(DataError) -> Dataset {
      if !isFull && !rest.isEmpty { try drainRest(atEnd: true) }
      rest = []
      guard let columns, rows > 0 else {
        throw DataError(file, .text(line: line, column: 1), "there are no rows", advice: "check that it is the file you mean")
      }
      let width = columns.featureCount
      let samples: Samples
      var classNames: [String] = []
      if columns.label != nil {
        let (order, names) = labels.sorted()
        classNames = names
        samples = Samples(features: features, width: width, labels: order, classes: names.count)
      } else {
        samples = Samples(features: features, width: width)
      }
      let sortedGroups = columns.group == nil ? nil : groups.sorted()
      return Dataset(
        name: file, samples: samples, featureNames: columns.featureNames, classNames: classNames,
        groups: sortedGroups?.indices, groupNames: sortedGroups?.names ?? [], missing: missing)
    }
  }
}
