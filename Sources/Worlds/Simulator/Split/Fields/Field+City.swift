import MurmurCompute
public import MurmurDatasets
import MurmurSplit

extension Field {
  /// A week of a city's traffic: every sensor's speed 15 minutes ahead, five days to learn from, one to choose on, one to report.
  public struct City: Sendable, Hashable {
    /// Neighbours a sensor is wired to at least, those nearest by the road.
    public var degree = 6
    /// Sensors that estimate a sensor when it is dead, the nearest ones.
    public var backups = 4
    /// Readings of five minutes in a day.
    static let day = 288
    /// Readings ahead: 15 minutes.
    static let ahead = 3
    /// How old the readings are that a sensor looks at.
    static let lags = [0, 1, 2, 3, 5, 8, 11]

    /// The defaults.
    public init() {}
  }

  /// The city's field.
  ///
  /// - Throws: ``DataError`` if readings and nearness are not of the same sensors, or do not cover seven days.
  public static func city(
    _ readings: StationReadings, _ near: StationNearness, _ choice: City = City()
  ) throws(DataError) -> Field {
    let stations = readings.stations.count
    guard stations == near.stations, stations > 1 else {
      throw DataError("", "readings of \(stations) sensors, and nearness of \(near.stations)")
    }
    guard readings.times == 7 * City.day else {
      throw DataError("", "\(readings.times) readings per sensor; seven days of five minutes are \(7 * City.day)")
    }
    let (first, day, ahead) = (City.lags[City.lags.count - 1], City.day, City.ahead)
    // What is asked at the end of a part lies in the next one: those moments are in neither.
    let starts = [first, 5 * day, 6 * day, 7 * day]
    var times: [Int] = []
    var parts: [Range<Int>] = []
    for part in 0..<3 {
      parts.append(times.count..<times.count + starts[part + 1] - ahead - starts[part])
      times += Array(starts[part]..<starts[part + 1] - ahead)
    }
    var (truth, reading, usual) = ([Float](), [Float](), [Float]())
    let series = (0..<stations).map { readings.series($0, 0) }
    let habits = series.map { City.usual($0) }
    for time in times {
      for station in 0..<stations {
        truth.append(series[station][time + ahead])
        reading.append(series[station][time])
        usual.append(habits[station].usual[(time + ahead) % day])
      }
    }
    let features = (0..<stations).map { City.features(series[$0], times, habits[$0]) }
    let (graph, lists) = wiring(near, degree: choice.degree, backups: choice.backups, withSelf: true)
    return Field(
      name: "city", unit: "miles an hour", stations: stations, moments: times.count, features: features, truth: truth,
      reading: reading, usual: usual, scale: habits.map(\.deviation), training: parts[0], validation: parts[1], test: parts[2],
      graph: graph, estimates: lists, isForecast: true)
  }

  /// Who is wired to whom, and who estimates whom: for each station its nearest.
  static func wiring(
    _ near: StationNearness, degree: Int, backups: Int, withSelf: Bool
  ) -> (graph: DeviceGraph, estimates: [[Int]]) {
    var links: [DeviceGraph.Link] = []
    var lists = (0..<near.stations).map { withSelf ? [$0] : [] }
    for station in 0..<near.stations {
      let nearest = near.nearest(station, count: max(degree, backups))
      for other in nearest.prefix(degree) { links.append(.init(station, other)) }
      for other in nearest.prefix(backups) { lists[other].append(station) }
    }
    return (DeviceGraph(devices: near.stations, links: links), lists)
  }
}

extension Field.City {
  struct Habit {
    var mean: Float
    var deviation: Float
    /// The usual of a working day, by the time of day.
    var usual: [Float]
  }

  /// The mean, the deviation, and the mean by the time of day over the working days of the first five days, with half an hour's
  /// readings around it. The week begins on a Thursday.
  static func usual(_ series: [Float]) -> Habit {
    let training = series.prefix(5 * day).filter { !$0.isNaN }.map(Double.init)
    let mean = training.reduce(0, +) / Double(max(1, training.count))
    let squares = training.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(max(1, training.count))).squareRoot()
    let usual = (0..<day).map { time in
      var (sum, count) = (0.0, 0.0)
      for working in [0, 1, 4] {
        for offset in -3...3 {
          let value = series[working * day + (time + offset + day) % day]
          guard !value.isNaN else { continue }
          sum += Double(value)
          count += 1
        }
      }
      return Float(count > 0 ? sum / count : mean)
    }
    return Habit(mean: Float(mean), deviation: Float(max(deviation, 1)), usual: usual)
  }

  /// What a sensor sees: its last readings, what is usual now and in 15 minutes, and the time of day.
  static func features(_ series: [Float], _ times: [Int], _ habit: Habit) -> Matrix {
    var values: [Float] = []
    func standard(_ value: Float) -> Float { (value - habit.mean) / habit.deviation }
    for time in times {
      for lag in lags {
        let value = series[time - lag]
        values.append(value.isNaN ? 0 : standard(value))
      }
      values.append(standard(habit.usual[time % day]))
      values.append(standard(habit.usual[(time + ahead) % day]))
      let hour = Float(time % day) / Float(day) * 4
      for tent in 0..<4 {
        let distance = abs(hour - Float(tent))
        values.append(max(0, 1 - min(distance, 4 - distance)))
      }
    }
    return Matrix(rows: times.count, columns: lags.count + 6, values)
  }
}
