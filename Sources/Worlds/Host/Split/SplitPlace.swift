import MurmurChannels
import MurmurCompute
import MurmurMachines
import MurmurSplit
import MurmurWire
import NIOCore

/// Where the machine of a device runs, on a loop of its own: inputs go in one by one, effects are carried out before the next.
final class SplitPlace {
  /// Frames for neighbours, in the order in which they are to go.
  typealias Batch = [(to: Int, frame: [UInt8])]

  private let configuration: SplitNodeConfiguration
  private let fingerprint: Digest
  private let home: any EventLoop
  private let mailbox: SplitMailbox
  private let clock: HostClock
  private let observer: @Sendable (SplitNodeEvent, Instant) -> Void
  private(set) var device: SplitDevice
  private var chance: Chance
  private var effects = Effects<SplitDevice.Effect>()
  private var timers: [SplitDevice.Timer: Scheduled<Void>] = [:]
  private var asks: [Int: EventLoopPromise<SplitReply>] = [:]
  private var asked: [Int: [Int32]] = [:]
  private var present: Set<Int> = []
  /// Messages of steps that came before the training began here.
  private var early: [SplitDevice.Input] = []
  private var earlyBytes = 0
  private var hasBegun = false
  private var isStopped = false
  private var gathering: Scheduled<Void>?
  private var lastStep: Instant?
  private var longestPause = Instant.Span.zero
  private var outgoing: Batch = []
  private var latest: (message: SplitMessage, frame: [UInt8])?
  var post: @Sendable (Batch) -> Void = { _ in }

  init(
    _ configuration: SplitNodeConfiguration, plan: SplitPlan, number: Int, rows: SplitRows, checkpoint: [UInt8]?,
    fingerprint: Digest, life: Int, home: any EventLoop, mailbox: SplitMailbox,
    observer: @escaping @Sendable (SplitNodeEvent, Instant) -> Void
  ) throws {
    self.configuration = configuration
    self.fingerprint = fingerprint
    self.home = home
    self.mailbox = mailbox
    self.observer = observer
    clock = configuration.transport.clock
    chance = Chance(seed: plan.seed).fork("split device", number).fork("life", life)
    device = SplitDevice(plan: plan, id: number, rows: rows, work: DenseWork())
    device.numberQuestions(after: life << 10)
    if let checkpoint { try SplitCheckpoint.restore(checkpoint, into: &device, plan: fingerprint) }
  }

  // MARK: Beginning and end

  /// Begins the training when the neighbours are there, or when they were waited for long enough.
  func gather() {
    guard !isBegunOrStopped else { return }
    gathering = home.scheduleTask(in: .nanoseconds(configuration.gathering.nanoseconds)) { [box = bound] in box.value.begin() }
    beginIfAllAreThere()
  }

  private var bound: NIOLoopBound<SplitPlace> { NIOLoopBound(self, eventLoop: home) }
  private var isBegunOrStopped: Bool { hasBegun || isStopped }

  private func beginIfAllAreThere() {
    guard gathering != nil, present.count >= device.plan.neighbours[device.id].count else { return }
    begin()
  }

  private func begin() {
    guard !isBegunOrStopped else { return }
    hasBegun = true
    gathering?.cancel()
    observer(.began(neighbours: present.count), clock.now)
    step(.began)
    let waiting = early
    (early, earlyBytes) = ([], 0)
    for input in waiting { step(input) }
  }

  func stop() {
    isStopped = true
    gathering?.cancel()
    for timer in timers.values { timer.cancel() }  // house:allow(order) every one is cancelled
    timers = [:]
    let open = asks.keys.sorted()
    for number in open { asks.removeValue(forKey: number)?.fail(SplitRefusal("the device shuts down")) }
  }

  // MARK: Inputs

  /// Takes what the sockets have.
  func turn() {
    while true {
      let inputs = mailbox.take()
      if inputs.isEmpty { return }
      for input in inputs { take(input) }
    }
  }

  private func take(_ input: SplitDevice.Input) {
    guard !isStopped else { return }
    if !hasBegun, case .received(let message, _) = input, let number = message.moment.step {
      if early.count < configuration.earlyMessages, earlyBytes + message.byteCount <= configuration.earlyBytes {
        early.append(input)
        earlyBytes += message.byteCount
      }
      // Somebody is on its way: the training has begun elsewhere.
      if number > 0, gathering != nil { begin() }
      return
    }
    step(input)
  }

