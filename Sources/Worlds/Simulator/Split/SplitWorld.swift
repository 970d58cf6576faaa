import MurmurCompute
public import MurmurMachines
public import MurmurSplit

/// The devices of a split network under virtual time: the very machines that run on sockets, over links that delay and lose.
///
/// One event at a time, in the order of virtual time; or, where nothing but messages makes devices work, each as far ahead of the others as
/// its messages allow, with the same outcome. A seed replays a run exactly: ``trace`` is a hash over every event with its time.
/// Messages between devices without a link go over relays, along the least-cost path among the devices that live.
///
/// What a thousand devices know lies in no cache. So messages that have no effect yet (``SplitDevice/findQuiet()``) are kept in a device's ``Post``,
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
  let conditions: SplitConditions
  let rows: [SplitRows]
  /// The links, and the ways over them.
  var roads: Roads
  /// Who runs ahead on which thread; all together where nobody does.
  let parts: [Part]
  private let runsAhead: Bool
  var nodes: [Node]
  /// What the world has to know of every device at every event.
  var posts: [Post]
  private var handed: [Post.Kept] = []
  /// Messages under way.
  var box = LetterBox()
  /// Letters that arrive now and are not yet handed out.
  private var arriving = 0..<0
  /// Letters that a device has written, until it is clear that no other arrives with them.
  var written: [Letter] = []
  private var arrival = Instant.origin
  private var linkChance = Chance(seed: 0)
  var queue: EventQueue<Event>
  let looksAhead: Bool
  /// Those that have work at the events to come, by how many rounds of ``nearNext()`` they have had.
  var workers: [[Int32]] = Array(repeating: [], count: SplitDevice.nearingRounds)
  var effects = Effects<SplitDevice.Effect>()
  var byStep: [SplitFault]
  /// The virtual time of the latest event.
  public internal(set) var now = Instant.origin
  /// A hash over every event so far, with its time.
  public internal(set) var trace = TraceSum()
  /// Events so far: messages that arrived, timers that fired, faults.
  public internal(set) var events = 0
  private var turns = 0
  /// Whether somebody has ended all steps, or gone, since it was looked last.
  private var mayBeTrained = true
  /// Watches what devices announce; of those that run ahead of each other it hears some thousand visits at a time.
  public var observer: (@Sendable (Int, SplitEvent, Instant) -> Void)?
  var announced: [(device: Int, event: SplitEvent, time: Instant)] = []
  var isCollecting = false
  private var hasBegun = false
  /// Whether devices ran ahead of each other's time.
  package private(set) var hasRunAhead = false
  /// Whether devices and links come and go although nobody learns, and questions therefore end before everything does.
  var isLive = false
  /// The step that ended last, anywhere.
  public internal(set) var latestStep = -1
  /// How often a message ended on a lossy link or at a dead device.
  public internal(set) var lost = 0
  /// Messages that devices passed on for others, and their bytes, about.
  public internal(set) var relayed = (messages: 0, bytes: 0)
  /// When each device last ended a step, and the longest time it took from one to the next.
  public internal(set) var pauses: [SplitPause]

  /// A world of devices that have not begun. With several threads, each takes some of them where devices run ahead; no result depends on it.
  public init(
    plan: SplitPlan, graph: DeviceGraph, reach: VirtualGraph.Reach, rows: [SplitRows], conditions: SplitConditions = .init(),
    threads: Int = 1
  ) {
    self.init(
      plan: plan, graph: graph, reach: reach, rows: rows, conditions: conditions,
      looksAhead: plan.devices >= SplitWorld.manyDevices, threads: threads)
  }

  /// A world that brings near what the next events will look at, or does not, and whose devices may run ahead of each other, or may not.
  package init(
    plan: SplitPlan, graph: DeviceGraph, reach: VirtualGraph.Reach, rows: [SplitRows], conditions: SplitConditions,
    looksAhead: Bool, runsAhead: Bool = true, threads: Int = 1
  ) {
    precondition(plan.complaint == nil, plan.complaint ?? "")
    precondition(rows.count == plan.devices && graph.devices == plan.devices, "rows and graph of other devices")
    self.plan = plan
    self.rows = rows
    self.conditions = conditions
    self.looksAhead = looksAhead
    roads = Roads(graph, reach, conditions)
    self.runsAhead = runsAhead && SplitWorld.canRunAhead(plan, roads, rows, conditions)
    let count = self.runsAhead ? max(1, min(threads, plan.devices / SplitWorld.manyForThread)) : 1
    let walk = self.runsAhead ? Walk(plan.neighbours).parts(count) : [Array(0..<plan.devices)]
    parts = walk.map { Part(devices: $0, plan: count == 1 ? plan : plan.apart) }
    queue = EventQueue(ahead: looksAhead ? SplitWorld.horizon : 0)
    let chance = Chance(seed: plan.seed).fork("split world")
    // Those that are visited one after another lie side by side.
    var made = [Node?](repeating: nil, count: plan.devices)
    for part in parts {
      var labels = [Int32]()
      for number in part.devices {
        var rows = rows[number]
        // Lists of a thread's own, as the plan's are.
        if labels.count == rows.labels.count, labels == rows.labels {
          rows.labels = labels
        } else {
          labels = rows.labels.map { $0 }
        }
        made[number] = Node(
          device: SplitDevice(checked: part.plan, id: number, rows: rows, work: part.work, drills: part.drills),
          chance: chance.fork("device", number))
      }
    }
    nodes = made.compactMap { $0 }
    posts = Array(repeating: Post(), count: plan.devices)
    pauses = Array(repeating: SplitPause(), count: plan.devices)
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

  /// Who is wired to whom.
  public var graph: DeviceGraph { roads.graph }
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
    if runsAhead, !hasBegun, isEven {
      (hasBegun, hasRunAhead) = (true, true)
      if runAhead(isStopped: isStopped) { return settle() }
    }
    begin()
    run(isStopped: isStopped, untilTrained: true)
  }

  /// Whether all begin at the same step.
  private var isEven: Bool { nodes.allSatisfy { $0.device.step == nodes[0].device.step } && posts.allSatisfy(\.isAlive) }

  private mutating func begin() {
    guard !hasBegun else { return }
    hasBegun = true
    for number in nodes.indices where posts[number].isAlive { step(number, .began) }
  }

  /// Begins, or goes on, until some device has ended `step`; the rest of what was on its way happens when the world goes on. Which device is
  /// the first is a matter of time, so none runs ahead, then or later.
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
    var world = SplitWorld(plan: plan, graph: graph, reach: roads.reach, rows: rows, conditions: live ?? conditions.quiet)
    world.isLive = live != nil
    for number in nodes.indices {
      world.place(nodes[number].device.units, nodes[number].device.memories, on: number)
      world.posts[number].isAlive = posts[number].isAlive || back && flaps(number)
    }
    world.roads.breakAll(of: roads)
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
      turns += 1
      if turns & 1023 == 0, isStopped() { return }
      guard untilTrained, mayBeTrained else { continue }
      mayBeTrained = false
      if latestStep >= plan.steps - 1, isTrained { return }
    }
  }

  private var isTrained: Bool { nodes.indices.allSatisfy { !posts[$0].isAlive || nodes[$0].device.hasTrained } }

  /// Lets the next event happen that does so by a time; whether there is any.
  private mutating func happen(by time: Instant = .never) -> Bool {
    if arriving.isEmpty {
      guard let next = queue.next, next <= time, let (_, event) = queue.pop() else { return false }
      now = max(now, next)
      if looksAhead { nearNext() }
      guard case .letters(let bundle) = event else {
        take(event)
        return true
      }
      arriving = bundle.places
    }
    if looksAhead { Nearing.some(6) }
    let place = arriving.lowerBound
    arriving = place + 1..<arriving.upperBound
    arrive(place)
    return true
  }

  mutating func take(_ event: Event) {
    switch event {
    case .letters: preconditionFailure("letters are handed out one by one")
    case .timer(let device, let timer, let life):
      guard posts[Int(device)].isAlive, posts[Int(device)].life == life else { return }
      fire(timer, of: Int(device))
    case .wait(let device):
      guard posts[Int(device)].isAlive, let again = posts[Int(device)].alarm.waited(now) else { return }
      if again > now { return look(Int(device), at: again) }
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

  /// Looks after a device's wait timer then: before the messages of that time, in the order of devices.
  mutating func look(_ number: Int, at time: Instant) {
    queue.schedule(.wait(Int32(number)), at: time, rank: number - plan.devices)
  }

  mutating func fire(_ timer: SplitDevice.Timer, of number: Int) {
    // Nobody waits any more: nothing happens.
    if timer == .wait, !nodes[number].device.isOverdue(now) { return }
    note(2, UInt64(number), 0)
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
    note(1, UInt64(to), UInt64(box.from(place)) << 32 | UInt64(box.byteCount(place)))
    if posts[to].isFree(now) { deliver(place, to: to) } else { wait(.letter(Int32(place)), for: to) }
  }

  private mutating func note(_ kind: UInt64, _ who: UInt64, _ what: UInt64) {
    trace.mix(now, kind, who, what)
    events += 1
  }

  mutating func wait(_ item: Post.Inbox.Item, for number: Int) {
    if posts[number].inbox.isEmpty { queue.schedule(.woke(Int32(number)), at: max(now, posts[number].busy)) }
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
        guard posts[number].alarm.arm(at) else { continue }
        post()
        look(number, at: at)
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
    posts[number].mayKeep(nodes[number].device.findQuiet(), through: nodes[number].device.step + plan.timing.ahead)
  }

  private mutating func announce(_ event: SplitEvent, by number: Int, at time: Instant) {
    if case .stepped(let step, _) = event {
      pauses[number].note(time)
      if step > latestStep {
        latestStep = step
        for fault in byStep {
          if case .step(let when) = fault.when, when <= step { queue.schedule(.fault(fault.what), at: time) }
        }
        byStep.removeAll { if case .step(let when) = $0.when { when <= step } else { false } }
      }
    }
    if case .trained = event { mayBeTrained = true }
    tell(event, by: number, at: time)
  }

  /// Tells whoever watches.
  mutating func tell(_ event: SplitEvent, by number: Int, at time: Instant) {
    if isCollecting { announced.append((number, event, time)) }
    observer?(number, event, time)
  }

  /// Addresses a message that arrives, and puts it to those that arrive with it.
  private mutating func write(_ message: SplitMessage, from: Int, to: Int, at time: Instant) {
    var relays = 0
    let (bytes, posts) = (message.byteCount, posts)
    let due = roads.carry(bytes, from: from, to: to, at: time, &nodes[from].chance, relays: &relays) { posts[$0].isAlive }
    relayed.messages += relays
    relayed.bytes += relays * bytes
    guard let due else {
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
    queue.schedule(.letters(bundle), at: arrival, rank: box.rank(Int(bundle.first), of: plan.devices) ?? 0)
  }
}

extension SplitWorld {
  /// Does what a fault says, now.
  public mutating func act(_ what: SplitFault.What) {
    note(3, 0, 0)
    switch what {
    case .dies(let device): kill(device)
    case .returns(let device): revive(device)
    case .joins(let device):
      let part = parts.first { $0.devices.contains(device) } ?? parts[0]
      nodes[device].device = SplitDevice(checked: plan, id: device, rows: rows[device], work: part.work, drills: part.drills)
      revive(device)
    case .breaks(let a, let b):
      roads.breakLink(a, b)
      reroute()
    case .heals(let a, let b):
      roads.heal(a, b)
      reroute()
    }
  }

  private mutating func kill(_ device: Int) {
    guard posts[device].isAlive else { return }
    handOver(device)
    for place in posts[device].inbox.letters { _ = box.take(place) }
    posts[device].die()
    mayBeTrained = true
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
    let posts = posts
    roads.reroute(posts.map(\.isAlive))
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
    let isUp = !roads.isBroken(link)
    act(isUp ? .breaks(link.a, link.b) : .heals(link.a, link.b))
    let span = linkChance.exponential(mean: (isUp ? flapping.off : flapping.on).seconds)
    queue.schedule(.flappedLink(Int32(number)), at: now + .seconds(span))
  }
}
