import MurmurLedger
public import MurmurMachines
import MurmurWire

/// Issue 5, row 7: many peers, many transactions, a partition, newcomers and crashes; what it took and what was lost.
public struct LedgerExperiment: Sendable {
  /// How many peers.
  public var peers = 1_000
  /// How many transactions that say something.
  public var transactions = 10_000
  /// How many of them a second, all peers together.
  public var rate = 12.0
  /// Bytes each says.
  public var payloadBytes = 200
  /// When the peers are cut into two halves, and for how long; `nil` for never.
  public var partition: (at: Instant, span: Instant.Span)? = (.origin + .seconds(60), .minutes(10))
  /// How many peers come late, half-way; and how many crash and come back.
  public var newcomers = 5
  /// See ``newcomers``.
  public var crashes = 5
  /// How much is left to happen after the last transaction.
  public var rest = Instant.Span.seconds(90)
  /// The world's other conditions.
  public var conditions = LedgerConditions(peers: 0)

  /// The experiment of the issue.
  public init() {}

  /// What came out.
  public struct Figures: Sendable {
    /// Transactions that say something.
    public var issued = 0
    /// Nods.
    public var nods = 0
    /// Seconds from what the application said to its confirmation at the issuer: the median, of what was not said during a partition or in
    /// the minute before.
    public var median = 0.0
    /// The 95th percentile of the same.
    public var percentile95 = 0.0
    /// The median until half of all peers have it confirmed.
    public var medianAtHalf = 0.0
    /// The 95th percentile of the same.
    public var percentile95AtHalf = 0.0
    /// The median at the issuer, of what was said during a partition.
    public var medianCut = 0.0
    /// The 95th percentile of the same.
    public var percentile95Cut = 0.0
    /// Transactions that are not confirmed at every peer that is there at the end.
    public var unconfirmed = 0
    /// Transactions that were confirmed at some peer and are missing at another.
    public var lost = 0
    /// Frames and messages for each peer and transaction it took in, nods included.
    public var messagesEach = 0.0
    /// Bytes of those, likewise.
    public var bytesEach = 0.0
    /// Bytes of tables for each peer and transaction it keeps; what is shared by all peers of the world is left out.
    public var tableBytesEach = 0.0
    /// Bytes of a transaction, on average.
    public var transactionBytes = 0.0
    /// Seconds from the end of the partition until all that was said during it was confirmed at all peers.
    public var mergeSeconds = 0.0
    /// Transactions kept, at the peer that keeps most.
    public var kept = 0
    /// Transactions pruned, at all peers together.
    public var pruned = 0
    /// Reports of bad conduct; there should be none.
    public var reports = 0
    /// The hash of all events.
    public var trace = ""
    /// How many events there were.
    public var events = 0
    /// The virtual seconds that passed.
    public var seconds = 0.0
  }

  /// Runs it. `progress` is told the virtual seconds now and then.
  public func run(isStopped: () -> Bool = { false }, progress: (Double) -> Void = { _ in }) -> Figures {
    var world = world()
    let end = max(lastIssue, partition.map { $0.at + $0.span } ?? .origin) + rest
    while world.now < end, !isStopped() {
      world.run(until: min(end, world.now + .seconds(10)), isStopped: isStopped)
      progress(world.now.seconds)
    }
    return figures(of: world)
  }

  private var lastIssue: Instant { .origin + .seconds(5 + Double(transactions) / rate) }

  /// The world with all that is to happen in it.
  public func world() -> LedgerWorld {
    var conditions = conditions
    conditions.peers = peers
    if let partition {
      conditions.faults.append(LedgerFault(partition.at, .partition(below: peers / 2)))
      conditions.faults.append(LedgerFault(partition.at + partition.span, .heal))
    }
    let middle = lastIssue.seconds / 2
    for number in 0..<min(newcomers, peers / 4) {
      let peer = number * 2 * (peers / max(2 * newcomers, 1))
      conditions.faults.append(LedgerFault(.origin, .absent(peer)))
      conditions.faults.append(LedgerFault(.origin + .seconds(middle + Double(number)), .start(peer)))
    }
    for number in 0..<min(crashes, peers / 4) {
      let peer = (number * 2 + 1) * (peers / max(2 * crashes, 1))
      conditions.faults.append(LedgerFault(.origin + .seconds(middle / 2 + Double(number)), .crash(peer)))
      conditions.faults.append(LedgerFault(.origin + .seconds(middle / 2 + 30 + Double(number)), .start(peer)))
    }
    var world = LedgerWorld(conditions)
    var chance = Chance(seed: conditions.seed).fork("sayings")
    var time = 5.0
    for number in 0..<transactions {
      time += chance.exponential(mean: 1 / rate)
      var tag: [UInt8] = []
      tag.append(cborNumber: UInt64(number))
      let payload = (0..<payloadBytes).map { UInt8(truncatingIfNeeded: $0 &+ number) }
      world.issue(by: chance.below(peers), tag: tag, payload: payload, at: min(.origin + .seconds(time), lastIssue))
    }
    return world
  }

