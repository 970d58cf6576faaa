import MurmurCompute
import MurmurDatasets
import MurmurMachines
import MurmurScenario
import MurmurSimulator
import MurmurSplit
import Testing

/// Devices that tell a number, and copies of features.
@Suite struct NumbersTests {
  private func scenario(_ yaml: String) throws -> SplitScenario { try SplitScenario(bytes: Array(yaml.utf8), file: "test.yaml") }

  /// Six sensors of one room each and the temperature outside, which is their sum, some readings of it missing.
  private func house(seed: UInt64) -> Dataset {
    var chance = Chance(seed: seed).fork("house")
    var features: [Float] = []
    for row in 0..<1_500 {
      let rooms = (0..<6).map { _ in Float(chance.normal()) }
      let outside = rooms.reduce(0, +) * 3 + 10 + Float(chance.normal()) * 0.1
      features += rooms + [row % 10 == 9 ? .nan : outside]
    }
    return Dataset(
      name: "house", samples: Samples(features: features, width: 7), featureNames: (0..<6).map { "room\($0)" } + ["outside"])
  }

  @Test(arguments: [1, 2] as [UInt64]) func `devices tell a number that none of them sees, and worse as they die`(seed: UInt64)
    throws
  {
    let wanted = try scenario(
      """
      data: {target: outside}
      devices: {count: 6}
      network: {hidden: 12, depth: 2}
      training: {epochs: 40, drop: 60 %, links: 30 %}
      test: {dead: [0, 1, 3, 6], links: [50 %]}
      """)
    let setup = try SplitSetup(wanted, house(seed: seed))
    #expect(setup.columns == (0..<6).map { [$0] } && setup.classes == 0)
    let experiment = SplitExperiment(setup)
    let risks = try #require(try experiment.run(seed: seed)).risks
    let (nobody, one, three, all) = (risks[0].loss, risks[1].loss, risks[2].loss, risks[3].loss)
    // The variance is 6 × 3², of which a room is a sixth; in degrees, not in standard deviations.
    #expect(setup.variance > 40 && setup.variance < 70)
    #expect(nobody < setup.variance * 0.1 && nobody < one && one < three && three < all, "seed \(seed): \(risks.map(\.loss))")
    #expect(abs(all - setup.variance) < 1e-3)
    #expect(risks[0].count < setup.test.count, "readings that are missing do not count")
    let central = try #require(try experiment.central(seed: seed))
    #expect(central < setup.variance * 0.05)
  }

  @Test func `a copy on the next device outlives its owner`() throws {
    func loss(copies: Int) throws -> [Double] {
      let wanted = try scenario(
        """
        data: {target: outside, copies: \(copies)}
        devices: {count: 6}
        network: {hidden: 12, depth: 2}
        training: {epochs: 40, drop: 60 %, links: 30 %}
        test: {dead: [0, 1], links: [], central: false}
        """)
      let setup = try SplitSetup(wanted, house(seed: 3))
      if copies == 1 { #expect(setup.columns[5] == [5, 0] && setup.columns[0] == [0, 1]) }
      return try #require(try SplitExperiment(setup).run(seed: 3)).risks.map(\.loss)
    }
    let (without, with) = (try loss(copies: 0), try loss(copies: 1))
    #expect(with[1] < without[1] / 2, "\(with) and \(without)")
  }

  @Test func `what cannot be told is said before anything runs`() throws {
    for (yaml, words) in [
      ("data: {target: inside}\ndevices: {count: 6}", "no column 'inside'"),
      ("data: {target: outside}\ndevices: {count: 6}\nnetwork: {scheme: summed}", "tells classes apart"),
      ("data: {target: outside}\ndevices: {count: 7}", "7 devices cannot share 6 features"),
    ] {
      let wanted = try scenario(yaml)
      #expect { try SplitSetup(wanted, house(seed: 1)) } throws: { "\($0)".contains(words) }
    }
  }
}
