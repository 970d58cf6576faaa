import MurmurCompute
public import MurmurMachines
public import MurmurSplit

/// The devices of a split network under virtual time: the very machines that run on sockets, over links that delay and lose.
///
/// One event at a time, in the order of virtual time, so that a seed replays a run exactly: ``trace`` is a hash over every event.
/// Messages between devices without a link go over relays, along the least-cost path among the devices that live.
///
/// What a thousand devices know lies in no cache. So messages that have no effect yet (``SplitDevice/quiet``) are kept in a device's ``Post``,
/// and the device, once it is at hand, is given all of them, each with the time at which it came.
public struct SplitWorld {
  enum Event {
    /// What a device sent at one time and what arrives at one time, in order.
    case letters(LetterBox.Bundle)
    case timer(Int32, SplitDevice.Timer, life: Int32)
    /// The wait timer of a device may be due.
    case wait(Int32)
    case fault(SplitFault.What)
    case flapped(Int32)
    case flappedLink(Int32)
    /// A device has ended its computing and takes what came meanwhile.
    case woke(Int32)
  }

  struct Node {
    var device: SplitDevice
    var chance: Chance

    mutating func step(_ input: SplitDevice.Input, at now: Instant, effects: inout Effects<SplitDevice.Effect>) {
      device.step(input, at: now, chance: &chance, effects: &effects)
    }
  }

  /// What the devices agree on.
  public let plan: SplitPlan
  /// Who is wired to whom.
  public let graph: DeviceGraph
  let reach: VirtualGraph.Reach
  let conditions: SplitConditions
  let rows: [SplitRows]
  let work = DenseWork()
  let drills = DrillMemory()
  var nodes: [Node]
  /// What the world has to know of every device at every event.
  var posts: [Post]
  var routes: VirtualGraph
  var links: [Int: DeviceGraph.Link] = [:]
  private var handed: [Post.Kept] = []
  /// Messages under way.
  var box = LetterBox()
  /// Letters that arrive now and are not yet handed out.
  private var arriving = 0..<0
  /// Letters that a device has written, until it is clear that no other arrives with them.
  private var written: [Letter] = []
  private var arrival = Instant.origin
  private var linkChance = Chance(seed: 0)
  var broken: Set<Int> = []
  var queue: EventQueue<Event>
  private let looksAhead: Bool
  /// The order of messages that arrive at one time.
  let walk: Walk
  /// Those that have work at the events to come, by how many rounds of ``nearNext()`` they have had.
  var workers: [[Int32]] = Array(repeating: [], count: SplitDevice.nearingRounds)
  var effects = Effects<SplitDevice.Effect>()
  var byStep: [SplitFault]
  let isIdeal: Bool
  /// The virtual time of the latest event.
  public private(set) var now = Instant.origin
  /// A hash over every event so far.
  public private(set) var trace = TraceHash()
  /// Events so far.
  public private(set) var events = 0
  /// Watches what devices announce.
  public var observer: (@Sendable (Int, SplitEvent, Instant) -> Void)?
  var announced: [(device: Int, event: SplitEvent, time: Instant)] = []
  var isCollecting = false
  private var hasBegun = false
  /// Whether devices and links come and go although nobody learns, and questions therefore end before everything does.
  var isLive = false
  /// The step that ended last, anywhere.
  public private(set) var latestStep = -1
  /// How often a message ended on a lossy link or at a dead device.
  public private(set) var lost = 0
  /// Messages that devices passed on for others, and their bytes, about.
  public private(set) var relayed = (messages: 0, bytes: 0)
  /// When each device last ended a step, and the longest time it took from one to the next.
  public private(set) var pauses: [(last: Instant, longest: Instant.Span)]

  /// A world of devices that have not begun.
  public init(
    plan: SplitPlan, graph: DeviceGraph, reach: VirtualGraph.Reach, rows: [SplitRows], conditions: SplitConditions = .init()
  ) {
    self.init(
      plan: plan, graph: graph, reach: reach, rows: rows, conditions: conditions,
      looksAhead: plan.devices >= SplitWorld.manyDevices)
  }

