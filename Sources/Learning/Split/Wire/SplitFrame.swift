public import MurmurWire

/// What stands on a stream of `/murmur/split/1`: a hello, its answer, and messages.
public enum SplitFrame: Hashable, Sendable {
  /// The first frame of a stream: who sends on it.
  case hello(SplitHello)
  /// The answer to a hello, and the only frame that goes the other way.
  case welcome(SplitWelcome)
  /// A message of a device to its neighbour.
  case message(SplitMessage)

  /// The protocol between devices.
  public static let protocolID = "/murmur/split/1"
  /// The protocol of whoever asks a device.
  public static let askProtocolID = "/murmur/split-ask/1"
}

/// Which device of which network sends on a stream. Who it is, the connection has proven.
public struct SplitHello: Hashable, Sendable {
  /// The device's number.
  public var device: Int
  /// The fingerprint of what all devices agree on.
  public var plan: Digest

  /// A device says which it is.
  public init(device: Int, plan: Digest) {
    self.device = device
    self.plan = plan
  }
}

/// Whether what follows a hello is read.
public struct SplitWelcome: Hashable, Sendable {
  /// The device that reads.
  public var device: Int
  /// Why nothing is read; `nil` if it is.
  public var problem: String?

  /// The answer to a hello.
  public init(device: Int, problem: String? = nil) {
    self.device = device
    self.problem = problem
  }
}

/// What a message may hold at most; one with more is refused whole.
public enum SplitLimits {
  /// Bytes of a frame.
  public static let frameBytes = 4 * numbers + 1_024
  /// Numbers of a matrix.
  public static let numbers = 1 << 20
  /// Its rows.
  public static let rows = 8_192
  /// Its columns.
  public static let columns = 1 << 16
  /// Devices of a network.
  public static let devices = 1 << 16
  /// Stages.
  public static let stages = 256
  /// Links that an answer may still cross.
  public static let hops = 64
  /// Rounds of gossip.
  public static let rounds = 256
  /// Steps of a training.
  public static let steps = 1 << 40
  /// Numbers of questions.
  public static let questions = 1 << 52
  /// Rows of a question.
  public static let questionRows = 4_096
  /// Bytes of the reason for a refusal.
  public static let problemBytes = 1_024
  /// Bytes of a question from outside.
  public static let askBytes = 5 * questionRows + 64
}

extension SplitPlan {
  /// A digest of the whole plan and of `context`: what else must be alike on all devices, such as the names of the data and how many
  /// rows there are. Devices whose fingerprints differ do not talk.
  public func fingerprint(_ context: String = "") -> Digest {
    // Every field by its name, so that none is forgotten.
    .sha256(of: Array("\(String(reflecting: self))\n\(context)".utf8))
  }
}
