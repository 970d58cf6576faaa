import MurmurCompute
import MurmurDatasets
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import Testing

/// Fields of sensors: what is known of a dead one is what the living know, and nothing of the future.
@Suite struct FieldsTests {
  /// A made-up farm: all stations follow one slow weather, each in its own way, and some days are not read.
  private func farm(seed: UInt64, days: Int = 150, altered: (Int, Int, Float) -> Float = { $2 }) throws -> Field {
    var chance = Chance(seed: seed).fork("farm")
    let count = 9
    var values: [Float] = []
    var weather = 0.0
    let gains = (0..<count).map { _ in 0.5 + chance.uniform() }
    for day in 0..<days {
      weather = 0.95 * weather + 0.3 * chance.normal()
      for station in 0..<count {
        for variable in 0..<15 {
          let value = Float(0.3 + 0.05 * gains[station] * weather + 0.002 * chance.normal())
          values.append(chance.happens(0.1) ? .nan : altered(day, station, variable % 3 == 0 ? value : value * 10))
        }
      }
    }
    let names = (0..<count).map { "S\($0)" }
    let readings = StationReadings(stations: names, variables: (0..<15).map { "v\($0)" }, times: days, values: values)
    return try Field.farm(readings, near(count))
  }

  /// A made-up city: jams walk along a ring road.
  private func city(seed: UInt64, altered: (Int, Int, Float) -> Float = { $2 }) throws -> Field {
    var chance = Chance(seed: seed).fork("city")
    let count = 6
    var (values, jam) = ([Float](), [Double](repeating: 0, count: 6))
    for time in 0..<2_016 {
      let before = jam
      for sensor in 0..<count {
        jam[sensor] = 0.5 * before[sensor] + 0.45 * before[(sensor + 1) % count] + chance.normal()
        values.append(altered(time, sensor, Float(55 + 4 * jam[sensor])))
      }
    }
    let readings = StationReadings(stations: (0..<count).map { "\($0)" }, variables: ["speed"], times: 2_016, values: values)
    return try Field.city(readings, near(count))
  }

  private func near(_ count: Int) -> StationNearness {
    StationNearness(
      stations: count,
      weights: (0..<count * count).map { place in
        let apart = abs(place / count - place % count)
        return apart == 0 ? 1 : 1 / Float(min(apart, count - apart))
      })
  }

  private var recipe: FieldRecipe {
    var recipe = FieldRecipe()
    (recipe.hidden, recipe.steps, recipe.rate, recipe.batch) = (8, 150, 0.01, 32)
    (recipe.central, recipe.centralSteps, recipe.centralDecay, recipe.decay) = (24, 150, 0.1, 0.1)
    return recipe
  }

  /// What all ways believe of a field when these are dead.
  private func beliefs(_ field: Field, _ recipe: FieldRecipe, dead: [Int], seed: UInt64) -> [Beliefs] {
    var network = FieldNetwork(field, recipe, seed: seed)
    var central = CentralModel(field, recipe, seed: seed)
    let isTrained = network.train() && central.train()
    #expect(isTrained)
    return [network.beliefs(field.test, dead: dead), central.beliefs(field.test, dead: dead)]
      + FieldBaseline.allCases.map { $0.beliefs(field, field.test, dead: dead) }
  }

  @Test func `time is cut in order, and no training moment knows of a later part`() throws {
    for field in [try farm(seed: 1), try city(seed: 1)] {
      #expect(field.training.lowerBound == 0 && field.training.upperBound == field.validation.lowerBound)
      #expect(field.validation.upperBound == field.test.lowerBound && field.test.upperBound == field.moments)
    }
    // What happens from the validation on changes nothing of what is learnt from.
    let (plain, other) = (try farm(seed: 2), try farm(seed: 2) { day, _, value in day >= 90 ? value * 3 + 1 : value })
    let (calm, wild) = (try city(seed: 2), try city(seed: 2) { time, _, value in time >= 5 * 288 ? value / 2 : value })
    for (left, right) in [(plain, other), (calm, wild)] {
      let rows = left.training.map { Int32($0) }
      for station in 0..<left.stations {
        #expect(left.features[station].taking(rows) == right.features[station].taking(rows))
      }
      var (one, two) = (FieldNetwork(left, recipe, seed: 3), FieldNetwork(right, recipe, seed: 3))
      let isTrained = one.train() && two.train()
      #expect(isTrained)
      for station in 0..<left.stations {
        #expect(one.world.device(station).units == two.world.device(station).units, "\(left.name), station \(station)")
      }
    }
  }