  /// A world that brings near what the next events will look at, where it can in the order of a walk, or does not.
  package init(
    plan: SplitPlan, graph: DeviceGraph, reach: VirtualGraph.Reach, rows: [SplitRows], conditions: SplitConditions,
    looksAhead: Bool
  ) {
    precondition(plan.complaint == nil, plan.complaint ?? "")
    precondition(rows.count == plan.devices && graph.devices == plan.devices, "rows and graph of other devices")
    self.plan = plan
    self.graph = graph
    self.reach = reach
    self.rows = rows
    self.conditions = conditions
    routes = VirtualGraph(graph, reach)
    for link in graph.links { links[link.a * plan.devices + link.b] = link }
    isIdeal =
      conditions.loss == 0 && conditions.jitter == 0
      && graph.links.allSatisfy { $0.latency == .zero && $0.bandwidth == 0 }
    let walk = looksAhead && isIdeal && conditions.speeds.allSatisfy { $0 == 0 } ? Walk(plan.neighbours) : .none
    self.walk = walk.isWorthwhile ? walk : .none
    self.looksAhead = looksAhead && self.walk.isEmpty
    queue = EventQueue(ahead: self.looksAhead ? SplitWorld.horizon : 0)
    let chance = Chance(seed: plan.seed).fork("split world")
    let (work, drills) = (work, drills)
    // Those that are visited one after another lie side by side.
    var made = [Node?](repeating: nil, count: plan.devices)
    for number in self.walk.isEmpty ? Array(0..<plan.devices) : self.walk.order {
      made[number] = Node(
        device: SplitDevice(checked: plan, id: number, rows: rows[number], work: work, drills: drills),
        chance: chance.fork("device", number))
    }
    nodes = made.compactMap { $0 }
    posts = Array(repeating: Post(), count: plan.devices)
    pauses = Array(repeating: (.origin, .zero), count: plan.devices)
    byStep = conditions.faults.filter { if case .step = $0.when { true } else { false } }
    for fault in conditions.faults {
      if case .at(let time) = fault.when { queue.schedule(.fault(fault.what), at: time) }
    }
    for fault in conditions.faults {
      // Who joins later is not there before.
      if case .joins(let device) = fault.what { posts[device].isAlive = false }
    }
    if let flapping = conditions.flapping {
      let count = Int((Double(plan.devices) * flapping.share).rounded())
      for number in (plan.devices - count)..<plan.devices {
        let first = nodes[number].chance.exponential(mean: flapping.on.seconds)
        queue.schedule(.flapped(Int32(number)), at: .origin + .seconds(first))
      }
    }
    if let flapping = conditions.flappingLinks {
      linkChance = chance.fork("flapping links")
      let count = Int((Double(graph.links.count) * flapping.share).rounded())
      for number in linkChance.pick(count, from: Array(graph.links.indices)).sorted() {
        queue.schedule(.flappedLink(Int32(number)), at: .origin + .seconds(linkChance.exponential(mean: flapping.on.seconds)))
      }
    }
  }

  /// A device, as it is now.
  public func device(_ number: Int) -> SplitDevice { nodes[number].device }
  /// Whether a device is there.
  public func isAlive(_ number: Int) -> Bool { posts[number].isAlive }

  /// The figures of all devices together.
  public var statistics: SplitStatistics { nodes.reduce(SplitStatistics()) { $0 + $1.device.statistics } }

  /// Gives a device other units, as from a checkpoint or another run.
  public mutating func place(_ units: [ComputationalUnit], _ memories: SplitMemories? = nil, on device: Int, step: Int = 0) {
    nodes[device].device.adopt(units, step: step)
    if let memories { nodes[device].device.remember(memories) }
  }

  /// Trains, or goes on, until all have trained or `isStopped` says so.
  public mutating func train(isStopped: () -> Bool = { false }) {
    begin()
    run(isStopped: isStopped, untilTrained: true)
  }

  private mutating func begin() {
    guard !hasBegun else { return }
    hasBegun = true
    for number in nodes.indices where posts[number].isAlive { step(number, .began) }
  }

