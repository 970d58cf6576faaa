import MurmurCompute

/// What stations that stay where they are read at regular times: `[time][station][variable]`, NaN where there is no reading.
public struct StationReadings: Hashable, Sendable {
  /// One name per station.
  public let stations: [String]
  /// One name per variable.
  public let variables: [String]
  /// How many times there are.
  public let times: Int
  /// The names of the times, where the file has them.
  public let timeNames: [String]
  private let values: [Float]

  /// How many stations there may be.
  public static let mostStations = 10_000
  /// How many readings there may be, missing ones included.
  public static let mostReadings = 1 << 27

  /// Readings in the order `[time][station][variable]`.
  public init(stations: [String], variables: [String], timeNames: [String] = [], times: Int, values: [Float]) {
    precondition(values.count == times * stations.count * variables.count, "\(values.count) readings")
    self.stations = stations
    self.variables = variables
    self.timeNames = timeNames
    self.times = times
    self.values = values
  }

  /// One reading; NaN if there is none.
  public subscript(time: Int, station: Int, variable: Int) -> Float {
    values[(time * stations.count + station) * variables.count + variable]
  }

  /// All readings of one variable at one station over time.
  public func series(_ station: Int, _ variable: Int) -> [Float] { (0..<times).map { self[$0, station, variable] } }

  /// Reads a table with a column per station, whose names are in the first line, and a row per time.
  ///
  /// - Throws: ``DataError`` if the table is malformed or too large.
  public static func wide(bytes: [UInt8], file: String) throws(DataError) -> StationReadings {
    var options = CSV.Options()
    options.header = true
    options.label = .none
    let table = try CSV.parse(bytes: bytes, file: file, options: options)
    try check(file, stations: table.samples.width, readings: table.samples.count * table.samples.width)
    return StationReadings(
      stations: table.featureNames, variables: ["reading"], times: table.samples.count, values: table.features)
  }

  /// Reads a table with a row per station and time: the columns `station` and `time` say which, all others are variables. Times are put
  /// in the order of their names (as with `2011-01-02`), and what is not in the file is missing.
  ///
  /// - Throws: ``DataError`` if the table is malformed or too large, or if a station has two rows of one time.
  public static func long(bytes: [UInt8], file: String, station: String, time: String) throws(DataError) -> StationReadings {
    var options = CSV.Options()
    options.header = true
    options.group = station
    options.label = .named(time)
    options.maximumClasses = 100_000
    let table = try CSV.parse(bytes: bytes, file: file, options: options)
    guard let groups = table.groups else { throw DataError(file, "there is no column \(station)") }
    let (stations, times, width) = (table.groupNames.count, table.classNames.count, table.samples.width)
    // Neither factor is more than the file has rows; the product may be.
    try check(file, stations: stations, readings: stations * times * width)
    var values = [Float](repeating: .nan, count: stations * times * width)
    var isKnown = [Bool](repeating: false, count: stations * times)
    let features = table.features
    for row in 0..<table.samples.count {
      let place = Int(table.samples.labels[row]) * stations + Int(groups[row])
      guard !isKnown[place] else {
        throw DataError(
          file, "\(table.groupNames[Int(groups[row])]) has two rows of \(table.classNames[Int(table.samples.labels[row])])",
          advice: "keep one of them")
      }
      isKnown[place] = true
      for column in 0..<width { values[place * width + column] = features[row * width + column] }
    }
    return StationReadings(
      stations: table.groupNames, variables: table.featureNames, timeNames: table.classNames, times: times, values: values)
  }

  private static func check(_ file: String, stations: Int, readings: Int) throws(DataError) {
    guard stations <= mostStations, readings <= mostReadings else {
      throw DataError(
        file, "\(grouped(stations)) stations with \(grouped(readings)) readings are more than can be taken in",
        advice: "at most \(grouped(mostStations)) and \(grouped(mostReadings))")
    }
  }
}

/// How near stations are to each other: 0 for those that have nothing to do with each other, more for nearer ones.
public struct StationNearness: Hashable, Sendable {
  /// How many stations.
  public let stations: Int
  private let weights: [Float]

