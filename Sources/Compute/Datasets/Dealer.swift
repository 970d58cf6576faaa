import MurmurCompute
import MurmurMachines

/// The work behind ``Split/make(_:peers:rowsPerPeer:partition:testShare:testLimit:chance:)``: checks the request, holds test rows
/// back, deals the others.
struct Dealer {
  let dataset: Dataset
  let peers: Int
  let rowsPerPeer: Int?
  let partition: Partition
  let testShare: Double
  let chance: Chance

  init(
    _ dataset: Dataset, peers: Int, rowsPerPeer: Int?, partition: Partition, testShare: Double, chance: Chance
  ) throws(DataError) {
    self.dataset = dataset
    self.peers = peers
    self.rowsPerPeer = rowsPerPeer
    self.partition = partition
    self.testShare = testShare
    self.chance = chance
    try check()
  }

  private func check() throws(DataError) {
    func refuse(_ problem: String, _ advice: String) -> DataError { DataError(dataset.name, problem, advice: advice) }
    guard peers >= 1 else { throw refuse("\(peers) peers cannot share rows", "ask for at least one peer") }
    guard peers <= 1_000_000 else { throw refuse("\(grouped(peers)) peers are too many", "ask for a million at most") }
    guard rowsPerPeer ?? 1 >= 1 else { throw refuse("\(rowsPerPeer ?? 0) rows per peer are too few", "ask for at least one") }
    guard testShare > 0, testShare < 1 else {
      throw refuse("a test share of \(testShare) is not between 0 and 1", "0.2 holds a fifth of the rows back")
    }
    guard dataset.count >= 2 else { throw refuse("\(dataset.count) rows cannot be split", "use a file with more rows") }
    guard dataset.count <= Int(Int32.max) else {
      throw refuse("\(grouped(dataset.count)) rows are more than a split can number", "load fewer rows")
    }
    if let testFrom = dataset.testFrom, testFrom == 0 { throw refuse("all rows are test rows", "add training rows") }
    switch partition {
    case .equal: break
    case .byGroup:
      guard dataset.groups != nil else {
        throw refuse("there are no groups to split by", "name a group column, or use another partition")
      }
    case .dirichlet(let concentration):
      guard concentration > 0, concentration.isFinite else {
        throw refuse("a Dirichlet concentration of \(concentration) is not positive", "0.1 is strong skew, 100 almost none")
      }
      guard dataset.samples.classes > 0 else {
        throw refuse("there are no labels to skew", "name a label column, or use another partition")
      }
    case .unequal(let ratio):
      guard ratio >= 1, ratio.isFinite else {
        throw refuse("a size ratio of \(ratio) is less than 1", "10 makes the largest peer ten times the smallest")
      }
    }
  }

  func deal(testLimit: Int?) throws(DataError) -> Split {
    if let testLimit, testLimit < 1 {
      throw DataError(dataset.name, "\(testLimit) test rows are too few", advice: "ask for at least one")
    }
    var (training, test) = heldOut()
    if let testLimit, testLimit < test.count {
      var chance = chance.fork("test limit")
      test = Array(Strata(of: test, in: dataset).order(&chance).prefix(testLimit))
    }
    test.sort()
    var split = try hands(from: training)
    split.test = test
    return split
  }

  /// Training and test rows: the official parts, or a stratified part held out (whole groups, if rows are dealt by group).
  private func heldOut() -> (training: [Int32], test: [Int32]) {
    let count = dataset.count
    if let testFrom = dataset.testFrom, testFrom < count {
      return (Array(0..<Int32(testFrom)), Array(Int32(testFrom)..<Int32(count)))
    }
    let share = Int((Double(count) * testShare).rounded(.up))
    let least = min(max(share, min(100, count / 2), 1), count - 1)
    var size = least
    // Skewed hands need a choice of rows: with none to spare the last peers would get what is left, whatever their shares.
    let isSkewed = if case .dirichlet = partition { true } else { false }
    if !isSkewed, let rowsPerPeer, !rowsPerPeer.multipliedReportingOverflow(by: peers).overflow {
      let rest = count - rowsPerPeer * peers
      if rest >= least { size = rest }
    }
    var chance = chance.fork("held out")
    if partition == .byGroup, let groups = dataset.groups {
      var test: [Int32] = []
      var training: [Int32] = []
      var strata = Strata(of: Array(0..<Int32(count)), by: groups)
      chance.shuffle(&strata.pools)
      for (index, pool) in strata.pools.enumerated() {
        if test.count < least && index < strata.pools.count - 1 { test += pool } else { training += pool }
      }
      if !test.isEmpty && !training.isEmpty { return (training.sorted(), test) }
    }
    let order = Strata(of: Array(0..<Int32(count)), in: dataset).order(&chance)
    return (order[size...].sorted(), Array(order[..<size]))
  }

