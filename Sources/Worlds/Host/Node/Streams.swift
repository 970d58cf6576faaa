import MurmurChannels
import MurmurIdentify
import MurmurIdentity
import MurmurRouting
import MurmurWire
import NIOCore

/// A stream whose peer sends messages one after another; each is read and handed on.
final class Inbox: StreamHandler {
  private var framing: MessageFraming
  private unowned let core: NodeCore
  private let read: (NodeCore, [UInt8], PeerStream) throws -> Void

  init(most: Int, core: NodeCore, read: @escaping (NodeCore, [UInt8], PeerStream) throws -> Void) {
    framing = MessageFraming(most: most)
    self.core = core
    self.read = read
  }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    framing.append(bytes)
    do {
      while let message = try framing.next() { try read(core, message, stream) }
      stream.consumed(bytes.count)
    } catch {
      core.strike(stream.link, "sends what cannot be read on \(stream.protocolName): \(error)")
      stream.reset()
    }
  }

  func ended(_ stream: PeerStream) { stream.finish() }
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

  /// Reads up to so many messages. With `writes`, a stream that is opened here: these are written, and it is finished.
  init(most: Int, messages: Int, writes: [[UInt8]]? = nil, done: @escaping Done) {
    framing = MessageFraming(most: most)
    mostMessages = messages
    self.writes = writes
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
    last?(result)
  }
}

/// Sends back what comes, as `/ipfs/ping/1.0.0` wants it.
final class EchoStream: StreamHandler {
  private var echo = PingEcho()

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    let answer = echo.receive(bytes)
    if !answer.isEmpty { stream.write(answer) }
    stream.consumed(bytes.count)
  }

  func ended(_ stream: PeerStream) { stream.finish() }
}

/// A stream that only waits until what was written is gone: nothing is expected on it.
final class SilentStream: StreamHandler {
  private let onOpen: (PeerStream) -> Void

  init(_ onOpen: @escaping (PeerStream) -> Void = { _ in }) { self.onOpen = onOpen }

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
