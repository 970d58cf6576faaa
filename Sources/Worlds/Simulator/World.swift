import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurScenario
import MurmurWire

/// Peers under virtual time: the very machines that run on sockets, with simulated links, devices and faults between them.
///
/// One loop takes the earliest event, steps one peer, and does what the peer wants. Jobs run on worker threads meanwhile and their
/// results are delivered after the virtual time that the modelled device needs, so that a seed gives the same run on any machine
/// with any number of threads. ``trace`` is a hash over every event in order.
struct World {
  /// How a peer comes into the world, first at its joining and again after a crash that lost its memory.
  typealias Birth = @Sendable (_ number: Int, _ life: Int) -> Peer

  /// One device and the peer on it.
  struct Node {
    var peer: Peer
    var chance: Chance
    /// How many times it was (re)started; what belongs to an earlier life is dropped.
    var life = 0
    var isStarted = false
    var isAlive = true
    /// Floating-point operations a second.
    var speed: Double
    var uplink = Uplink()
    var timers: [(timer: Peer.Timer, at: Instant)] = []
    /// Whether it stopped with its memory kept, and the jobs that ended meanwhile.
    var asleep = false
    /// A job that has ended in virtual time and whose result nobody has needed yet.
    var pending: (ticket: Ticket<WorkResult>, at: Instant)?
    var late: [WorkResult] = []
    var tally = Tally()
    var joined = Instant.origin
    var onlineSince = Instant.origin
    var onlineTime = Instant.Span.zero
    /// Whether its present job is so short that taking its result in late delays nothing.
    var isQuick = true

    func holds(_ root: CID) -> Bool { isAlive && peer.exchange.store.has(root) }

    mutating func step(_ input: Peer.Input, at now: Instant, effects: inout Effects<Peer.Effect>) {
      peer.step(input, at: now, chance: &chance, effects: &effects)
    }
  }

  enum Event {
    case started(Int32)
    case message(from: Int32, to: Int32, size: Int32, Peer.Message)
    case timer(Int32, Peer.Timer, life: Int32)
    case worked(Int32, life: Int32, Ticket<WorkResult>)
    /// The result of a job is waited for now at the latest.
    case settled(Int32, life: Int32)
    case observation
    /// Something between stations and sensors.
    case feed(FeedWorld.Event)
  }

  let birth: Birth
  /// How long the result of a job may stay out after its end in virtual time, while nothing touches its peer.
  ///
  /// A job's end makes a peer say nothing (in sessions where news are only swapped at the beginning of a cycle), so nobody can tell
  /// whether it is taken in at once or just before the peer's next message or timer. Taking it in late lets jobs of many peers run on
  /// several cores meanwhile. Zero where the end of a job is announced at once.
  let leeway: Instant.Span
  var nodes: [Node]
  var numbers: [PeerID: Int32] = [:]
  var queue = EventQueue<Event>()
  var network: NetworkState
  /// What goes wrong later, and what is wrong now.
  let plan: FaultPlan
  var faults: FaultEvents
  var conditions: FaultConditions
  var effects = Effects<Peer.Effect>()
  /// Stations and sensors, where there are any.
  var feeds = FeedWorld()
  let pool: WorkerPool
  let bench = Workbench()
  /// The virtual time of the latest event.
  var now = Instant.origin
  /// A hash over every event so far: its time, kind, peer and size, and every model's address.
  var trace = TraceHash()
  var totals = Tally()
  /// What is told of each peer's events, besides being counted.
  var witness: (@Sendable (Instant, Int, WorldEvent) -> Void)?

