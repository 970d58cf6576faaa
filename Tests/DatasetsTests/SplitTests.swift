import MurmurCompute
import MurmurDatasets
import MurmurMachines
import Testing

/// A data set with one feature, the row's number, and labels by `label`.
private func rows(_ count: Int, classes: Int = 5, groups: Int? = nil, testFrom: Int? = nil) -> Dataset {
  Dataset(
    name: "rows",
    samples: Samples(
      features: (0..<count).map { Float($0) }, width: 1, labels: (0..<count).map { Int32($0 * 7 % classes) }, classes: classes),
    groups: groups.map { groups in (0..<count).map { Int32($0 % groups) } }, groupNames: (0..<(groups ?? 0)).map { "g\($0)" },
    testFrom: testFrom)
}

@Suite("Splits: whose rows are whose")
struct SplitTests {
  static let partitions: [Partition] = [
    .equal, .byGroup, .dirichlet(concentration: 0.1), .dirichlet(concentration: 100), .unequal(ratio: 8),
  ]

  @Test("20 peers × 70 digits: 1,400 training rows, 397 test rows, every peer sees every class")
  func digits() throws {
    let digits = Digits.load()
    let split = try Split.make(digits, peers: 20, rowsPerPeer: 70, chance: Chance(seed: 1))
    #expect(split.peers.allSatisfy { $0.count == 70 })
    #expect(split.test.count == 397)
    #expect(split.training.count == 1400)
    #expect(!split.overlapping && split.notes.isEmpty)
    for peer in split.peers {
      var counts = [Int](repeating: 0, count: 10)
      for row in peer { counts[Int(digits.samples.labels[Int(row)])] += 1 }
      #expect(counts.allSatisfy { (6...8).contains($0) }, "\(counts)")
    }
  }

  @Test("rows are dealt once, test rows to nobody, and the seed decides", arguments: partitions)
  func disjoint(partition: Partition) throws {
    for seed in UInt64(1)...6 {
      let set = rows(2000, groups: 40)
      let split = try Split.make(set, peers: 10, rowsPerPeer: 100, partition: partition, chance: Chance(seed: seed))
      let dealt = split.peers.flatMap(\.self)
      #expect(Set(dealt).count == dealt.count, "seed \(seed)")
      #expect(Set(dealt).isDisjoint(with: split.test), "seed \(seed)")
      #expect(split.test.count >= 400, "seed \(seed)")
      #expect(!split.overlapping)
      #expect(split.peers.allSatisfy { !$0.isEmpty })
      #expect(try split == Split.make(set, peers: 10, rowsPerPeer: 100, partition: partition, chance: Chance(seed: seed)))
      #expect(try split != Split.make(set, peers: 10, rowsPerPeer: 100, partition: partition, chance: Chance(seed: seed + 50)))
      if case .unequal = partition { continue }
      #expect(split.peers.allSatisfy { $0.count == 100 }, "seed \(seed)")
    }
  }

  @Test("too many peers share rows, each without seeing one twice, and the report is told", arguments: partitions)
  func overlapping(partition: Partition) throws {
    let split = try Split.make(rows(1797, groups: 30), peers: 300, rowsPerPeer: 70, partition: partition, chance: Chance(seed: 4))
    #expect(split.overlapping)
    #expect(split.peers.allSatisfy { Set($0).count == $0.count && !$0.isEmpty })
    #expect(Set(split.peers.flatMap(\.self)).isDisjoint(with: split.test))
    #expect(split.notes.first?.hasSuffix("training rows: peers share rows") == true)
    if case .unequal = partition { return }
    #expect(split.peers.allSatisfy { $0.count == 70 })
  }

  @Test("the words of the note")
  func note() throws {
    let split = try Split.make(Digits.load(), peers: 1000, rowsPerPeer: 70, chance: Chance(seed: 1))
    #expect(split.notes == ["1,000 peers × 70 rows are more than the 1,437 training rows: peers share rows"])
  }

