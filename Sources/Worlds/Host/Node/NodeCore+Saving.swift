import Logging
import MurmurBlocks
import MurmurCollective
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurRouting
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

  /// Does something with the store on the thread that waits for the disk, after all that was given to it before.
  func onDisk(_ body: @escaping @Sendable (Store) throws(StoreError) -> Void) {
    guard let store, let diskThread else { return }
    let log = log
    diskThread.submit { state in
      // When the thread is shut down, all that is to be kept is there.
      guard case .active = state else { return }
      do throws(StoreError) { try body(store) } catch { log.error("\(error)") }
    }
  }

  /// Whether something that was given to the disk is to be followed by more.
  var awaitsDisk: Bool {
    isRunningErrands || !errands.isEmpty || house.map { !$0.keeping.isSafe && $0.keeping.failures == 0 } ?? false
  }

  // MARK: What is published

  /// Where it is kept what the tables publish again and again: by the table's protocol and the key, a value after a one, a content as nothing.
  static let publishedArea = "kad"

  private func publishedName(_ key: MurmurRouting.Key, _ index: Int) -> [UInt8] {
    Array(tables[index].protocolID.utf8) + [0] + key.bytes
  }

  /// What is to be published again and again is kept for the next life.
  func keep(_ query: Kademlia.Query, of index: Int) {
    let (key, kept): (MurmurRouting.Key, [UInt8])
    switch query {
    case .provide(let content): (key, kept) = (content, [])
    case .put(let name, let value, repeats: true): (key, kept) = (name, [1] + value)
    case .put, .get, .findPeer, .findClosest, .findProviders: return
    }
    let name = publishedName(key, index)
    guard name.count <= SavedState.mostKeyBytes else { return }
    onDisk { store throws(StoreError) in
      try store.save([SavedState(area: NodeCore.publishedArea, key: name, value: kept)])
    }
  }

  /// What an earlier life published is published again: values, and contents that are still pinned.
  func resume(_ kept: [SavedState]) {
    let pinned = Set(peer.exchange.store.allPins.map { MurmurRouting.Key(providersOf: $0.root) })
    for index in tables.indices {
      var earlier: [Kademlia.Published] = []
      let prefix = publishedName(MurmurRouting.Key([]), index)
      for state in kept where state.key.starts(with: prefix) {
        let key = MurmurRouting.Key(Array(state.key.dropFirst(prefix.count)))
        if state.value.isEmpty, !pinned.contains(key) {
          forgetPublished(key, of: index)
        } else {
          earlier.append(Kademlia.Published(key, value: state.value.isEmpty ? nil : Array(state.value.dropFirst())))
        }
      }
      if !earlier.isEmpty { step(table: index, .resumed(earlier)) }
    }
  }

  /// An object is not provided any more.
  func withdraw(_ root: CID) {
    let key = MurmurRouting.Key(providersOf: root)
    for index in tables.indices {
      step(table: index, .withdrawn(key))
      forgetPublished(key, of: index)
    }
  }

  private func forgetPublished(_ key: MurmurRouting.Key, of index: Int) {
    let name = publishedName(key, index)
    onDisk { store throws(StoreError) in try store.removeState(NodeCore.publishedArea, name) }
  }
}
