import MurmurBlocks
import MurmurChannels
import MurmurIdentity
import MurmurMachines
import NIOCore

/// Messages on their way to one peer in one protocol: a stream is opened with the first, and they follow each other on it.
///
/// What waits is bounded. A stream that breaks takes what was written to it along; the next message opens another.
final class Outbox: StreamHandler {
  /// A message that waits: bytes, or one whose form depends on the protocol that the peer turns out to speak.
  enum Content {
    case bytes([UInt8])
    case blocks(BitswapMessage)
  }

  private enum Phase {
    case closed
    case opening
    case open(PeerStream)
  }

  let peer: PeerID
  private let protocols: [String]
  private let limit: Int
  private unowned let core: NodeCore
  private var phase = Phase.closed
  private var waiting: [(content: Content, size: Int)] = []
  private var waitingBytes = 0
  /// Bytes of blocks that were handed to the stream, or lost, and not reported yet.
  private var blockBytes = 0
  private var failures = 0
  /// Bytes written to the stream, and how many of them had gone when progress was last seen.
  private var written = 0
  private var gone = 0
  private var movedAt = Instant.origin

  init(to peer: PeerID, _ protocols: [String], limit: Int, core: NodeCore) {
    self.peer = peer
    self.protocols = protocols
    self.limit = limit
    self.core = core
  }

  /// Sends after all that was sent before. False if there is no room.
  func send(_ content: Content, size: Int, over link: Link) -> Bool {
    if case .open(let stream) = phase, waiting.isEmpty, stream.unsent <= limit {
      write(content, to: stream)
      return true
    }
    guard waitingBytes + size <= limit || waiting.isEmpty else { return false }
    waiting.append((content, size))
    waitingBytes += size
    if case .closed = phase {
      phase = .opening
      link.open(protocols, handler: self)
    }
    return true
  }

  /// The connection is gone: nothing waits any more.
  func drop() {
    phase = .closed
    loseWaiting()
    report()
  }

  /// Whether much waits and nothing of it has gone for too long.
  func isStuck(at now: Instant) -> Bool {
    guard case .open(let stream) = phase, stream.unsent > stream.lowWater else {
      movedAt = now
      return false
    }
    if written - stream.unsent > gone {
      gone = written - stream.unsent
      movedAt = now
    }
    return now - movedAt > core.configuration.stuck
  }

  func opened(_ stream: PeerStream) {
    phase = .open(stream)
    (written, gone, movedAt) = (0, 0, core.now)
    failures = 0
    flush()
  }

  func refused(_ error: ConnectionError) {
    phase = .closed
    loseWaiting()
    core.note("\(peer) takes no stream for \(protocols.joined(separator: ", ")): \(error)")
    report()
  }

  func received(_ bytes: [UInt8], on stream: PeerStream) { stream.consumed(bytes.count) }

  func drained(_ stream: PeerStream) {
    report()
    flush()
  }

  func closed(_ stream: PeerStream, _ error: ConnectionError?) {
    phase = .closed
    failures += 1
    guard !waiting.isEmpty, failures < 3, let link = core.link(to: peer) else {
      loseWaiting()
      return report()
    }
    report()
    phase = .opening
    link.open(protocols, handler: self)
  }

  private func flush() {
    guard case .open(let stream) = phase else { return }
    while let next = waiting.first, stream.unsent <= limit {
      waiting.removeFirst()
      waitingBytes -= next.size
      write(next.content, to: stream)
    }
  }

  private func write(_ content: Content, to stream: PeerStream) {
    switch content {
    case .bytes(let bytes):
      let frame = MessageFraming.frame(bytes)
      written += frame.count
      stream.write(frame)
    case .blocks(let message):
      blockBytes += message.blockBytes
      guard let version = BitswapVersion(rawValue: stream.protocolName), let bytes = message.encode(for: version) else {
        return report()
      }
      let frame = BitswapFrames.frame(bytes)
      written += frame.count
      stream.write(frame)
      if stream.unsent <= stream.lowWater { report() }
    }
  }

  /// What waits will not be sent. Its blocks count as got rid of, or nothing further would be sent to the peer.
  private func loseWaiting() {
    for entry in waiting { if case .blocks(let message) = entry.content { blockBytes += message.blockBytes } }
    (waiting, waitingBytes) = ([], 0)
  }

  /// Tells the exchange what has left, or is lost.
  private func report() {
    guard blockBytes > 0 else { return }
    let bytes = blockBytes
    blockBytes = 0
    core.wrote(bytes, to: peer)
  }
}

extension BitswapMessage {
  /// Bytes of the blocks it carries, as the exchange counts them.
  var blockBytes: Int { blocks.reduce(0) { $0 + $1.bytes.count } }
}
