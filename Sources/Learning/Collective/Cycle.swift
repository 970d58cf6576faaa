import MurmurBlocks
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurSessions
import MurmurWire

/// The work cycle, step by step as numbered in ``Collective``.
extension Collective {
  /// How many rounds of news are sent at most before a cycle goes on with what it has.
  static let roundLimit = 4

  // Step 1.

  mutating func beginCycle(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard case .resting = phase else { return }
    guard now.nanoseconds < session.length.nanoseconds else { return end(at: now, &chance, &effects) }
    cycle += 1
    cycleBegan = now
    checks.reset()
    effects.append(.note(.cycleBegan(cycle)))
    let final = progress(at: now) >= 1 - session.finalShare
    let averages: Bool
    switch session.work {
    case .combined:
      trainsThisCycle = !final && settled > 0
      averages = final || progress(at: now) >= session.averaging.from
    case .alternating(let share):
      let hasRows = !rows.training.isEmpty || sharing.hasNext
      trainsThisCycle = !final && hasRows && chance.happens(share)
      averages = !trainsThisCycle
    }
    own = isLate ? .untrained : .counts
    guard averages else { return work(with: [], at: now, &chance, &effects) }
    switch session.announcements {
    case .broadcast: choose(at: now, &chance, &effects)
    case .newscast: ask(round: 1, at: now, &chance, &effects)
    }
  }

  /// A peer that begins when the session has been going on for a while takes what the others have; its own model is untrained.
  var isLate: Bool { beganLate && newest == nil }

  private var beganLate: Bool { began.nanoseconds > session.cycle.nanoseconds * 3 }

  /// How many cycles a peer that begins late only averages, and over how many more its rate then rises.
  static let settling = (listens: 3, rises: 30)

  /// The share of the session's rate that a peer trains with: all of it, unless it began late.
  ///
  /// The network has never seen a newcomer's rows. They pull at a model that fits everybody else's, and trained on at the full rate
  /// they pull it apart: 1.3 points of accuracy on digits, for tens of cycles. So a newcomer first listens, and then begins gently.
  private var settled: Double {
    guard beganLate else { return 1 }
    let cycles = Int(cycle - firstCycle)
    return min(Double(max(cycles - Collective.settling.listens, 0)) / Double(Collective.settling.rises), 1)
  }

  private mutating func ask(round: Int, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard case .newscast(let fanout, _) = session.announcements else { return }
    if round == 1 { refreshNews() }
    var pool: [PeerID] = []
    pool.reserveCapacity(directory.entries.count)
    for index in directory.entries.indices where round == 1 || directory.entries[index].heard < cycleBegan {
      pool.append(directory.entries[index].announcement.peer)
    }
    if directory.entries.count < fanout { pool += neighbours.filter { directory.index(of: $0) == nil } }
    let contacts = chance.pick(fanout, from: pool)
    guard !contacts.isEmpty else { return choose(at: now, &chance, &effects) }
    let message = message(wantsReply: true)
    for peer in contacts { effects.append(.say(peer, message)) }
    asked = now
    phase = .gathering(asked: contacts, round: round)
    effects.append(.arm(.answers, at: now + patience.limit))
  }

  /// What is told: one's own newest model, then the freshest of others. It is put together when a cycle begins and when one's own
  /// model changes, and told to everybody until then.
  private mutating func refreshNews() {
    guard case .newscast(_, let entries) = session.announcements else { return }
    news = (newest.map { [$0] } ?? []) + directory.freshest(entries - 1)
  }

  mutating func hear(
    _ news: [Announcement], from peer: PeerID, wantsReply: Bool, at now: Instant, _ chance: inout Chance,
    _ effects: inout Effects<Effect>
  ) {
    // Where announcements are signed, what is not signed says nothing of anybody; the sender is there, and may be answered.
    if case .none = sealing {
      for told in news.prefix(CollectiveMessage.announcementLimit) where told.peer != id {
        if let stale = directory.hear(told, from: peer, at: now) { effects.append(.release(root: stale)) }
      }
    }
    answer(peer, wantsReply: wantsReply, at: now, &chance, &effects)
  }

  /// A peer has told its news: it is answered if it wants to be, and waited for no longer.
  mutating func answer(
    _ peer: PeerID, wantsReply: Bool, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    directory.met(peer, at: now)
    if wantsReply, case .newscast = session.announcements { effects.append(.say(peer, message(wantsReply: false))) }
    guard !wantsReply, case .gathering(var waiting, let round) = phase, let place = waiting.firstIndex(of: peer) else { return }
    patience.answered(after: now - asked)
    waiting.remove(at: place)
    phase = .gathering(asked: waiting, round: round)
    if waiting.isEmpty { gathered(at: now, &chance, &effects) }
  }

