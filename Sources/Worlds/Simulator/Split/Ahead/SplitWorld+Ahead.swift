// house:allow-file(purity) threads that take devices of one world: no result depends on when or where a device is visited
import MurmurCollective
import MurmurCompute
import MurmurMachines
import MurmurSplit

/// Running ahead of virtual time.
///
/// In the order of time a device is visited at every stage, and between two visits lies the whole world, which is in no cache. But nearly
/// all that happens in a training is that a device waits for certain messages, and works when the last is there: when that is, is known as
/// soon as all are sent (``Lane``). So devices are taken along a ``Walk``, step by step, each when what it waits for is there, and on several
/// threads. Everything that happens is the same, and at the same virtual times: as long as no timer fires and nothing else intervenes, which
/// no visit runs past. Then the world goes on in the order of time.
extension SplitWorld {
  /// Devices of a thread from which on it is worth its while.
  static let manyForThread = 4
  /// Visits of a runner until the world looks up.
  private static let quota = 2_048

  /// Some devices and what those of one thread share.
  struct Part {
    let devices: [Int]
    let work = DenseWork()
    let drills = DrillMemory()
    let plan: SplitPlan
  }

  /// The shortest time from when a device begins to wait until its timer may fire.
  private static func patience(_ timing: SplitTiming) -> Instant.Span {
    min(timing.shortest, timing.longest) * (timing.polls > 0 ? 0.49 : 0.98)
  }

  /// Whether everything in a training of these devices waits for messages, of those who have them, and time passes with everything or nothing.
  static func canRunAhead(_ plan: SplitPlan, _ roads: Roads, _ rows: [SplitRows], _ conditions: SplitConditions) -> Bool {
    let timing = plan.timing
    guard plan.steps > 0, plan.stages.contains(where: { $0.reads == .neighbours }), plan.neighbours.allSatisfy({ !$0.isEmpty }),
      rows.allSatisfy({ $0.training > 0 }), timing.flights == 1, (1..<SplitDevice.mostInARow).contains(timing.ahead),
      patience(timing) > .milliseconds(0.01), conditions.flapping == nil, conditions.flappingLinks == nil
    else { return false }
    for fault in conditions.faults {
      if case .step = fault.when { return false }
      if case .joins = fault.what { return false }
    }
    if conditions.speeds.allSatisfy({ $0 == 0 }) && roads.isIdeal { return true }
    if roads.graph.links.allSatisfy({ $0.latency > .zero }) && conditions.jitter == 0 { return true }
    let least = plan.features.indices.map { plan.inputs(of: $0, at: 0) }.min() ?? 0
    let narrowest = plan.stages.flatMap(\.layers).map(\.width).min() ?? 0
    return conditions.speeds.allSatisfy { $0 > 0 && .seconds(Double(min(least, narrowest) * narrowest) / $0) > Instant.Span.zero }
  }

  /// Trains ahead of virtual time, from the beginning, until all have trained, or `isStopped` says so; `false` if the order of time matters
  /// from now on.
  mutating func runAhead(isStopped: () -> Bool) -> Bool {
    let seats = seated()
    let pool = seats.count > 1 ? (crew: WorkerPool(threads: seats.count), bench: Workbench()) : nil
    defer { pool?.crew.close() }
    let meeting = seats.count > 1 ? Meeting(seats.count) : nil
    var (horizon, trained) = (Instant.origin + SplitWorld.patience(plan.timing), 0)
    if let next = queue.next { horizon = min(horizon, next) }
    while true {
      stretch(seats, before: horizon, meeting, pool)
      for seat in seats {
        trained += seat.runner.news.trained
        hear(&seat.runner)
      }
      if trained == plan.devices || isStopped() {
        leave(seats, at: now)
        return true
      }
      guard seats.allSatisfy(\.runner.isDrained) else { continue }
      guard let next = settleTime(seats) else { return false }
      horizon = next
    }
  }

  /// A runner, where a thread has it for itself.
  final class Seat: @unchecked Sendable {
    var runner: Runner
    init(_ runner: Runner) { self.runner = runner }
  }

  /// Hands all devices to runners.
  private mutating func seated() -> [Seat] {
    var homes = [Runner.Home](repeating: .init(runner: 0, seat: 0), count: plan.devices)
    for (number, part) in parts.enumerated() {
      for (seat, device) in part.devices.enumerated() { homes[device] = .init(runner: Int32(number), seat: Int32(seat)) }
    }
    let seats = parts.enumerated().map { number, part in
      Seat(
        Runner(
          number, of: parts.count, part.devices, homes: homes, roads: roads, speeds: conditions.speeds, looksAhead: looksAhead,
          isWatched: observer != nil || isCollecting, nodes: part.devices.map { nodes[$0] },
          lanes: part.devices.map { Lane(pauses[$0]) }))
    }
    // They have them for themselves.
    nodes = []
    return seats
  }

