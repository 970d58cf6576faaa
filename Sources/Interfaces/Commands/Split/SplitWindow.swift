import MurmurCompute
package import MurmurSplit

/// The latest moments of a live stream as a table of fixed size: moment m has row m modulo the number of rows.
///
/// A moment that did not come is a row of mean values without a label, from which nothing is learnt. The quarter of the rows ahead of the
/// newest moment is kept empty, so that devices whose streams are not quite in step never mix two laps of the window.
package struct SplitWindow {
  /// How many moments it holds, a quarter of them still to come.
  package let size: Int
  /// Values of a moment.
  package let width: Int
  private let classes: Int
  private var features: [Float]
  private var labels: [Int32]
  /// Each column's count, mean and sum of squared distances so far (Welford, 1962).
  private var moments: [(count: Double, mean: Double, squares: Double)]
  /// The newest moment; `nil` before any came.
  package private(set) var newest: Int?
  /// Moments that came when the window had moved on.
  package private(set) var tooLate = 0

  /// An empty window.
  package init(size: Int, width: Int, classes: Int) {
    self.size = size
    self.width = width
    self.classes = classes
    features = [Float](repeating: 0, count: size * width)
    labels = [Int32](repeating: -1, count: size)
    moments = Array(repeating: (0, 0, 0), count: width)
  }

  /// The row of a moment.
  package func row(of moment: Int) -> Int { moment % size }

  /// The table as it is now.
  package var rows: SplitRows {
    SplitRows(features: Matrix(rows: size, columns: width, features), labels: labels, training: size)
  }

  /// Takes a line `moment,values…[,class]`: a moment is a whole number that grows, an empty value is missing. Gives the moment.
  ///
  /// - Throws: ``Problem`` that says what is wrong with the line.
  package mutating func take(_ line: some StringProtocol) throws(Problem) -> Int {
    let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { field in
      String(field.drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "\r" }.reversed())
    }
    guard fields.count == width + 1 || fields.count == width + 2 else {
      throw Problem("\(fields.count) fields; there should be a moment, \(width) values and perhaps a class")
    }
    guard let moment = Int(fields[0]), moment >= 0, moment < 1 << 53 else {
      throw Problem("\"\(fields[0].prefix(40))\" is no moment; number the samples, alike on all devices")
    }
    var values: [Double?] = []
    for field in fields[1...width] {
      let value = Double(field)
      guard field.isEmpty || value?.isFinite == true, abs(value ?? 0) < 1e30 else {
        throw Problem("\"\(field.prefix(40))\" is no number")
      }
      values.append(value)
    }
    var label: Int32 = -1
    if fields.count == width + 2, !fields[width + 1].isEmpty {
      guard let number = Int32(fields[width + 1]), number >= 0, Int(number) < classes else {
        throw Problem("\"\(fields[width + 1].prefix(40))\" is no class; they are 0 to \(classes - 1)")
      }
      label = number
    }
    guard advance(to: moment) else {
      tooLate += 1
      return moment
    }
    put(values, label, at: row(of: moment))
    return moment
  }

  /// What is wrong with a line.
  package struct Problem: Error, CustomStringConvertible {
    /// One sentence.
    package let description: String
    init(_ description: String) { self.description = description }
  }

  /// Moves the window on; false if the moment is behind it.
  private mutating func advance(to moment: Int) -> Bool {
    let ahead = size / 4
    guard let last = newest else {
      newest = moment
      return true
    }
    guard moment > last else { return moment > last - (size - ahead) }
    let first = max(last + ahead + 1, moment + ahead - size + 1)
    for empty in first...max(first, moment + ahead) { clear(row(of: empty)) }
    newest = moment
    return true
  }

  private mutating func clear(_ row: Int) {
    for column in 0..<width { features[row * width + column] = 0 }
    labels[row] = -1
  }

  private mutating func put(_ values: [Double?], _ label: Int32, at row: Int) {
    for (column, value) in values.enumerated() {
      guard let value else {
        features[row * width + column] = 0
        continue
      }
      moments[column].count += 1
      let distance = value - moments[column].mean
      moments[column].mean += distance / moments[column].count
      moments[column].squares += distance * (value - moments[column].mean)
      let deviation = (moments[column].squares / moments[column].count).squareRoot()
      features[row * width + column] = deviation > 0 ? Float(max(-100, min(100, (value - moments[column].mean) / deviation))) : 0
    }
    labels[row] = label
  }
}
