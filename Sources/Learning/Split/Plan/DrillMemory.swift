import MurmurCompute

/// The faults of the batches that devices of one thread have in hand: what all of them work out alike is drawn once, not by every device, and
/// at both ends of a link, again.
public final class DrillMemory {
  private var recent: [DrawnMasks] = []
  private var first: [Int] = []
  private var oldest = 0
  private var batches: [(schedule: Schedule, step: Int, rows: [Int32])] = []

  /// Nothing is drawn yet.
  public init() {}

  /// The masks of a batch, drawn by `draw` if they are not at hand. The same moment, drill and number of rows are the same faults: one memory
  /// serves devices of one plan.
  func masks(_ moment: Moment, _ drill: Drill, rows: Int, plan: SplitPlan, draw: () -> DrillMasks) -> DrawnMasks {
    if let known = recent.last(where: { $0.moment == moment && $0.drill == drill && $0.rows == rows }) { return known }
    let drawn = DrawnMasks(moment, drill, rows: rows, draw(), plan: plan, links: linkCount(plan))
    if recent.count < DrillMemory.most {
      recent.append(drawn)
    } else {
      recent[oldest] = drawn
      oldest = (oldest + 1) % DrillMemory.most
    }
    return drawn
  }

  /// The rows of a step, which are the same on all devices.
  func rows(of step: Int, _ schedule: Schedule) -> [Int32] {
    if let known = batches.last(where: { $0.step == step && $0.schedule == schedule }) { return known.rows }
    if batches.count == DrillMemory.most { batches.removeFirst() }
    batches.append((schedule, step, schedule.rows(of: step)))
    return batches[batches.count - 1].rows
  }

  /// The links of a device to its neighbours, each with the number it has among all.
  func links(of device: Int, _ plan: SplitPlan) -> [DrawnMasks.Link] {
    _ = linkCount(plan)
    return plan.neighbours[device].map { other in
      let (low, high) = (min(device, other), max(device, other))
      let list = plan.neighbours[low]
      guard let place = list.firstIndex(of: high) else { preconditionFailure("\(low) and \(high) are no neighbours") }
      let lower = list.firstIndex { $0 > low } ?? list.count
      return DrawnMasks.Link(number: first[low] + place - lower, low: low, high: high)
    }
  }

  /// How many links there are; each stands in the list of the end with the smaller number.
  private func linkCount(_ plan: SplitPlan) -> Int {
    if first.isEmpty {
      var sum = 0
      for (device, list) in plan.neighbours.enumerated() {
        first.append(sum)
        sum += list.reduce(0) { $0 + ($1 > device ? 1 : 0) }
      }
      first.append(sum)
    }
    return first[first.count - 1]
  }

  /// Batches that are remembered: more than are in flight at a time.
  private static let most = 4
}

/// The faults of one batch, each drawn when it is asked for first: a thousand devices ask for thousands, so that they are bits side by side.
final class DrawnMasks {
  let moment: Moment
  let drill: Drill
  let rows: Int
  private let masks: DrillMasks
  private let ways: Int
  private var alive: Drawn
  /// By link, stage and way: those of one link lie together.
  private var links: Drawn

  /// A link between neighbours.
  struct Link {
    let number: Int
    let low: Int
    let high: Int
  }

  private struct Drawn {
    private enum State: UInt8 {
      case no
      case all
      case some
    }

    private let rows: Int
    private let words: Int
    private var states: [State]
    private var bits: [UInt64]

    init(_ count: Int, rows: Int) {
      self.rows = rows
      let words = RowMask.words(rows)
      self.words = words
      states = Array(repeating: .no, count: count)
      // What is not drawn is not read.
      bits = unsafe Array(unsafeUninitializedCapacity: count * words) { $1 = count * words }
    }

    mutating func nearHeads() {
      states.near(1)
      bits.near(1)
    }

    mutating func near(_ count: Int, from place: Int) {
      states.near(within: place..<place + count)
      bits.near(within: place * words..<(place + count) * words)
    }

    subscript(place: Int) -> RowMask? {
      get {
        switch states[place] {
        case .no: nil
        case .all: .all
        case .some where words == 1: RowMask(rows: rows, word: bits[place])
        case .some: RowMask(rows: rows, bits: bits[place * words..<(place + 1) * words])
        }
      }
      set {
        guard let newValue else { return states[place] = .no }
        states[place] = newValue.isAll ? .all : .some
        newValue.write(to: &bits, at: place * words)
      }
    }
  }

  init(_ moment: Moment, _ drill: Drill, rows: Int, _ masks: DrillMasks, plan: SplitPlan, links count: Int) {
    (self.moment, self.drill, self.rows, self.masks) = (moment, drill, rows, masks)
    ways = 2 * (plan.stages.count + 1)
    alive = Drawn(plan.devices, rows: masks.rows)
    links = Drawn(count * ways, rows: masks.rows)
  }

  /// Asks for what is drawn of some links for some stages and the one behind them.
  func near(_ list: inout [Link], _ stages: ClosedRange<Int>) {
    links.nearHeads()
    let count = 2 * (stages.count + 1)
    for index in list.indices { links.near(count, from: list[index].number * ways + 2 * stages.lowerBound) }
  }

  func isAlive(_ device: Int) -> RowMask {
    if let known = alive[device] { return known }
    let mask = masks.isAlive(device)
    alive[device] = mask
    return mask
  }

  func carries(_ link: Link, stage: Int, back: Bool) -> RowMask {
    // Both ends of a link ask, one after the other.
    let place = link.number * ways + stage * 2 + (back ? 1 : 0)
    if let known = links[place] { return known }
    let mask = masks.carries(link.low, link.high, stage: stage, back: back, isAlive(link.low), isAlive(link.high))
    links[place] = mask
    return mask
  }

  /// What is known already of the rows in which a link carries what a stage reads, or, if it `returns`, the gradient by it as well.
  func known(_ link: Link, stage: Int, returns: Bool) -> RowMask {
    let place = link.number * ways + stage * 2
    guard let there = links[place] else { return .all }
    guard returns, let back = links[place + 1] else { return there }
    return there & back
  }

  /// In which samples a link carries what a stage reads, and the gradient by it back.
  func returns(_ link: Link, stage: Int) -> RowMask {
    carries(link, stage: stage, back: false) & carries(link, stage: stage, back: true)
  }
}
