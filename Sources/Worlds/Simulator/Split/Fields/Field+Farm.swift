import MurmurCompute
public import MurmurDatasets
import MurmurSplit

extension Field {
  /// Two years of a farm's soil: the water at one depth of a station, today, from the other stations.
  public struct Farm: Sendable, Hashable {
    /// Neighbours a station is wired to at least, the nearest ones.
    public var degree = 8
    /// Stations that estimate a station when it is dead, the nearest ones.
    public var backups = 5
    /// The depth whose water is asked for: 0 is 0.3 m, 4 is 1.5 m.
    public var depth = 0
    /// Whether a device sees temperatures too.
    public var seesTemperature = true
    /// What part of the days is learnt from, and from where on errors are reported.
    static let cuts = (0.6, 0.8)

    /// The defaults.
    public init() {}
  }

  /// The farm's field.
  ///
  /// - Throws: ``DataError`` if readings and places are not of the same stations, or there are too few days.
  public static func farm(
    _ readings: StationReadings, _ near: StationNearness, _ choice: Farm = Farm()
  ) throws(DataError) -> Field {
    let stations = readings.stations.count
    guard stations == near.stations, stations > 1 else {
      throw DataError("", "readings of \(stations) stations, and places of \(near.stations)")
    }
    guard readings.times >= 100, readings.variables.count == 15 else {
      throw DataError("", "\(readings.times) days of \(readings.variables.count) variables; a farm has 100 days at least, of 15")
    }
    let (first, second) = (Int(Double(readings.times) * Farm.cuts.0), Int(Double(readings.times) * Farm.cuts.1))
    var water: [Float] = []
    for time in 0..<readings.times {
      for station in 0..<stations { water.append(readings[time, station, choice.depth * 3] * 100) }
    }
    let series = (0..<stations).map { station in (0..<readings.times).map { water[$0 * stations + station] } }
    let habits = series.map { Farm.habit($0, training: first) }
    var usual: [Float] = []
    for _ in 0..<readings.times { usual += habits.map(\.mean) }
    let features = (0..<stations).map { Farm.features(readings, $0, choice, training: first) }
    let (graph, lists) = wiring(near, degree: choice.degree, backups: choice.backups, withSelf: false)
    return Field(
      name: "farm", unit: "percent of the soil's volume", stations: stations, moments: readings.times, features: features,
      truth: water, reading: water, usual: usual, scale: habits.map(\.deviation), training: 0..<first, validation: first..<second,
      test: second..<readings.times, graph: graph, estimates: lists, isForecast: false)
  }
}

extension Field.Farm {
  /// Mean and deviation of what is known of the first `training` values; 0 and 1 of nothing.
  static func habit(_ series: [Float], training: Int) -> (mean: Float, deviation: Float) {
    let known = series.prefix(training).filter { !$0.isNaN }.map(Double.init)
    guard !known.isEmpty else { return (0, 1) }
    let mean = known.reduce(0, +) / Double(known.count)
    let variance = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(known.count)
    return (Float(mean), Float(max(variance.squareRoot(), 1e-3)))
  }

  /// What a station sees: water at all depths, today or as last known, how it changed in a week, temperatures at the top and at the
  /// bottom; and a flag for each depth that says whether it was read today.
  static func features(_ readings: StationReadings, _ station: Int, _ choice: Field.Farm, training: Int) -> Matrix {
    let columns = [0, 3, 6, 9, 12] + (choice.seesTemperature ? [1, 13] : [])
    var parts: [[Float]] = []
    for variable in columns {
      let series = readings.series(station, variable)
      let habit = habit(series, training: training)
      var (filled, flags, last) = ([Float](), [Float](), Float(0))
      for value in series {
        if !value.isNaN { last = min(4, max(-4, (value - habit.mean) / habit.deviation)) }
        filled.append(last)
        flags.append(value.isNaN ? 0 : 1)
      }
      parts.append(filled)
      guard variable % 3 == 0 else { continue }
      parts.append(flags)
      parts.append(filled.indices.map { filled[$0] - filled[max(0, $0 - 7)] })
    }
    var values: [Float] = []
    for time in 0..<readings.times { for part in parts { values.append(part[time]) } }
    return Matrix(rows: readings.times, columns: parts.count, values)
  }
}
