import MurmurCompute

/// The faults of the batches that devices of one thread have in hand: what all of them work out alike is drawn once, not by every device, and
/// at both ends of a link, again.
public final class DrillMemory {
  private var recent: [DrawnMasks] = []
  private var places: LinkPlaces?
  private var oldest = 0

  /// Nothing is drawn yet.
  public init() {}

  /// The masks of a batch, drawn by `draw` if they are not at hand. The same moment, drill and number of rows are the same faults: one memory
  /// serves devices of one plan.
  func masks(_ moment: Moment, _ drill: Drill, rows: Int, plan: SplitPlan, draw: () -> DrillMasks) -> DrawnMasks {
    if let known = recent.last(where: { $0.moment == moment && $0.drill == drill && $0.rows == rows }) { return known }
    let places = places ?? LinkPlaces(plan.neighbours)
    self.places = places
    let drawn = DrawnMasks(moment, drill, rows: rows, draw(), stages: plan.stages.count, places)
    if recent.count < DrillMemory.most {
      recent.append(drawn)
    } else {
      recent[oldest] = drawn
      oldest = (oldest + 1) % DrillMemory.most
    }
    return drawn
  }

  /// Batches that are remembered: more than are in flight at a time.
  private static let most = 4
}

/// The faults of one batch, each drawn when it is asked for first.
final class DrawnMasks {
  let moment: Moment
  let drill: Drill
  let rows: Int
  private let masks: DrillMasks
  private let places: LinkPlaces
  private var alive: [RowMask?]
  private var links: [RowMask?]

  init(_ moment: Moment, _ drill: Drill, rows: Int, _ masks: DrillMasks, stages: Int, _ places: LinkPlaces) {
    (self.moment, self.drill, self.rows, self.masks, self.places) = (moment, drill, rows, masks, places)
    alive = Array(repeating: nil, count: places.devices)
    links = Array(repeating: nil, count: places.links * 2 * (stages + 1))
  }

  func isAlive(_ device: Int) -> RowMask {
    if let known = alive[device] { return known }
    let mask = masks.isAlive(device)
    alive[device] = mask
    return mask
  }

  func carries(_ a: Int, _ b: Int, stage: Int, back: Bool) -> RowMask {
    // Both ends of a link ask, one after the other.
    let place = (stage * 2 + (back ? 1 : 0)) * places.links + places.place(min(a, b), max(a, b))
    if let known = links[place] { return known }
    let mask = masks.carries(a, b, stage: stage, back: back, isAlive(a), isAlive(b))
    links[place] = mask
    return mask
  }
}

/// The links between neighbours, numbered.
struct LinkPlaces {
  private let neighbours: [[Int]]
  private let first: [Int]
  let links: Int
  var devices: Int { neighbours.count }

  init(_ neighbours: [[Int]]) {
    // Each link stands in the list of the end with the smaller number.
    self.neighbours = neighbours.enumerated().map { device, list in list.filter { $0 > device }.sorted() }
    var (first, sum) = ([Int](), 0)
    for list in self.neighbours {
      first.append(sum)
      sum += list.count
    }
    (self.first, links) = (first, sum)
  }

  func place(_ low: Int, _ high: Int) -> Int {
    let list = neighbours[low]
    var (from, to) = (0, list.count)
    while from < to {
      let middle = (from + to) / 2
      if list[middle] < high { from = middle + 1 } else { to = middle }
    }
    precondition(from < list.count && list[from] == high, "\(low) and \(high) are no neighbours")
    return first[low] + from
  }
}