  /// What the sockets' side has to tell.
  func hear(_ event: SplitNodeEvent) {
    switch event {
    case .connected(let other):
      present.insert(other)
      observer(event, clock.now)
      if !isBegunOrStopped { beginIfAllAreThere() }
    case .disconnected(let other):
      present.remove(other)
      observer(event, clock.now)
    default: observer(event, clock.now)
    }
  }

  private func step(_ input: SplitDevice.Input) {
    device.step(input, at: clock.now, chance: &chance, effects: &effects)
    for effect in effects.take() { perform(effect) }
    guard !outgoing.isEmpty else { return }
    let batch = outgoing
    outgoing.removeAll(keepingCapacity: true)
    post(batch)
  }

  private func perform(_ effect: SplitDevice.Effect) {
    switch effect {
    case .send(let message, let other): outgoing.append((other, frame(message)))
    case .arm(let timer, let at):
      timers[timer]?.cancel()
      timers[timer] = home.scheduleTask(deadline: clock.deadline(at)) { [box = bound] in
        box.value.timers[timer] = nil
        if !box.value.isStopped { box.value.step(.fired(timer)) }
      }
    // Real arithmetic takes real time.
    case .worked: break
    case .announce(let event): announce(event)
    }
  }

  /// A message's frame: what goes to all neighbours is encoded once.
  private func frame(_ message: SplitMessage) -> [UInt8] {
    if let latest, latest.message == message { return latest.frame }
    let frame = MessageFraming.frame(SplitFrame.message(message).encode())
    latest = (message, frame)
    return frame
  }

  private func announce(_ event: SplitEvent) {
    let now = clock.now
    switch event {
    case .stepped(let step, let loss):
      let pause = lastStep.map { now - $0 } ?? .zero
      lastStep = now
      longestPause = max(longestPause, pause)
      observer(.stepped(step, loss: loss, pause: pause), now)
    case .jumped(let from, let to): observer(.jumped(from: from, to: to), now)
    case .trained: observer(.trained, now)
    case .suspected(let other): observer(.suspected(other), now)
    case .concluded(.query(_, let number), let values, let devices): conclude(number, values, devices)
    case .concluded, .answered, .heardAgain: break
    }
  }

  // MARK: Questions

  func ask(_ rows: [Int32]) -> EventLoopFuture<SplitReply> {
    if let problem = complaint(rows) { return home.makeFailedFuture(SplitRefusal(problem)) }
    let promise = home.makePromise(of: SplitReply.self)
    let number = device.questionsAsked + 1
    asks[number] = promise
    asked[number] = rows
    // The machine ends a question at its deadline; that it forgets one is not expected, and would leave somebody waiting.
    let patience = device.plan.inference.deadline + .seconds(5)
    home.scheduleTask(in: .nanoseconds(patience.nanoseconds)) { [box = bound] in
      box.value.asked[number] = nil
      box.value.asks.removeValue(forKey: number)?.fail(SplitRefusal("nobody answered in time; ask again"))
    }
    step(.asked(rows, Drill()))
    return promise.futureResult
  }

  private func complaint(_ rows: [Int32]) -> String? {
    if isStopped { return "the device shuts down" }
    if rows.isEmpty { return "no rows are asked about" }
    if rows.count > configuration.questionRows {
      return "\(rows.count) rows are asked about, at most \(configuration.questionRows) may be"
    }
    if let odd = rows.first(where: { $0 < 0 || Int($0) >= device.rowCount }) {
      return "there is no row \(odd); device \(device.id) has rows 0 to \(device.rowCount - 1)"
    }
    return asks.count < configuration.questions ? nil : "\(asks.count) questions are in hand already; ask again in a moment"
  }

  private func conclude(_ number: Int, _ values: Matrix, _ devices: Int) {
    guard let promise = asks.removeValue(forKey: number) else { return }
    let rows = asked.removeValue(forKey: number) ?? []
    let isClassifier = device.plan.objective.classes > 0
    promise.succeed(
      SplitReply(
        answers: values, devices: devices, step: device.step, classes: isClassifier ? rows.map { device.label(of: $0) } : [],
        areProbabilities: isClassifier))
  }

  // MARK: What it tells

  func checkpoint() -> [UInt8] { SplitCheckpoint.encode(device, plan: fingerprint) }

  func replace(_ rows: SplitRows) { device.replace(rows) }

  func snapshot(_ seen: SplitNode.Snapshot) -> SplitNode.Snapshot {
    var seen = seen
    seen.statistics = device.statistics
    seen.step = device.step
    seen.hasTrained = hasBegun && device.hasTrained
    seen.longestPause = longestPause
    return seen
  }
}