  init(
    peers: [(peer: Peer, speed: Double, joins: Instant)], network: NetworkState, forecast: Forecast, observations: [Instant],
    leeway: Instant.Span, threads: Int, chance: Chance, birth: @escaping Birth
  ) {
    self.leeway = leeway
    plan = forecast.plan
    faults = forecast.events()
    conditions = FaultConditions(forecast)
    self.birth = birth
    self.network = network
    pool = WorkerPool(threads: threads)
    nodes = peers.enumerated().map { number, plan in
      Node(peer: plan.peer, chance: chance.fork("node", number), speed: plan.speed)
    }
    for (number, plan) in peers.enumerated() {
      numbers[plan.peer.id] = Int32(number)
      queue.schedule(.started(Int32(number)), at: plan.joins)
    }
    for time in observations { queue.schedule(.observation, at: time) }
  }

  // MARK: The loop

  /// Runs events up to and including `end`; stops early when `observe` (called at every observation) returns false.
  /// Returns whether it ran to the end.
  mutating func run(until end: Instant, observe: (inout World) -> Bool) -> Bool {
    while let next = queue.next, next <= end {
      // At one instant faults come before everything else.
      while let due = faults.nextInstant, due <= next, let fault = faults.next() {
        now = max(now, fault.at)
        apply(fault.change)
      }
      guard let (time, event) = queue.pop() else { break }
      now = time
      switch event {
      case .message(let from, let to, let size, let message): deliver(message, Int(size), from: from, to: to)
      case .timer(let node, let timer, let life): fire(timer, at: Int(node), life: Int(life))
      case .worked(let node, let life, let ticket): ended(ticket, at: Int(node), life: Int(life))
      case .settled(let node, let life): if nodes[Int(node)].life == Int(life) { settle(Int(node)) }
      case .started(let node): start(Int(node))
      case .observation:
        trace.mix(time, 5, 0, 0)
        settleAll()
        if !observe(&self) { return false }
      case .feed(let event): happen(event)
      }
      if !feeds.wishes.isEmpty { grantWishes() }
    }
    settleAll()
    return true
  }

  private mutating func deliver(_ message: Peer.Message, _ size: Int, from: Int32, to: Int32) {
    let node = Int(to)
    guard nodes[node].isStarted, conditions.reaches(from: Int(from), to: node) else { return }
    trace.mix(now, 1, UInt64(to), UInt64(size))
    nodes[node].tally.bytesReceived += size
    nodes[node].tally.messagesReceived += 1
    step(node, .received(from: nodes[Int(from)].peer.id, message))
  }

  private mutating func fire(_ timer: Peer.Timer, at node: Int, life: Int) {
    guard nodes[node].life == life, nodes[node].isAlive,
      let place = nodes[node].timers.firstIndex(where: { $0.timer == timer }), nodes[node].timers[place].at == now
    else { return }
    nodes[node].timers.remove(at: place)
    trace.mix(now, 2, UInt64(node), 0)
    step(node, .fired(timer))
  }

  private mutating func ended(_ ticket: Ticket<WorkResult>, at node: Int, life: Int) {
    guard nodes[node].life == life else { return }
    nodes[node].pending = (ticket, now)
    guard leeway > .zero, nodes[node].isAlive, nodes[node].isQuick else { return settle(node) }
    queue.schedule(.settled(Int32(node), life: Int32(life)), at: now + leeway)
  }

  /// Takes in the results that are still out, before everybody is looked at.
  mutating func settleAll() {
    for node in nodes.indices { settle(node) }
  }

  /// Takes in the result of a job that has ended, if one is out.
  mutating func settle(_ node: Int) {
    guard let (ticket, at) = nodes[node].pending else { return }
    nodes[node].pending = nil
    var result = pool.wait(for: ticket, bench: bench)
    guard nodes[node].isAlive else {
      nodes[node].late.append(result)
      return
    }
    if let lie = conditions.lies[node] { result = lie.told(result, by: nodes[node].peer, chance: nodes[node].chance) }
    trace.mix(at, 3, UInt64(node), result.object.map { $0.root.digest.a } ?? 0)
    step(node, .worked(result), at: at)
  }

