public import MurmurCompute
public import MurmurMachines

/// Faults that are drawn for every sample by itself, alike on all devices, without a message: a dead device neither sends nor
/// receives nor learns, a link that is down carries nothing at one stage in one direction of the network.
///
/// Training with them is what makes a split network survive the real ones (dropout over devices and links); testing with them is the
/// random network G(t) of Internet Learning, drawn anew for every sample. Rates are drawn per sample, so that one batch holds samples with few
/// and with many faults.
public struct Drill: Sendable, Hashable {
  /// How probable a fault is.
  public enum Rate: Sendable, Hashable {
    /// There is none.
    case never
    /// The same for every sample.
    case fixed(Double)
    /// Drawn for every sample, evenly between 0 and this.
    case upTo(Double)
    /// Exactly that many devices, any ones.
    case exactly(Int)

    /// Whether a device's fate depends on no other's.
    var isDrawnAlone: Bool { if case .exactly = self { false } else { !isNever } }

    var isNever: Bool {
      switch self {
      case .never: true
      case .fixed(let rate), .upTo(let rate): rate <= 0
      case .exactly(let count): count <= 0
      }
    }
  }

  /// How probable it is that a device is dead.
  public var devices: Rate
  /// How probable it is that a link is down.
  public var links: Rate

  /// Faults with the given rates.
  public init(devices: Rate = .never, links: Rate = .never) {
    self.devices = devices
    self.links = links
  }

  /// Whether there are none.
  public var isIdle: Bool { devices.isNever && links.isNever }
}

/// The faults of one batch: what every device works out for itself from the plan's seed and the batch's name.
public struct DrillMasks: Sendable {
  private let chance: Chance
  private let drill: Drill
  private let samples: Int
  /// For each device in which rows it lives; empty if all live, or if there are so many devices that each mask is drawn when it is asked for.
  private let alive: [RowMask]
  private let deviceThresholds: [UInt32]
  private let linkThresholds: [UInt32]
  private let copies: Int

  /// The faults of `rows` samples on `devices` devices, drawn from `chance`, which must be the same everywhere. With `copies`, the samples
  /// stand one block after another, and each meets the same faults in all.
  public init(_ drill: Drill, devices: Int, rows: Int, copies: Int = 1, chance: Chance) {
    self.copies = copies
    self.chance = chance
    self.drill = drill
    samples = rows
    // Who has few neighbours among many devices does not draw for all of them.
    let isLazy = devices > DrillMasks.fewDevices && drill.devices.isDrawnAlone
    var deviceRates = chance.fork("device rates")
    deviceThresholds =
      isLazy ? (0..<rows).map { _ in UInt32(DrillMasks.rate(drill.devices, &deviceRates) * 65_536) } : []
    alive =
      isLazy
      ? []
      : DrillMasks.alive(drill.devices, devices: devices, rows: rows, chance: chance.fork("devices"))
        .map { $0.repeated(copies, rows: rows) }
    var stream = chance.fork("rates")
    linkThresholds = drill.links.isNever ? [] : (0..<rows).map { _ in UInt32(DrillMasks.rate(drill.links, &stream) * 65_536) }
  }

  /// The rows of a mask.
  var rows: Int { samples * copies }

  /// Whether no device is dead in any sample.
  var isEveryoneAlive: Bool { alive.isEmpty && deviceThresholds.isEmpty }

  /// In which samples a device lives.
  public func isAlive(_ device: Int) -> RowMask {
    guard !deviceThresholds.isEmpty else { return alive.isEmpty ? .all : alive[device] }
    return DrillMasks.mask(deviceThresholds, chance.fork("device", device)).repeated(copies, rows: samples)
  }

  /// Devices for which all masks are drawn at once.
  static let fewDevices = 64

  /// The rows where no fault is.
  private static func mask(_ thresholds: [UInt32], _ chance: Chance) -> RowMask {
    var stream = chance
    var (bits, left) = (UInt64(0), 0)
    return RowMask(rows: thresholds.count) { row in
      if left == 0 { (bits, left) = (stream.next(), 4) }
      defer {
        bits >>= 16
        left -= 1
      }
      return UInt32(truncatingIfNeeded: bits) & 0xffff >= thresholds[row]
    }
  }

  /// In which samples a link carries what belongs to a stage; `back` is the way of gradients. Both ends live in those samples.
  public func carries(_ a: Int, _ b: Int, stage: Int, back: Bool) -> RowMask {
    carries(a, b, stage: stage, back: back, isAlive(a), isAlive(b))
  }

  /// As ``carries(_:_:stage:back:)``, with the samples in which the ends live.
  func carries(_ a: Int, _ b: Int, stage: Int, back: Bool, _ first: RowMask, _ second: RowMask) -> RowMask {
    guard !linkThresholds.isEmpty else { return first & second }
    let (low, high) = (min(a, b), max(a, b))
    let name = (((stage * 2 + (back ? 1 : 0)) << 40) ^ (low << 20)) ^ high
    return DrillMasks.mask(linkThresholds, chance.fork("link", name)).repeated(copies, rows: samples) & first & second
  }

  private static func rate(_ rate: Drill.Rate, _ chance: inout Chance) -> Double {
    switch rate {
    case .never, .exactly: 0
    case .fixed(let rate): min(max(rate, 0), 1)
    case .upTo(let most): chance.uniform() * min(max(most, 0), 1)
    }
  }

  private static func alive(_ rate: Drill.Rate, devices: Int, rows: Int, chance: Chance) -> [RowMask] {
    guard !rate.isNever else { return [] }
    var chance = chance
    var lives = [Bool](repeating: true, count: devices * rows)
    for row in 0..<rows {
      if case .exactly(let count) = rate {
        for device in chance.pick(min(count, devices), from: Array(0..<devices)) { lives[device * rows + row] = false }
        continue
      }
      let threshold = UInt32(DrillMasks.rate(rate, &chance) * 65_536)
      var (bits, left) = (UInt64(0), 0)
      for device in 0..<devices {
        if left == 0 { (bits, left) = (chance.next(), 4) }
        if UInt32(truncatingIfNeeded: bits) & 0xffff < threshold { lives[device * rows + row] = false }
        bits >>= 16
        left -= 1
      }
    }
    return (0..<devices).map { device in RowMask(rows: rows) { lives[device * rows + $0] } }
  }
}
