import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurRouting
import MurmurWire
import NIOCore

/// Tables that are being asked who provides an object, and how its fetch failed meanwhile.
struct Finding {
  var left = 0
  var failure: FetchFailure?
}

/// Getting objects: the exchange asks who is connected while the tables are asked who else has it.
extension NodeCore {
  func fetch(
    _ root: CID, _ providers: [PeerID], until deadline: Instant, _ keeping: Exchange.Keeping
  ) -> EventLoopFuture<CID> {
    let promise = home.makePromise(of: CID.self)
    fetches[root, default: []].append(promise)
    finding[root, default: Finding()].left += tables.count
    step(.asked(.fetch(root, providers: providers, deadline: deadline, keeping: keeping)))
    for index in tables.indices {
      query(index, .findProviders(MurmurRouting.Key(providersOf: root), count: 8)) { [self] outcome, isEnd in
        if case .providers(let contacts) = outcome { found(contacts, of: root, until: deadline, keeping) }
        if isEnd { stopFinding(root) }
      }
    }
    return promise.futureResult
  }

  private func found(_ contacts: [Contact], of root: CID, until deadline: Instant, _ keeping: Exchange.Keeping) {
    let others = contacts.filter { $0.peer != keys.peerID }
    guard !others.isEmpty, fetches[root] != nil else { return }
    for contact in others {
      hear(contact.peer, at: contact.addresses)
      dial(contact.peer)
    }
    finding[root]?.failure = nil
    step(.asked(.fetch(root, providers: others.map(\.peer), deadline: deadline, keeping: keeping)))
  }

  private func stopFinding(_ root: CID) {
    finding[root]?.left -= 1
    guard finding[root]?.left == 0, let failure = finding.removeValue(forKey: root)?.failure else { return }
    notFetched(root, failure)
  }

  /// That nobody who is connected has it says little while the tables are being asked.
  func notFetched(_ root: CID, _ failure: FetchFailure) {
    if let left = finding[root]?.left, left > 0, failure.reason != .deadline {
      finding[root]?.failure = failure
      return
    }
    for promise in fetches.removeValue(forKey: root) ?? [] { promise.fail(failure) }
  }
}
