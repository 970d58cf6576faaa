import MurmurCompute
import MurmurMachines
import MurmurSplit

/// Some of a world's devices, taken through the training by one thread, each as far ahead of the others' virtual time as its ``Lane`` allows.
///
/// Whatever the order in which devices are visited, and on whichever thread, each takes the same inputs at the same times. So the order is
/// the one that is best for memory: the device that is first along the walk, of those that are behind with their steps.
struct Runner {
  /// A letter to a device of another runner.
  struct Mail: Sendable {
    let letter: Letter
    let time: Instant
  }

  /// Which runner has a device, and as which of its own.
  struct Home {
    var runner: Int32
    var seat: Int32
  }

  /// What came of the last stretch, for the world to take over.
  struct News {
    var trace = TraceSum()
    var events = 0
    var lost = 0
    var relayed = (messages: 0, bytes: 0)
    var trained = 0
    var armed: [(device: Int, time: Instant)] = []
    var announced: [(device: Int, event: SplitEvent, time: Instant)] = []
  }

  let number: Int
  /// The devices, in the order of the walk.
  let devices: [Int]
  private let homes: [Home]
  private let total: Int
  private let roads: Roads
  private let speeds: [Double]
  private let looksAhead: Bool
  private let isWatched: Bool
  private(set) var nodes: [SplitWorld.Node]
  private(set) var lanes: [Lane]
  private(set) var box = LetterBox()
  /// Those that have work before the ``horizon``, by step and place, and those that have it later, by time.
  private var ready = Heap()
  private(set) var blocked = EventQueue<Int32>()
  /// Those that are visited next, each with the round of asking that comes next for it.
  private var line: [(seat: Int, round: Int)] = []
  private static let depth = SplitDevice.nearingRounds + 2
  private var horizon = Instant.origin
  private var hasBegun = false
  private var effects = Effects<SplitDevice.Effect>()
  private var handed: [Lane.Handed] = []
  private var written: [Letter] = []
  private var arrivals: [Instant] = []
  private var outgoing: [[Mail]]
  private var incoming: [Mail] = []
  /// Whether nothing is left to do before the horizon.
  private(set) var isDrained = false
  var news = News()
  private(set) var latestStep = -1
  /// The latest time at which a device was visited.
  private(set) var now = Instant.origin

  init(
    _ number: Int, of runners: Int, _ devices: [Int], homes: [Home], roads: Roads, speeds: [Double], looksAhead: Bool,
    isWatched: Bool, nodes: [SplitWorld.Node], lanes: [Lane]
  ) {
    (self.number, self.devices, self.roads, self.nodes, self.lanes) = (number, devices, roads, nodes, lanes)
    (self.looksAhead, self.isWatched) = (looksAhead, isWatched)
    total = homes.count
    // Lists of its own: threads that count references to the same ones wait for each other.
    self.homes = homes.map { $0 }
    self.speeds = speeds.map { $0 }
    outgoing = Array(repeating: [], count: runners)
  }

  /// Visits devices that have work before a time, so many of them at most.
  mutating func run(before horizon: Instant, quota: Int, _ meeting: Meeting?) {
    self.horizon = horizon
    isDrained = false
    while let next = blocked.next, next < horizon, let (_, seat) = blocked.pop() { schedule(Int(seat)) }
    if !hasBegun { begin(meeting) }
    var visits = 0
    while true {
      if let meeting, meeting.hasMail(number) { takeMail(meeting) }
      guard visits < quota else {
        meeting?.leave()
        return
      }
      guard let seat = next() else {
        guard let meeting, meeting.wait(number) else {
          isDrained = true
          return
        }
        continue
      }
      visit(seat)
      visits += 1
      if let meeting { send(meeting) }
    }
  }

  private mutating func begin(_ meeting: Meeting?) {
    hasBegun = true
    for seat in nodes.indices {
      nodes[seat].step(.began, at: .origin, effects: &effects)
      commit(seat, at: .origin)
    }
    if let meeting { send(meeting) }
  }

  private mutating func visit(_ seat: Int) {
    lanes[seat].open(&handed)
    handOver(seat)
    commit(seat, at: lanes[seat].lastNow)
  }

  /// Gives a device what its lane has taken out for it.
  private mutating func handOver(_ seat: Int) {
    for index in handed.indices {
      if looksAhead { Nearing.some(12) }
      let place = Int(handed[index].place)
      let from = box.from(place)
      nodes[seat].step(.received(box.take(place), from: from), at: handed[index].time, effects: &effects)
    }
    handed.removeAll(keepingCapacity: true)
  }

  /// Does what a device wants.
  private mutating func commit(_ seat: Int, at now: Instant) {
    self.now = max(self.now, now)
    let device = devices[seat]
    var time = max(now, lanes[seat].busy)
    for effect in effects.list {
      switch effect {
      case .send(let message, let to): write(message, from: device, seat, to: to, at: time)
      case .arm(.wait, let at): if lanes[seat].alarm.arm(at) { news.armed.append((device, at)) }
      case .arm: preconditionFailure("a timer that no training has")
      case .worked(let operations):
        let speed = speeds[speeds.count == 1 ? 0 : device]
        if speed > 0 { time = time + .seconds(Double(operations) / speed) }
      case .announce(let event): announce(event, by: seat, at: time)
      }
    }
    effects.removeAll()
    // The letters' own device may be among them: it is known what it waits for first.
    if lanes[seat].wait(nodes[seat].device.findQuiet(), busy: time) { schedule(seat) }
    guard !written.isEmpty else { return }
    let bundle = box.put(&written)
    for (place, arrival) in zip(bundle.places, arrivals) { accept(place, arrival) }
    arrivals.removeAll(keepingCapacity: true)
  }

