import Logging
import MurmurMachines
import MurmurPeer
import MurmurStorage

/// Writes down everything a peer is told, with its time and the digest of what it wanted, so that its life can be lived again in the
/// simulator. Pieces of 256 KiB go to the system from the loop; that is a switch for debugging, not for every day.
final class Recorder {
  private var writer: RecordingWriter?
  private var digest = EffectsDigest()
  private let log: Logger

  /// Begins the file; throws where it cannot be written.
  init(_ path: String, _ header: Recording.Header, _ log: Logger) throws {
    writer = try RecordingWriter(path, header)
    self.log = log
  }

  /// Lets the peer take the input, and writes it down.
  func step(
    _ peer: inout Peer, _ input: Peer.Input, at now: Instant, chance: inout Chance, effects: inout Effects<Peer.Effect>
  ) {
    guard writer != nil else { return peer.step(input, at: now, chance: &chance, effects: &effects) }
    let step = peer.record(input, at: now, chance: &chance, digest: &digest, effects: &effects)
    attempt { writer throws(StoreError) in
      try writer.append(Recording.Entry(time: step.time, digest: step.digest, input: step.input))
    }
    if writer?.isFull == true {
      log.warning("the recording is full; what happens from now on is not written down")
      writer = nil
    }
  }

  /// Hands everything to the system.
  func flush() { attempt { writer throws(StoreError) in try writer.flush() } }

  /// A recording that cannot be written ends; the peer goes on.
  private func attempt(_ body: (inout RecordingWriter) throws(StoreError) -> Void) {
    do throws(StoreError) { if writer != nil { try body(&writer!) } } catch {
      log.error("the recording ends here: \(error)")
      writer = nil
    }
  }
}