  private func figures(of world: LedgerWorld) -> Figures {
    var figures = Figures()
    let alive = (0..<peers).filter { world.isAlive($0) }
    let stories = world.stories.sorted { $0.key < $1.key }.map(\.value)
    figures.issued = stories.count
    var (open, half, cut): ([Double], [Double], [Double]) = ([], [], [])
    for story in stories {
      let isCut = partition.map { story.said >= $0.at && story.said <= $0.at + $0.span } ?? false
      let isNear = partition.map { story.said >= $0.at + .seconds(-60) && story.said <= $0.at + $0.span } ?? false
      if let time = story.confirmedAtIssuer {
        if isCut { cut.append((time - story.said).seconds) } else if !isNear { open.append((time - story.said).seconds) }
      }
      if !isNear, let time = story.confirmedAtHalf { half.append((time - story.said).seconds) }
      if let partition, isCut, let last = story.confirmedLast {
        figures.mergeSeconds = max(figures.mergeSeconds, (last - (partition.at + partition.span)).seconds)
      }
    }
    (figures.median, figures.percentile95) = LedgerExperiment.quantiles(open)
    (figures.medianAtHalf, figures.percentile95AtHalf) = LedgerExperiment.quantiles(half)
    (figures.medianCut, figures.percentile95Cut) = LedgerExperiment.quantiles(cut)
    count(&figures, world, alive)
    return figures
  }

  private func count(_ figures: inout Figures, _ world: LedgerWorld, _ alive: [Int]) {
    var attached = 0, tables = 0, bytes = 0
    for peer in alive {
      let ledger = world.ledger(of: peer)
      figures.nods += ledger.statistics.nods
      attached += ledger.statistics.attached
      figures.kept = max(figures.kept, ledger.holdings.transactions)
      figures.pruned += ledger.statistics.pruned
      tables += ledger.tableBytes
      bytes += ledger.holdings.bytes
    }
    for (digest, story) in world.stories.sorted(by: { $0.key < $1.key }) {
      let name = CID(codec: .dagCBOR, digest: digest)
      let holders = alive.count { world.ledger(of: $0).transaction(name) != nil }
      let believers = alive.count { world.ledger(of: $0).isConfirmed(name) }
      if figures.pruned == 0 {
        if believers < alive.count { figures.unconfirmed += 1 }
        if story.confirmed > 0, holders < alive.count { figures.lost += 1 }
      } else if story.confirmed > 0, story.solid < alive.count {
        figures.lost += 1
      }
    }
    let kept = alive.reduce(0) { $0 + world.ledger(of: $1).holdings.transactions }
    figures.messagesEach = Double(world.traffic.frames + world.traffic.messages) / Double(max(attached, 1))
    figures.bytesEach = Double(world.traffic.frameBytes + world.traffic.messageBytes) / Double(max(attached, 1))
    figures.tableBytesEach = Double(tables) / Double(max(kept, 1))
    figures.transactionBytes = Double(bytes) / Double(max(kept, 1))
    figures.reports = world.reports.count
    figures.trace = world.trace.description
    figures.events = world.events
    figures.seconds = world.now.seconds
  }

  private static func quantiles(_ values: [Double]) -> (Double, Double) {
    guard !values.isEmpty else { return (0, 0) }
    let sorted = values.sorted()
    return (sorted[sorted.count / 2], sorted[min(sorted.count - 1, sorted.count * 95 / 100)])
  }
}