  private func hands(from training: [Int32]) throws(DataError) -> Split {
    let available = training.count
    let wanted = rowsPerPeer ?? max(1, available / peers)
    guard wanted <= available else {
      throw DataError(
        dataset.name, "a peer cannot have \(grouped(wanted)) different rows: there are \(grouped(available)) training rows",
        advice: "ask for \(grouped(available)) rows per peer at most")
    }
    let overlap = wanted > available / peers
    var split = Split(peers: [], test: [], overlapping: overlap)
    if overlap {
      split.notes.append(
        "\(grouped(peers)) peers × \(grouped(wanted)) rows are more than the \(grouped(available)) training rows: peers share rows"
      )
    }
    switch partition {
    case .equal:
      let sizes = Array(repeating: wanted, count: peers)
      split.peers = overlap ? drawn(sizes, from: training) : dealt(sizes, from: training)
    case .unequal(let ratio):
      let sizes = Dealer.sizes(peers: peers, mean: wanted, ratio: ratio, most: available, chance: chance.fork("sizes"))
      split.peers = overlap ? drawn(sizes, from: training) : dealt(sizes, from: training)
      split.notes.append("peers have from \(grouped(sizes.min() ?? 0)) to \(grouped(sizes.max() ?? 0)) rows")
    case .dirichlet(let concentration):
      split.peers = skewed(wanted, concentration: concentration, from: training, overlap: overlap)
    case .byGroup:
      try byGroup(wanted, from: training, into: &split)
    }
    return split
  }

  /// Consecutive stretches of one stratified order: every row at most once, every stretch with the whole's shares of the classes.
  private func dealt(_ sizes: [Int], from training: [Int32]) -> [[Int32]] {
    var chance = chance.fork("deal")
    let order = Strata(of: training, in: dataset).order(&chance)
    var next = 0
    return sizes.map { size in
      var rows = Array(order[next..<min(next + size, order.count)])
      next = min(next + size, order.count)
      chance.shuffle(&rows)
      return rows
    }
  }

  /// Each peer draws its own rows, in the whole's shares of the classes.
  private func drawn(_ sizes: [Int], from training: [Int32]) -> [[Int32]] {
    let strata = Strata(of: training, in: dataset)
    let shares = strata.pools.map { Double($0.count) }
    return sizes.enumerated().map { peer, size in
      var chance = chance.fork("draw", peer)
      let counts = strata.counts(size, shares: shares, &chance)
      var rows: [Int32] = []
      for (pool, count) in zip(strata.pools, counts) { rows += chance.pick(count, from: pool) }
      chance.shuffle(&rows)
      return rows
    }
  }

  /// Sizes in geometric progression with the given mean, in random order.
  static func sizes(peers: Int, mean: Int, ratio: Double, most: Int, chance: Chance) -> [Int] {
    guard peers > 1 else { return [mean] }
    let step = Portable.log(ratio) / Double(peers - 1)
    let weights = (0..<peers).map { Portable.exp(step * Double($0)) }
    let factor = Double(mean) * Double(peers) / weights.reduce(0, +)
    var chance = chance
    var sizes = weights.map { min(most, max(1, Int(($0 * factor).rounded(.down)))) }
    chance.shuffle(&sizes)
    return sizes
  }
}

/// `1437` as `1,437`, the same on every machine.
func grouped(_ number: Int) -> String {
  var text = ""
  let digits = Array(String(number.magnitude))
  for (index, digit) in digits.enumerated() {
    if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return (number < 0 ? "-" : "") + text
}