  // Step 2.

  mutating func gathered(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard case .gathering(_, let round) = phase else { return }
    let reachable = directory.entries.count { $0.heard >= cycleBegan && !$0.merged }
    if reachable < session.averaging.partners, round < Collective.roundLimit,
      directory.entries.contains(where: { $0.heard < cycleBegan })
    {
      return ask(round: round + 1, at: now, &chance, &effects)
    }
    choose(at: now, &chance, &effects)
  }

  /// The models to average with: those that can be had now and have not been averaged with before.
  mutating func choose(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    let everybody = session.announcements == .broadcast
    var open = directory.entries.indices.filter { index in
      let entry = directory.entries[index]
      return !entry.merged && (everybody || entry.held || entry.heard >= cycleBegan)
    }
    chance.shuffle(&open)
    let mine = Float(evaluation.accuracy)
    switch session.averaging.choice {
    case .random: preferFresh(&open, than: now, within: session.cycle * 2)
    case .newest: preferFresh(&open, than: now, within: .zero)
    case .better:
      let idle = !trainsThisCycle && rows.training.isEmpty
      if !idle { open.removeAll { directory.entries[$0].announcement.accuracy <= mine } }
    }
    fetch(Array(open.prefix(session.averaging.partners)), at: now, &chance, &effects)
  }

  /// Moves models made within `span` before now to the front, in the order they have, and the others behind them, newest first.
  private func preferFresh(_ open: inout [Int], than now: Instant, within span: Instant.Span) {
    let ages = open.enumerated().map { place, index in
      let age = now - directory.entries[index].announcement.made
      return (age: age <= span ? .zero : age, place: place, index: index)
    }
    open = ages.sorted { ($0.age, $0.place) < ($1.age, $1.place) }.map(\.index)
  }

  // Step 3.

  mutating func fetch(_ chosen: [Int], at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard !chosen.isEmpty else { return work(with: [], at: now, &chance, &effects) }
    let until = now + session.cycle * 0.4
    phase = .fetching(wanted: chosen.map { directory.entries[$0].announcement.root }, models: [])
    for index in chosen {
      let entry = directory.entries[index]
      let origin = entry.announcement.peer
      effects.append(
        .fetch(root: entry.announcement.root, from: entry.holder == origin ? [origin] : [entry.holder, origin], until: until))
    }
    effects.append(.arm(.models, at: until))
  }

  mutating func arrived(
    _ root: CID, _ bytes: [UInt8], at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    if let index = directory.index(holding: root) {
      effects.append(.keep(root: root))
      if let surplus = directory.hold(index) { effects.append(.release(root: surplus)) }
    }
    // A hashlist may come at any time, also while models are waited for.
    if sharing.lists.contains(where: { $0.root == root }) { return arrivedList(root, bytes, &effects) }
    switch phase {
    case .fetching(var wanted, var models):
      guard let place = wanted.firstIndex(of: root) else { return }
      wanted.remove(at: place)
      if let index = directory.index(holding: root) {
        let told = directory.entries[index].announcement
        models.append(
          Work.Fetched(peer: told.peer, root: root, file: bytes, rows: Int(told.rows), loss: Double(told.loss)))
      }
      phase = .fetching(wanted: wanted, models: models)
      if wanted.isEmpty { work(with: models, at: now, &chance, &effects) }
    case .fetchingSlice(root, let models):
      arrivedSlice(root, bytes, &effects)
      startWork(with: models, at: now, &chance, &effects)
    default: break
    }
  }

  mutating func failed(_ root: CID, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    sharing.lists.removeAll { $0.root == root }
    switch phase {
    case .fetching(var wanted, let models):
      guard let place = wanted.firstIndex(of: root) else { return }
      wanted.remove(at: place)
      phase = .fetching(wanted: wanted, models: models)
      if wanted.isEmpty { work(with: models, at: now, &chance, &effects) }
    case .fetchingSlice(root, let models):
      sharing.postpone(root)
      startWork(with: models, at: now, &chance, &effects)
    default: break
    }
  }

  mutating func stopWaiting(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    switch phase {
    case .fetching(_, let models): work(with: models, at: now, &chance, &effects)
    case .fetchingSlice(let root, let models):
      sharing.postpone(root)
      startWork(with: models, at: now, &chance, &effects)
    default: break
    }
  }

  // Step 4.