  /// Nearness in the order `[station][station]`; of the two directions the greater counts, and to itself nothing is near.
  public init(stations: Int, weights: [Float]) {
    precondition(weights.count == stations * stations, "\(weights.count) weights for \(stations) stations")
    self.stations = stations
    var weights = weights
    for a in 0..<stations {
      weights[a * stations + a] = 0
      for b in 0..<a {
        let most = max(weights[a * stations + b], weights[b * stations + a])
        (weights[a * stations + b], weights[b * stations + a]) = (most, most)
      }
    }
    self.weights = weights
  }

  /// How near two stations are.
  public subscript(a: Int, b: Int) -> Float { weights[a * stations + b] }

  /// The stations that are near to one, the nearest first, `count` at most.
  public func nearest(_ station: Int, count: Int) -> [Int] {
    let near = (0..<stations).filter { self[station, $0] > 0 }
    return Array(near.sorted { (self[station, $1], $0) < (self[station, $0], $1) }.prefix(count))
  }

  /// Reads a square table of weights, a row and a column per station, without a header.
  ///
  /// - Throws: ``DataError`` if it is no square of finite weights from zero up.
  public static func matrix(bytes: [UInt8], file: String) throws(DataError) -> StationNearness {
    var options = CSV.Options()
    options.header = false
    options.label = .none
    options.missing = .refuse
    let table = try CSV.parse(bytes: bytes, file: file, options: options)
    let width = table.samples.width
    guard width == table.samples.count, width <= StationReadings.mostStations else {
      throw DataError(
        file, "\(grouped(table.samples.count)) rows of \(grouped(width)) weights are no square",
        advice: "give every station a row and a column")
    }
    let weights = table.features
    if let place = weights.firstIndex(where: { !$0.isFinite || $0 < 0 }) {
      throw DataError(
        file, .text(line: place / width + 1, column: 1), "a weight is negative or not finite",
        advice: "weights are zero for stations without a link and greater for nearer ones")
    }
    return StationNearness(stations: width, weights: weights)
  }

  /// Reads a table of places, one row per station with two coordinates; nearness is one by the distance. Stations are in the order of
  /// their names, as in ``StationReadings/long(bytes:file:station:time:)``.
  ///
  /// - Throws: ``DataError`` if coordinates are missing or stations are not those of `names`.
  public static func places(bytes: [UInt8], file: String, station: String, names: [String]) throws(DataError) -> StationNearness {
    var options = CSV.Options()
    options.header = true
    options.group = station
    options.label = .none
    options.missing = .refuse
    let table = try CSV.parse(bytes: bytes, file: file, options: options)
    guard table.samples.width == 2, let groups = table.groups else {
      throw DataError(file, "a place has two coordinates, not \(table.samples.width)")
    }
    guard table.samples.count == table.groupNames.count, table.groupNames == names else {
      throw DataError(file, "these are not the places of the \(names.count) stations that have readings, one row each")
    }
    let count = names.count
    let flat = table.features
    var places = [(x: Double, y: Double)](repeating: (0, 0), count: count)
    for row in 0..<count { places[Int(groups[row])] = (Double(flat[row * 2]), Double(flat[row * 2 + 1])) }
    var weights = [Float](repeating: 0, count: count * count)
    for a in 0..<count {
      for b in 0..<count where a != b {
        let (x, y) = (places[a].x - places[b].x, places[a].y - places[b].y)
        let distance = (x * x + y * y).squareRoot()
        guard distance.isFinite else { throw DataError(file, "\(names[a]) and \(names[b]) have no distance") }
        weights[a * count + b] = distance > 0 ? Float(1 / distance) : .greatestFiniteMagnitude
      }
    }
    return StationNearness(stations: count, weights: weights)
  }
}

extension Dataset {
  /// All features, row after row.
  fileprivate var features: [Float] { unsafe samples.withUnsafeFeatures { unsafe Array($0) } }
}
