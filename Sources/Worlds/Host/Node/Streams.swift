import MurmurChannels
import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurRouting
import MurmurWire
import NIOCore

/// A stream whose peer sends messages one after another; each is read and handed on.
final class Inbox: StreamHandler {
  private var framing: MessageFraming
  private unowned let core: NodeCore
  private let idle: Instant.Span?
  private let read: (NodeCore, [UInt8], PeerStream) throws -> Void
  /// Bytes of an unfinished message, as counted for the peer.
  private var held = 0
  /// Bytes that were received and not given back, because the peer sends too much or does not read its answers.
  private var owed = 0
  private var isHeldBack = false
  private var isOver = false

  /// Reads messages of up to `most` bytes. With `idle` the stream may be silent for so long only, without only between messages.
  init(
    most: Int, idle: Instant.Span? = nil, core: NodeCore, read: @escaping (NodeCore, [UInt8], PeerStream) throws -> Void
  ) {
    framing = MessageFraming(most: most)
    self.idle = idle
    self.core = core
    self.read = read
  }

  var patience: Instant.Span? { idle ?? (framing.waiting > 0 ? core.configuration.silence : nil) }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    framing.append(bytes)
    owed += bytes.count
    pump(stream)
  }

  /// Reads on while the answers are read.
  private func pump(_ stream: PeerStream) {
    guard !isOver else { return }
    do {
      var count = 0
      while stream.unsent <= stream.lowWater, let message = try framing.next() {
        count += 1
        try read(core, message, stream)
      }
      guard core.hold(framing.waiting - held, for: stream.peer) else {
        core.offend(stream.peer, NodeCore.Offence.slowness, "begins more messages than it finishes on \(stream.protocolName)")
        return end(stream)
      }
      held = framing.waiting
      if count > 0, let span = core.charge(stream.peer, count) { holdBack(stream, span) }
      giveBack(stream)
    } catch {
      core.strike(stream.link, "sends what cannot be read on \(stream.protocolName): \(error)")
      end(stream)
    }
  }

  private func giveBack(_ stream: PeerStream) {
    guard !isHeldBack, owed > 0, stream.unsent <= stream.lowWater else { return }
    stream.consumed(owed)
    owed = 0
  }

  private func holdBack(_ stream: PeerStream, _ span: Instant.Span) {
    guard !isHeldBack else { return }
    isHeldBack = true
    let (inbox, bound) = (NIOLoopBound(self, eventLoop: core.home), stream)
    core.home.scheduleTask(in: .nanoseconds(min(span, .seconds(10)).nanoseconds)) {
      inbox.value.isHeldBack = false
      if !inbox.value.isOver { inbox.value.giveBack(bound) }
    }
  }

  private func end(_ stream: PeerStream) {
    release(stream)
    stream.reset()
  }

  private func release(_ stream: PeerStream) {
    isOver = true
    _ = core.hold(-held, for: stream.peer)
    held = 0
  }

  func drained(_ stream: PeerStream) { pump(stream) }

  func ended(_ stream: PeerStream) { stream.finish() }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) {
    guard !isOver else { return }
    let wasLate = if case .late? = error?.reason { framing.waiting > 0 } else { false }
    release(stream)
    if wasLate { core.offend(stream.peer, NodeCore.Offence.slowness, "does not finish a message on \(stream.protocolName)") }
  }
}

/// A stream that is read to its end, or to a bound, and then judged whole.
final class Collector: StreamHandler {
  /// What becomes of it, asked once.
  typealias Done = (Result<[[UInt8]], any Error>) -> Void

  private var framing: MessageFraming
  private let mostMessages: Int
  private var messages: [[UInt8]] = []
  private var done: Done?
  private let writes: [[UInt8]]?
  let patience: Instant.Span?

  /// Reads up to so many messages. With `writes`, a stream that is opened here: these are written, and it is finished.
  init(most: Int, messages: Int, writes: [[UInt8]]? = nil, patience: Instant.Span? = nil, done: @escaping Done) {
    framing = MessageFraming(most: most)
    mostMessages = messages
    self.writes = writes
    self.patience = patience
    self.done = done
  }

  func opened(_ stream: PeerStream) {
    for message in writes ?? [] { stream.write(MessageFraming.frame(message)) }
    stream.finish()
  }