  mutating func start(_ node: Int) {
    trace.mix(now, 4, UInt64(node), UInt64(nodes[node].life))
    if !nodes[node].isStarted { nodes[node].joined = now }
    nodes[node].isStarted = true
    nodes[node].isAlive = true
    if conditions.isOnline[node] { nodes[node].onlineSince = now }
    for neighbour in network.neighbours[node] where nodes[Int(neighbour)].isStarted && nodes[Int(neighbour)].isAlive {
      step(node, .connected(nodes[Int(neighbour)].peer.id))
      step(Int(neighbour), .connected(nodes[node].peer.id))
    }
    step(node, .started)
    startStation(node)
  }

  // MARK: Acting

  mutating func step(_ node: Int, _ input: Peer.Input) {
    settle(node)
    step(node, input, at: now)
  }

  private mutating func step(_ node: Int, _ input: Peer.Input, at time: Instant) {
    effects.removeAll()
    let skewed = time + conditions.skews[node]
    var wanted = effects
    effects = Effects()
    nodes[node].step(input, at: skewed, effects: &wanted)
    for effect in wanted.list { perform(effect, of: node) }
    wanted.removeAll()
    effects = wanted
  }

  private mutating func perform(_ effect: Peer.Effect, of node: Int) {
    switch effect {
    case .send(let peer, let message): send(message, from: node, to: peer)
    case .arm(let timer, let at):
      let due = at == .never ? at : max(at + (.zero - conditions.skews[node]), now)
      if let place = nodes[node].timers.firstIndex(where: { $0.timer == timer }) {
        nodes[node].timers[place].at = due
      } else {
        nodes[node].timers.append((timer, due))
      }
      if due < .never { queue.schedule(.timer(Int32(node), timer, life: Int32(nodes[node].life)), at: due) }
    case .compute(let work):
      let needed = work.operations / max(nodes[node].speed, 1) * conditions.slowdown[node]
      nodes[node].isQuick = needed < leeway.seconds
      let parcel = Parcel(work)
      let ticket = pool.submit { bench in parcel.open().run(on: bench) }
      queue.schedule(
        .worked(Int32(node), life: Int32(nodes[node].life), ticket), at: now + Instant.Span(seconds: needed))
    case .note(let event): note(event, of: node)
    case .disk: preconditionFailure("simulated stores are all in memory")
    // Nobody else asks anything of simulated peers, and sessions score none.
    case .answer(.said(let topic, let message)) where topic == feeds.topic && feeds.isActive:
      feeds.wishes.append(.station(node, .gossiped(message.id(.origin), from: message.from, message.data)))
    case .answer, .disconnect, .connect: break
    }
  }

  private mutating func send(_ message: Peer.Message, from node: Int, to peer: PeerID) {
    guard conditions.isOnline[node], nodes[node].isAlive, let to = numbers[peer], Int(to) != node else { return }
    let size = message.wireSize
    nodes[node].tally.bytesSent += size
    nodes[node].tally.messagesSent += 1
    let fate = network.send(size, from: node, to: Int(to), uplink: &nodes[node].uplink, at: now, under: conditions)
    if let first = fate.first { schedule(message, size, from: node, to: to, first) }
    if let second = fate.second { schedule(message, size, from: node, to: to, second) }
  }

  private mutating func schedule(
    _ message: Peer.Message, _ size: Int, from node: Int, to: Int32, _ arrival: NetworkState.Arrival
  ) {
    guard arrival.corrupted else {
      queue.schedule(.message(from: Int32(node), to: to, size: Int32(clamping: size), message), at: arrival.time)
      return
    }
    guard let damaged = network.corrupt(message) else { return }
    queue.schedule(
      .message(from: Int32(node), to: to, size: Int32(clamping: damaged.wireSize), damaged), at: arrival.time)
  }

  /// Takes one word into the trace.
  mutating func absorb(_ word: UInt64) { trace.absorb(word) }

  private mutating func note(_ event: CollectiveEvent, of node: Int) {
    nodes[node].tally.count(event)
    witness?(now, node, .peer(event))
  }

  /// Counts of the whole world.
  var sum: Tally { nodes.reduce(into: Tally()) { $0.add($1.tally) } }
}
