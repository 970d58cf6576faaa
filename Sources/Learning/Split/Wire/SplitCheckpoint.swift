import MurmurCompute
public import MurmurWire

/// A device's units, heads, optimisers and memories of its neighbours as bytes, to go on from after it was killed.
///
/// The bytes name the plan and the device they belong to and end with a digest of all before, so that a file that was torn or
/// exchanged is known.
public enum SplitCheckpoint {
  /// The most bytes a checkpoint may have.
  public static let mostBytes = 1 << 30
  private static let mark = "murmur split checkpoint 2"
  private static let what = "split checkpoint"

  /// A device as it is now.
  public static func encode(_ device: borrowing SplitDevice, plan: Digest) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(text: mark)
    bytes.append(content: plan.bytes)
    bytes.append(number: device.id)
    bytes.append(number: device.step)
    let memories = device.memories
    let units = device.units + device.heads + memories.estimators.compactMap { $0 }
    bytes.append(number: units.count)
    for unit in units {
      append(unit.parameters, to: &bytes)
      bytes.append(number: unit.optimizer.steps)
      bytes.append(word: unit.optimizer.powers.first.bitPattern)
      bytes.append(word: unit.optimizer.powers.second.bitPattern)
      append(unit.optimizer.first, to: &bytes)
      append(unit.optimizer.second, to: &bytes)
    }
    for usual in memories.usual.joined() {
      bytes.append(number: usual?.count ?? 0)
      for value in usual ?? [] { bytes.append(number: Int(value.bitPattern)) }
    }
    Digest.sha256(of: bytes).append(to: &bytes)
    return bytes
  }

  /// Puts a device of the same plan and number back to where the bytes have it.
  public static func restore(_ bytes: [UInt8], into device: inout SplitDevice, plan: Digest) throws(WireError) {
    guard bytes.count <= mostBytes, bytes.count > Digest.count else {
      throw WireError(what, "\(bytes.count) bytes are no checkpoint")
    }
    let body = Array(bytes.dropLast(Digest.count))
    guard Digest(bytes.suffix(Digest.count)) == Digest.sha256(of: body) else {
      throw WireError(what, "its digest does not hold: it was cut off or changed")
    }
    var reader = ByteReader(body, what)
    guard try reader.text(64) == mark else { throw WireError(what, "it is of another kind or version") }
    guard try reader.content(Digest.count) == plan.bytes else { throw WireError(what, "it is of another plan or other data") }
    let owner = try reader.number(SplitLimits.devices)
    guard owner == device.id else { throw WireError(what, "it is device \(owner)'s, not device \(device.id)'s") }
    let step = try reader.number(SplitLimits.steps)
    var (units, heads, memories) = (device.units, device.heads, device.memories)
    let count = units.count + heads.count + memories.estimators.count { $0 != nil }
    guard try reader.number(1 << 16) == count else { throw WireError(what, "it has other units") }
    for index in units.indices { try read(&units[index], &reader) }
    for index in heads.indices { try read(&heads[index], &reader) }
    for index in memories.estimators.indices {
      guard var estimator = memories.estimators[index] else { continue }
      try read(&estimator, &reader)
      memories.estimators[index] = estimator
    }
    for stage in memories.usual.indices {
      let width = stage > 0 ? device.plan.stages[stage - 1].width : 0
      for place in memories.usual[stage].indices { memories.usual[stage][place] = try usual(width, &reader) }
    }
    try reader.end()
    (device.units, device.heads, device.step) = (units, heads, step)
    device.remember(memories)
  }

  /// What stands for a neighbour's outputs, if anything is known.
  private static func usual(_ width: Int, _ reader: inout ByteReader) throws(WireError) -> [Float]? {
    let count = try reader.number(SplitLimits.columns)
    guard count > 0 else { return nil }
    guard count == width else { throw WireError(what, "of a neighbour's outputs it has \(count), not \(width)") }
    var values: [Float] = []
    for _ in 0..<count {
      let value = Float(bitPattern: UInt32(try reader.number(Int(UInt32.max))))
      guard value.isFinite else { throw WireError(what, "a number of a neighbour's outputs is not finite") }
      values.append(value)
    }
    return values
  }

  private static func read(_ unit: inout ComputationalUnit, _ reader: inout ByteReader) throws(WireError) {
    let parameters = try vector(unit.parameters.count, &reader)
    let steps = try reader.number(SplitLimits.steps)
    let powers = (Double(bitPattern: try reader.word()), Double(bitPattern: try reader.word()))
    guard (0...1).contains(powers.0), (0...1).contains(powers.1) else { throw WireError(what, "an optimiser's powers are none") }
    let first = try vector(unit.optimizer.first.count, &reader)
    let second = try vector(unit.optimizer.second.count, &reader)
    unit.adopt(
      parameters, OptimizerState(unit.optimizer.rule, steps: steps, powers: powers, first: first, second: second))
  }

  private static func append(_ vector: ParameterVector, to bytes: inout [UInt8]) {
    bytes.append(content: unsafe vector.withUnsafeFloats { unsafe SplitBytes.of($0) })
  }

  private static func vector(_ count: Int, _ reader: inout ByteReader) throws(WireError) -> ParameterVector {
    let bytes = try reader.content(4 * count)
    guard bytes.count == 4 * count else { throw WireError(what, "a unit has \(bytes.count / 4) numbers, not \(count)") }
    let vector = unsafe ParameterVector(count: count) { floats in
      unsafe bytes.withUnsafeBytes { raw in
        for index in floats.indices {
          let bits = unsafe raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
          unsafe floats[index] = Float(bitPattern: UInt32(littleEndian: bits))
        }
      }
    }
    guard vector.isFinite else { throw WireError(what, "a number of a unit is not finite") }
    return vector
  }
}
