import Logging
import MurmurBlocks
import MurmurCollective
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurSessions
import MurmurStorage
import MurmurWire
import NIOPosix

/// What the next life of this peer goes on from.
extension NodeCore {
  /// How often ledgers are saved.
  static let creditInterval = Instant.Span.seconds(60)
  /// An optimiser's state of no more than this is saved with every model, since it is soon written; a larger one when the peer stops.
  static let smallOptimizer = 256 << 10

  /// The session's state names a model only when its root, which is stored last, is safe.
  func saveSession(_ root: CID) {
    guard let unsaved, unsaved.root == root else { return }
    self.unsaved = nil
    save(state(unsaved.root, unsaved.cycle, optimizer: hasSmallOptimizer ? peer.collective.optimizerState : []))
  }

  private func state(_ root: CID, _ cycle: UInt32, optimizer: [UInt8]) -> SessionState {
    var state = SessionState(session: peer.collective.session.name, seed: configuration.life.seed)
    (state.model, state.cycle, state.life) = (root, cycle, configuration.life.number)
    state.optimizer = optimizer
    return state
  }

  /// Saves ledgers once in a while.
  func saveCredits() {
    guard creditsDue <= now else { return }
    creditsDue = now + NodeCore.creditInterval
    let credits = peer.exchange.credits
    guard store != nil, !credits.isEmpty else { return }
    onDisk { store throws(StoreError) in try store.save(credits, at: Wall.seconds) }
  }

  /// Saves everything that changes too often to be saved at each change; the peer is about to stop.
  func saveAll() {
    creditsDue = .origin
    saveCredits()
    // A model whose blocks are not all on the disk is not named; the one before is.
    guard unsaved == nil, let newest = peer.collective.newest, newest.peer == peer.id else { return }
    guard !hasSmallOptimizer else { return }
    let optimizer = peer.collective.optimizerState
    if optimizer.count <= SavedState.mostBytes / 2 { save(state(newest.root, newest.cycle, optimizer: optimizer)) }
  }

  private var hasSmallOptimizer: Bool { peer.collective.optimizerStateLimit <= NodeCore.smallOptimizer }

  private func save(_ state: SessionState) {
    onDisk { store throws(StoreError) in try store.save(state) }
  }

  private func onDisk(_ body: @escaping @Sendable (Store) throws(StoreError) -> Void) {
    guard let store else { return }
    let log = log
    workers.submit { _ in do throws(StoreError) { try body(store) } catch { log.error("\(error)") } }
  }
}
