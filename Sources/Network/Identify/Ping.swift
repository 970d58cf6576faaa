public import MurmurMachines

/// Ping, the asking side of one stream: libp2p/specs ping, `/ipfs/ping/1.0.0`.
///
/// Sends 32 random bytes, waits for the same, says how long it took, and does so again after a while. A wrong echo or none in time ends
/// the stream; the host resets it. There is one such stream for each peer at most.
public struct Ping: Machine, Sendable {
  /// What happened.
  public enum Input: Sendable {
    /// The stream is open.
    case opened
    /// Bytes came; they may be parts of an echo.
    case received([UInt8])
    /// The stream ended.
    case closed
    /// A timer fired.
    case timerFired(Timer)
  }

  /// What is to be done.
  public enum Effect: Hashable, Sendable {
    /// Write these bytes.
    case send([UInt8])
    /// Let ``Input/timerFired(_:)`` happen at that time; replaces an earlier order for the same timer.
    case arm(Timer, at: Instant)
    /// Tell whoever wants to know how long a round trip took.
    case measured(Instant.Span)
    /// Reset the stream, for that reason; nothing follows.
    case failed(Failure)
    /// Close the stream: all rounds are done.
    case finished
  }

  /// The timers.
  public enum Timer: Hashable, Sendable {
    /// The next round is due, or the echo is late.
    case round
  }

  /// Why it ended.
  public enum Failure: Hashable, Sendable {
    /// No echo in time.
    case timedOut
    /// The echo was other bytes, or more.
    case wrongEcho
    /// The stream ended while an echo was awaited.
    case closed
  }

  /// How often and how long.
  public struct Configuration: Hashable, Sendable {
    /// The time between an echo and the next round.
    public var interval = Instant.Span.seconds(15)
    /// How long an echo may take.
    public var timeout = Instant.Span.seconds(10)
    /// How many rounds; `nil` for as long as the stream lives.
    public var rounds: Int?

    /// The default: for ever, every quarter of a minute.
    public init() {}
  }

  /// The protocol's name.
  public static let protocolID = "/ipfs/ping/1.0.0"
  /// How many bytes a round has.
  public static let byteCount = 32

  private enum State: Sendable {
    case idle
    case waiting(sent: [UInt8], since: Instant, echoed: Int)
    case resting(until: Instant)
    case ended
  }

  private let configuration: Configuration
  private var state = State.idle
  private var rounds = 0
  /// The last round trip; `nil` before the first.
  public private(set) var roundTrip: Instant.Span?

  /// A ping about to start.
  public init(_ configuration: Configuration = Configuration()) { self.configuration = configuration }

  /// Takes one input and appends what is to be done, in order.
  public mutating func step(_ input: Input, at now: Instant, chance: inout Chance, effects: inout Effects<Effect>) {
    switch input {
    case .opened:
      if case .idle = state { send(at: now, &chance, &effects) }
    case .received(let bytes): take(bytes, at: now, &effects)
    case .closed:
      if case .waiting = state { effects.append(.failed(.closed)) }
      state = .ended
    case .timerFired(.round):
      switch state {
      case .waiting(_, let since, _) where now >= since + configuration.timeout: fail(.timedOut, &effects)
      case .resting(let until) where now >= until: send(at: now, &chance, &effects)
      case .idle, .waiting, .resting, .ended: return
      }
    }
  }

  private mutating func send(at now: Instant, _ chance: inout Chance, _ effects: inout Effects<Effect>) {
    var bytes: [UInt8] = []
    while bytes.count < Ping.byteCount {
      let word = chance.next()
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }
    state = .waiting(sent: bytes, since: now, echoed: 0)
    effects.append(.send(bytes))
    effects.append(.arm(.round, at: now + configuration.timeout))
  }

  private mutating func take(_ bytes: [UInt8], at now: Instant, _ effects: inout Effects<Effect>) {
    guard !bytes.isEmpty else { return }
    switch state {
    case .ended: return
    case .idle, .resting: fail(.wrongEcho, &effects)
    case .waiting(let sent, let since, let echoed):
      guard echoed + bytes.count <= sent.count, bytes.elementsEqual(sent[echoed..<echoed + bytes.count]) else {
        return fail(.wrongEcho, &effects)
      }
      guard echoed + bytes.count == sent.count else {
        state = .waiting(sent: sent, since: since, echoed: echoed + bytes.count)
        return
      }
      roundTrip = now - since
      rounds += 1
      effects.append(.measured(now - since))
      if let most = configuration.rounds, rounds >= most {
        state = .ended
        effects.append(.finished)
      } else {
        state = .resting(until: now + configuration.interval)
        effects.append(.arm(.round, at: now + configuration.interval))
      }
    }
  }

  private mutating func fail(_ failure: Failure, _ effects: inout Effects<Effect>) {
    state = .ended
    effects.append(.failed(failure))
  }
}

/// Ping, the answering side of one stream: bytes in, the same bytes out, 32 at a time.
///
/// Whole rounds only are echoed, so that a peer that sends single bytes gets no answer to each. How many such streams a peer may have is
/// the host's business.
public struct PingEcho: Sendable {
  /// The most bytes that wait: less than one round.
  private var waiting: [UInt8] = []

  /// A stream without bytes.
  public init() {}

  /// What to write after `bytes` came.
  public mutating func receive(_ bytes: [UInt8]) -> [UInt8] {
    waiting += bytes
    let whole = waiting.count - waiting.count % Ping.byteCount
    let answer = Array(waiting.prefix(whole))
    waiting.removeFirst(whole)
    return answer
  }
}
