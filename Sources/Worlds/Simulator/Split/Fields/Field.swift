public import MurmurCompute
public import MurmurMachines
public import MurmurSplit

/// A field of sensors as a task for a split network: what each device sees, what is to be known of every station, and when.
///
/// A *moment* is a row: all stations at one time. Moments are in the order of time and split in that order: training, then
/// validation, then test. Everything that is worked out of data (means, deviations, the usual) is worked out of training moments.
public struct Field: Sendable {
  /// Its name.
  public let name: String
  /// What errors are in.
  public let unit: String
  /// The number of stations; each is a device.
  public let stations: Int
  /// The number of moments.
  public let moments: Int
  /// What each device sees: a row per moment.
  public let features: [Matrix]
  /// What is to be known, `[moment][station]`; NaN where nobody knows.
  let truth: [Float]
  /// What the station last said at that moment, `[moment][station]`; NaN where it said nothing.
  let reading: [Float]
  /// What is usual for the station at that time, `[moment][station]`: the best guess without any reading.
  let usual: [Float]
  /// The spread of each station's readings: what targets are divided by.
  let scale: [Float]
  /// The moments learnt from.
  public let training: Range<Int>
  /// The moments choices are made on.
  public let validation: Range<Int>
  /// The moments errors are reported of.
  public let test: Range<Int>
  /// Who is wired to whom.
  public let graph: DeviceGraph
  /// The stations that each device gives estimates of, itself first where it does so for itself.
  public let estimates: [[Int]]
  /// Whether a living station is asked about itself, as about its own future. Otherwise only what dead stations would say is asked.
  public let isForecast: Bool

  /// How wide answers are: the most stations that one device gives estimates of.
  public var width: Int { max(1, estimates.map(\.count).max() ?? 1) }

  /// What device `device` is to learn, a row per moment: by how much its own station will change, in deviations of such changes, and how
  /// far the others are from the usual, in deviations of readings. NaN where nobody knows.
  func targets(of device: Int) -> Matrix {
    let (width, list) = (width, estimates[device])
    var values = [Float](repeating: .nan, count: moments * width)
    for moment in 0..<moments {
      for (column, station) in list.enumerated() {
        values[moment * width + column] = target(moment, of: station, isOwn: station == device)
      }
    }
    return Matrix(rows: moments, columns: width, values)
  }

  /// One target.
  func target(_ moment: Int, of station: Int, isOwn: Bool) -> Float {
    let place = moment * stations + station
    return (truth[place] - (isOwn ? reading[place] : usual[place])) / scale[station]
  }

  /// What an answer says of a station.
  func value(_ answer: Float, _ moment: Int, of station: Int, isOwn: Bool) -> Float {
    let place = moment * stations + station
    return (isOwn ? reading[place] : usual[place]) + answer * scale[station]
  }

  /// The rows of every device.
  func rows() -> [SplitRows] {
    (0..<stations).map { SplitRows(features: features[$0], targets: targets(of: $0), training: training.count) }
  }

  /// What a station last said before a moment, and how many moments before it was.
  func lastKnown(_ station: Int, before moment: Int) -> (value: Float, age: Int)? {
    for earlier in stride(from: moment - 1, through: 0, by: -1) where !reading[earlier * stations + station].isNaN {
      return (reading[earlier * stations + station], moment - earlier)
    }
    return nil
  }

  /// Whether a station is asked about when these are dead.
  func isAsked(_ station: Int, isDead: [Bool]) -> Bool { isForecast || isDead[station] }
}

/// Which stations are dead together, so that with every share each station is among the dead at least once.
public struct Deaths: Sendable, Hashable {
  /// The share of stations that are dead.
  public let share: Double
  /// Sets of dead stations.
  public let sets: [[Int]]

  /// Deaths of that share. With a share of zero nobody is dead in a forecast; otherwise each station alone, in turn, as there would be
  /// nothing to estimate. Orders of the stations are drawn and cut into sets of the share's size until there are `count` sets.
  public init(_ share: Double, in field: Field, atLeast count: Int, chance: inout Chance) {
    self.share = share
    let size = min(field.stations, max(field.isForecast ? 0 : 1, Int((share * Double(field.stations)).rounded())))
    guard size > 0 else {
      sets = [[]]
      return
    }
    var sets: [[Int]] = []
    repeat {
      var order = Array(0..<field.stations)
      chance.shuffle(&order)
      for start in stride(from: 0, to: field.stations, by: size) {
        sets.append((start..<start + size).map { order[$0 % field.stations] }.sorted())
      }
    } while sets.count < count
    self.sets = sets
  }
}

/// What somebody believes of every station over some moments.
public struct Beliefs: Sendable {
  /// The moments.
  public let moments: Range<Int>
  /// `[moment][station]`, NaN where nothing is believed.
  var guesses: [Float]
  /// How many times nobody was left to ask and the usual stood in.
  public var unanswered = 0

  /// Whether both believe the same, to the last bit.
  public func isSame(as other: Beliefs) -> Bool {
    moments == other.moments && guesses.map(\.bitPattern) == other.guesses.map(\.bitPattern) && unanswered == other.unanswered
  }

  init(_ moments: Range<Int>, stations: Int) {
    self.moments = moments
    guesses = Array(repeating: .nan, count: moments.count * stations)
  }
}

/// Errors of beliefs, added up.
public struct FieldErrors: Sendable, Hashable {
  /// How many were counted.
  public private(set) var count = 0
  private var absolute = 0.0
  private var squares = 0.0

  /// Nothing yet.
  public init() {}

  /// The mean absolute error.
  public var mean: Double { count > 0 ? absolute / Double(count) : .nan }
  /// The root of the mean squared error.
  public var root: Double { count > 0 ? (squares / Double(count)).squareRoot() : .nan }

  mutating func add(_ difference: Double) {
    count += 1
    absolute += abs(difference)
    squares += difference * difference
  }

  static func + (left: FieldErrors, right: FieldErrors) -> FieldErrors {
    var sum = left
    sum.count += right.count
    sum.absolute += right.absolute
    sum.squares += right.squares
    return sum
  }
}

/// Errors at stations that live and at those that are dead.
public struct FieldScore: Sendable, Hashable {
  /// At those that live.
  public var live = FieldErrors()
  /// At those that are dead.
  public var dead = FieldErrors()
  /// At those that are dead, by how many moments they have been.
  public var byAge: [FieldErrors] = []
  /// Dead stations' moments for which nobody was left to ask.
  public var unanswered = 0

  /// Nothing yet.
  public init() {}

  /// At all that are asked about.
  public var all: FieldErrors { live + dead }

  /// Adds the errors of beliefs about stations of which some are dead.
  public mutating func add(_ beliefs: Beliefs, _ field: Field, isDead: [Bool]) {
    if byAge.isEmpty { byAge = Array(repeating: FieldErrors(), count: beliefs.moments.count) }
    for (place, moment) in beliefs.moments.enumerated() {
      for station in 0..<field.stations where field.isAsked(station, isDead: isDead) {
        let truth = field.truth[moment * field.stations + station]
        let belief = beliefs.guesses[place * field.stations + station]
        // A living station that says nothing at the moment cannot be compared with its own reading.
        guard !truth.isNaN, !belief.isNaN else { continue }
        let difference = Double(belief) - Double(truth)
        if isDead[station] {
          dead.add(difference)
          byAge[place].add(difference)
        } else {
          live.add(difference)
        }
      }
    }
    unanswered += beliefs.unanswered
  }
}
