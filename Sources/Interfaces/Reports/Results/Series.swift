/// How one run went, sampled over virtual time.
public struct Series: Hashable, Sendable {
  /// The samples in the order of their times.
  public var samples: [Sample]

  /// A series of the given samples.
  public init(_ samples: [Sample] = []) { self.samples = samples }

  /// What was seen at one instant. Everything but the time is optional: `nil` means that nobody looked.
  public struct Sample: Hashable, Sendable {
    /// Virtual seconds since the session began.
    public var time: Double
    /// Test accuracy over peers, in percent.
    public var accuracy: Distribution?
    /// Mean test accuracy over the peers that joined after the beginning, in percent.
    public var accuracyLate: Double?
    /// How many peers are online.
    public var online: Int?
    /// From how many other peers a block can be fetched, over blocks.
    public var resilience: Distribution?
    /// How many peers are training.
    public var training: Int?
    /// How many peers are averaging (fetching models included).
    public var averaging: Int?
    /// Averaging attempts of all peers since the session began.
    public var attempts: Int?
    /// Averaging attempts of all peers since the session began after which the combined model was adopted.
    public var successes: Int?
    /// Bytes each peer has sent since the session began, over peers.
    public var bytesPerPeer: Distribution?
    /// Messages all peers have sent since the session began.
    public var messages: Int?
    /// Work cycles all peers have finished since the session began.
    public var cycles: Int?

    /// A sample at which nothing has been looked at yet.
    public init(time: Double) { self.time = time }
  }

  /// The series as `series.csv`: a header, then one line per sample; a value nobody looked at is an empty field.
  public func csv() -> String {
    var text = Series.columns.map(\.name).joined(separator: ",") + "\n"
    for sample in samples {
      text += Series.columns.map { column in column.value(sample).map(Numerals.exact) ?? "" }.joined(separator: ",") + "\n"
    }
    return text
  }

  /// One column of `series.csv`.
  package struct Column: Sendable {
    /// The column's name in the header.
    package let name: String
    /// Its value for one sample.
    package let value: @Sendable (Sample) -> Double?
  }

  /// The columns of `series.csv` in their order; the names are a contract.
  package static let columns: [Column] =
    [
      Column(name: "time") { $0.time },
      Column(name: "accuracyMean") { $0.accuracy?.mean },
      Column(name: "accuracyMin") { $0.accuracy?.minimum },
      Column(name: "accuracyMax") { $0.accuracy?.maximum },
      Column(name: "accuracySd") { $0.accuracy?.deviation },
      Column(name: "online") { $0.online.map(Double.init) },
      Column(name: "resilienceMean") { $0.resilience?.mean },
      Column(name: "resilienceMin") { $0.resilience?.minimum },
      Column(name: "resilienceMax") { $0.resilience?.maximum },
      Column(name: "resilienceSd") { $0.resilience?.deviation },
      Column(name: "training") { $0.training.map(Double.init) },
      Column(name: "averaging") { $0.averaging.map(Double.init) },
      Column(name: "attempts") { $0.attempts.map(Double.init) },
      Column(name: "successes") { $0.successes.map(Double.init) },
      Column(name: "bytesPerPeerMean") { $0.bytesPerPeer?.mean },
      Column(name: "bytesPerPeerMin") { $0.bytesPerPeer?.minimum },
      Column(name: "bytesPerPeerMax") { $0.bytesPerPeer?.maximum },
      Column(name: "messages") { $0.messages.map(Double.init) },
      Column(name: "cycles") { $0.cycles.map(Double.init) },
      Column(name: "accuracyLate") { $0.accuracyLate },
    ]
}