  /// Begins, or goes on, until some device has ended `step`; the rest of what was on its way happens when the world goes on.
  public mutating func train(untilStep step: Int) {
    begin()
    while latestStep < step, happen() {}
    settle()
  }

  /// The same devices with the units they have now, in a world where nothing is on its way and nobody trains: to ask in the middle of
  /// training, or, with those that come and go `back`, after it.
  ///
  /// With a `deadline`, devices wait that long for a stage's messages when asked, whatever earlier arrivals suggest. With conditions, what
  /// they say happens to devices and links while questions are asked, from then on.
  public func still(back: Bool = false, deadline: Instant.Span? = nil, under live: SplitConditions? = nil) -> SplitWorld {
    var plan = plan
    if let deadline {
      (plan.timing.longest, plan.timing.shortest) = (deadline, deadline)
      plan.inference.deadline = deadline * Double(plan.stages.count + 2)
    }
    var world = SplitWorld(plan: plan, graph: graph, reach: reach, rows: rows, conditions: live ?? conditions.quiet)
    world.isLive = live != nil
    for number in nodes.indices {
      world.place(nodes[number].device.units, nodes[number].device.memories, on: number)
      world.posts[number].isAlive = posts[number].isAlive || back && flaps(number)
    }
    world.broken = broken
    world.reroute()
    return world
  }

  private func flaps(_ number: Int) -> Bool {
    guard let flapping = conditions.flapping else { return false }
    return number >= plan.devices - Int((Double(plan.devices) * flapping.share).rounded())
  }

  /// Lets the world go on to a time, or until the answer to a question is there.
  mutating func pass(until time: Instant, orAnswerTo question: Moment? = nil) {
    defer { settle() }
    var seen = announced.count
    while happen(by: time) {
      while seen < announced.count {
        if case .concluded(question, _, _) = announced[seen].event { return }
        seen += 1
      }
    }
    now = max(now, time)
  }

  mutating func run(isStopped: () -> Bool = { false }, untilTrained: Bool = false) {
    defer { settle() }
    while happen() {
      if events & 1023 == 0, isStopped() { return }
      if untilTrained, latestStep >= plan.steps - 1, events & 63 == 0, isTrained { return }
    }
  }

  private var isTrained: Bool { nodes.indices.allSatisfy { !posts[$0].isAlive || nodes[$0].device.hasTrained } }

  /// Lets the next event happen that does so by a time; whether there is any.
  private mutating func happen(by time: Instant = .never) -> Bool {
    if arriving.isEmpty {
      guard let next = queue.next, next <= time, let (_, event) = queue.pop() else { return false }
      now = max(now, next)
      if looksAhead { nearNext() }
      if !walk.isEmpty, case .letters(let bundle) = event { nearAlong(bundle) }
      guard case .letters(let bundle) = event else {
        events += 1
        take(event)
        return true
      }
      arriving = bundle.places
    }
    events += 1
    if looksAhead { Nearing.some(6) }
    let place = arriving.lowerBound
    arriving = place + 1..<arriving.upperBound
    arrive(place)
    return true
  }

  private mutating func take(_ event: Event) {
    switch event {
    case .letters: preconditionFailure("letters are handed out one by one")
    case .timer(let device, let timer, let life):
      guard posts[Int(device)].isAlive, posts[Int(device)].life == life else { return }
      fire(timer, of: Int(device))
    case .wait(let device):
      guard let again = posts[Int(device)].waited(now) else { return }
      if again > now { return queue.schedule(.wait(device), at: again) }
      fire(.wait, of: Int(device))
    case .woke(let device):
      let number = Int(device)
      while posts[number].busy <= now, let item = posts[number].inbox.next() {
        switch item {
        case .letter(let place): deliver(Int(place), to: number)
        case .timer(let timer): step(number, .fired(timer))
        }
      }
      if !posts[number].inbox.isEmpty { queue.schedule(.woke(device), at: posts[number].busy) }
    case .fault(let what): act(what)
    case .flapped(let device): flap(Int(device))
    case .flappedLink(let link): flapLink(Int(link))
    }
  }

