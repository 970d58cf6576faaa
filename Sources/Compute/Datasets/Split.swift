public import MurmurMachines

/// Which rows of a data set are whose: the training rows of each peer, and the rows nobody trains on.
public struct Split: Hashable, Sendable {
  /// The training rows of each peer, in random order.
  public var peers: [[Int32]]
  /// The test rows.
  public var test: [Int32]
  /// Whether some row belongs to more than one peer.
  public var overlapping: Bool
  /// What a reader of the results should know about the split, in plain words.
  public var notes: [String]

  /// A split with these parts.
  public init(peers: [[Int32]], test: [Int32], overlapping: Bool = false, notes: [String] = []) {
    self.peers = peers
    self.test = test
    self.overlapping = overlapping
    self.notes = notes
  }

  /// All rows some peer trains on, each once, in ascending order: what ``Standardisation`` is fitted on.
  public var training: [Int32] {
    var all = peers.flatMap(\.self)
    all.sort()
    var last: Int32 = -1
    return all.filter { row in
      defer { last = row }
      return row != last
    }
  }

  /// Splits `dataset` over `peers` peers with `rowsPerPeer` training rows each; the same chance gives the same split.
  ///
  /// Test rows are the data set's official test part where it has one; otherwise the rows that are left when every peer has its
  /// own, but at least `testShare` of all and 100 where that is possible (exactly that many under label skew and by groups, which need a choice of rows). `testLimit` takes a random part of them. Without
  /// `rowsPerPeer` the training rows are shared out evenly. Where peers ask for more rows than there are, they share rows: each
  /// peer's own rows differ from each other, ``overlapping`` says so and a note explains it.
  ///
  /// - Throws: ``DataError`` where no such split exists, saying what to change.
  public static func make(
    _ dataset: Dataset, peers: Int, rowsPerPeer: Int? = nil, partition: Partition = .equal, testShare: Double = 0.2,
    testLimit: Int? = nil, chance: Chance
  ) throws(DataError) -> Split {
    let dealer = try Dealer(
      dataset, peers: peers, rowsPerPeer: rowsPerPeer, partition: partition, testShare: testShare, chance: chance)
    return try dealer.deal(testLimit: testLimit)
  }
}