  private func stretch(
    _ seats: [Seat], before horizon: Instant, _ meeting: Meeting?, _ pool: (crew: WorkerPool, bench: Workbench)?
  ) {
    meeting?.begin()
    let tickets = seats.dropFirst().map { seat in
      pool?.crew.submit { _ in seat.runner.run(before: horizon, quota: SplitWorld.quota, meeting) }
    }
    seats[0].runner.run(before: horizon, quota: SplitWorld.quota, meeting)
    for case let ticket? in tickets { pool.map { $0.crew.wait(for: ticket, bench: $0.bench) } }
  }

  /// Takes over what came of a stretch.
  private mutating func hear(_ runner: inout Runner) {
    let news = runner.news
    runner.news = Runner.News()
    trace.mix(news.trace)
    events += news.events
    lost += news.lost
    relayed.messages += news.relayed.messages
    relayed.bytes += news.relayed.bytes
    latestStep = max(latestStep, runner.latestStep)
    now = max(now, runner.now)
    for (device, time) in news.armed { look(device, at: time) }
    for (device, event, time) in news.announced.sorted(by: { $0.time < $1.time }) { tell(event, by: device, at: time) }
  }

  /// Until when devices may be visited now that none has work before the horizon: no timer that any of them arms can fire before. `nil` if
  /// something happens first that is no message; it has happened then, in a world that goes on in the order of time.
  private mutating func settleTime(_ seats: [Seat]) -> Instant? {
    for seat in seats {
      seat.runner.settle()
      hear(&seat.runner)
    }
    while true {
      let soonest = seats.compactMap(\.runner.blocked.next).min()
      guard let next = queue.next, next <= soonest ?? .never else {
        guard let soonest else {
          leave(seats, at: now)
          return nil
        }
        return min(soonest + SplitWorld.patience(plan.timing), queue.next ?? .never)
      }
      guard let (_, event) = queue.pop() else { preconditionFailure("an event that is not there") }
      guard case .wait(let device) = event else {
        leave(seats, at: next)
        take(event)
        return nil
      }
      let home = home(Int(device))
      guard let due = seats[home.part].runner.waited(home.seat, next) else { continue }
      if due > next {
        look(Int(device), at: due)
      } else if seats[home.part].runner.nodes[home.seat].device.isOverdue(next) {
        leave(seats, at: next)
        fire(.wait, of: Int(device))
        return nil
      }
    }
  }

  private func home(_ device: Int) -> (part: Int, seat: Int) {
    for (number, part) in parts.enumerated() {
      if let seat = part.devices.firstIndex(of: device) { return (number, seat) }
    }
    preconditionFailure("a device of no part")
  }

  /// Goes back to the order of time: everything before `time` has happened, and nothing after it.
  private mutating func leave(_ seats: [Seat], at time: Instant) {
    now = time
    var made = [Node?](repeating: nil, count: plan.devices)
    for seat in seats {
      for (place, device) in seat.runner.devices.enumerated() {
        made[device] = seat.runner.nodes[place]
      }
      hear(&seat.runner)
    }
    nodes = made.compactMap { $0 }
    for seat in seats {
      for (place, device) in seat.runner.devices.enumerated() {
        let lane = seat.runner.lanes[place]
        (posts[device].busy, posts[device].alarm, pauses[device]) = (lane.busy, lane.alarm, lane.pause)
        posts[device].mayKeep(nodes[device].device.findQuiet(), through: nodes[device].device.step + plan.timing.ahead)
        for (letter, order) in seat.runner.empty(place) { give(letter, order, to: device) }
      }
    }
    now = time
  }

  /// A letter goes on in the order of time: it is still under way, waits for a busy device, or is kept.
  private mutating func give(_ letter: Letter, _ order: Lane.Order, to device: Int) {
    written.append(letter)
    let bundle = box.put(&written)
    let place = bundle.places.lowerBound
    guard order.time < now else {
      trace.remove(order.time, 1, UInt64(device), UInt64(box.from(place)) << 32 | UInt64(box.byteCount(place)))
      events -= 1
      return queue.schedule(.letters(bundle), at: order.time, rank: order.rank)
    }
    let free = max(order.time, posts[device].busy)
    if posts[device].busy < now, posts[device].inbox.isEmpty, posts[device].keeps(place, in: box, free) { return }
    wait(.letter(Int32(place)), for: device)
  }
}
