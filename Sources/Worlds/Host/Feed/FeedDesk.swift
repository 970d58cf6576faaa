import MurmurChannels
public import MurmurFeeds
public import MurmurIdentity
import MurmurMachines

/// The streams of thin feeders at a full peer, on its loop: frames become messages for whoever holds the ``MurmurFeeds/Gateway``, and the other
/// way round.
public final class FeedDesk {
  /// What happens on the streams.
  public enum Event {
    /// A feeder opened a stream; a second one replaces its first.
    case connected(PeerID)
    /// Its stream is gone.
    case disconnected(PeerID)
    /// It says something.
    case received(PeerID, FeedMessage)
    /// It sent what cannot be read; its stream is closed.
    case unreadable(PeerID, String)
  }

  /// Bytes of answers that a feeder may leave unread; then its stream is closed.
  public static let unreadBytes = 1 << 20
  private let told: (Event) -> Void
  private var streams: [PeerID: FeedReader] = [:]

  /// A desk that tells `told` what happens.
  public init(_ told: @escaping (Event) -> Void) { self.told = told }

  /// Feeders with a stream.
  public var count: Int { streams.count }

  /// The handler of a stream that a feeder opened.
  public func accept(_ stream: PeerStream) -> any StreamHandler {
    let reader = FeedReader(stream, self)
    let before = streams.updateValue(reader, forKey: stream.peer)
    before?.drop()
    if before != nil { told(.disconnected(stream.peer)) }
    told(.connected(stream.peer))
    return reader
  }

  /// Sends a feeder a message, if it is there.
  public func send(_ message: FeedMessage, to feeder: PeerID) {
    guard let reader = streams[feeder] else { return }
    guard reader.write(MessageFraming.frame(message.encode())) else {
      reader.drop()
      return ended(reader)
    }
  }

  /// Closes a feeder's stream.
  public func close(_ feeder: PeerID) { streams.removeValue(forKey: feeder)?.drop() }

  fileprivate func received(_ message: FeedMessage, _ reader: FeedReader) {
    if streams[reader.stream.peer] === reader { told(.received(reader.stream.peer, message)) }
  }

  fileprivate func unreadable(_ reader: FeedReader, _ why: String) {
    guard streams[reader.stream.peer] === reader else { return }
    told(.unreadable(reader.stream.peer, why))
    ended(reader)
  }

  fileprivate func ended(_ reader: FeedReader) {
    guard streams[reader.stream.peer] === reader else { return }
    streams[reader.stream.peer] = nil
    told(.disconnected(reader.stream.peer))
  }
}

/// One feeder's stream.
private final class FeedReader: StreamHandler {
  let stream: PeerStream
  private weak var desk: FeedDesk?
  private var framing = MessageFraming(most: FeedLimits.frameBytes)
  private var isOver = false

  init(_ stream: PeerStream, _ desk: FeedDesk) {
    self.stream = stream
    self.desk = desk
  }

  /// What was begun must be finished; between messages a sensor may be silent for long.
  var patience: Instant.Span? { framing.waiting > 0 ? .seconds(60) : nil }

  func write(_ frame: [UInt8]) -> Bool {
    guard !isOver, stream.unsent <= FeedDesk.unreadBytes else { return false }
    stream.write(frame)
    return true
  }

  func drop() {
    guard !isOver else { return }
    isOver = true
    stream.reset()
  }

  func received(_ bytes: [UInt8], on stream: PeerStream) {
    stream.consumed(bytes.count)
    guard !isOver else { return }
    framing.append(bytes)
    do {
      while !isOver, let frame = try framing.next() { desk?.received(try FeedMessage.decode(frame), self) }
    } catch {
      drop()
      desk?.unreadable(self, "\(error)")
    }
  }

  func ended(_ stream: PeerStream) {
    stream.finish()
    end()
  }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) { end() }

  private func end() {
    guard !isOver else { return }
    isOver = true
    desk?.ended(self)
  }
}
