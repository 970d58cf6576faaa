import MurmurCompute
import MurmurMachines

/// What the world around a device knows better than the device: who is gone, which rows there are, how often it lived before.
extension SplitDevice {
  /// The connection to a neighbour is gone: nobody waits for it until it is heard again.
  mutating func depart(_ device: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let place = place(of: device) else { return }
    if company.miss(place, patience: 0) { effects.append(.announce(.suspected(device))) }
    for moment in flights.map(\.moment) {
      guard let index = flights.firstIndex(where: { $0.moment == moment }), flights[index].waiting != nil else { continue }
      advance(index, at: now, &effects)
    }
    // Questions that wait for its answer alone are over.
    for moment in questions.map(\.query.moment) { endWithoutTheGone(moment, &effects) }
  }

  /// The number of the latest question this device asked.
  public var questionsAsked: Int { asked }

  /// The next question has the number after this one: a device that lived before must not repeat numbers that others remember.
  public mutating func numberQuestions(after number: Int) { asked = max(asked, number) }

  /// What the device knows a row to be, by class.
  public func label(of row: Int32) -> Int? {
    guard row >= 0, Int(row) < rows.labels.count, rows.labels[Int(row)] >= 0 else { return nil }
    return Int(rows.labels[Int(row)])
  }

  /// The number of rows of its table.
  public var rowCount: Int { rows.features.rows }

  /// Other contents of the same table, as the window of a live stream moves on. A row whose label is negative is not learnt from.
  public mutating func replace(_ rows: SplitRows) {
    precondition(rows.features.columns == plan.features[id], "device \(id) has other features")
    precondition(
      rows.features.rows == self.rows.features.rows && rows.training == self.rows.training, "a table of another size")
    self.rows = rows
  }
}