  func refused(_ error: ConnectionError) { end(.failure(error)) }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    framing.append(bytes)
    stream.consumed(bytes.count)
    do {
      while messages.count < mostMessages, let message = try framing.next() { messages.append(message) }
    } catch {
      end(.failure(error))
      return stream.reset()
    }
    if messages.count == mostMessages {
      end(.success(messages))
      stream.reset()
    }
  }

  func ended(_ stream: PeerStream) {
    end(.success(messages))
    stream.finish()
  }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) {
    if let error { end(.failure(error)) } else { end(.success(messages)) }
  }

  private func end(_ result: Result<[[UInt8]], any Error>) {
    let last = done
    done = nil
    last?(result)
  }
}

/// A request and its answer, on a stream of its own.
final class RequestStream: StreamHandler {
  private let request: [UInt8]
  private let expectsAnswer: Bool
  private var framing: MessageFraming
  private var stream: PeerStream?
  private var done: ((Result<[UInt8]?, any Error>) -> Void)?
  /// What ends the wait; it is of no use, and holds the stream, once the wait is over.
  var deadline: Scheduled<Void>?

  init(
    _ request: [UInt8], expectsAnswer: Bool, most: Int, done: @escaping (Result<[UInt8]?, any Error>) -> Void
  ) {
    self.request = request
    self.expectsAnswer = expectsAnswer
    framing = MessageFraming(most: most)
    self.done = done
  }

  func opened(_ stream: PeerStream) {
    guard done != nil else { return stream.reset() }
    self.stream = stream
    stream.write(MessageFraming.frame(request))
    if !expectsAnswer { stream.finish() }
  }

  func refused(_ error: ConnectionError) { end(.failure(error)) }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    framing.append(bytes)
    stream.consumed(bytes.count)
    do {
      guard let answer = try framing.next() else { return }
      end(.success(answer))
      stream.finish()
      stream.reset()
    } catch {
      end(.failure(error))
      stream.reset()
    }
  }

  func ended(_ stream: PeerStream) {
    if expectsAnswer { end(.failure(NodeError("the peer ended the stream without an answer"))) } else { end(.success(nil)) }
    stream.finish()
  }

  func drained(_ stream: PeerStream) { if !expectsAnswer { end(.success(nil)) } }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) {
    if let error { end(.failure(error)) } else { end(.success(nil)) }
  }

  /// Nobody waits any more.
  func giveUp(_ error: any Error) {
    end(.failure(error))
    stream?.reset()
  }

  private func end(_ result: Result<[UInt8]?, any Error>) {
    let last = done
    done = nil
    deadline?.cancel()
    deadline = nil
    last?(result)
  }
}

/// Sends back what comes, as `/ipfs/ping/1.0.0` wants it.
final class EchoStream: StreamHandler {
  private var echo = PingEcho()
  private var owed = 0
  let patience: Instant.Span?

  init(patience: Instant.Span? = nil) { self.patience = patience }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    let answer = echo.receive(bytes)
    if !answer.isEmpty { stream.write(answer) }
    owed += bytes.count
    if stream.unsent <= stream.lowWater { drained(stream) }
  }

  /// Who does not read its answers may not go on asking.
  func drained(_ stream: PeerStream) {
    guard owed > 0 else { return }
    stream.consumed(owed)
    owed = 0
  }

  func ended(_ stream: PeerStream) { stream.finish() }
}

/// A stream that only waits until what was written is gone: nothing is expected on it.
final class SilentStream: StreamHandler {
  private let onOpen: (PeerStream) -> Void
  let patience: Instant.Span?

  init(patience: Instant.Span? = nil, _ onOpen: @escaping (PeerStream) -> Void = { _ in }) {
    self.patience = patience
    self.onOpen = onOpen
  }

  func opened(_ stream: PeerStream) { onOpen(stream) }
  func received(_ bytes: [UInt8], on stream: PeerStream) { stream.consumed(bytes.count) }
  func ended(_ stream: PeerStream) { stream.finish() }
}

/// Something a node could not do, and why.
public struct NodeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence.
  public let description: String
  /// An error of these words.
  public init(_ description: String) { self.description = description }
}
