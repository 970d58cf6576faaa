import Logging
import MurmurChannels
import MurmurFeeds
import MurmurMachines
import MurmurStorage
import MurmurWire
import NIOCore

/// Where a feeder's machine runs: inputs go in one by one, effects are carried out before the next.
final class FeedPlace {
  private let configuration: FeedNodeConfiguration
  private let spool: Spool
  private let home: any EventLoop
  private let observer: @Sendable (FeedNodeEvent) -> Void
  private var feeder: Feeder
  private var chance: Chance
  private var timers: [Feeder.Timer: Scheduled<Void>] = [:]
  private var line: FeedLine?
  /// Counts dials: what an earlier one brings about is of no interest.
  private var attempt = 0
  /// Messages before this one were there when the feeder was born.
  private let old: Int
  /// The message that was read last, which is published next as a rule.
  private var latest: (number: Int, message: Spool.Message)?
  private var inputs: [Feeder.Input] = []
  private var isTurning = false
  private var isStopped = false
  private var watch: RepeatedTask?
  private var bytesSent = 0
  private var bytesReceived = 0
  var socketBytesSent = 0
  var transport: Transport?

  init(
    _ configuration: FeedNodeConfiguration, _ spool: Spool, _ chance: Chance, _ home: any EventLoop,
    _ observer: @escaping @Sendable (FeedNodeEvent) -> Void
  ) {
    self.configuration = configuration
    self.spool = spool
    self.chance = chance
    self.home = home
    self.observer = observer
    feeder = Feeder(configuration.feeder)
    old = spool.safe.upperBound
  }

  private var clock: HostClock { configuration.transport.clock }

  var snapshot: FeedNode.Snapshot {
    FeedNode.Snapshot(
      statistics: feeder.statistics, gateway: feeder.gateway, waiting: spool.numbers.count, bytesSent: bytesSent,
      bytesReceived: bytesReceived, socketBytesSent: socketBytesSent)
  }

  // MARK: Life

  func start() {
    watch = transport?.watchSilence(every: .seconds(1))
    step(.started(first: spool.numbers.lowerBound))
    refill()
  }

  func stop() -> Transport? {
    isStopped = true
    watch?.cancel()
    attempt += 1
    for timer in timers.values { timer.cancel() }  // house:allow(order) every one is cancelled
    timers = [:]
    line?.finish()
    return transport
  }

  /// Tells the machine of messages in the spool that are safe and that it has room for.
  func refill() {
    while !isStopped, feeder.room > 0 {
      var entries: [Feeder.Entry] = []
      for number in feeder.next..<max(feeder.next, min(spool.safe.upperBound, feeder.next + min(feeder.room, 32))) {
        guard let message = read(number) else { return }
        entries.append(
          .init(key: FeedKey(tag: message.tag, name: message.name), bytes: message.content.count, isOld: number < old))
      }
      if entries.isEmpty { return }
      step(.spooled(entries))
    }
  }

  private func read(_ number: Int) -> Spool.Message? {
    if let latest, latest.number == number { return latest.message }
    do throws(StoreError) {
      guard let message = try spool.message(number) else { return nil }
      guard FeedKey(tag: message.tag, content: message.content).name == message.name else {
        throw StoreError(spool.path, .reading, .damaged("message \(number) is not what it was; restore the folder from a copy"))
      }
      latest = (number, message)
      return message
    } catch {
      observer(.problem("\(error)"))
      return nil
    }
  }

  // MARK: The machine

  func step(_ input: Feeder.Input) {
    inputs.append(input)
    guard !isTurning else { return }
    isTurning = true
    var effects = Effects<Feeder.Effect>()
    while !inputs.isEmpty {
      let due = inputs
      inputs = []
      for input in due where !isStopped {
        feeder.step(input, at: clock.now, chance: &chance, effects: &effects)
        for effect in effects.take() { perform(effect) }
      }
    }
    isTurning = false
  }

