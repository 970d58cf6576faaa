import MurmurSplit

/// Guesses that need no learning.
public enum FieldBaseline: String, Sendable, Hashable, CaseIterable {
  /// What a station says now, if it lives; what it said last, if it is dead.
  case last = "last value"
  /// What a station says now, if it lives; what is usual for it, if it is dead.
  case lastOrUsual = "last value, usual where dead"
  /// What is usual for the station at that time.
  case usual = "the usual"
  /// What a station says now, if it lives; if it is dead, what is usual for it, moved by how far its living neighbours are from their usual
  /// on average, in deviations.
  case neighbours = "neighbours' departure from the usual"
  /// What a station says now, if it lives; if it is dead, what it said last, moved by how far its living neighbours have changed since, on
  /// average, in deviations.
  case change = "last value and its neighbours' change since"

  /// What it says over `moments` when `dead` have died just before the first of them.
  public func beliefs(_ field: Field, _ moments: Range<Int>, dead: [Int]) -> Beliefs {
    var beliefs = Beliefs(moments, stations: field.stations)
    let isDead = field.mask(dead)
    let known = (0..<field.stations).map { field.lastKnown($0, before: moments.lowerBound) }
    let last = known.map { $0?.value }
    let near = field.graph.neighbours
    for (place, moment) in moments.enumerated() {
      for station in 0..<field.stations where field.isAsked(station, isDead: isDead) {
        let index = moment * field.stations + station
        let value: Float
        switch self {
        case .last: value = isDead[station] ? last[station] ?? field.usual[index] : field.reading[index]
        case .lastOrUsual: value = isDead[station] ? field.usual[index] : field.reading[index]
        case .usual: value = field.usual[index]
        case .neighbours:
          value = isDead[station] ? field.moved(station, moment, near[station].filter { !isDead[$0] }) : field.reading[index]
        case .change:
          if isDead[station], let known = known[station] {
            let since = moments.lowerBound - known.age
            value = field.followed(station, known.value, since, moment, near[station].filter { !isDead[$0] })
          } else {
            value = isDead[station] ? field.usual[index] : field.reading[index]
          }
        }
        beliefs.guesses[place * field.stations + station] = value
      }
    }
    return beliefs
  }
}

extension Field {
  /// What is usual for a station, moved as others are.
  fileprivate func moved(_ station: Int, _ moment: Int, _ others: [Int]) -> Float {
    var (sum, count): (Float, Float) = (0, 0)
    for other in others {
      let place = moment * stations + other
      let departure = (reading[place] - usual[place]) / scale[other]
      guard !departure.isNaN else { continue }
      sum += departure
      count += 1
    }
    return usual[moment * stations + station] + (count > 0 ? sum / count : 0) * scale[station]
  }

  /// What a station said at a moment, moved as others have since.
  fileprivate func followed(_ station: Int, _ value: Float, _ since: Int, _ moment: Int, _ others: [Int]) -> Float {
    var (sum, count): (Float, Float) = (0, 0)
    for other in others {
      let then = lastKnown(other, before: since + 1)?.value ?? .nan
      let change = (reading[moment * stations + other] - then) / scale[other]
      guard !change.isNaN else { continue }
      sum += change
      count += 1
    }
    return value + (count > 0 ? sum / count : 0) * scale[station]
  }
}
