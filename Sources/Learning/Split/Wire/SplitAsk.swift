public import MurmurCompute
public import MurmurWire

/// A question from outside, the one message of a stream of `/murmur/split-ask/1`: what do you all say of these rows?
public struct SplitAsk: Hashable, Sendable {
  /// The rows, by their numbers in every device's table.
  public var rows: [Int32]

  /// A question about rows.
  public init(rows: [Int32]) { self.rows = rows }

  /// The question's bytes, without their length.
  public func encode() -> [UInt8] {
    var message = Murmur_Split_Ask()
    message.rows = rows.map { UInt32(bitPattern: $0) }
    return message.wire
  }

  /// Reads what ``encode()`` wrote; throws on anything that is not that, or is beyond ``SplitLimits``.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> SplitAsk {
    guard bytes.count <= SplitLimits.askBytes else {
      throw WireError("split question", "\(bytes.count) bytes are more than \(SplitLimits.askBytes)")
    }
    return SplitAsk(rows: try rows(try Murmur_Split_Ask(wire: bytes, what: "split question").rows))
  }

  static func rows(_ list: [UInt32]) throws(WireError) -> [Int32] {
    guard list.count <= SplitLimits.questionRows else {
      throw WireError("split question", "\(list.count) rows are more than \(SplitLimits.questionRows)")
    }
    guard let odd = list.first(where: { $0 > UInt32(Int32.max) }) else { return list.map { Int32($0) } }
    throw WireError("split question", "there is no row \(odd)")
  }
}

/// The answer to a question from outside.
public struct SplitReply: Hashable, Sendable {
  /// The answers of all that live, merged, a row for each that was asked: logarithms of probabilities, or values.
  public var answers: Matrix
  /// How many devices answered.
  public var devices: Int
  /// Steps of the training that the device which was asked has behind it.
  public var step: Int
  /// What the device knows the rows to be, by class; `nil` where it does not know. Empty without classes.
  public var classes: [Int?]
  /// Whether the answers are logarithms of probabilities.
  public var areProbabilities: Bool

  /// An answer.
  public init(answers: Matrix, devices: Int, step: Int, classes: [Int?], areProbabilities: Bool) {
    self.answers = answers
    self.devices = devices
    self.step = step
    self.classes = classes
    self.areProbabilities = areProbabilities
  }

  /// The bytes of an answer, or of the reason why there is none, without their length.
  public static func encode(_ result: Result<SplitReply, SplitRefusal>) -> [UInt8] {
    var message = Murmur_Split_Reply()
    switch result {
    case .success(let reply):
      message.matrix = reply.answers.message
      message.devices = UInt32(reply.devices)
      message.step = UInt64(reply.step)
      message.classes = reply.classes.map { $0.map { UInt32($0 + 1) } ?? 0 }
      message.areProbabilities = reply.areProbabilities
    case .failure(let refusal): message.problem = String(refusal.problem.prefix(SplitLimits.problemBytes / 4))
    }
    return message.wire
  }

  /// Reads what ``encode(_:)`` wrote; throws on anything that is not that, or is beyond ``SplitLimits``.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> Result<SplitReply, SplitRefusal> {
    guard bytes.count <= SplitLimits.frameBytes + 5 * SplitLimits.rows else {
      throw WireError("split answer", "\(bytes.count) bytes are too many")
    }
    let message = try Murmur_Split_Reply(wire: bytes, what: "split answer")
    guard message.problem.utf8.count <= SplitLimits.problemBytes else {
      throw WireError("split answer", "a reason of \(message.problem.utf8.count) bytes is too long")
    }
    if !message.problem.isEmpty { return .failure(SplitRefusal(message.problem)) }
    let answers = try SplitFrame.matrix(message.matrix)
    guard message.classes.isEmpty || message.classes.count == answers.rows, message.devices <= UInt32(SplitLimits.devices),
      message.step <= UInt64(SplitLimits.steps), message.classes.allSatisfy({ $0 <= 1 << 20 })
    else { throw WireError("split answer", "its parts are not of one size, or too large") }
    return .success(
      SplitReply(
        answers: answers, devices: Int(message.devices), step: Int(message.step),
        classes: message.classes.map { $0 == 0 ? nil : Int($0) - 1 }, areProbabilities: message.areProbabilities))
  }
}

/// Why a device does not answer.
public struct SplitRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence.
  public let problem: String
  /// A refusal with a reason.
  public init(_ problem: String) { self.problem = problem }
  /// The reason.
  public var description: String { problem }
}