  mutating func work(
    with models: [Work.Fetched], at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    if trainsThisCycle, !session.privacy, let slice = sharing.next(chance: &chance) {
      return fetchSlice(slice, then: models, at: now, &chance, &effects)
    }
    startWork(with: models, at: now, &chance, &effects)
  }

  mutating func startWork(
    with models: [Work.Fetched], at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>
  ) {
    let trains = trainsThisCycle && !rows.training.isEmpty
    guard trains || !models.isEmpty else { return rest(at: now, &chance, &effects) }
    let training = session.training
    if beganLate, training.watchful { vigil.join(directory.entries.map(\.announcement.halvings)) }
    let job = Work(
      architecture: architecture, parameters: parameters, optimizer: optimizer.taken(), rows: rows, models: models,
      averaging: session.averaging, own: own, epochs: trains ? training.passes(rows: rows.training.count) : 0,
      batch: training.batch,
      rate: Float(
        training.rate * settled * vigil.rateFactor
          * training.schedule.factor(at: progress(at: now) / max(1 - session.finalShare, 1e-9))),
      shuffle: chance.next(), weight: rows.training.count,
      stamp: ["session": session.name, "peer": name, "cycle": "\(cycle)"])
    for model in models { directory.merged(model.root) }
    phase = .working
    effects.append(.compute(job))
  }

  // Step 5.

  mutating func worked(_ result: WorkResult, at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    guard case .working = phase else { return }
    parameters = result.parameters
    optimizer = result.optimizer
    evaluation = result.evaluation
    watch(result, at: now)
    for bad in result.rejected { effects.append(.note(.rejected(bad.root, from: bad.peer, bad.reason))) }
    if result.averaged > 0 { effects.append(.note(.averaged(models: result.averaged, adopted: result.adopted))) }
    if let loss = result.trainingLoss {
      effects.append(.note(.trained(loss: loss)))
      usedSlice(&effects)
    }
    if let object = result.object { publish(object, at: now, &effects) }
    rest(at: now, &chance, &effects)
  }

  private mutating func publish(_ object: Object.Built, at now: Instant, _ effects: inout Effects<Effect>) {
    var announcement = Announcement(
      peer: id, root: object.root, cycle: cycle, made: now, accuracy: Float(evaluation.accuracy), loss: Float(evaluation.loss),
      rows: UInt32(clamping: rows.training.count), held: true)
    announcement.groundLoss = groundLoss
    announcement.halvings = vigil.halvings
    effects.append(.store(object))
    // The model before this one stays, for those who are fetching it at this moment.
    if let previous { effects.append(.release(root: previous)) }
    previous = newest?.root
    newest = announcement
    refreshNews()
    effects.append(.note(.published(announcement.root)))
    if session.announcements == .broadcast { effects.append(.publish(.model(announcement))) }
  }

  mutating func rest(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    phase = .resting
    let pace = session.cycle * (1 + session.jitter * (2 * chance.uniform() - 1))
    let next = max(cycleBegan + pace, now)
    let last = Instant(nanoseconds: session.length.nanoseconds)
    effects.append(.arm(.cycle, at: cycleBegan < last ? min(next, max(last, now)) : next))
  }

  /// The session is over. With LEARNAE's choice the best-reported model is looked at once more and taken as is if better.
  mutating func end(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    if session.averaging.choice == .better, own != .rival, let best = bestReported {
      own = .rival
      trainsThisCycle = false
      return fetch([best], at: now, &chance, &effects)
    }
    phase = .ended
    effects.append(.note(.ended))
  }

  private var bestReported: Int? {
    let better = directory.entries.indices.filter { directory.entries[$0].announcement.accuracy > Float(evaluation.accuracy) }
    return better.max { left, right in
      let (a, b) = (directory.entries[left].announcement, directory.entries[right].announcement)
      return (a.accuracy, b.peer) < (b.accuracy, a.peer)
    }
  }
}

extension Session.Schedule {
  /// The share of the first learning rate that is left at `progress` (0…1).
  func factor(at progress: Double) -> Double {
    let x = min(max(progress, 0), 1)
    switch self {
    case .constant: return 1
    case .linear(let last): return 1 + (last - 1) * x
    case .cosine(let last): return last + (1 - last) * 0.5 * (1 + cosine(x))
    }
  }

  /// cos(π·x) for 0…1 by its series, so that every machine computes the same bits.
  private func cosine(_ x: Double) -> Double {
    let angle = (x - 0.5) * 3.141592653589793
    var term = angle
    var sum = angle
    for n in 1...12 {
      term *= -angle * angle / Double(2 * n * (2 * n + 1))
      sum += term
    }
    return -sum
  }
}
