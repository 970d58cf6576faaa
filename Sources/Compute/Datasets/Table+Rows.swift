extension CSV.Table {
  /// Takes the fields of one record into features, label and group.
  mutating func row(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ record: Record) throws(DataError) {
    guard let columns else { return }
    guard record.fields.count == columns.uses.count else {
      let place =
        record.fields.count > columns.uses.count ? record.fields[columns.uses.count].start : record.fields.last?.end ?? start
      throw DataError(
        file, .text(line: line, column: place - start + 1),
        "this row has \(record.fields.count) fields, the first one had \(columns.uses.count)",
        advice: "check the delimiter and the quotes")
    }
    let before = features.count
    let missingBefore = missing
    for index in 0..<columns.uses.count where columns.uses[index] == .feature {
      let field = record.fields[index]
      switch unsafe Decimal.read(bytes, field.start, field.end) {
      case .number(let value):
        let float = Float(value)
        guard float.isFinite else { throw error(field, start, "this number is out of range", "a feature is a 32-bit number") }
        features.append(float)
      case .missing:
        guard options.missing != .refuse else {
          throw error(field, start, "a value is missing", "fill it in, or allow missing values")
        }
        missing += 1
        features.append(.nan)
      case .text:
        let shown = unsafe record.text(bytes, index).prefix(24)
        throw error(
          field, start, "'\(shown)' is not a number", "leave column '\(columns.names[index])' out, or name it as label or group")
      }
    }
    if missing > missingBefore, options.missing == .dropRow {
      features.removeLast(features.count - before)
      missing = missingBefore
      dropped += 1
      return
    }
    if let label = columns.label { try unsafe takeLabel(bytes, start, record, label) }
    if let group = columns.group { unsafe groups.append(record.text(bytes, group)) }
    rows += 1
  }

  private mutating func takeLabel(
    _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ record: Record, _ label: Int
  ) throws(DataError) {
    let field = record.fields[label]
    switch unsafe Decimal.read(bytes, field.start, field.end) {
    case .missing:
      // A class may well be called "none" or "NA" …, but an empty label is a mistake.
      let text = unsafe record.text(bytes, label)
      guard !text.isEmpty && text != "?" else { throw error(field, start, "the label is missing", "fill it in, or drop the row") }
      labels.append(text)
    case .number(let value):
      // 1, 1.0 and 1.000e+00 are one class.
      if value == value.rounded(), abs(value) < 1e15 { labels.append(String(Int(value))) } else { labels.append("\(value)") }
    case .text: unsafe labels.append(record.text(bytes, label))
    }
    guard labels.texts.count <= options.maximumClasses else {
      throw error(
        field, start, "column '\(columns?.names[label] ?? "")' has more than \(grouped(options.maximumClasses)) different values",
        "it does not look like a label; name the label column")
    }
  }

  private func error(_ field: Record.Field, _ start: Int, _ problem: String, _ advice: String) -> DataError {
    DataError(file, .text(line: line, column: field.start - start + 1), problem, advice: advice)
  }
}
