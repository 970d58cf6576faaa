import MurmurCompute
public import MurmurWire

/// The protobuf forms of frames (`Protocols/split.proto`).
extension SplitFrame {
  /// The frame as it stands on a stream, without its length.
  public func encode() -> [UInt8] {
    var frame = Murmur_Split_Frame()
    switch self {
    case .hello(let hello):
      frame.hello.device = UInt32(hello.device)
      frame.hello.plan = .init(wire: hello.plan.bytes)
    case .welcome(let welcome):
      frame.welcome.device = UInt32(welcome.device)
      frame.welcome.problem = welcome.problem ?? ""
    case .message(let message): message.write(to: &frame)
    }
    return frame.wire
  }

  /// Reads what ``encode()`` wrote. Throws on anything that is not that, is beyond ``SplitLimits``, or holds a number that is not finite.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> SplitFrame {
    guard bytes.count <= SplitLimits.frameBytes else {
      throw WireError("split frame", "\(bytes.count) bytes are more than \(SplitLimits.frameBytes)")
    }
    try ProtobufScan.bound(bytes[...], what: "split frame", fields: 4)
    let frame = try Murmur_Split_Frame(wire: bytes, what: "split frame")
    switch frame.kind {
    case .hello(let hello):
      guard let plan = Digest(hello.plan.array) else {
        throw WireError("split hello", "a plan's fingerprint has \(Digest.count) bytes, not \(hello.plan.count)")
      }
      return .hello(SplitHello(device: try bounded(hello.device, SplitLimits.devices - 1, "device"), plan: plan))
    case .welcome(let welcome):
      guard welcome.problem.utf8.count <= SplitLimits.problemBytes else {
        throw WireError("split welcome", "a reason of \(welcome.problem.utf8.count) bytes is too long")
      }
      let device = try bounded(welcome.device, SplitLimits.devices - 1, "device")
      return .welcome(SplitWelcome(device: device, problem: welcome.problem.isEmpty ? nil : welcome.problem))
    case .outputs(let part):
      return .message(.outputs(try moment(part.moment), stage: try stage(part.stage), try matrix(part.matrix)))
    case .gradients(let part):
      let values = part.hasMatrix ? try matrix(part.matrix) : nil
      return .message(.gradients(try moment(part.moment), stage: try stage(part.stage), values))
    case .poll(let part): return .message(.poll(try moment(part.moment), stage: try stage(part.stage)))
    case .question(let part): return .message(.question(try query(part)))
    case .answer(let part):
      let origin = try bounded(part.origin, SplitLimits.devices - 1, "origin")
      let hops = try bounded(part.hops, SplitLimits.hops, "hops")
      return .message(.answer(try moment(part.moment), origin: origin, hops: hops, try matrix(part.matrix)))
    case .average(let part):
      let round = try bounded(part.round, SplitLimits.rounds - 1, "round")
      return .message(.average(try moment(part.moment), round: round, try matrix(part.matrix)))
    case nil: throw WireError("split frame", "it says nothing: none of its kinds is set")
    }
  }

  private static func bounded(_ value: UInt32, _ most: Int, _ what: String) throws(WireError) -> Int {
    guard Int(value) <= most else { throw WireError("split frame", "\(what) \(value) is more than \(most)") }
    return Int(value)
  }

  private static func stage(_ value: UInt32) throws(WireError) -> Int { try bounded(value, SplitLimits.stages - 1, "stage") }

  private static func moment(_ part: Murmur_Split_Moment) throws(WireError) -> Moment {
    switch part.kind {
    case .step(let step):
      guard step < UInt64(SplitLimits.steps) else { throw WireError("split frame", "step \(step) is too far") }
      return .step(Int(step))
    case .query(let query):
      return .query(origin: try bounded(query.origin, SplitLimits.devices - 1, "origin"), number: try number(query.number))
    case nil: throw WireError("split frame", "its moment is neither a step nor a question")
    }
  }

  private static func number(_ value: UInt64) throws(WireError) -> Int {
    guard value < UInt64(SplitLimits.questions) else { throw WireError("split frame", "question \(value) is too far") }
    return Int(value)
  }

  private static func query(_ part: Murmur_Split_Question) throws(WireError) -> Query {
    Query(
      origin: try bounded(part.query.origin, SplitLimits.devices - 1, "origin"), number: try number(part.query.number),
      rows: try SplitAsk.rows(part.rows),
      drill: Drill(
        devices: part.hasDevices ? try rate(part.devices) : .never, links: part.hasLinks ? try rate(part.links) : .never))
  }

  private static func rate(_ part: Murmur_Split_Rate) throws(WireError) -> Drill.Rate {
    switch part.kind {
    case .fixed(let share), .upTo(let share):
      guard share >= 0, share <= 1 else { throw WireError("split frame", "a rate of \(share) is not in 0 … 1") }
      if case .fixed = part.kind { return .fixed(share) }
      return .upTo(share)
    case .exactly(let count): return .exactly(try bounded(count, SplitLimits.devices, "dead devices"))
    case nil: throw WireError("split frame", "a rate says nothing")
    }
  }

  static func matrix(_ part: Murmur_Split_Matrix) throws(WireError) -> Matrix {
    let rows = try bounded(part.rows, SplitLimits.rows, "rows")
    let columns = try bounded(part.columns, SplitLimits.columns, "columns")
    guard rows * columns <= SplitLimits.numbers, part.numbers.count == 4 * rows * columns else {
      throw WireError("split frame", "\(part.numbers.count) bytes for \(rows) × \(columns) numbers")
    }
    let matrix = Matrix(rows: rows, columns: columns, littleEndian: part.numbers.array)
    guard matrix.isFinite else { throw WireError("split frame", "a number of a matrix is not finite") }
    return matrix
  }
}