  @Test(arguments: [0, 7]) func `nothing a dead station would have said is believed by anybody`(tail: Int) throws {
    var recipe = recipe
    (recipe.tail, recipe.halving) = (tail, tail == 0 ? 0 : 20)
    let dead = [1, 4]
    let farms = [
      try farm(seed: 4), try farm(seed: 4) { day, station, value in day >= 120 && dead.contains(station) ? value + 1 : value },
    ]
    let cities = [
      try city(seed: 4),
      try city(seed: 4) { time, station, value in time >= 6 * 288 && dead.contains(station) ? value - 30 : value },
    ]
    for pair in [farms, cities] {
      let (left, right) = (
        beliefs(pair[0], recipe, dead: dead, seed: 5), beliefs(pair[1], recipe, dead: dead, seed: 5)
      )
      for (way, (one, two)) in zip(left, right).enumerated() {
        #expect(one.isSame(as: two), "\(pair[0].name), way \(way)")
      }
    }
  }

  @Test func `neighbours know a dead station better than its last value does`() throws {
    let field = try farm(seed: 6, days: 300)
    var cost = FieldExperiment.Cost()
    let experiment = FieldExperiment(field, recipe)
    let ours = try #require(experiment.lines(.split, seed: 6, on: field.test, cost: &cost))
    let last = try #require(experiment.lines(.baseline(.last), seed: 6, on: field.test, cost: &cost))
    for (own, other) in zip(ours, last) {
      #expect(own.score.dead.root < 0.7 * other.score.dead.root, "\(own.share) dead, seed 6")
      #expect(own.score.dead.count == other.score.dead.count && own.score.live.count == 0)
    }
    #expect(cost.messages > 0 && !cost.trace.isEmpty)
    var again = FieldExperiment.Cost()
    #expect(experiment.lines(.split, seed: 6, on: field.test, cost: &again) == ours && again == cost, "a seed replays")
  }

  @Test func `a sensor without communication still answers for itself, and knows less of what comes`() throws {
    let field = try city(seed: 7)
    var cost = FieldExperiment.Cost()
    let experiment = FieldExperiment(field, recipe)
    let together = try #require(experiment.lines(.split, seed: 7, on: field.test, cost: &cost))
    let alone = try #require(experiment.lines(.alone, seed: 7, on: field.test, cost: &cost))
    #expect(together[0].score.live.count == alone[0].score.live.count && together[0].score.dead.count == 0)
    #expect(together[0].score.live.root < alone[0].score.live.root, "jams come from next door; seed 7")
  }

  @Test func `where all who estimate a station are dead, the usual stands in`() throws {
    let field = try farm(seed: 8)
    var recipe = recipe
    recipe.steps = 3
    var network = FieldNetwork(field, recipe, seed: 8)
    let isTrained = network.train()
    #expect(isTrained)
    let beliefs = network.beliefs(field.test, dead: Array(0..<9))
    #expect(beliefs.unanswered == 9 * field.test.count)
    let usual = FieldBaseline.usual.beliefs(field, field.test, dead: Array(0..<9))
    let isDead = [Bool](repeating: true, count: 9)
    var (ours, theirs) = (FieldScore(), FieldScore())
    ours.add(beliefs, field, isDead: isDead)
    theirs.add(usual, field, isDead: isDead)
    #expect(ours.dead == theirs.dead && ours.dead.count > 0)
    #expect(!FieldNetwork(field, self.recipe, seed: 8).isTrained { true }, "it was stopped")
  }

  @Test(arguments: [0, 0.25, 0.5, 1]) func `with every share each station is among the dead at least once`(share: Double) throws {
    for field in [try farm(seed: 9), try city(seed: 9)] {
      var chance = Chance(seed: 9)
      let deaths = Deaths(share, in: field, atLeast: 5, chance: &chance)
      if share == 0, field.isForecast {
        #expect(deaths.sets == [[]])
        continue
      }
      #expect(Set(deaths.sets.joined()).count == field.stations && deaths.sets.count >= 5)
      let size = max(1, Int((share * Double(field.stations)).rounded()))
      #expect(deaths.sets.allSatisfy { $0.count == size && Set($0).count == size })
    }
  }
}

extension FieldNetwork {
  /// Whether a copy comes to the end of its training when it is asked to stop like this.
  fileprivate func isTrained(_ isStopped: () -> Bool) -> Bool {
    var copy = self
    return copy.train(isStopped: isStopped)
  }
}