  private mutating func announce(_ event: SplitEvent, by seat: Int, at time: Instant) {
    if case .stepped(let step, _) = event {
      lanes[seat].pause.note(time)
      latestStep = max(latestStep, step)
    }
    if case .trained = event { news.trained += 1 }
    if isWatched { news.announced.append((devices[seat], event, time)) }
  }

  private mutating func write(_ message: SplitMessage, from: Int, _ seat: Int, to: Int, at time: Instant) {
    var relays = 0
    let (bytes, all) = (message.byteCount, { (_: Int) in true })
    let due = roads.carry(bytes, from: from, to: to, at: time, &nodes[seat].chance, relays: &relays, isAlive: all)
    news.relayed.messages += relays
    news.relayed.bytes += relays * bytes
    guard let due else {
      news.lost += 1
      return
    }
    let (letter, home) = (Letter(from: from, to: to, message), Int(homes[to].runner))
    if home == number {
      written.append(letter)
      arrivals.append(due)
    } else {
      outgoing[home].append(Mail(letter: letter, time: due))
    }
  }

  /// A letter was sent to one of the devices here.
  private mutating func accept(_ place: Int, _ time: Instant) {
    let (from, to) = (box.from(place), box.to(place))
    news.trace.mix(time, 1, UInt64(to), UInt64(from) << 32 | UInt64(box.byteCount(place)))
    news.events += 1
    guard let tag = box.tag(place), let rank = box.rank(place, of: total) else {
      preconditionFailure("a message that no training has")
    }
    let seat = Int(homes[to].seat)
    if lanes[seat].take(place, tag: tag, .init(time: time, rank: rank)) { schedule(seat) }
  }

  private mutating func schedule(_ seat: Int) {
    let time = lanes[seat].next
    guard time < horizon else { return blocked.schedule(Int32(seat), at: time) }
    ready.push(lanes[seat].step * devices.count + seat)
  }

  private mutating func takeMail(_ meeting: Meeting) {
    meeting.take(number, &incoming)
    for mail in incoming {
      written.append(mail.letter)
      let place = box.put(&written).places.lowerBound
      accept(place, mail.time)
    }
    incoming.removeAll(keepingCapacity: true)
  }

  private mutating func send(_ meeting: Meeting) {
    for other in outgoing.indices where !outgoing[other].isEmpty { meeting.post(&outgoing[other], to: other) }
  }

  /// The next device that has work. Who has it is visited a little later, so that what it will look at can be asked for before.
  private mutating func next() -> Int? {
    while line.count < (looksAhead ? Runner.depth : 1), let key = ready.pop() { line.append((key % devices.count, -1)) }
    guard !line.isEmpty else { return nil }
    if looksAhead {
      Nearing.age()
      for index in line.indices.reversed() where line[index].round < SplitDevice.nearingRounds {
        near(line[index].round, line[index].seat)
        line[index].round += 1
      }
    }
    return line.removeFirst().seat
  }

  /// A round of asking for what a device will look at.
  private mutating func near(_ round: Int, _ seat: Int) {
    guard round >= 0 else {
      lanes.near(at: seat)
      return nodes.near(at: seat)
    }
    nodes[seat].device.near(round, isOwn: true)
  }

  /// The wait timer of a device may be due: see ``Alarm``.
  mutating func waited(_ seat: Int, _ now: Instant) -> Instant? { lanes[seat].alarm.waited(now) }

  /// Gives devices what comes from their past, if they wait for it.
  mutating func settle() {
    for seat in lanes.indices where lanes[seat].isAnew { settle(seat) }
  }

  private mutating func settle(_ seat: Int) {
    lanes[seat].takePast(&handed)
    handOver(seat)
    nodes[seat].device.waitAnew(&effects)
    commit(seat, at: lanes[seat].lastNow)
  }

  /// Takes out what is still under way to a device: each letter, and when it arrives.
  mutating func empty(_ seat: Int) -> [(letter: Letter, order: Lane.Order)] {
    lanes[seat].empty().map { (box.lift(Int($0.place)), $0.order) }
  }
}

/// Numbers, of which the least comes out first.
private struct Heap {
  private var list: [Int] = []

  mutating func push(_ number: Int) {
    var place = list.count
    list.append(number)
    while place > 0, number < list[(place - 1) / 2] {
      list[place] = list[(place - 1) / 2]
      place = (place - 1) / 2
    }
    list[place] = number
  }

  mutating func pop() -> Int? {
    guard let least = list.first, let last = list.popLast() else { return nil }
    guard !list.isEmpty else { return least }
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < list.count else { break }
      if child + 1 < list.count, list[child + 1] < list[child] { child += 1 }
      guard list[child] < last else { break }
      list[place] = list[child]
      place = child
    }
    list[place] = last
    return least
  }
}
