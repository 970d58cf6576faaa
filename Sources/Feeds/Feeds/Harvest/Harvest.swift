public import MurmurMachines
public import MurmurStreams
public import MurmurWire

/// A peer's reading of all streams of a session: finds their heads, follows each from the place where it stopped, verifies every message and
/// hands its rows on, each exactly once.
///
/// The machine looks at a ledger through two things only: what became solid is told as ``Input/solid(tag:bytes:transaction:)``, and
/// ``Effect/look(tag:)`` asks for what was there before. Whatever is not a stream's own next message changes nothing but a count and a report
/// with the sensor's name.
///
/// A message that is missing while later ones are there is waited for (``Configuration/patience``), then gone over; if it comes after all its
/// rows are handed on late.
public struct Harvest: Machine, Sendable {
  /// What is read, and how much at most.
  public struct Configuration: Sendable {
    /// The session's codename: the tag of heads.
    public var session: String
    /// Side keys of restricted streams, the newest first.
    public var sides: [SideKey] = []
    /// The only sensors that are believed, by name, with their channels; empty for all.
    public var allowed: [(id: String, channel: Digest)] = []
    /// Streams that are followed; further heads are reported and left alone.
    public var mostSensors = 1_024
    /// How far ahead of the next message others are looked for.
    public var ahead = 8
    /// How far they are looked for before a reader gives them up for a head further on, and of how many streams at a time.
    public var search = (messages: 256, streams: 64)
    /// How long a missing message is waited for while later ones are there.
    public var patience = Instant.Span.seconds(30)
    /// Messages that were read, and are remembered to tell a repetition from a fork; and messages gone over that may still come; of a sensor.
    public var remembered = 64
    /// Rows of one message.
    public var rows = 4_096
    /// Fields of its rows, those counted that a row leaves empty.
    public var fields = 1 << 18
    /// How changes of a sensor's readings are noticed.
    public var drift = DriftDetector.Configuration()

    /// The defaults, for a session.
    public init(session: String) { self.session = session }
  }

  /// What happened.
  public enum Input: Sendable {
    /// The peer starts: heads are looked for, and known streams gone on with.
    case started
    /// A transaction is there, and everything it builds on.
    case solid(tag: [UInt8], bytes: [UInt8], transaction: CID)
    /// A stream whose pointer was handed over, as that of a private one is.
    case follow(Sensor, StreamPointer)
    /// A timer fired.
    case fired(Timer)
  }

  /// What is to be done.
  public enum Effect: Sendable {
    /// Tell at once what the ledger has under that tag.
    case look(tag: [UInt8])
    /// Rows of a sensor, verified, never told before.
    case rows(FeedRows)
    /// The place of a stream moved on: keep it, together with what was made of its rows.
    case advanced(FeedState)
    /// Something is to be known.
    case report(FeedReport)
    /// Wake the machine then.
    case arm(Timer, at: Instant)
  }

  /// The only timer.
  public enum Timer: Hashable, Sendable {
    /// A missing message has been waited for long enough.
    case patience
  }

  /// How it behaves.
  public let configuration: Configuration
  /// The streams, in the order in which they were found.
  public internal(set) var sensors: [SensorRecord] = []
  /// Heads that were no good.
  public internal(set) var badHeads = 0

  /// Whose message an address is: the sensor, and how far ahead of its next one.
  var places: [Digest: Int] = [:]
  /// Addresses of messages that were read or gone over.
  var past: [Digest: Int] = [:]
  var timerAt = Instant.never

  /// A reader that goes on where `states` say.
  public init(_ configuration: Configuration, states: [FeedState] = []) {
    self.configuration = configuration
    for state in states.prefix(configuration.mostSensors) { sensors.append(SensorRecord(state, configuration)) }
  }

  /// The tags under which heads are found.
  var headTags: [(tag: [UInt8], side: SideKey?)] {
    [(StreamHead.tag(of: configuration.session, side: nil), nil)]
      + configuration.sides.map { (StreamHead.tag(of: configuration.session, side: $0), $0) }
  }

