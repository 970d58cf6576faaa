internal import MurmurBlocks
internal import MurmurCompute
internal import MurmurIdentity
internal import MurmurSessions
public import MurmurWire

/// What came out of a job, and an optimiser's state, as bytes: for recordings and for what survives a crash. All numbers keep their
/// bits.
extension WorkResult {
  /// The result as bytes; ``Collective/result(decoding:)`` reads them.
  public func encode() -> [UInt8] {
    var out: [UInt8] = []
    out.append(content: parameters.bytes)
    out.append(content: optimizer.encode())
    out.append(evaluation)
    out.append(ground == nil ? 0 : 1)
    if let ground {
      out.append(content: ground.parameters.bytes)
      out.append(ground.evaluation)
    }
    out.append(trainingLoss == nil ? 0 : 1)
    if let trainingLoss { out.append(word: trainingLoss.bitPattern) }
    out.append(number: averaged)
    out.append(adopted ? 1 : 0)
    out.append(number: rejected.count)
    for (peer, root, reason) in rejected {
      out.append(content: peer.bytes)
      out.append(content: root.bytes)
      out.append(text: reason)
    }
    out.append(number: object?.blocks.count ?? 0)
    for block in object?.blocks ?? [] {
      out.append(content: block.cid.bytes)
      out.append(content: block.bytes)
    }
    return out
  }
}

extension Collective {
  /// Reads what ``WorkResult/encode()`` wrote for a job of this session; throws on anything else.
  public func result(decoding bytes: [UInt8]) throws(WireError) -> WorkResult {
    let count = architecture.parameterCount
    var reader = ByteReader(bytes, "result of a job")
    let parameters = try ParameterVector(decoding: reader.content(4 * count), count: count)
    let optimizer = try OptimizerState(
      session.training.optimizer.rule, decoding: reader.content(8 * count + 64), count: count)
    let evaluation = try Evaluation(&reader)
    var result = WorkResult(
      parameters: parameters, optimizer: optimizer, evaluation: evaluation, ground: nil, trainingLoss: nil, averaged: 0,
      adopted: false, rejected: [], object: nil)
    if try reader.byte() != 0 {
      let ground = try ParameterVector(decoding: reader.content(4 * count), count: count)
      result.ground = (ground, try Evaluation(&reader))
    }
    if try reader.byte() != 0 { result.trainingLoss = Double(bitPattern: try reader.word()) }
    result.averaged = try reader.number()
    result.adopted = try reader.byte() != 0
    for _ in 0..<(try reader.number(1 << 16)) {
      let peer = try PeerID(bytes: reader.content(64))
      let root = try CID(bytes: reader.content(64))
      result.rejected.append((peer, root, try reader.text(4_096)))
    }
    var blocks: [Block] = []
    for _ in 0..<(try reader.number(1 << 16)) {
      let cid = try CID(bytes: reader.content(64))
      guard let block = Block(verifying: cid, bytes: try reader.content(Block.mostBytes)) else {
        throw WireError("result of a job", "block \(cid) is not what it is called")
      }
      blocks.append(block)
    }
    if let root = blocks.last?.cid { result.object = Object.Built(root: root, blocks: blocks) }
    try reader.end()
    return result
  }

  /// The optimiser's state as bytes, for what survives a crash.
  public var optimizerState: [UInt8] { optimizer.encode() }

  /// The most bytes that the optimiser's state may have.
  public var optimizerStateLimit: Int { 8 * architecture.parameterCount + 64 }

  /// Takes over an optimiser's state from an earlier life; throws unless it is one of this session.
  public mutating func restore(optimizerState bytes: [UInt8]) throws(WireError) {
    optimizer = try OptimizerState(session.training.optimizer.rule, decoding: bytes, count: architecture.parameterCount)
  }
}

extension OptimizerState {
  /// The state as bytes, without its rule.
  func encode() -> [UInt8] {
    var out: [UInt8] = []
    out.append(number: steps)
    out.append(word: powers.first.bitPattern)
    out.append(word: powers.second.bitPattern)
    out.append(content: first.bytes)
    out.append(content: second.bytes)
    return out
  }

  /// Reads what ``encode()`` wrote.
  init(_ rule: Optimizer, decoding bytes: [UInt8], count: Int) throws(WireError) {
    var reader = ByteReader(bytes, "optimiser state")
    let steps = try reader.number()
    let powers = (Double(bitPattern: try reader.word()), Double(bitPattern: try reader.word()))
    let first = try ParameterVector(decoding: reader.content(4 * count), count: count)
    var seconds = count
    if case .sgd = rule { seconds = 0 }
    let second = try ParameterVector(decoding: reader.content(4 * count), count: seconds)
    try reader.end()
    self.init(rule, steps: steps, powers: powers, first: first, second: second)
  }
}

extension ParameterVector {
  fileprivate var bytes: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }

  fileprivate init(decoding bytes: [UInt8], count: Int) throws(WireError) {
    guard bytes.count == 4 * count else {
      throw WireError("parameters", "\(bytes.count) bytes are not \(count) numbers of four")
    }
    self.init(repeating: 0, count: count)
    unsafe withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ evaluation: Evaluation) {
    append(number: evaluation.correct)
    append(number: evaluation.count)
    append(word: evaluation.lossSum.bitPattern)
  }
}

extension Evaluation {
  fileprivate init(_ reader: inout ByteReader) throws(WireError) {
    self.init(
      correct: try reader.number(), count: try reader.number(), lossSum: Double(bitPattern: try reader.word()))
  }
}

extension Work {
  /// The bits of the model that the job begins with.
  package var parametersAsBytes: [UInt8] { parameters.bytes }
}
