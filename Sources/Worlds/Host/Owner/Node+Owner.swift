public import MurmurBlocks
import MurmurChannels
public import MurmurIdentify
public import MurmurIdentity
public import MurmurMachines
import MurmurPeer
import MurmurRouting
import MurmurStorage
public import MurmurWire
import NIOCore
public import NIOPosix

/// What an owner does with a running node: objects of any size in and out, pins, connections, reachability.
extension Node {
  // MARK: Objects

  /// Takes in a part of an object, children before parents. Returns when the disk has nearly caught up, so that no more is in memory than
  /// passes through; throws if the disk refuses.
  public func take(_ blocks: [Block]) async throws {
    try await onHomeFlat { it in
      it.step(.asked(.take(blocks)))
      return it.diskCaughtUp(to: DiskWaits.mostUnsettled)
    }
  }

  /// Pins an object that is here, and returns when object and pin would survive a crash. Throws if a part of it is missing.
  public func pin(_ root: CID) async throws {
    try await onHomeFlat { it -> EventLoopFuture<Void> in
      let store = it.peer.exchange.store
      if let missing = store.missing(of: root, limit: 1).first {
        let why = "block \(missing) of \(root) is not here any more: the store had no room for all of it; unpin something"
        return it.home.makeFailedFuture(NodeError(why))
      }
      if !store.allPins.contains(Node.pin(root)) { it.step(.asked(.pin(root))) }
      return it.diskCaughtUp(to: 0)
    }
  }

  /// Keeps an object no longer; false if it was not pinned by its owner.
  public func unpin(_ root: CID) async throws -> Bool {
    let was = try await onHome { it in
      let isPinned = it.peer.exchange.store.allPins.contains(Node.pin(root))
      // Whoever pinned it several times does not want it any more either.
      while it.peer.exchange.store.allPins.contains(Node.pin(root)) { it.step(.asked(.unpin(root))) }
      if !it.peer.exchange.store.allPins.contains(where: { $0.root == root }) { it.withdraw(root) }
      return isPinned
    }
    try await onHomeFlat { it in it.diskCaughtUp(to: 0) }
    return was
  }

  private static func pin(_ root: CID) -> BlockStore.Pin { BlockStore.Pin(name: ownersName, root: root) }

  /// The name of the pins that an owner sets.
  public static let ownersName = "owner"

  /// An object that is kept.
  public struct Kept: Hashable, Sendable {
    /// Its name.
    public var root: CID
    /// Who keeps it: ``Node/ownersName``, or nobody's name for the session.
    public var name: String
    /// Bytes of its file, as far as the root says; `nil` if the root is not here.
    public var bytes: UInt64?
  }

  /// Everything that is kept, in ascending order.
  public func kept() async throws -> [Kept] {
    try await onHome { it in
      let store = it.peer.exchange.store
      return store.allPins.map { pin in
        Kept(root: pin.root, name: pin.name, bytes: Node.fileBytes(pin.root, store.peek(pin.root), store.size(of: pin.root)))
      }
    }
  }

  private static func fileBytes(_ root: CID, _ block: Block?, _ size: Int?) -> UInt64? {
    guard root.codec == .dagPB, let block else { return size.map { UInt64($0) } }
    do {
      let (node, inline) = try DAGNode.decode(block.bytes)
      return node.fileBytes + UInt64(inline.count)
    } catch { return nil }
  }

  /// A block that is here, read from the disk by a thread of `pool` if it is not in memory.
  public func block(_ cid: CID, reading pool: NIOThreadPool) async throws -> Block? {
    let (block, store) = try await onHome { it in
      let known = it.peer.exchange.store
      return (known.peek(cid), known.isElsewhere(cid) ? it.store : nil)
    }
    guard block == nil, let store else { return block }
    return try await pool.runIfActive { try store.get(cid) }
  }

  /// Whether every block of an object is here.
  public func has(_ root: CID) async throws -> Bool { try await onHome { $0.peer.exchange.store.holdsAll(of: root) } }

  /// Gets an object to the disk, from whoever has it: goes on looking until it is here or the time is over. Cancelled with its task.
  public func obtain(_ root: CID, within: Instant.Span) async throws {
    let clock = configuration.transport.clock
    let deadline = clock.now + within
    var providers: [PeerID] = []
    while true {
      do {
        let (left, known) = (deadline - clock.now, providers)
        try await withTaskCancellationHandler {
          try await fetch(root, providers: known, within: left, toDisk: true)
        } onCancel: {
          _ = home.submit { [core] in core.value.stopFetching(root) }
        }
        return
      } catch let failure as FetchFailure {
        try _Concurrency.Task.checkCancellation()
        switch failure.reason {
        case .nobodyToAsk, .nobodyHasIt, .silence: break
        case .deadline, .storeFull, .notStored, .tooManyBlocks, .tooManyFetches, .tooLarge: throw failure
        }
        guard clock.now + .seconds(1) < deadline else { throw failure }
        let found = try await self.providers(of: root)
        providers = found.map(\.peer)
        try await remember(found)
        if found.isEmpty { try await _Concurrency.Task.sleep(for: .seconds(1)) }
      }
    }
  }

