import MurmurChannels
import MurmurMachines
import MurmurSplit
import NIOCore

/// The stream on which this device sends to a neighbour: a hello, then messages; the answer to the hello is all that comes back.
final class SplitWriter: StreamHandler {
  private let other: Int
  private unowned let lines: SplitLines
  private var stream: PeerStream?
  private var framing = MessageFraming(most: SplitLimits.problemBytes + 64)
  private var isAnswered = false
  private var isOver = false

  init(to other: Int, lines: SplitLines) {
    self.other = other
    self.lines = lines
  }

  /// Sends a frame after all that was sent before; false if there is no way, or too much waits.
  func send(_ frame: [UInt8]) -> Bool {
    guard let stream, !isOver, stream.unsent <= lines.configuration.waitingBytes else { return false }
    stream.write(frame)
    return true
  }

  func finish() { stream?.finish() }

  /// The hello must be answered soon; nothing else is expected.
  var patience: Instant.Span? { isAnswered && framing.waiting == 0 ? nil : lines.configuration.silence }

  func opened(_ stream: PeerStream) {
    self.stream = stream
    let hello = SplitFrame.hello(SplitHello(device: lines.number, plan: lines.fingerprint))
    stream.write(MessageFraming.frame(hello.encode()))
  }

  func refused(_ error: ConnectionError) { end() }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    stream.consumed(bytes.count)
    guard !isOver else { return }
    framing.append(bytes)
    do {
      while let frame = try framing.next() {
        guard case .welcome(let welcome) = try SplitFrame.decode(frame) else {
          throw SplitRefusal("it answers a hello with something else")
        }
        isAnswered = true
        lines.welcomed(welcome, by: other, self)
      }
    } catch {
      lines.strike(stream.peer, "sends what cannot be read on \(SplitFrame.protocolID): \(error)")
      stream.reset()
      end()
    }
  }

  func ended(_ stream: PeerStream) {
    // The neighbour reads no more.
    stream.finish()
    end()
  }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) { end() }

  private func end() {
    guard !isOver else { return }
    isOver = true
    lines.writerEnded(other, self)
  }
}

/// The stream on which a neighbour sends to this device.
final class SplitReader: StreamHandler {
  private unowned let lines: SplitLines
  private var framing = MessageFraming(most: SplitLimits.frameBytes)
  private var other: Int?
  private var stream: PeerStream?
  private var isOver = false
  /// Bytes that were received and not given back.
  private var owed = 0

  init(lines: SplitLines) { self.lines = lines }

  /// A hello must come soon, and what was begun be finished.
  var patience: Instant.Span? { other == nil || framing.waiting > 0 ? lines.configuration.silence : nil }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    self.stream = stream
    guard !isOver else { return stream.consumed(bytes.count) }
    framing.append(bytes)
    owed += bytes.count
    do {
      var hasRoom = true
      while !isOver, let frame = try framing.next() { hasRoom = try read(frame, stream) && hasRoom }
      if hasRoom { giveBack() }
    } catch {
      lines.strike(stream.peer, "sends what cannot be read on \(SplitFrame.protocolID): \(error)")
      stream.reset()
      end()
    }
  }

  private func read(_ frame: [UInt8], _ stream: PeerStream) throws -> Bool {
    switch (try SplitFrame.decode(frame), other) {
    case (.hello(let hello), nil):
      let problem = lines.greet(hello, self, stream)
      if problem == nil { other = hello.device }
      stream.write(MessageFraming.frame(SplitFrame.welcome(SplitWelcome(device: lines.number, problem: problem)).encode()))
      guard problem != nil else { return true }
      stream.finish()
      isOver = true
      return true
    case (.message(let message), let other?): return lines.receive(message, from: other, bytes: frame.count)
    default: throw SplitRefusal("a stream begins with one hello, and messages follow")
    }
  }

  /// The machine has room again.
  func giveBack() {
    guard owed > 0, let stream else { return }
    stream.consumed(owed)
    owed = 0
  }

  /// Another stream of the same device has taken its place.
  func replace() {
    isOver = true
    stream?.reset()
  }

  func ended(_ stream: PeerStream) {
    stream.finish()
    end()
  }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) { end() }

  private func end() {
    guard !isOver else { return }
    isOver = true
    if let other { lines.readerEnded(other, self) }
  }
}

/// A question from outside and its answer.
final class SplitAskStream: StreamHandler {
  private unowned let lines: SplitLines
  private var framing = MessageFraming(most: SplitLimits.askBytes)
  private var isAsked = false
  private var isAnswered = false
  private var isOver = false

  init(lines: SplitLines) { self.lines = lines }

  /// A question must come soon, and the stream be ended soon after the answer; that takes as long as it takes here.
  var patience: Instant.Span? { isAsked && !isAnswered ? nil : lines.configuration.silence }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    stream.consumed(bytes.count)
    guard !isAsked else { return }
    framing.append(bytes)
    do {
      guard let message = try framing.next() else { return }
      let ask = try SplitAsk.decode(message)
      isAsked = true
      let handler = NIOLoopBound(self, eventLoop: stream.link.loop)
      lines.question(ask.rows) { result in handler.value.answer(result, on: stream) }
    } catch {
      lines.strike(stream.peer, "asks what cannot be read: \(error)")
      end()
      stream.reset()
    }
  }

  private func answer(_ result: Result<SplitReply, any Error>, on stream: PeerStream) {
    guard !isOver else { return }
    isAnswered = true
    let reply = result.mapError { ($0 as? SplitRefusal) ?? SplitRefusal("\($0)") }
    stream.write(MessageFraming.frame(SplitReply.encode(reply)))
    stream.finish()
  }

  func ended(_ stream: PeerStream) { if !isAsked { stream.finish() } }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) { end() }

  private func end() {
    guard !isOver else { return }
    isOver = true
    lines.askEnded()
  }
}