  private mutating func fire(_ timer: SplitDevice.Timer, of number: Int) {
    trace.mix(now, 2, UInt64(number), 0)
    if posts[number].isFree(now) { step(number, .fired(timer)) } else { wait(.timer(timer), for: number) }
  }

  /// A message is there: it is kept if it has no effect yet, and waits if the device has no time.
  private mutating func arrive(_ place: Int) {
    let to = box.to(place)
    guard posts[to].isAlive else {
      lost += 1
      _ = box.take(place)
      return
    }
    trace.mix(now, 1, UInt64(to), UInt64(box.from(place)) << 32 | UInt64(box.byteCount(place)))
    if posts[to].isFree(now) { deliver(place, to: to) } else { wait(.letter(Int32(place)), for: to) }
  }

  private mutating func wait(_ item: Post.Inbox.Item, for number: Int) {
    if posts[number].inbox.isEmpty { queue.schedule(.woke(Int32(number)), at: posts[number].busy) }
    posts[number].inbox.append(item)
  }

  /// Hands a message to a device that has time, unless it has no effect yet.
  private mutating func deliver(_ place: Int, to number: Int) {
    if posts[number].keeps(place, in: box, now) { return }
    let from = box.from(place)
    step(number, .received(box.take(place), from: from))
  }

  /// Hands over what has no effect yet, for whoever looks at the devices.
  private mutating func settle() {
    for number in posts.indices { handOver(number) }
  }

  private mutating func handOver(_ number: Int) {
    guard !posts[number].kept.isEmpty else { return }
    posts[number].takeKept(&handed)
    for index in handed.indices {
      if looksAhead { Nearing.some(8) }
      let place = Int(handed[index].place)
      let from = box.from(place)
      nodes[number].step(.received(box.take(place), from: from), at: handed[index].time, effects: &effects)
    }
    handed.removeAll(keepingCapacity: true)
    precondition(effects.isEmpty, "a message that a device called quiet had an effect")
  }

  mutating func step(_ number: Int, _ input: SplitDevice.Input) {
    handOver(number)
    nodes[number].step(input, at: now, effects: &effects)
    var time = max(now, posts[number].busy)
    // Nothing here appends to them; their room is used again.
    var wanted = Effects<SplitDevice.Effect>()
    swap(&wanted, &effects)
    for effect in wanted.list {
      switch effect {
      case .send(let message, let to): write(message, from: number, to: to, at: time)
      case .arm(.wait, let at):
        guard posts[number].arm(at) else { continue }
        post()
        queue.schedule(.wait(Int32(number)), at: at)
      case .arm(let timer, let at):
        post()
        queue.schedule(.timer(Int32(number), timer, life: posts[number].life), at: at)
      case .worked(let operations):
        let speed = conditions.speeds[conditions.speeds.count == 1 ? 0 : number]
        if speed > 0 { time = time + .seconds(Double(operations) / speed) }
      case .announce(let event):
        post()
        announce(event, by: number, at: time)
      }
    }
    post()
    wanted.removeAll()
    swap(&wanted, &effects)
    posts[number].busy = time
    posts[number].mayKeep(nodes[number].device.quiet, through: nodes[number].device.step + plan.timing.ahead)
  }

  private mutating func announce(_ event: SplitEvent, by number: Int, at time: Instant) {
    if case .stepped(let step, _) = event {
      if pauses[number].last > .origin { pauses[number].longest = max(pauses[number].longest, time - pauses[number].last) }
      pauses[number].last = time
      if step > latestStep {
        latestStep = step
        for fault in byStep {
          if case .step(let when) = fault.when, when <= step { queue.schedule(.fault(fault.what), at: time) }
        }
        byStep.removeAll { if case .step(let when) = $0.when { when <= step } else { false } }
      }
    }
    if isCollecting { announced.append((number, event, time)) }
    observer?(number, event, time)
  }

  /// Addresses a message that arrives, and puts it to those that arrive with it.
  private mutating func write(_ message: SplitMessage, from: Int, to: Int, at time: Instant) {
    guard let due = carried(message, from: from, to: to, at: time) else {
      lost += 1
      return
    }
    if due != arrival { post() }
    arrival = due
    written.append(Letter(from: from, to: to, message))
  }