extension Matrix {
  /// A matrix of numbers as they stand in bytes, four each.
  init(rows: Int, columns: Int, littleEndian bytes: [UInt8]) {
    precondition(bytes.count == 4 * rows * columns, "\(bytes.count) bytes for \(rows) × \(columns)")
    unsafe self.init(rows: rows, columns: columns) { floats in
      unsafe bytes.withUnsafeBytes { raw in
        for index in floats.indices {
          let bits = unsafe raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
          unsafe floats[index] = Float(bitPattern: UInt32(littleEndian: bits))
        }
      }
    }
  }

  /// The numbers as bytes, four each.
  var littleEndian: [UInt8] { unsafe withUnsafeFloats { unsafe SplitBytes.of($0) } }

  var message: Murmur_Split_Matrix {
    var part = Murmur_Split_Matrix()
    part.rows = UInt32(rows)
    part.columns = UInt32(columns)
    part.numbers = .init(wire: littleEndian)
    return part
  }
}

/// Floats as bytes.
enum SplitBytes {
  @unsafe
  static func of(_ floats: UnsafeBufferPointer<Float>) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: 4 * floats.count) { bytes, filled in
      let raw = UnsafeMutableRawBufferPointer(bytes)
      for index in floats.indices {
        unsafe raw.storeBytes(of: floats[index].bitPattern.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
      }
      filled = 4 * floats.count
    }
  }
}

extension SplitMessage {
  func write(to frame: inout Murmur_Split_Frame) {
    switch self {
    case .outputs(let moment, let stage, let values):
      frame.outputs.moment = moment.message
      frame.outputs.stage = UInt32(stage)
      frame.outputs.matrix = values.message
    case .gradients(let moment, let stage, let values):
      frame.gradients.moment = moment.message
      frame.gradients.stage = UInt32(stage)
      if let values { frame.gradients.matrix = values.message }
    case .poll(let moment, let stage):
      frame.poll.moment = moment.message
      frame.poll.stage = UInt32(stage)
    case .question(let query):
      frame.question.query.origin = UInt32(query.origin)
      frame.question.query.number = UInt64(query.number)
      frame.question.rows = query.rows.map { UInt32(bitPattern: $0) }
      if let rate = query.drill.devices.message { frame.question.devices = rate }
      if let rate = query.drill.links.message { frame.question.links = rate }
    case .answer(let moment, let origin, let hops, let values):
      frame.answer.moment = moment.message
      frame.answer.origin = UInt32(origin)
      frame.answer.hops = UInt32(hops)
      frame.answer.matrix = values.message
    case .average(let moment, let round, let values):
      frame.average.moment = moment.message
      frame.average.round = UInt32(round)
      frame.average.matrix = values.message
    }
  }
}

extension Moment {
  var message: Murmur_Split_Moment {
    var part = Murmur_Split_Moment()
    switch self {
    case .step(let step): part.step = UInt64(step)
    case .query(let origin, let number):
      part.query.origin = UInt32(origin)
      part.query.number = UInt64(number)
    }
    return part
  }
}

extension Drill.Rate {
  var message: Murmur_Split_Rate? {
    var part = Murmur_Split_Rate()
    switch self {
    case .never: return nil
    case .fixed(let share): part.fixed = share
    case .upTo(let share): part.upTo = share
    case .exactly(let count): part.exactly = UInt32(count)
    }
    return part
  }
}