  /// Who says to have an object, as far as the tables know; without this peer.
  public func providers(of root: CID, count: Int = 8) async throws -> [(peer: PeerID, addresses: [Multiaddr])] {
    var found: [(peer: PeerID, addresses: [Multiaddr])] = []
    for outcome in try await query({ _ in .findProviders(MurmurRouting.Key(providersOf: root), count: count) }) {
      guard case .providers(let contacts) = outcome else { continue }
      for contact in contacts where contact.peer != id && !found.contains(where: { $0.peer == contact.peer }) {
        found.append((contact.peer, contact.addresses))
      }
    }
    return found
  }

  // MARK: Connections

  /// A peer that is connected, and how.
  public struct Acquaintance: Hashable, Sendable {
    /// Who.
    public var peer: PeerID
    /// Where.
    public var address: Multiaddr
    /// What it says it is.
    public var agent: String
    /// What it speaks.
    public var protocols: [String]
    /// Whether we dialled it.
    public var isOutbound: Bool
    /// How long it has been connected.
    public var age: Instant.Span
    /// How many connections there are to it.
    public var connections: Int
  }

  /// Everybody who is connected, in the order in which they came.
  public func acquaintances() async throws -> [Acquaintance] {
    let all = try await onHome { it in
      it.neighbours.keys.sorted().compactMap { peer -> Acquaintance? in
        guard let neighbour = it.neighbours[peer], let link = neighbour.links.first else { return nil }
        return Acquaintance(
          peer: peer, address: link.remoteAddress, agent: neighbour.description?.agentVersion ?? "",
          protocols: neighbour.description?.protocols ?? [], isOutbound: link.role == .dialer, age: it.now - link.since,
          connections: neighbour.links.count)
      }
    }
    return all.sorted { $0.age != $1.age ? $0.age > $1.age : $0.peer < $1.peer }
  }

  /// Where a peer is said to be, without asking anybody.
  public func addresses(of peer: PeerID) async throws -> [Multiaddr] { try await onHome { $0.book.addresses(of: peer) } }

  /// Where a peer is, as the tables know it; empty if they do not.
  public func find(_ peer: PeerID) async throws -> [Multiaddr] {
    var found: [Multiaddr] = []
    for outcome in try await query({ _ in .findPeer(peer) }) {
      guard case .peer(let contact, _) = outcome else { continue }
      for address in contact.addresses.map(\.withoutPeer) where !found.contains(address) { found.append(address) }
    }
    return found
  }

  // MARK: Reachability

  /// Where connected peers say that they see this one, believed or not.
  public func sightings() async throws -> [Identify.Sighting] { try await onHome { $0.identify.sightings } }

  /// Asks a connected peer to dial this one back.
  public func askDialback(_ peer: PeerID) async throws -> Dialback.Answer {
    let answer = try await onHomeFlat { it -> EventLoopFuture<[UInt8]?> in
      guard let link = it.link(to: peer) else { return it.home.makeFailedFuture(NodeError("\(peer) is not connected")) }
      let promise = it.home.makePromise(of: [UInt8]?.self)
      let stream = RequestStream(Dialback.request(it.listening), expectsAnswer: true, most: Dialback.mostBytes) { result in
        promise.completeWith(result)
      }
      let deadline = it.schedule(it.now + .seconds(25)) { stream.giveUp(NodeError("\(peer) did not answer within 25 s")) }
      promise.futureResult.whenComplete { _ in deadline.cancel() }
      link.open([Dialback.protocolID], handler: stream)
      return promise.futureResult
    }
    guard let answer else { throw NodeError("\(peer) answered nothing") }
    return try Dialback.Answer.decode(answer)
  }
}

extension NodeCore {
  /// Nobody waits for an object any more, unless somebody else does too.
  fileprivate func stopFetching(_ root: CID) {
    guard let waiting = fetches[root], waiting.count == 1 else { return }
    fetches[root] = nil
    step(.asked(.cancel(root)))
    for promise in waiting { promise.fail(NodeError("nobody waits for it any more")) }
  }
}