  private func perform(_ effect: Feeder.Effect) {
    switch effect {
    case .dial(let number): dial(number)
    case .hangUp(let number):
      attempt += 1
      configuration.logger.debug("hanging up on gateway \(number)")
      line?.hangUp()
      line = nil
    case .send(let message, _): send(message)
    case .publish(let number, _): if let message = read(number) { send(.publish(tag: message.tag, content: message.content)) }
    case .forget(let number): forget(upTo: number)
    case .arm(let timer, let at):
      timers[timer]?.cancel()
      timers[timer] = home.scheduleTask(deadline: clock.deadline(at)) { [box = NIOLoopBound(self, eventLoop: home)] in
        box.value.timers[timer] = nil
        box.value.step(.fired(timer))
      }
    case .note(let event): observer(.machine(event))
    }
  }

  private func forget(upTo number: Int) {
    do throws(StoreError) { try spool.forget(upTo: number) } catch { observer(.problem("\(error)")) }
    if let latest, latest.number < number { self.latest = nil }
    observer(.forgotten(upTo: number))
    let box = NIOLoopBound(self, eventLoop: home)
    home.execute { box.value.refill() }
  }

  private func send(_ message: FeedMessage) {
    let frame = MessageFraming.frame(message.encode())
    bytesSent += frame.count
    line?.write(frame)
  }

  // MARK: Gateways

  private func dial(_ number: Int) {
    attempt += 1
    guard let transport, !isStopped else { return }
    let (made, address, box) = (attempt, configuration.gateways[number], NIOLoopBound(self, eventLoop: home))
    transport.dial(address, expecting: address.namedPeer).hop(to: home).whenComplete { result in
      let place = box.value
      switch result {
      case .success(let link):
        guard place.attempt == made else { return link.execute { $0.close("it is not needed any more") } }
        let line = FeedLine(number, link, place)
        place.line = line
        link.open([FeedMessage.protocolID], handler: line)
      case .failure(let error): if place.attempt == made { place.step(.disconnected(number, "\(error)")) }
      }
    }
  }

  func opened(_ line: FeedLine) { if line === self.line { step(.connected(line.number)) } }

  func received(_ message: FeedMessage, bytes: Int, on line: FeedLine) {
    bytesReceived += bytes
    if line === self.line { step(.received(from: line.number, message)) }
  }

  func ended(_ line: FeedLine, _ why: String) {
    guard line === self.line else { return }
    self.line = nil
    attempt += 1
    line.hangUp()
    step(.disconnected(line.number, why))
  }
}

/// The stream to a gateway.
final class FeedLine: StreamHandler {
  let number: Int
  private let link: Link
  private unowned let place: FeedPlace
  private var stream: PeerStream?
  private var framing = MessageFraming(most: FeedLimits.frameBytes)
  private var isOver = false

  init(_ number: Int, _ link: Link, _ place: FeedPlace) {
    self.number = number
    self.link = link
    self.place = place
  }

  /// What was begun must be finished; between messages a gateway has nothing to say for long.
  var patience: Instant.Span? { framing.waiting > 0 ? .seconds(60) : nil }

  func write(_ frame: [UInt8]) { if !isOver { stream?.write(frame) } }

  func finish() { stream?.finish() }

  /// Ends the stream and its connection, of which nobody has any other use.
  func hangUp() {
    isOver = true
    link.close("another gateway is tried")
  }

  func opened(_ stream: PeerStream) {
    self.stream = stream
    if !isOver { place.opened(self) }
  }

  func refused(_ error: ConnectionError) { end("it does not speak \(FeedMessage.protocolID): \(error)") }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    stream.consumed(bytes.count)
    guard !isOver else { return }
    framing.append(bytes)
    do {
      while !isOver, let frame = try framing.next() {
        place.received(try FeedMessage.decode(frame), bytes: frame.count, on: self)
      }
    } catch { end("it says what cannot be read: \(error)") }
  }

  func ended(_ stream: PeerStream) { end("it has ended the stream") }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) { end(error.map { "\($0)" } ?? "the stream is over") }

  private func end(_ why: String) {
    guard !isOver else { return }
    isOver = true
    place.ended(self, why)
  }
}