  @Test("an official test part is left as it is, or sampled evenly")
  func official() throws {
    let set = rows(1200, testFrom: 1000)
    let split = try Split.make(set, peers: 4, chance: Chance(seed: 2))
    #expect(split.test == Array(1000..<1200))
    #expect(split.peers.map(\.count) == [250, 250, 250, 250])
    let limited = try Split.make(set, peers: 4, testLimit: 50, chance: Chance(seed: 2))
    #expect(limited.test.count == 50)
    for label in Int32(0)..<5 { #expect((9...11).contains(limited.test.filter { set.samples.labels[Int($0)] == label }.count)) }
    #expect(limited.peers == split.peers)
  }

  @Test("label skew: a small concentration leaves few classes to a peer, a great one all")
  func skew() throws {
    let set = rows(10_000, classes: 10)
    func classes(_ concentration: Double) throws -> Double {
      let split = try Split.make(
        set, peers: 20, rowsPerPeer: 200, partition: .dirichlet(concentration: concentration), chance: Chance(seed: 3))
      let seen = split.peers.map { peer in
        Set((Int32(0)..<10).filter { label in peer.filter { set.samples.labels[Int($0)] == label }.count > 10 }).count
      }
      return Double(seen.reduce(0, +)) / Double(seen.count)
    }
    #expect(try classes(0.1) < 4)
    #expect(try classes(100) == 10)
  }

  @Test("unequal sizes keep their ratio and their sum")
  func unequal() throws {
    let split = try Split.make(rows(10_000), peers: 9, rowsPerPeer: 300, partition: .unequal(ratio: 10), chance: Chance(seed: 3))
    let sizes = split.peers.map(\.count).sorted()
    #expect((2690...2700).contains(sizes.reduce(0, +)))
    #expect(abs(Double(sizes[8]) / Double(sizes[0]) - 10) < 0.3)
  }

  @Test("groups stay together, and test groups are nobody's")
  func groups() throws {
    let set = rows(3000, groups: 50)
    let split = try Split.make(set, peers: 8, partition: .byGroup, chance: Chance(seed: 3))
    var owners: [Int32: Int] = [:]
    for (peer, rows) in split.peers.enumerated() {
      for row in rows { #expect(owners.updateValue(peer, forKey: row % 50) ?? peer == peer) }
    }
    #expect(split.test.allSatisfy { owners[$0 % 50] == nil })
    let sizes = split.peers.map(\.count)
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 60)
  }

  @Test("impossible requests say what to do")
  func impossible() {
    let set = rows(50)
    for (peers, size, partition, words) in [
      (0, nil, Partition.equal, "at least one peer"), (2, 0, .equal, "at least one"), (2, 60, .equal, "at most"),
      (2, nil, .byGroup, "group column"),
      (2, nil, .dirichlet(concentration: 0), "strong skew"), (2, nil, .unequal(ratio: 0.5), "ten times"),
    ] as [(Int, Int?, Partition, String)] {
      let error = #expect(throws: DataError.self) {
        try Split.make(set, peers: peers, rowsPerPeer: size, partition: partition, chance: Chance(seed: 1))
      }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test("random requests either work or are refused")
  func anything() {
    for seed in UInt64(0)..<400 {
      var chance = Chance(seed: seed)
      let count = 2 + chance.below(300)
      let set = rows(
        count, classes: 1 + chance.below(6), groups: 1 + chance.below(20),
        testFrom: chance.happens(0.3) ? chance.below(count + 1) : nil)
      let size = chance.happens(0.3) ? nil : 1 + chance.below(80)
      let partition = SplitTests.partitions[chance.below(5)]
      guard
        let split = try? Split.make(
          set, peers: 1 + chance.below(60), rowsPerPeer: size, partition: partition,
          testLimit: chance.happens(0.3) ? 1 + chance.below(20) : nil,
          chance: chance)
      else { continue }
      let all = split.peers.flatMap(\.self)
      #expect(!split.test.isEmpty && Set(all).isDisjoint(with: split.test), "seed \(seed)")
      #expect(split.peers.allSatisfy { Set($0).count == $0.count }, "seed \(seed)")
      #expect(split.overlapping || Set(all).count == all.count, "seed \(seed)")
    }
  }
}

@Suite("Standardisation: constants come from training rows alone")
struct StandardisationTests {
  @Test("mean 0 and deviation 1 over the training rows; constant features become 0; test rows do not matter")
  func normal() {
    let samples = Samples(features: [1, 5, 3, 5, 1000, 7], width: 2)
    let constants = Standardisation.fit(on: samples, rows: [0, 1])
    let scaled = constants.apply(to: samples)
    #expect(scaled.row(0) == [-1, 0])
    #expect(scaled.row(1) == [1, 0])
    #expect(scaled.row(2) == [998, 0])
  }

  @Test("images are scaled by one range")
  func images() {
    let samples = Samples(features: [0, 16, 8, 4], width: 2)
    #expect(Standardisation.fit(on: samples, method: .scale01).apply(to: samples).row(1) == [0.5, 0.25])
    let blank = Samples(features: [3, 3], width: 2)
    #expect(Standardisation.fit(on: blank, method: .scale01).apply(to: blank).row(0) == [0, 0])
  }

  @Test("no rows and only missing values do no harm")
  func nothing() {
    let samples = Samples(features: [.nan, 1, .nan, 2], width: 2)
    for method in [Standardisation.Method.normal, .scale01, .none] {
      #expect(Standardisation.fit(on: samples, method: method).apply(to: samples).row(0).allSatisfy { $0.isFinite })
      #expect(Standardisation.fit(on: samples, rows: [], method: method).apply(to: samples).row(1).allSatisfy { $0.isFinite })
    }
  }
}
