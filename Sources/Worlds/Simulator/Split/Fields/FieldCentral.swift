import MurmurCompute
import MurmurMachines
import MurmurSplit

/// The control: one model that has all features in one place. A dead station's features are zero, and a flag per station says which live;
/// it is trained with the same deaths. Its answers are those of the split network: how much every living station will change, and how
/// far every dead one is from the usual, each learnt where it is asked for.
public struct CentralModel {
  /// The field.
  public let field: Field
  /// Its parameters.
  public var parameters: Int { unit.parameters.count }
  private var unit: ComputationalUnit
  var recipe: FieldRecipe
  private let seed: UInt64
  private let work = DenseWork()

  /// A model that has not learnt.
  public init(_ field: Field, _ recipe: FieldRecipe, seed: UInt64) {
    self.field = field
    self.recipe = recipe
    self.seed = seed
    let outputs = field.stations * (field.isForecast ? 2 : 1)
    let stage = SplitStage(
      .features, [DenseShape(recipe.central, .relu), DenseShape(recipe.central, .relu), DenseShape(outputs, .none)])
    unit = ComputationalUnit(
      inputs: field.features.reduce(field.stations) { $0 + $1.columns }, stage: stage,
      optimizer: .adamW(decay: recipe.centralDecay), chance: Chance(seed: seed).fork("central"))
  }

  /// Trains to the end, or until `isStopped` says so; whether it came to the end.
  public mutating func train(isStopped: () -> Bool = { false }) -> Bool {
    let schedule = Schedule(rows: field.training.count, batch: recipe.batch, seed: seed)
    let pace = RateSchedule.linear(from: recipe.rate, to: recipe.rate / 20)
    for step in 0..<recipe.centralSteps {
      if isStopped() { return false }
      let rows = schedule.rows(of: step)
      let masks = DrillMasks(
        Drill(devices: .upTo(recipe.drop)), devices: field.stations, rows: rows.count,
        chance: Chance(seed: seed).fork("drill", step))
      let alive = (0..<field.stations).map { masks.isAlive($0) }
      let x = input(rows, alive)
      let outputs = unit.forward(x, residual: nil, work: work)
      let answer = outputs[outputs.count - 1]
      let targets = targets(rows, alive).fillingGaps(from: answer)
      let loss = work.meanSquared(answer, targets, mask: .all, scale: 1 / Float(rows.count))
      let rate = pace.rate(step, of: recipe.centralSteps)
      _ = unit.learn(x, outputs, dy: weighed(loss.gradient, alive), rate: rate, wantsInput: false, work: work)
    }
    return true
  }

  /// What it believes over `moments`, when `dead` have died just before the first of them.
  public func beliefs(_ moments: Range<Int>, dead: [Int]) -> Beliefs {
    let isDead = field.mask(dead)
    var beliefs = answers(moments, isDead)
    if recipe.halving > 0 {
      let before = answers(field.tail(recipe, before: moments), isDead)
      beliefs.correct(by: before, field, isDead: isDead, halving: recipe.halving)
    }
    return beliefs
  }

  private func answers(_ moments: Range<Int>, _ isDead: [Bool]) -> Beliefs {
    var beliefs = Beliefs(moments, stations: field.stations)
    let rows = moments.map { Int32($0) }
    let alive = isDead.map { $0 ? RowMask.none(of: rows.count) : .all }
    let outputs = unit.forward(input(rows, alive), residual: nil, work: work)
    let answer = outputs[outputs.count - 1]
    let values = answer.array
    for (place, moment) in moments.enumerated() {
      for station in 0..<field.stations where field.isAsked(station, isDead: isDead) {
        let column = field.isForecast && isDead[station] ? field.stations + station : station
        beliefs.guesses[place * field.stations + station] = field.value(
          values[place * answer.columns + column], moment, of: station, isOwn: !isDead[station])
      }
    }
    return beliefs
  }

  /// All features side by side, and who lives.
  private func input(_ rows: [Int32], _ alive: [RowMask]) -> Matrix {
    let stations = field.stations
    let flags = unsafe Matrix(rows: rows.count, columns: stations) { floats in
      for row in rows.indices {
        for station in 0..<stations { unsafe floats[row * stations + station] = alive[station][row] ? 1 : 0 }
      }
    }
    let parts = field.features.enumerated().map { station, features in
      InputPart(columns: features.columns, features.taking(rows), mask: alive[station])
    }
    let joined = work.join(rows: rows.count, parts)
    let values = rescaled(joined, alive)
    return work.join(rows: rows.count, [InputPart(columns: joined.columns, values), InputPart(columns: stations, flags)])
  }

  /// Stretches what is there so that it makes good for what is not.
  private func rescaled(_ joined: Matrix, _ alive: [RowMask]) -> Matrix {
    let stations = field.stations
    var values = joined.array
    for row in 0..<joined.rows {
      let living = (0..<stations).reduce(0) { $0 + (alive[$1][row] ? 1 : 0) }
      let factor = Float(stations) / Float(max(1, living))
      for index in row * joined.columns..<(row + 1) * joined.columns { values[index] *= factor }
    }
    return Matrix(rows: joined.rows, columns: joined.columns, values)
  }

  /// Gives the dead of every moment the same weight together, however many they are: otherwise moments with few dead teach next to
  /// nothing.
  private func weighed(_ gradient: Matrix, _ alive: [RowMask]) -> Matrix {
    let (stations, columns) = (field.stations, gradient.columns)
    var values = gradient.array
    for row in 0..<gradient.rows {
      let dead = (0..<stations).reduce(0) { $0 + (alive[$1][row] ? 0 : 1) }
      let weight = min(8, Float(stations) * 0.5 / Float(max(1, dead)))
      for column in columns - stations..<columns { values[row * columns + column] *= weight }
    }
    return Matrix(rows: gradient.rows, columns: columns, values)
  }

  private func targets(_ rows: [Int32], _ alive: [RowMask]) -> Matrix {
    let stations = field.stations
    let columns = stations * (field.isForecast ? 2 : 1)
    var values = [Float](repeating: .nan, count: rows.count * columns)
    for (row, moment) in rows.enumerated() {
      for station in 0..<stations {
        let lives = alive[station][row]
        if field.isForecast, lives {
          values[row * columns + station] = field.target(Int(moment), of: station, isOwn: true)
        } else if !lives {
          let column = field.isForecast ? stations + station : station
          values[row * columns + column] = field.target(Int(moment), of: station, isOwn: false)
        }
      }
    }
    return Matrix(rows: rows.count, columns: columns, values)
  }
}