  /// Sends what is written on its way.
  private mutating func post() {
    guard !written.isEmpty else { return }
    let bundle = box.put(&written)
    let first = Int(bundle.first)
    let rank = walk.isEmpty ? 0 : box.step(first).map { walk.rank(step: $0, from: box.from(first)) } ?? 0
    queue.schedule(.letters(bundle), at: arrival, rank: rank)
  }

  /// When a message arrives, over relays where there is no link; `nil` if it is lost on the way.
  private mutating func carried(_ message: SplitMessage, from: Int, to: Int, at time: Instant) -> Instant? {
    if isIdeal, broken.isEmpty, reach == .direct || graph.links.count == plan.devices * (plan.devices - 1) / 2 { return time }
    var (place, arrival) = (from, time)
    while place != to {
      guard let hop = routes.hop(from: place, to: to), let link = links[min(place, hop) * plan.devices + max(place, hop)],
        !broken.contains(link.a * plan.devices + link.b), place == from || posts[place].isAlive
      else { return nil }
      if place != from {
        relayed.messages += 1
        relayed.bytes += message.byteCount
      }
      if conditions.loss > 0, nodes[from].chance.happens(conditions.loss) { return nil }
      var latency = link.latency.seconds
      if conditions.jitter > 0 { latency = nodes[from].chance.logNormal(median: latency, sigma: conditions.jitter) }
      if link.bandwidth > 0 { latency += Double(message.byteCount) / link.bandwidth }
      arrival = arrival + .seconds(latency)
      place = hop
    }
    return arrival
  }
}

extension SplitWorld {
  /// Does what a fault says, now.
  public mutating func act(_ what: SplitFault.What) {
    trace.mix(now, 3, 0, 0)
    switch what {
    case .dies(let device): kill(device)
    case .returns(let device): revive(device)
    case .joins(let device):
      nodes[device].device = SplitDevice(checked: plan, id: device, rows: rows[device], work: work, drills: drills)
      revive(device)
    case .breaks(let a, let b):
      broken.insert(min(a, b) * plan.devices + max(a, b))
      reroute()
    case .heals(let a, let b):
      broken.remove(min(a, b) * plan.devices + max(a, b))
      reroute()
    }
  }

  private mutating func kill(_ device: Int) {
    guard posts[device].isAlive else { return }
    handOver(device)
    for place in posts[device].inbox.letters { _ = box.take(place) }
    posts[device].die()
    reroute()
  }

  private mutating func revive(_ device: Int) {
    guard !posts[device].isAlive else { return }
    posts[device].isAlive = true
    posts[device].busy = now
    // Its absence is no pause.
    pauses[device].last = .origin
    reroute()
    if hasBegun { step(device, .began) }
  }

  private mutating func reroute() {
    let isWhole = graph.links.count == plan.devices * (plan.devices - 1) / 2
    guard reach == .complete, !isWhole || !broken.isEmpty || !routes.isDirect else { return }
    let (broken, devices) = (broken, plan.devices)
    routes = VirtualGraph(graph, reach, isAlive: posts.map(\.isAlive)) { broken.contains($0.a * devices + $0.b) }
  }

  private mutating func flap(_ device: Int) {
    guard let flapping = conditions.flapping, isLive || latestStep < plan.steps - 1 else { return }
    let wasAlive = posts[device].isAlive
    if wasAlive { kill(device) } else { revive(device) }
    let mean = wasAlive ? flapping.off : flapping.on
    let span = nodes[device].chance.exponential(mean: mean.seconds)
    queue.schedule(.flapped(Int32(device)), at: now + .seconds(span))
  }

  private mutating func flapLink(_ number: Int) {
    guard let flapping = conditions.flappingLinks, isLive || latestStep < plan.steps - 1 else { return }
    let link = graph.links[number]
    let isUp = !broken.contains(link.a * plan.devices + link.b)
    act(isUp ? .breaks(link.a, link.b) : .heals(link.a, link.b))
    let span = linkChance.exponential(mean: (isUp ? flapping.off : flapping.on).seconds)
    queue.schedule(.flappedLink(Int32(number)), at: now + .seconds(span))
  }
}
