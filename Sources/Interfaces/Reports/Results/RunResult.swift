/// What came of one run: everything `result.json` holds. Accuracies and their spreads are in percent, shares in 0…1.
///
/// Whatever a run may not have (baselines switched off, nobody averaged) is optional and written as `null`.
public struct RunResult: Hashable, Sendable {
  /// The run's name, for headings.
  public var name: String
  /// The seed that replays the run.
  public var seed: UInt64
  /// The hash of everything that happened, in hexadecimal; equal traces mean equal runs.
  public var trace = ""
  /// The command line that gives this run again.
  public var command = ""
  /// The data peers learned from.
  public var data = Data()
  /// How many peers took part.
  public var peerCount = 0
  /// The architecture in its short form, e.g. `64-64-10`.
  public var model = ""
  /// The probability with which a peer is offline, in 0…1; `nil` if no such fault was asked for.
  public var offlineProbability: Double?
  /// Which kind of offline was meant, as a sentence.
  public var offline: String?
  /// The other faults, a sentence each.
  public var faults: [String] = []

  /// Test accuracy of peers that trained on their own rows only, over peers.
  public var alone: Distribution?
  /// Test accuracy of one model trained on all rows.
  public var central: Double?
  /// Test accuracy over peers at the end of the session.
  public var together: Distribution?
  /// `(together − alone) / (central − alone)`; 1 means that nothing was lost by not pooling the data.
  public var gapClosed: Double?

  /// How many peers were online, mean over time.
  public var onlineMean: Double?
  /// From how many other peers a block can be fetched, over blocks, at the end.
  public var resilience: Distribution?
  /// Bytes all peers sent.
  public var bytesSent: Int?
  /// Messages all peers sent.
  public var messages: Int?
  /// Work cycles all peers finished.
  public var cycles: Int?
  /// How often averaging was tried and how often its result was adopted.
  public var averaging: Averaging?

  /// How long the session lasted in virtual time.
  public var virtualSeconds: Double = 0
  /// How long the run took on the clock; `nil` where it was not measured. The only value that differs between two equal runs.
  public var wallSeconds: Double?
  /// How many worker threads computed; the result does not depend on it.
  public var threads: Int?
  /// The versions the run was made with, e.g. `murmur` and `Swift`, in the order to show them.
  public var versions: [Version] = []
  /// The whole configuration as YAML.
  public var configuration: String?
  /// The honest limits of the run, a sentence each.
  public var notes: [String] = []
  /// Why and where the run ended before its time, as a sentence; `nil` if it ran to its end.
  public var interrupted: String?
  /// What came of each peer.
  public var peers: [PeerResult] = []

  /// A result of which only the name and the seed are known yet.
  public init(name: String, seed: UInt64) {
    self.name = name
    self.seed = seed
  }

  /// The data peers learned from.
  public struct Data: Hashable, Sendable {
    /// The data set's name.
    public var name: String
    /// Rows over all peers, training and validation.
    public var rows: Int
    /// Rows nobody trained on, with which every accuracy is measured.
    public var testRows: Int?
    /// Features per row.
    public var features: Int
    /// Classes to tell apart.
    public var classes: Int
    /// How rows were dealt to peers, as a phrase, e.g. `equal shares`.
    public var split: String?

    /// A description of a data set.
    public init(
      name: String = "", rows: Int = 0, testRows: Int? = nil, features: Int = 0, classes: Int = 0, split: String? = nil
    ) {
      self.name = name
      self.rows = rows
      self.testRows = testRows
      self.features = features
      self.classes = classes
      self.split = split
    }
  }

  /// How often averaging was tried and how often its result was adopted.
  public struct Averaging: Hashable, Sendable {
    /// How often a peer tried.
    public var attempts: Int
    /// How often the combined model was adopted.
    public var successes: Int

    /// The two counts.
    public init(attempts: Int, successes: Int) {
      self.attempts = attempts
      self.successes = successes
    }

    /// Successes among attempts, in 0…1; `nil` if nobody tried.
    public var rate: Double? { attempts > 0 ? Double(successes) / Double(attempts) : nil }
  }

  /// A part and its version.
  public struct Version: Hashable, Sendable {
    /// What has the version.
    public var part: String
    /// The version.
    public var version: String

    /// A part and its version.
    public init(_ part: String, _ version: String) {
      self.part = part
      self.version = version
    }
  }

  /// `(together − alone) / (central − alone)`; `nil` if one of them is missing or *central* is not better than *alone*.
  public static func gapClosed(alone: Double?, central: Double?, together: Double?) -> Double? {
    guard let alone, let central, let together, central > alone else { return nil }
    let gap = (together - alone) / (central - alone)
    return gap.isFinite ? gap : nil
  }

  /// Bytes sent, mean over peers.
  public var bytesSentPerPeer: Double? { perPeer(bytesSent) }
  /// Work cycles, mean over peers.
  public var cyclesPerPeer: Double? { perPeer(cycles) }
  /// Messages sent, mean over peers and cycles.
  public var messagesPerPeerAndCycle: Double? { perCycle(messages) }
  /// Bytes sent, mean over peers and cycles.
  public var bytesPerPeerAndCycle: Double? { perCycle(bytesSent) }
  /// Simulated work cycles of all peers per second on the clock.
  public var peerCyclesPerSecond: Double? {
    guard let cycles, let wallSeconds, wallSeconds > 0 else { return nil }
    return Double(cycles) / wallSeconds
  }

  private func perPeer(_ total: Int?) -> Double? { peerCount > 0 ? total.map { Double($0) / Double(peerCount) } : nil }

  private func perCycle(_ total: Int?) -> Double? {
    guard let total, let cycles, cycles > 0 else { return nil }
    return Double(total) / Double(cycles)
  }
}

/// What came of one peer.
public struct PeerResult: Hashable, Sendable {
  /// The peer's number.
  public var id: Int
  /// Its role: `full`, `trainer` or `feeder`.
  public var role: String
  /// Its model's test accuracy at the end, in percent.
  public var accuracy: Double?
  /// The test accuracy of a model trained on its own rows only, in percent.
  public var aloneAccuracy: Double?
  /// Rows of its own.
  public var rows: Int
  /// Work cycles it finished.
  public var cycles: Int
  /// Bytes it sent.
  public var bytesSent: Int
  /// Bytes it received.
  public var bytesReceived: Int
  /// The content identifier of its model at the end.
  public var model: String?
  /// When it joined, in virtual seconds since the session began; 0 for those who were there.
  public var joinedAt: Double
  /// The share of the time since it joined during which it was online, in 0…1.
  public var onlineShare: Double?

  /// A peer of which the rest is not known yet.
  public init(
    id: Int, role: String = "full", accuracy: Double? = nil, aloneAccuracy: Double? = nil, rows: Int = 0, cycles: Int = 0,
    bytesSent: Int = 0, bytesReceived: Int = 0, model: String? = nil, joinedAt: Double = 0, onlineShare: Double? = nil
  ) {
    self.id = id
    self.role = role
    self.accuracy = accuracy
    self.aloneAccuracy = aloneAccuracy
    self.rows = rows
    self.cycles = cycles
    self.bytesSent = bytesSent
    self.bytesReceived = bytesReceived
    self.model = model
    self.joinedAt = joinedAt
    self.onlineShare = onlineShare
  }
}
