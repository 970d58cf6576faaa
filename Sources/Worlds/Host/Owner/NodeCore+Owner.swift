import Foundation
import MurmurBlocks
import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurStorage
import MurmurWire
import NIOCore

/// Who waits for the disk.
struct DiskWaits {
  /// Bytes of blocks that may be on their way to the disk while more are taken in.
  static let mostUnsettled = 16 << 20

  var waiting: [(most: Int, promise: EventLoopPromise<Void>)] = []
  /// What the disk refused since somebody last asked.
  var failures: [StoreError] = []
}

/// What the owner's wishes need of a node beside its machines.
extension NodeCore {
  /// Completes when at most `most` bytes are on their way to the disk; with 0, when it has done everything. Fails if it refused something.
  func diskCaughtUp(to most: Int) -> EventLoopFuture<Void> {
    guard store != nil else { return home.makeSucceededVoidFuture() }
    if isCaughtUp(to: most) { return home.makeCompletedFuture { try failForTheDisk() } }
    let promise = home.makePromise(of: Void.self)
    disk.waiting.append((most, promise))
    return promise.futureResult
  }

  /// Lets those go on who waited for the disk.
  func tellWhoWaitsForTheDisk() {
    guard !disk.waiting.isEmpty else {
      disk.failures = []
      return
    }
    let failure = disk.failures.first
    let (waiting, isOver) = (disk.waiting, failure != nil)
    let due = waiting.filter { isOver || isCaughtUp(to: $0.most) }
    disk.waiting = isOver ? [] : waiting.filter { !isCaughtUp(to: $0.most) }
    disk.failures = []
    for entry in due {
      if let failure { entry.promise.fail(failure) } else { entry.promise.succeed(()) }
    }
  }

  /// Nobody waits any more: the node closes.
  func stopWaitingForTheDisk() {
    let waiting = disk.waiting
    disk.waiting = []
    for entry in waiting { entry.promise.fail(NodeError("the peer is stopping")) }
  }

  private func isCaughtUp(to most: Int) -> Bool {
    most > 0 ? peer.exchange.store.unsettledBytes <= most : errands.isEmpty && !isRunningErrands
  }

  private func failForTheDisk() throws {
    guard let failure = disk.failures.first else { return }
    disk.failures = []
    throw failure
  }

  // MARK: Dialling back

  /// A stream on which a peer asks whether it can be reached.
  func dialbackInbox() -> Inbox {
    Inbox(most: Dialback.mostBytes, core: self) { core, bytes, stream in
      core.dialBack(try Dialback.addresses(decoding: bytes), stream)
    }
  }

  private func dialBack(_ addresses: [Multiaddr], _ stream: PeerStream) {
    let rule = Dialback.Rule()
    let seen = stream.link.remoteAddress
    let targets = rule.targets(addresses, seen: seen)
    guard !targets.isEmpty, rule.admits(stream.peer, at: now, &dialbacks) else {
      return answerDialback(.refused, stream)
    }
    tryBack(targets[...], NIOLoopBound(stream, eventLoop: home))
  }

  private func tryBack(_ targets: ArraySlice<Multiaddr>, _ stream: NIOLoopBound<PeerStream>) {
    guard let target = targets.first, let transport else {
      dialbacks.finished()
      return answerDialback(.unreached, stream.value)
    }
    let bound = NIOLoopBound(self, eventLoop: home)
    transport.dial(target, expecting: stream.value.peer).hop(to: home).whenComplete { result in
      let core = bound.value
      switch result {
      case .success(let link):
        link.close("it was dialled back")
        core.dialbacks.finished()
        core.answerDialback(.reached(target), stream.value)
      case .failure: core.tryBack(targets.dropFirst(), stream)
      }
    }
  }

  private func answerDialback(_ verdict: Dialback.Answer.Verdict, _ stream: PeerStream) {
    let clock = Int64(Date().timeIntervalSince1970 * 1_000)
    let answer = Dialback.Answer(verdict, observed: stream.link.remoteAddress, clock: clock)
    stream.write(MessageFraming.frame(answer.encode()))
    stream.finish()
  }
}
