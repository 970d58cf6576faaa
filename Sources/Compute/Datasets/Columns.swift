/// What each column of a table is for.
struct Columns: Sendable {
  enum Use: Sendable { case feature, label, group, skipped }

  let names: [String]
  var uses: [Use]
  let label: Int?
  let group: Int?

  var featureCount: Int { uses.reduce(0) { $0 + ($1 == .feature ? 1 : 0) } }
  var featureNames: [String] { names.indices.filter { uses[$0] == .feature }.map { names[$0] } }

  init(names: [String], hasHeader: Bool, options: CSV.Options, file: String, line: Int) throws(DataError) {
    let here = DataError.Place.text(line: line, column: 1)
    self.names = names
    uses = Array(repeating: .feature, count: names.count)
    switch options.label {
    case .guessed: label = hasHeader ? Columns.guess(names) : names.count - 1
    case .named(let name): label = try Columns.find(name, in: names, for: "label", file, here)
    case .none: label = nil
    }
    group = try options.group.map { (name) throws(DataError) in try Columns.find(name, in: names, for: "group", file, here) }
    for name in options.skip { uses[try Columns.find(name, in: names, for: "left-out", file, here)] = .skipped }
    if let group { uses[group] = .group }
    if let label {
      guard label != group else {
        throw DataError(file, here, "column '\(names[label])' cannot be label and group at once", advice: "name two columns")
      }
      uses[label] = .label
    }
    guard uses.contains(where: { $0 == .feature }) else {
      throw DataError(
        file, here, "there is no column left for features: \(names.count) in all",
        advice: "check the delimiter (comma, semicolon or tab) and the label column")
    }
  }

  /// The column whose name says that it is the label, or the last.
  private static func guess(_ names: [String]) -> Int {
    let plain = names.map(plain)
    for candidate in ["label", "class", "target", "y"] {
      if let index = plain.firstIndex(of: candidate) { return index }
    }
    return names.count - 1
  }

  /// Lower case, without a leading `#` and spaces around.
  private static func plain(_ name: String) -> String {
    name.lowercased().drop { $0 == "#" || $0 == " " }.description
  }

  private static func find(
    _ name: String, in names: [String], for use: String, _ file: String, _ here: DataError.Place
  ) throws(DataError) -> Int {
    if let index = names.firstIndex(of: name) ?? names.firstIndex(where: { plain($0) == plain(name) }) { return index }
    if let index = Int(name), index < names.count, index >= -names.count { return index < 0 ? names.count + index : index }
    let shown = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
    throw DataError(
      file, here, "there is no column '\(name)' for the \(use) column",
      advice: "the \(names.count) columns are \(shown); an index from 0, or from −1 at the end, works too")
  }
}

/// Values of a column that are names: each gets a number at its first appearance, and its place in sorted order at the end.
struct Names: Sendable {
  private var numbers: [String: Int32] = [:]
  private(set) var texts: [String] = []
  private(set) var rows: [Int32] = []

  /// Appends a row's value.
  mutating func append(_ text: String) {
    if let number = numbers[text] {
      rows.append(number)
    } else {
      numbers[text] = Int32(texts.count)
      rows.append(Int32(texts.count))
      texts.append(text)
    }
  }

  /// Appends a row whose value has that number.
  mutating func append(number: Int32) { rows.append(number) }

  /// The number of rows' indices in sorted order, and the names in that order: numbers by value, before texts.
  func sorted() -> (indices: [Int32], names: [String]) {
    let order = texts.indices.sorted { left, right in
      switch (Double(texts[left]), Double(texts[right])) {
      case (let a?, let b?): (a, texts[left]) < (b, texts[right])
      case (nil, nil): texts[left] < texts[right]
      case (_, nil): true
      case (nil, _): false
      }
    }
    var places = [Int32](repeating: 0, count: texts.count)
    for (place, index) in order.enumerated() { places[index] = Int32(place) }
    return (rows.map { places[Int($0)] }, order.map { texts[$0] })
  }
}