  /// Takes one input and appends what is to be done.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .started:
      for place in sensors.indices { widen(place, &effects) }
      for (tag, _) in headTags { effects.append(.look(tag: tag)) }
    case .solid(let tag, let bytes, let transaction): hear(tag, bytes, transaction, at: now, &effects)
    case .follow(let sensor, let pointer):
      attach(StreamHead(sensor: sensor, channel: pointer.root, pointer: pointer, milliseconds: 0), at: now, &effects)
    case .fired(.patience):
      timerAt = .never
      for place in sensors.indices { goOver(place, at: now, &effects) }
      arm(&effects)
    }
  }

  private mutating func hear(
    _ tag: [UInt8], _ bytes: [UInt8], _ transaction: CID, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    if let address = Digest(tag) {
      if let place = places[address] { return take(bytes, address, transaction, of: place, at: now, &effects) }
      if let place = past[address] { return again(bytes, address, transaction, of: place, &effects) }
    }
    guard let (_, side) = headTags.first(where: { $0.tag == tag }) else { return }
    do throws(StreamError) {
      attach(try StreamHead.open(bytes, session: configuration.session, side: side), at: now, &effects)
    } catch {
      badHeads += 1
      effects.append(.report(FeedReport(.badHead("\(error)"), transaction: transaction)))
    }
  }

  // MARK: Heads

  private mutating func attach(_ head: StreamHead, at now: Instant, _ effects: inout Effects<Effect>) {
    let name = head.sensor.id
    if let place = sensors.firstIndex(where: { $0.channel == head.channel }) { return renew(place, head, at: now, &effects) }
    if !configuration.allowed.isEmpty, !configuration.allowed.contains(where: { $0.id == name && $0.channel == head.channel }) {
      return effects.append(.report(FeedReport(.stranger, sensor: name, channel: head.channel)))
    }
    if let other = sensors.firstIndex(where: { $0.sensor.id == name }) {
      sensors[other].doubles += 1
      return effects.append(.report(FeedReport(.doubleTag, sensor: name, channel: head.channel)))
    }
    guard sensors.count < configuration.mostSensors else {
      return effects.append(.report(FeedReport(.tooMany(configuration.mostSensors), sensor: name, channel: head.channel)))
    }
    sensors.append(SensorRecord(FeedState(head), configuration))
    effects.append(.report(FeedReport(.found, sensor: name, channel: head.channel)))
    effects.append(.advanced(sensors[sensors.count - 1].state))
    widen(sensors.count - 1, &effects)
  }

  /// A further head of a stream that is followed. It matters where the messages before it are gone for good, as after a long absence.
  private mutating func renew(_ place: Int, _ head: StreamHead, at now: Instant, _ effects: inout Effects<Effect>) {
    guard head.sensor.id == sensors[place].sensor.id, !sensors[place].isForked,
      head.pointer.number > sensors[place].state.pointer.number,
      head.milliseconds > sensors[place].renewal?.head.milliseconds ?? 0
    else { return }
    if sensors[place].renewal == nil {
      sensors[place].renewal = SensorRecord.Renewal(head: head, since: now)
    } else {
      sensors[place].renewal?.head = head
    }
    arm(&effects)
  }

  // MARK: Messages

  /// Looks for the next messages of a stream, as far ahead as their addresses are known.
  mutating func widen(_ place: Int, to count: Int? = nil, before end: UInt64 = .max, _ effects: inout Effects<Effect>) {
    guard !sensors[place].isForked else { return }
    while sensors[place].window.count < count ?? configuration.ahead {
      let pointer: StreamPointer
      if let last = sensors[place].window.last {
        guard let after = last.pointer.following() else { break }
        pointer = after
      } else {
        pointer = sensors[place].state.pointer
      }
      guard pointer.number < end else { break }
      let addresses = StreamReader.addresses(of: pointer, configuration.sides)
      sensors[place].window.append(SensorRecord.Awaited(pointer: pointer, addresses: addresses))
      for address in addresses {
        places[address] = place
        effects.append(.look(tag: address.bytes))
      }
    }
  }

  private mutating func take(
    _ bytes: [UInt8], _ address: Digest, _ transaction: CID, of place: Int, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    guard let spot = sensors[place].window.firstIndex(where: { $0.addresses.contains(address) }) else { return }
    if let held = sensors[place].window[spot].held {
      return again(bytes, held.bytes, sensors[place].window[spot].pointer, address, transaction, of: place, &effects)
    }
    var pointer = sensors[place].window[spot].pointer
    do throws(StreamError) {
      let message = try StreamReader.open(bytes, at: address, of: &pointer, configuration.sides)
      sensors[place].window[spot].held = SensorRecord.Held(
        bytes: Digest.sha256(of: bytes), message: message, pointer: pointer, address: address, transaction: transaction)
      if spot > 0, sensors[place].missingSince == nil { sensors[place].missingSince = now }
      // Of a tree's later messages it is known now how they go on.
      for later in sensors[place].window.indices { sensors[place].window[later].pointer.adopt(pointer) }
    } catch {
      sensors[place].failures += 1
      return effects.append(
        .report(
          FeedReport(
            .refused("\(error)"), sensor: sensors[place].sensor.id, channel: sensors[place].channel, transaction: transaction)))
    }
    drain(place, at: now, &effects)
  }

  /// Hands on what is there in order.
  private mutating func drain(_ place: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    var hasMoved = false
    while let first = sensors[place].window.first, let held = first.held {
      sensors[place].window.removeFirst()
      for address in first.addresses { places[address] = nil }
      remember(SensorRecord.Read(pointer: first.pointer, address: held.address, bytes: held.bytes), place)
      guard let after = held.pointer.following() else { preconditionFailure("a message says how the stream goes on") }
      sensors[place].state.pointer = after
      deliver(held.message, place, isLate: false, at: now, held.transaction, &effects)
      hasMoved = true
    }
    if sensors[place].window.first?.held == nil, !sensors[place].window.contains(where: { $0.held != nil }) {
      sensors[place].missingSince = nil
    } else if hasMoved {
      sensors[place].missingSince = now
    }
    if hasMoved {
      // What came before the head further on is not all there yet, or it is, and the head leads nowhere new.
      sensors[place].renewal = sensors[place].renewal.flatMap { renewal in
        renewal.head.pointer.number > sensors[place].state.pointer.number ? .init(head: renewal.head, since: now) : nil
      }
      effects.append(.advanced(sensors[place].state))
    }
    widen(place, &effects)
    arm(&effects)
  }

  private mutating func remember(_ read: SensorRecord.Read, _ place: Int) {
    sensors[place].recent.append(read)
    past[read.address] = place
    guard sensors[place].recent.count > configuration.remembered else { return }
    past[sensors[place].recent.removeFirst().address] = nil
  }

  private mutating func deliver(
    _ message: StreamMessage, _ place: Int, isLate: Bool, at now: Instant, _ transaction: CID, _ effects: inout Effects<Effect>
  ) {
    let sensor = sensors[place].sensor
    sensors[place].state.messages += 1
    sensors[place].lastMilliseconds = max(sensors[place].lastMilliseconds, message.milliseconds)
    sensors[place].lastRead = now
    do throws(StreamError) {
      let rows = try FeedRows.parse(
        message, of: sensor, channel: sensors[place].channel, isLate: isLate, most: configuration.rows,
        fields: configuration.fields)
      sensors[place].state.rows += UInt64(rows.rows.count)
      for row in rows.rows {
        for drift in sensors[place].drift.take(row.values, columns: sensor.columns) {
          effects.append(.report(FeedReport(.drift(drift), sensor: sensor.id, channel: sensors[place].channel)))
        }
      }
      effects.append(.rows(rows))
    } catch {
      sensors[place].failures += 1
      effects.append(
        .report(FeedReport(.unreadable("\(error)"), sensor: sensor.id, channel: sensors[place].channel, transaction: transaction))
      )
    }
  }

  // MARK: Repetitions, forks and gaps

  /// Something more under an address that was read, or gone over.
  private mutating func again(
    _ bytes: [UInt8], _ address: Digest, _ transaction: CID, of place: Int, _ effects: inout Effects<Effect>
  ) {
    if let read = sensors[place].recent.first(where: { $0.address == address }) {
      return again(bytes, read.bytes, read.pointer, address, transaction, of: place, &effects)
    }
    guard let spot = sensors[place].lost.firstIndex(where: { $0.addresses.contains(address) }) else { return }
    var pointer = sensors[place].lost[spot].pointer
    guard let message = try? StreamReader.open(bytes, at: address, of: &pointer, configuration.sides) else {
      sensors[place].failures += 1
      return
    }
    for address in sensors[place].lost.remove(at: spot).addresses { past[address] = nil }
    sensors[place].state.lost -= 1
    remember(SensorRecord.Read(pointer: pointer, address: address, bytes: Digest.sha256(of: bytes)), place)
    deliver(message, place, isLate: true, at: sensors[place].lastRead, transaction, &effects)
    effects.append(.advanced(sensors[place].state))
  }

  private mutating func again(
    _ bytes: [UInt8], _ known: Digest, _ pointer: StreamPointer, _ address: Digest, _ transaction: CID, of place: Int,
    _ effects: inout Effects<Effect>
  ) {
    guard Digest.sha256(of: bytes) != known else {
      sensors[place].repetitions += 1
      return
    }
    var pointer = pointer
    let (sensor, channel) = (sensors[place].sensor.id, sensors[place].channel)
    do throws(StreamError) {
      // Another message, and the stream's own key signed it.
      let message = try StreamReader.open(bytes, at: address, of: &pointer, configuration.sides)
      guard !sensors[place].isForked else { return }
      stop(place)
      effects.append(.report(FeedReport(.forked(message.number), sensor: sensor, channel: channel, transaction: transaction)))
      effects.append(.advanced(sensors[place].state))
    } catch {
      sensors[place].failures += 1
      effects.append(.report(FeedReport(.refused("\(error)"), sensor: sensor, channel: channel, transaction: transaction)))
    }
  }

  /// A stream that says two things at one place is followed no further.
  private mutating func stop(_ place: Int) {
    sensors[place].state.isForked = true
    for awaited in sensors[place].window { for address in awaited.addresses { places[address] = nil } }
    sensors[place].window = []
    sensors[place].missingSince = nil
    sensors[place].renewal = nil
  }

  /// Goes over messages that were waited for in vain.
  private mutating func goOver(_ place: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    if let since = sensors[place].missingSince, now >= since + configuration.patience,
      let next = sensors[place].window.firstIndex(where: { $0.held != nil })
    {
      for awaited in sensors[place].window[..<next] { lose(awaited, place) }
      sensors[place].window.removeFirst(next)
      effects.append(
        .report(FeedReport(.lost(next), sensor: sensors[place].sensor.id, channel: sensors[place].channel)))
      return drain(place, at: now, &effects)
    }
    guard let renewal = sensors[place].renewal, now >= renewal.since + configuration.patience else { return }
    // A later message is here and waits for those before it.
    if sensors[place].missingSince != nil { return }
    if renewal.hasSearched || !search(place, for: renewal.head, at: now, &effects) { skip(place, to: renewal.head, &effects) }
  }

  /// Looks for messages further on than usual, as far as their addresses are known; whether there are any to look for.
  private mutating func search(
    _ place: Int, for head: StreamHead, at now: Instant, _ effects: inout Effects<Effect>
  ) -> Bool {
    sensors[place].renewal?.since = now
    // Each takes some room: others have their turn later.
    let searching = sensors.count { $0.window.count > configuration.ahead }
    guard searching < configuration.search.streams else { return true }
    sensors[place].renewal?.hasSearched = true
    let before = sensors[place].window.count
    widen(place, to: configuration.search.messages, before: head.pointer.number, &effects)
    return sensors[place].window.count > before
  }

  /// Nothing came since a head further on was heard of, nor was anything found: what lies between is gone.
  private mutating func skip(_ place: Int, to head: StreamHead, _ effects: inout Effects<Effect>) {
    let gap = head.pointer.number - sensors[place].state.pointer.number
    var counted: UInt64 = 0
    for awaited in sensors[place].window {
      if awaited.pointer.number < head.pointer.number {
        lose(awaited, place)
        counted += 1
      } else {
        for address in awaited.addresses { places[address] = nil }
      }
    }
    sensors[place].window = []
    sensors[place].state.lost &+= gap - counted
    sensors[place].state.pointer = head.pointer
    sensors[place].renewal = nil
    effects.append(
      .report(FeedReport(.lost(Int(clamping: gap)), sensor: sensors[place].sensor.id, channel: sensors[place].channel)))
    effects.append(.advanced(sensors[place].state))
    widen(place, &effects)
  }

  private mutating func lose(_ awaited: SensorRecord.Awaited, _ place: Int) {
    for address in awaited.addresses {
      places[address] = nil
      past[address] = place
    }
    sensors[place].lost.append(awaited)
    sensors[place].state.lost += 1
    guard sensors[place].lost.count > configuration.remembered else { return }
    for address in sensors[place].lost.removeFirst().addresses { past[address] = nil }
  }

  private mutating func arm(_ effects: inout Effects<Effect>) {
    var due = Instant.never
    for sensor in sensors {
      if let since = sensor.missingSince { due = min(due, since + configuration.patience) }
      if let since = sensor.renewal?.since, sensor.missingSince == nil { due = min(due, since + configuration.patience) }
    }
    guard due < timerAt else { return }
    timerAt = due
    effects.append(.arm(.patience, at: due))
  }
}
