import MurmurCompute

/// The faults of the batches that devices of one thread have in hand: what all of them work out alike is drawn once, not by every device, and
/// at both ends of a link, again.
public final class DrillMemory {
  private var recent: [DrawnMasks] = []
  private var oldest = 0

  /// Nothing is drawn yet.
  public init() {}

  /// The masks of a batch, drawn by `draw` if they are not at hand. The same moment, drill and number of rows are the same faults: one memory
  /// serves devices of one plan.
  func masks(_ moment: Moment, _ drill: Drill, rows: Int, plan: SplitPlan, draw: () -> DrillMasks) -> DrawnMasks {
    if let known = recent.last(where: { $0.moment == moment && $0.drill == drill && $0.rows == rows }) { return known }
    let drawn = DrawnMasks(moment, drill, rows: rows, draw(), plan)
    if recent.count < DrillMemory.most {
      recent.append(drawn)
    } else {
      recent[oldest] = drawn
      oldest = (oldest + 1) % DrillMemory.most
    }
    return drawn
  }

  /// Batches that are remembered: more than are in flight at a time.
  private static let most = 8
}

/// The faults of one batch, each drawn when it is asked for first.
final class DrawnMasks {
  let moment: Moment
  let drill: Drill
  let rows: Int
  private let masks: DrillMasks
  private let devices: Int
  private var alive: [RowMask?]
  private var links: [RowMask?]

  init(_ moment: Moment, _ drill: Drill, rows: Int, _ masks: DrillMasks, _ plan: SplitPlan) {
    (self.moment, self.drill, self.rows, self.masks) = (moment, drill, rows, masks)
    devices = plan.devices
    alive = Array(repeating: nil, count: devices)
    // Where devices are many, links are few beside their pairs, and are drawn at both ends.
    let pairs = devices <= DrillMasks.fewDevices ? devices * devices : 0
    links = Array(repeating: nil, count: pairs * 2 * (plan.stages.count + 1))
  }

  func isAlive(_ device: Int) -> RowMask {
    if let known = alive[device] { return known }
    let mask = masks.isAlive(device)
    alive[device] = mask
    return mask
  }

  func carries(_ a: Int, _ b: Int, stage: Int, back: Bool) -> RowMask {
    let place = ((stage * 2 + (back ? 1 : 0)) * devices + min(a, b)) * devices + max(a, b)
    if place < links.count, let known = links[place] { return known }
    let mask = masks.carries(a, b, stage: stage, back: back, isAlive(a), isAlive(b))
    if place < links.count { links[place] = mask }
    return mask
  }
}
