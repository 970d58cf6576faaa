package import MurmurMachines

/// Many streams over one connection: yamux (libp2p/specs `yamux`), plaintext in, plaintext out.
///
/// Streams that have something to send take turns, a frame each; a frame fills what is left of a record. What is received is handed on
/// at once and counts against the stream's window until it is consumed. Windows start at 256 KiB; one whose reader keeps up with less
/// than four round trips between updates doubles, within the limits, as go-yamux does.
package struct Yamux: Sendable {
  /// The window of a new stream, on both sides.
  package static let initialWindow = 256 << 10

  /// What came of bytes received or sent.
  package enum Event: Sendable {
    /// The other side opened a stream.
    case opened(StreamID)
    /// The other side knows of the stream that was opened here.
    case acknowledged(StreamID)
    case received(StreamID, [UInt8])
    case ended(StreamID)
    case wasReset(StreamID, ConnectionError.Reason)
    case drained(StreamID)
    /// The other side answered a ping after that time.
    case answered(Instant.Span)
    /// The other side will open and accept no further streams.
    case goingAway(code: UInt32)
  }

  let limits: ChannelLimits
  var streams: [UInt32: YamuxStream] = [:]
  private(set) var inbound = 0
  private(set) var outbound = 0
  var unacknowledged = 0
  var growth = 0
  /// Bytes that wait on all streams.
  package private(set) var queued = 0
  private var nextNumber: UInt32
  private let inboundParity: UInt32
  var highestInbound: UInt32 = 0
  /// How many streams came with a number that may have been used before. One number may come twice, the pair of both does not.
  private var lives: UInt32 = 0
  var isGoingAway = false

  /// Streams with something to send, in turn.
  private var row: [UInt32] = []
  private var rowStart = 0
  /// Streams that owe a window update.
  private var updates: [UInt32] = []
  /// Encoded frames that go before all others.
  var answers: [UInt8] = []

  /// The header so far, and what is left of the frame it began.
  var header: [UInt8] = []
  var current: YamuxHeader?
  var currentLeft = 0

  /// The ping under way.
  var ping: (number: UInt32, sent: Instant)?
  private var nextPing: UInt32 = 0
  /// The last measured round trip.
  package internal(set) var roundTrip: Instant.Span?
  var resets = 0
  var resetsSince = Instant.origin

  /// The streams of a new connection.
  package init(isDialer: Bool, limits: ChannelLimits) {
    self.limits = limits
    nextNumber = isDialer ? 1 : 2
    inboundParity = isDialer ? 0 : 1
  }

  /// How many streams are open.
  package var count: Int { inbound + outbound }
  /// Whether a ping waits for its answer, and since when.
  package var pingSent: Instant? { ping?.sent }

  // MARK: What this side wants

  /// Opens a stream; throws if there are too many.
  package mutating func open(at now: Instant) throws(ConnectionError) -> StreamID {
    guard !isGoingAway else { throw ConnectionError(.open, .closedByPeer(code: nil)) }
    guard outbound < limits.outboundStreams else {
      throw ConnectionError(.open, .limit("\(outbound) streams are open already; close some first"))
    }
    guard unacknowledged < limits.unacknowledged else {
      throw ConnectionError(.open, .limit("\(unacknowledged) streams wait to be acknowledged; it is slow, try later"))
    }
    guard nextNumber < .max - 2 else { throw ConnectionError(.open, .limit("stream numbers are used up; connect anew")) }
    let number = nextNumber
    nextNumber += 2
    let id = StreamID(number)
    streams[number] = YamuxStream(id: id, isOutbound: true, opening: .owes(.syn), isAcknowledged: false, lastUpdate: now)
    outbound += 1
    unacknowledged += 1
    schedule(number)
    return id
  }

  /// Whether the stream is open in some direction.
  package func isOpen(_ stream: StreamID) -> Bool { streams[stream.number]?.id == stream }

  /// Bytes that wait to be sent on the stream.
  package func unsent(_ stream: StreamID) -> Int { isOpen(stream) ? streams[stream.number]?.queue.count ?? 0 : 0 }

  /// Queues `bytes`; false if too many wait already. Writes on a stream that is over or was finished go nowhere.
  package mutating func write(_ stream: StreamID, _ bytes: [UInt8]) -> Bool {
    let number = stream.number
    guard isOpen(stream), streams[number]?.writing == .open else { return true }
    streams[number]?.queue.append(bytes)
    queued += bytes.count
    let waiting = streams[number]?.queue.count ?? 0
    if waiting > limits.lowWater { streams[number]?.owesDrained = true }
    schedule(number)
    return waiting <= limits.unsent && queued <= limits.unsentInAll
  }

  /// Ends the writing half after all that waits.
  package mutating func finish(_ stream: StreamID) {
    guard isOpen(stream), streams[stream.number]?.writing == .open else { return }
    streams[stream.number]?.writing = .finishing
    schedule(stream.number)
  }

  /// Ends the stream at once. The other side is told if it knows of it.
  package mutating func reset(_ stream: StreamID) {
    guard let state = streams[stream.number], state.id == stream else { return }
    if case .owes(let flags) = state.opening, flags.contains(.syn) { return remove(stream.number) }
    answer(YamuxHeader(.windowUpdate, .rst, stream: stream.number, length: 0))
    remove(stream.number)
  }

  /// Takes back `count` received bytes of the stream and lets the other side send as many again. For a stream that is over it does
  /// nothing, also if its number is in use again.
  package mutating func consumed(_ stream: StreamID, _ count: Int, at now: Instant) {
    let number = stream.number
    guard let state = streams[number], state.id == stream else { return }
    precondition(count >= 0 && count <= state.unconsumed, "\(count) bytes consumed of \(state.unconsumed) received on \(stream)")
    streams[number]?.unconsumed -= count
    guard !state.isEnded else { return }
    streams[number]?.returnable += count
    guard !state.owesUpdate, state.returnable + count >= state.window / 2 else { return }
    grow(number, at: now)
    streams[number]?.lastUpdate = now
    streams[number]?.owesUpdate = true
    updates.append(number)
  }

  /// Doubles the window if the reader keeps up: half of it was consumed within four round trips.
  private mutating func grow(_ number: UInt32, at now: Instant) {
    guard let state = streams[number], let roundTrip, now - state.lastUpdate < roundTrip * 4 else { return }
    let more = min(state.window, limits.window - state.window, limits.growth - growth)
    guard more > 0 else { return }
    growth += more
    streams[number]?.window += more
    streams[number]?.returnable += more
  }

  /// Asks for a sign of life, unless one is waited for.
  package mutating func sendPing(at now: Instant) {
    guard ping == nil else { return }
    ping = (nextPing, now)
    answer(YamuxHeader(.ping, .syn, stream: 0, length: nextPing))
    nextPing &+= 1
  }

  /// Says that this side is going away, with yamux's code: 0 normal, 1 protocol error, 2 internal error.
  package mutating func goAway(code: UInt32) { answer(YamuxHeader(.goAway, [], stream: 0, length: code)) }

  // MARK: Bookkeeping

  /// Queues a frame that goes before data.
  mutating func answer(_ header: YamuxHeader) { header.append(to: &answers) }

  /// Whether a stream with that number is for the other side to open.
  func isInbound(_ number: UInt32) -> Bool { number % 2 == inboundParity }

  /// Whether this side has opened a stream with that number.
  func wasOpened(_ number: UInt32) -> Bool { number < nextNumber }

  /// Takes a stream in that the other side opened; `nil` if it was done too often with numbers that may have been used before.
  ///
  /// A number below the highest may be new all the same: streams that are opened side by side need not be announced in order.
  mutating func admit(_ number: UInt32, at now: Instant) -> StreamID? {
    if number <= highestInbound {
      guard lives < .max else { return nil }
      lives += 1
    }
    let id = StreamID(number, life: number <= highestInbound ? lives : 0)
    streams[number] = YamuxStream(id: id, isOutbound: false, opening: .owes(.ack), isAcknowledged: true, lastUpdate: now)
    inbound += 1
    highestInbound = max(highestInbound, number)
    return id
  }

  mutating func remove(_ number: UInt32) {
    guard let state = streams.removeValue(forKey: number) else { return }
    growth -= state.window - Yamux.initialWindow
    queued -= state.queue.count
    if state.isOutbound { outbound -= 1 } else { inbound -= 1 }
    if !state.isAcknowledged { unacknowledged -= 1 }
  }

  mutating func removeIfOver(_ number: UInt32) {
    if streams[number]?.isOver == true { remove(number) }
  }

  /// Puts the stream at the end of the row if it has something to send.
  mutating func schedule(_ number: UInt32) {
    guard let state = streams[number], !state.isInRow, state.canSend else { return }
    streams[number]?.isInRow = true
    row.append(number)
  }

  // MARK: What is sent

  /// Whether there is something to send.
  package var hasOutput: Bool { !answers.isEmpty || !updates.isEmpty || rowStart < row.count }

  /// Appends frames to `record`, as many as fit below `room` bytes, and says what came of it.
  package mutating func fill(_ record: inout [UInt8], room: Int, events: inout Effects<Event>) {
    fillAnswers(&record, room)
    while let number = updates.first, record.count + YamuxHeader.byteCount <= room {
      updates.removeFirst()
      update(number, &record)
    }
    while rowStart < row.count, record.count + YamuxHeader.byteCount < room {
      let number = row[rowStart]
      rowStart += 1
      if rowStart == row.count || rowStart >= 64 {
        row.removeFirst(rowStart)
        rowStart = 0
      }
      streams[number]?.isInRow = false
      send(number, &record, room, &events)
    }
  }

  mutating func fillAnswers(_ record: inout [UInt8], _ room: Int) {
    guard !answers.isEmpty else { return }
    let count = min(answers.count, (room - record.count) / YamuxHeader.byteCount * YamuxHeader.byteCount)
    record.append(contentsOf: answers[..<count])
    answers.removeFirst(count)
  }

  private mutating func update(_ number: UInt32, _ record: inout [UInt8]) {
    guard let count = streams[number]?.returnable else { return }
    streams[number]?.owesUpdate = false
    streams[number]?.returnable = 0
    streams[number]?.allowance += count
    let flags = streams[number]?.takeFlags(isLast: false) ?? []
    YamuxHeader(.windowUpdate, flags, stream: number, length: UInt32(count)).append(to: &record)
  }

  private mutating func send(_ number: UInt32, _ record: inout [UInt8], _ room: Int, _ events: inout Effects<Event>) {
    guard let state = streams[number], state.canSend else { return }
    let waiting = state.queue.count
    let count = min(waiting, state.credit, room - record.count - YamuxHeader.byteCount)
    let isLast = state.writing == .finishing && count == waiting
    let flags = streams[number]?.takeFlags(isLast: isLast) ?? []
    YamuxHeader(.data, flags, stream: number, length: UInt32(count)).append(to: &record)
    streams[number]?.queue.move(count, to: &record)
    queued -= count
    streams[number]?.credit -= count
    if state.owesDrained, waiting - count <= limits.lowWater {
      streams[number]?.owesDrained = false
      events.append(.drained(state.id))
    }
    schedule(number)
    removeIfOver(number)
  }
}
